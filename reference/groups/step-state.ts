import type { StoredGroup, StoredMember } from './group-store.js'

/** What a group is, what can happen to it, and what it asks to be done. Data only; `step.ts` has the rules. */

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
  | 'FENCED_INSTANCE_ID'
  | 'INVALID_SESSION_TIMEOUT'

/** Kafka's own state names, as DescribeGroups and ListGroups show them. */
export type GroupPhase = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

/** Which request an answer belongs to; chosen by the coordinator, opaque here. */
export type ReplyTo = number

export interface GroupProtocol {
  readonly name: string
  /** Opaque to the broker: for consumers, topics and user data. */
  readonly metadata: Buffer
}

/** What is stored of a member, and what is under way with it. */
export interface Member extends StoredMember {
  /** Its JoinGroup that waits for the others. */
  readonly awaitingJoin: ReplyTo | null
  /** Its SyncGroup that waits for the leader's. */
  readonly awaitingSync: ReplyTo | null
  /** Whether it sent SyncGroup in this generation: who never does is put out. */
  readonly hasSynced: boolean
}

export interface GroupState {
  readonly phase: GroupPhase
  /** Counts completed rebalances; −1 is never one. */
  readonly generationId: number
  /** Outlives the members: an empty group is still one of consumers. */
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
  /** JoinGroup v9 and later: a leader that takes its place again can be told not to assign anew (KIP-814). */
  readonly canSkipAssignment: boolean
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
  readonly groupInstanceId: string | null
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
  readonly groupInstanceId: string | null
  readonly generationId: number
}

export interface LeaveEvent {
  readonly type: 'leave'
  readonly replyTo: ReplyTo
  readonly members: readonly LeavingMember[]
}

/** Named by its member id, or by its instance id with an empty member id (KIP-345). */
export interface LeavingMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/** Asks whether a member may commit; the coordinator stores only if it may. */
export interface CommitEvent {
  readonly type: 'commit'
  readonly replyTo: ReplyTo
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** −1 from a consumer that assigns its partitions itself. */
  readonly generationId: number
}

/** A tool moves the group's offsets: what members of the present generation still commit must not undo it. */
export interface FenceEvent {
  readonly type: 'fence'
  readonly replyTo: ReplyTo
}

/** What a `store` effect asked for is not durable. */
export interface StoreFailedEvent {
  readonly type: 'storeFailed'
  readonly purpose: StorePurpose
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
  | FenceEvent
  | StoreFailedEvent
  | TimerEvent

export interface JoinReply {
  readonly type: 'join'
  readonly error: GroupError
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leaderId: string
  /** The leader is to leave the assignment as it is (KIP-814). */
  readonly skipAssignment: boolean
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
  readonly type: 'heartbeat' | 'commit' | 'fence'
  readonly error: GroupError
}

export type GroupReply = JoinReply | SyncReply | LeaveReply | PlainReply

/**
 * Why a group is stored. `assignment`: a rebalance is complete; if that fails the group rebalances again. `empty`: the
 * last member went; nobody depends on that. `staticMember`: one took its place again. `fence`: a tool moves offsets.
 */
export type StorePurpose = 'assignment' | 'staticMember' | 'empty' | 'fence'

export type GroupEffect =
  /** The effects after this one wait until the group is durable; if it fails, replies among them become errors. */
  | { readonly type: 'store'; readonly purpose: StorePurpose; readonly group: StoredGroup }
  | { readonly type: 'reply'; readonly to: ReplyTo; readonly reply: GroupReply }
  /** Starts or restarts the timer of that name; it comes back as a `TimerEvent`. */
  | { readonly type: 'startTimer'; readonly timer: TimerName; readonly afterMs: number }
  | { readonly type: 'stopTimer'; readonly timer: TimerName }

export interface GroupLimits {
  /** How long an empty group waits for more members before its first rebalance; 0: not at all. */
  readonly groupInitialRebalanceDelayMs: number
  readonly groupMembersMax: number
  /** Session time-outs outside these bounds are refused. */
  readonly sessionTimeoutMsMin: number
  readonly sessionTimeoutMsMax: number
}
