import type { AssignorName } from './assignors.js'
import type { Slot, Slots } from './slots.js'

/** What a group of the next-generation protocol is, and what can happen to it (KIP-848). Data only; `step.ts` has the rules. */

/** Kafka's error names that ConsumerGroupHeartbeat can answer with. */
export type ConsumerGroupError =
  | 'NONE'
  | 'INVALID_REQUEST'
  | 'GROUP_ID_NOT_FOUND'
  | 'GROUP_MAX_SIZE_REACHED'
  | 'UNKNOWN_MEMBER_ID'
  | 'FENCED_MEMBER_EPOCH'
  | 'UNRELEASED_INSTANCE_ID'
  | 'FENCED_INSTANCE_ID'
  | 'UNSUPPORTED_ASSIGNOR'
  | 'INVALID_REGULAR_EXPRESSION'

/** What a member says its epoch is when it comes, leaves for good, or leaves for a while as a static member. */
export const joiningEpoch = 0
export const leavingEpoch = -1
export const awayEpoch = -2

/**
 * Where a member is on its way to its target. `unrevoked`: it has still to let partitions go. `unreleased`: it has done
 * so, and others have still to let go what it is to get. `stable`: it has all that it is to have.
 */
export type MemberPhase = 'stable' | 'unrevoked' | 'unreleased'

export interface ConsumerMember {
  readonly memberId: string
  /** Not null: a static member, whose place outlives restarts of its client (KIP-345). */
  readonly instanceId: string | null
  /** Told by ConsumerGroupDescribe, and otherwise ignored: all replicas are one broker's. */
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly topicNames: readonly string[]
  /** In RE2's syntax; null: none. */
  readonly topicRegex: string | null
  /** The assignor that it prefers, if any. */
  readonly assignor: AssignorName | null
  /** The group's epoch that it has come to; `awayEpoch`: a static member that is to come back. */
  readonly memberEpoch: number
  /** The one before: its answer may have been lost. */
  readonly previousEpoch: number
  readonly phase: MemberPhase
  readonly assigned: Slots
  /** What it is to let go, and may still read until it says that it has. */
  readonly revoking: Slots
  /** What it is to have in the group's epoch. */
  readonly target: Slots
}

export interface ConsumerGroupState {
  /** Counts targets: what the group's members are to have is made out at once, so it is Kafka's assignment epoch too. */
  readonly epoch: number
  readonly assignor: AssignorName
  /** When its last member went; null while it has members. */
  readonly emptySinceMs: number | null
  /** The topics that members subscribe to by their ids, with the partitions they had when targets were made out. */
  readonly topics: ReadonlyMap<string, number>
  readonly members: ReadonlyMap<string, ConsumerMember>
}

/** What a member says of itself; null, and −1 of the time-out: as before. */
export interface MemberWords {
  /** 0: joins; −1: leaves; −2: leaves for a while, as static members do. */
  readonly memberEpoch: number
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly topicNames: readonly string[] | null
  /** Empty: none any more. */
  readonly topicRegex: string | null
  readonly assignor: string | null
}

export interface HeartbeatEvent extends MemberWords {
  readonly type: 'heartbeat'
  readonly memberId: string
  /** The partitions that it has. */
  readonly owned: readonly Slot[] | null
}

export type TimerName = `session/${string}` | `rebalance/${string}`

export type ConsumerGroupEvent =
  | HeartbeatEvent
  /** A member was not heard of in time, or has not let go its partitions in time. */
  | { readonly type: 'timer'; readonly timer: TimerName }
  | { readonly type: 'topicsChanged' }
  /** A tool moves the group's offsets: present epochs end, and so do their commits. */
  | { readonly type: 'fence' }

export interface HeartbeatAnswer {
  readonly error: ConsumerGroupError
  readonly message: string | null
  readonly memberId: string
  readonly memberEpoch: number
  /** Null: as the member knows it. */
  readonly assignment: Slots | null
}

/** `afterMs` null: stops the timer; else starts it, or starts it again. */
export interface TimerEffect {
  readonly timer: TimerName
  readonly afterMs: number | null
}

export interface StepResult {
  /** The same object when nothing changed; another is to be stored before the answer is given. */
  readonly state: ConsumerGroupState
  /** Null: nobody asked. */
  readonly answer: HeartbeatAnswer | null
  readonly timers: readonly TimerEffect[]
}

export interface AssignableTopic {
  readonly topicId: string
  readonly partitions: number
}

/** The topics as the group's members name them. */
export interface SubscribableTopics {
  named(name: string): AssignableTopic | undefined
  /** Those whose whole name matches. */
  matching(regex: string): readonly AssignableTopic[]
}

export interface ConsumerGroupLimits {
  /** How often members are told to send a heartbeat: Kafka's `group.consumer.heartbeat.interval.ms`. */
  readonly heartbeatIntervalMs: number
  /** Kafka's `group.consumer.session.timeout.ms`. */
  readonly sessionTimeoutMs: number
  readonly membersMax: number
}

export interface Surroundings {
  readonly limits: ConsumerGroupLimits
  readonly topics: SubscribableTopics
  readonly nowMs: number
}

export const newGroup: ConsumerGroupState = {
  epoch: 0,
  assignor: 'uniform',
  emptySinceMs: null,
  topics: new Map(),
  members: new Map(),
}
