import type { TopicSlots } from './consumer/slots.js'
import type { ConsumerGroupError, ConsumerMember, MemberWords } from './consumer/state.js'
import type { GroupKey } from './group-key.js'
import type { GroupMemberPartitions } from './group-views.js'
import type { GroupError } from './step-state.js'

export interface CommittingMember {
  /** Empty from a consumer without a group's membership, and from tools. */
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** The generation of a classic member, the epoch of one of the next generation; −1 without membership. */
  readonly generationId: number
}

export interface NextGenerationListing {
  readonly key: GroupKey
  readonly protocolType: string
  /** Kafka's name of the state: `Empty`, `Assigning`, `Reconciling`, `Stable`. */
  readonly phase: string
  readonly groupType: string
}

export interface ConsumerGroupHeartbeat extends MemberWords {
  /** Empty: the coordinator is to choose it (version 0). */
  readonly memberId: string
  readonly owned: readonly TopicSlots[] | null
}

export interface ConsumerGroupHeartbeatReply {
  readonly error: ConsumerGroupError
  readonly message: string | null
  readonly memberId: string
  readonly memberEpoch: number
  readonly heartbeatIntervalMs: number
  /** Null: as the member knows it. */
  readonly assignment: readonly TopicSlots[] | null
}

export interface NamedTopicSlots extends TopicSlots {
  readonly topicName: string
}

/** A group as ConsumerGroupDescribe shows it. */
export interface ConsumerGroupDescription {
  readonly phase: string
  readonly epoch: number
  readonly assignor: string
  readonly members: readonly (Omit<ConsumerMember, 'assigned' | 'revoking' | 'target'> & {
    readonly assigned: readonly NamedTopicSlots[]
    readonly target: readonly NamedTopicSlots[]
  })[]
}

/**
 * Groups of the next-generation protocol (KIP-848, register GC-11), beside the classic ones of `GroupCoordinator`. A group
 * id is of one kind at a time, and both kinds commit to the same store. The coordinator asks here first; it calls the
 * methods other than `owns` and `list` only for groups that are owned.
 */
export interface NextGenerationGroups {
  /** Whether the group is of this kind now. An empty one still is, until a classic member joins it. */
  owns(key: GroupKey): boolean
  /** Whether it has no members and so can become a classic group; it then forgets the group, but not its offsets. */
  release(key: GroupKey): Promise<boolean>
  hasMembers(key: GroupKey): boolean
  membersOf(key: GroupKey): readonly GroupMemberPartitions[]
  /** Answered at once, so that nothing comes between it and the store. */
  mayCommit(key: GroupKey, member: CommittingMember): GroupError | 'STALE_MEMBER_EPOCH'
  /** @param memberId null: of a client that is no member, such as a tool */
  mayFetch(key: GroupKey, memberId: string | null, memberEpoch: number): GroupError | 'STALE_MEMBER_EPOCH'
  /** Joins, leaves, or stays in a group, which is made if need be. Also asked for ids that are not owned. */
  heartbeat(key: GroupKey, request: ConsumerGroupHeartbeat): Promise<ConsumerGroupHeartbeatReply>
  /** Undefined: there is no such group of this kind. */
  describe(key: GroupKey): ConsumerGroupDescription | undefined
  close(): void
  /** Whether a member subscribes to the topic, under any of the names that Kafka has for it. */
  isSubscribed(key: GroupKey, kafkaNames: readonly string[]): boolean
  /** When its last member went; null while it has members (register GC-10). */
  emptySinceMs(key: GroupKey): number | null
  /** Fences the present epochs, runs `move`, and then lets the members go on; see `GroupCoordinator.resetByTool`. */
  resetByTool(key: GroupKey, move: () => Promise<void>): Promise<void>
  list(): readonly NextGenerationListing[]
  /** Forgets an empty group; its offsets are the coordinator's to delete. */
  delete(key: GroupKey): Promise<GroupError>
}
