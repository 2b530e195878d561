import { Draft } from './step-draft.js'
import { identifyNow } from './step-identity.js'
import { join } from './step-join.js'
import { leave } from './step-leave.js'
import { rebalance } from './step-rebalance.js'
import type {
  CommitEvent,
  FenceEvent,
  GroupEffect,
  GroupError,
  GroupEvent,
  GroupLimits,
  GroupState,
  HeartbeatEvent,
  StoreFailedEvent,
} from './step-state.js'
import { sync } from './step-sync.js'
import { timer } from './step-timers.js'

/**
 * The classic group protocol as a pure function: what happens to one group, and what is to be done about it
 * (register GC-1 to GC-3, GC-7; KIP-62, KIP-134, KIP-345, KIP-394, KIP-559, KIP-814). No clock, no sockets, no store.
 *
 * @param nowMs the coordinator's clock: for the initial rebalance delay, and the time of what is stored.
 * @returns the next state and the effects, in the order in which they are to run. `state` is not changed.
 */
export function step(
  state: GroupState,
  event: GroupEvent,
  limits: GroupLimits,
  nowMs: number,
): readonly [GroupState, readonly GroupEffect[]] {
  const draft = new Draft(state, limits, nowMs)
  apply(draft, event)
  return [draft.state, draft.effects]
}

/** The rules by which a group goes on. */
export type GroupStep = typeof step

function apply(draft: Draft, event: GroupEvent) {
  switch (event.type) {
    case 'join':
      return join(draft, event)
    case 'sync':
      return sync(draft, event)
    case 'heartbeat':
      return heartbeat(draft, event)
    case 'leave':
      return leave(draft, event)
    case 'commit':
      return draft.reply(event.replyTo, { type: 'commit', error: mayCommit(draft, event) })
    case 'fence':
      return fence(draft, event)
    case 'storeFailed':
      return storeFailed(draft, event)
    case 'timer':
      return timer(draft, event.timer)
  }
}

function heartbeat(draft: Draft, event: HeartbeatEvent) {
  const member = identifyNow(draft.state, event)
  const reply = (error: GroupError) => draft.reply(event.replyTo, { type: 'heartbeat', error })
  if (typeof member === 'string') return reply(member)
  // A member that waits for others has no session running, and a stray heartbeat must not begin one.
  if (member.awaitingJoin === null && member.awaitingSync === null) draft.restartSession(member)
  reply(draft.state.phase === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE')
}

/**
 * Whether a commit of this member counts now (register GC-7). Without a generation it does in an empty group only: that is
 * a consumer that assigns its partitions itself, or a tool. A commit shows that the member lives.
 */
function mayCommit(draft: Draft, event: CommitEvent): GroupError {
  const { state } = draft
  if (event.generationId < 0 && state.phase === 'Empty') return 'NONE'
  const member = identifyNow(state, event)
  if (typeof member === 'string') return member
  if (state.phase === 'CompletingRebalance') return 'REBALANCE_IN_PROGRESS'
  if (member.awaitingJoin === null) draft.restartSession(member)
  return 'NONE'
}

/** Ends the generation now, and not when its members have come back: they would commit before they do. */
function fence(draft: Draft, event: FenceEvent) {
  const { members, generationId } = draft.state
  if (members.size > 0) {
    draft.change({ generationId: generationId + 1 })
    rebalance(draft)
    draft.store('fence')
  }
  draft.reply(event.replyTo, { type: 'fence', error: 'NONE' })
}

/** An assignment that is not durable is none: its members, who were told of the failure, share anew. */
function storeFailed(draft: Draft, event: StoreFailedEvent) {
  if (event.purpose === 'assignment' && draft.state.phase === 'Stable') rebalance(draft)
}
