import type { Draft } from './step-draft.js'
import { completeIfAllJoined, completeJoin, putOut, rebalance } from './step-rebalance.js'
import type { TimerName } from './step-state.js'

export function timer(draft: Draft, name: TimerName) {
  if (name === 'rebalance') return rebalanceTimer(draft)
  const slash = name.indexOf('/')
  const memberId = name.slice(slash + 1)
  if (name.slice(0, slash) === 'pending') {
    if (!draft.state.pendingMembers.has(memberId)) return
    draft.setPending(memberId, null)
    return completeIfAllJoined(draft)
  }
  const member = draft.state.members.get(memberId)
  if (member !== undefined) putOut(draft, member)
}

function rebalanceTimer(draft: Draft) {
  const { state } = draft
  if (state.phase === 'CompletingRebalance' || state.phase === 'Stable') return putOutUnsynced(draft)
  if (state.phase !== 'PreparingRebalance') return
  const { initialDelay } = state
  if (initialDelay === null) return completeJoin(draft)
  const leftMs = initialDelay.untilMs - draft.nowMs
  if (initialDelay.memberCame && leftMs > 0) {
    draft.change({ initialDelay: { ...initialDelay, memberCame: false } })
    return draft.start('rebalance', Math.min(draft.limits.groupInitialRebalanceDelayMs, leftMs))
  }
  // All first members wait in their JoinGroup; an id that was handed out and not used must not hold them up longer.
  completeJoin(draft)
}

/** Who joined a generation and never asked for its assignment is not there, static or not. */
function putOutUnsynced(draft: Draft) {
  const unsynced = draft.members().filter((member) => !member.hasSynced)
  if (unsynced.length === 0) return
  for (const member of unsynced) draft.removeMember(member.memberId)
  rebalance(draft)
}
