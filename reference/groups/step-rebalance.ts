import { joinAnswer, joinRefusal, syncRefusal } from './step-answers.js'
import type { Draft } from './step-draft.js'
import { chosenProtocol } from './step-protocols.js'
import type { GroupState, Member } from './step-state.js'

/** Begins a rebalance if none has begun, and ends it if all have come. */
export function rebalance(draft: Draft) {
  const { phase } = draft.state
  if (phase !== 'PreparingRebalance') beginRebalance(draft)
  // A first rebalance waits for its delay and for nothing else: an id that was handed out and not used holds nobody up.
  if (phase === 'Empty' && draft.state.initialDelay === null) completeJoin(draft)
  else completeIfAllJoined(draft)
}

function beginRebalance(draft: Draft) {
  const { state, limits } = draft
  abortSyncs(draft)
  draft.change({ phase: 'PreparingRebalance' })
  const timeoutMs = rebalanceTimeoutMs(state)
  const delayMs = Math.min(limits.groupInitialRebalanceDelayMs, timeoutMs)
  if (state.phase === 'Empty' && delayMs > 0) {
    draft.change({ initialDelay: { untilMs: draft.nowMs + timeoutMs, memberCame: false } })
    return draft.start('rebalance', delayMs)
  }
  draft.start('rebalance', timeoutMs)
}

/** SyncGroups that wait for a leader whose generation ends are told to join again; sessions run on from there. */
function abortSyncs(draft: Draft) {
  for (const member of draft.members()) {
    if (member.awaitingSync !== null) {
      draft.reply(member.awaitingSync, syncRefusal('REBALANCE_IN_PROGRESS'))
      draft.restartSession(member)
    }
    draft.setMember({ ...member, awaitingSync: null, assignment: Buffer.alloc(0) })
  }
}

export function completeIfAllJoined(draft: Draft) {
  const { phase, initialDelay, pendingMembers, members } = draft.state
  if (phase !== 'PreparingRebalance' || initialDelay !== null || pendingMembers.size > 0) return
  if ([...members.values()].every((member) => member.awaitingJoin !== null)) completeJoin(draft)
}

/**
 * Ends the join phase: the rest get the new generation. Dynamic members that did not come are out; a static one keeps its
 * place until its session ends (KIP-345), and its assignment waits for it.
 */
export function completeJoin(draft: Draft) {
  for (const member of draft.members())
    if (member.awaitingJoin === null && member.groupInstanceId === null) draft.removeMember(member.memberId)
  draft.change({ initialDelay: null })
  const members = draft.members()
  if (members.length === 0) return becomeEmpty(draft)
  if (!electLeader(draft, members)) return draft.start('rebalance', absentTimeoutMs(draft.state))

  const { generationId } = draft.state
  draft.change({ generationId: generationId + 1, phase: 'CompletingRebalance' })
  draft.change({ protocolName: chosenProtocol(draft.state) })
  // From here the timer is for SyncGroup: members that joined and never sync must not hold the others up.
  draft.start('rebalance', rebalanceTimeoutMs(draft.state))
  for (const member of members) {
    if (member.awaitingJoin !== null) {
      draft.reply(member.awaitingJoin, joinAnswer(draft.state, member.memberId))
      draft.restartSession(member)
    }
    draft.setMember({ ...member, awaitingJoin: null, hasSynced: false })
  }
}

/** Only who is here can lead. @returns whether anyone is. */
function electLeader(draft: Draft, members: readonly Member[]): boolean {
  const here = members.filter((member) => member.awaitingJoin !== null)
  const leader = here.find((member) => member.memberId === draft.state.leaderId) ?? here[0]
  if (leader === undefined) return false
  draft.change({ leaderId: leader.memberId })
  return true
}

/** The last member went: a generation of its own, so that what it may still commit is of an old one. */
function becomeEmpty(draft: Draft) {
  draft.stop('rebalance')
  const generationId = draft.state.generationId + 1
  draft.change({ phase: 'Empty', generationId, protocolName: null, leaderId: null, initialDelay: null })
  draft.store('empty')
}

/** Takes a member out, answers what it still waits for, and lets the others share anew. */
export function putOut(draft: Draft, member: Member) {
  if (member.awaitingJoin !== null)
    draft.reply(member.awaitingJoin, joinRefusal('UNKNOWN_MEMBER_ID', member.memberId))
  if (member.awaitingSync !== null) draft.reply(member.awaitingSync, syncRefusal('UNKNOWN_MEMBER_ID'))
  draft.removeMember(member.memberId)
  if (draft.state.initialDelay !== null && draft.state.members.size > 0) return
  if (draft.state.members.size === 0) draft.change({ initialDelay: null })
  rebalance(draft)
}

/** Only static members are left, and none of them is here: their sessions decide, and this only looks again. */
const absentTimeoutMs = (state: GroupState) => Math.max(1000, rebalanceTimeoutMs(state))

function rebalanceTimeoutMs(state: GroupState): number {
  return Math.max(0, ...[...state.members.values()].map((member) => member.rebalanceTimeoutMs))
}
