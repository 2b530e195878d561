/**
 * What a group is, what can happen to it, and what it asks to be done. Data only; `step.ts` has the rules.
 *
 * Left out on purpose, for the work on shared groups: static members (KIP-345: a group instance id is accepted and its
 * member treated as a dynamic one), the next-generation protocol (KIP-848), the offsets topic and cursor sync.
 */

/** Kafka's error names that a group can answer with. */
export type GroupError =
  | 'NONE'
  | 'ILLEGAL_GENERATION'
  | 'INCONSISTENT_GROUP_PROTOCOL'
  | 'UNKNOWN_MEMBER_ID'
  | 'REBALANCE_IN_PROGRESS'
  | 'MEMBER_ID_REQUIRED'
  | 'GROUP_MAX_SIZE_REACHED'
  | 'NON_EMPTY_GROUP'

/** Kafka's own state names, as DescribeGroups and ListGroups show them. */
export type GroupPhase = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

/** Which request an answer belongs to; chosen by the coordinator, opaque here. */
export type ReplyTo = number

export interface GroupProtocol {
  readonly name: string
  /** Opaque to the broker: for consumers, topics and user data. */
  readonly metadata: Buffer
}

export interface Member {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  /** In the member's order of preference. */
  readonly protocols: readonly GroupProtocol[]
  readonly assignment: Buffer
  /** Its JoinGroup that waits for the others. */
  readonly awaitingJoin: ReplyTo | null
  /** Its SyncGroup that waits for the leader's. */
  readonly awaitingSync: ReplyTo | null
}

export interface GroupState {
  readonly phase: GroupPhase
  /** Counts completed rebalances; −1 is never one. */
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leaderId: string | null
  /** In order of arrival: the first to come becomes the leader. */
  readonly members: ReadonlyMap<string, Member>
  /** Ids handed out with MEMBER_ID_REQUIRED whose second JoinGroup has not come (KIP-394), with session time-outs. */
  readonly pendingMembers: ReadonlyMap<string, number>
  /** While an empty group waits for more first members: until when at most, and whether one came since the last look. */
  readonly initialDelay: { readonly untilMs: number; readonly memberCame: boolean } | null
}

export const emptyGroup: GroupState = {
  phase: 'Empty',
  generationId: 0,
  protocolType: null,
  protocolName: null,
  leaderId: null,
  members: new Map(),
  pendingMembers: new Map(),
  initialDelay: null,
}

export interface JoinEvent {
  readonly type: 'join'
  readonly replyTo: ReplyTo
  /** Empty on a first join. */
  readonly memberId: string
  /** The id to give out if `memberId` is empty. */
  readonly newMemberId: string
  /** JoinGroup v4 and later: the client is to come back with its id before it counts (KIP-394). */
  readonly requiresKnownMemberId: boolean
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly GroupProtocol[]
}

export interface SyncEvent {
  readonly type: 'sync'
  readonly replyTo: ReplyTo
  readonly memberId: string
  readonly generationId: number
  /** Null where the version has no such field. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[]
}

export interface HeartbeatEvent {
  readonly type: 'heartbeat'
  readonly replyTo: ReplyTo
  readonly memberId: string
  readonly generationId: number
}

export interface LeaveEvent {
  readonly type: 'leave'
  readonly replyTo: ReplyTo
  readonly memberIds: readonly string[]
}

/** Asks whether a member may commit; the coordinator stores only after `commitAllowed`. */
export interface CommitEvent {
  readonly type: 'commit'
  readonly replyTo: ReplyTo
  readonly memberId: string
  /** −1 from a consumer that assigns its partitions itself. */
  readonly generationId: number
}

/** Asks whether the group may be deleted: only an empty one may. */
export interface DeleteEvent {
  readonly type: 'delete'
  readonly replyTo: ReplyTo
}

export type TimerName = 'rebalance' | `session/${string}` | `pending/${string}`
export interface TimerEvent {
  readonly type: 'timer'
  readonly timer: TimerName
}

export type GroupEvent =
  | JoinEvent
  | SyncEvent
  | HeartbeatEvent
  | LeaveEvent
  | CommitEvent
  | DeleteEvent
  | TimerEvent

export interface JoinReply {
  readonly type: 'join'
  readonly error: GroupError
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leaderId: string
  readonly memberId: string
  /** All members, for the leader alone. */
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly metadata: Buffer
  }[]
}

export interface SyncReply {
  readonly type: 'sync'
  readonly error: GroupError
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

export interface LeaveReply {
  readonly type: 'leave'
  /** In the order of the request. */
  readonly members: readonly { readonly memberId: string; readonly error: GroupError }[]
}

export interface PlainReply {
  readonly type: 'heartbeat' | 'commit' | 'delete'
  readonly error: GroupError
}

export type GroupReply = JoinReply | SyncReply | LeaveReply | PlainReply

export type GroupEffect =
  | { readonly type: 'reply'; readonly to: ReplyTo; readonly reply: GroupReply }
  /** Starts or restarts the timer of that name; it comes back as a `TimerEvent`. */
  | { readonly type: 'startTimer'; readonly timer: TimerName; readonly afterMs: number }
  | { readonly type: 'stopTimer'; readonly timer: TimerName }

export interface GroupLimits {
  /** How long an empty group waits for more members before its first rebalance; 0: not at all. */
  readonly groupInitialRebalanceDelayMs: number
  readonly groupMembersMax: number
}
