import { joinAnswer, joinRefusal, syncAnswer, syncRefusal } from './step-answers.js'
import { Draft } from './step-draft.js'
import { acceptsProtocols, chosenProtocol, sameProtocols } from './step-protocols.js'
import type {
  CommitEvent,
  GroupEffect,
  GroupError,
  GroupEvent,
  GroupLimits,
  GroupState,
  HeartbeatEvent,
  JoinEvent,
  LeaveEvent,
  Member,
  SyncEvent,
  TimerName,
} from './step-state.js'

/**
 * The classic group protocol as a pure function: what happens to one group, and what is to be done about it
 * (register GC-1, GC-2, GC-7; KIP-62, KIP-134, KIP-394, KIP-559). No clock, no sockets, no store.
 *
 * @param nowMs the coordinator's clock; only the initial rebalance delay looks at it.
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

/** A member that joins for the first time has this long for its first rebalance, as its session has not begun. */
const newMemberJoinTimeoutMs = 5 * 60_000

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
    case 'delete':
      return draft.reply(event.replyTo, { type: 'delete', error: mayDelete(draft.state) })
    case 'timer':
      return timer(draft, event.timer)
  }
}

// ── JoinGroup ───────────────────────────────────────────────────────────────────────────────────────────────────────

function join(draft: Draft, event: JoinEvent) {
  const { state } = draft
  const refuse = (error: GroupError, memberId = event.memberId) =>
    draft.reply(event.replyTo, joinRefusal(error, memberId))
  if (!acceptsProtocols(state, event)) return refuse('INCONSISTENT_GROUP_PROTOCOL')

  if (event.memberId === '' || state.pendingMembers.has(event.memberId)) {
    const size = state.members.size + state.pendingMembers.size
    if (event.memberId === '' && size >= draft.limits.groupMembersMax) return refuse('GROUP_MAX_SIZE_REACHED')
    if (event.memberId === '' && event.requiresKnownMemberId) {
      draft.setPending(event.newMemberId, event.sessionTimeoutMs)
      return refuse('MEMBER_ID_REQUIRED', event.newMemberId)
    }
    return addMember(draft, event)
  }

  const member = state.members.get(event.memberId)
  if (member === undefined) return refuse('UNKNOWN_MEMBER_ID')
  // A repeated JoinGroup whose answer was lost is answered again. A leader that asks again wants a new rebalance
  // (its topics have changed), unless the assignment is still to come from it.
  const repeated =
    sameProtocols(member.protocols, event.protocols) &&
    (state.phase === 'CompletingRebalance' ||
      (state.phase === 'Stable' && state.leaderId !== member.memberId))
  if (repeated) {
    if (member.awaitingSync === null) draft.restartSession(member)
    return draft.reply(event.replyTo, joinAnswer(state, member.memberId))
  }
  updateMember(draft, member, event)
}

function addMember(draft: Draft, event: JoinEvent) {
  const memberId = event.memberId === '' ? event.newMemberId : event.memberId
  if (draft.state.pendingMembers.has(memberId)) draft.setPending(memberId, null)
  if (draft.state.members.size === 0) draft.change({ protocolType: event.protocolType, leaderId: memberId })
  draft.setMember({
    memberId,
    groupInstanceId: event.groupInstanceId,
    clientId: event.clientId,
    clientHost: event.clientHost,
    sessionTimeoutMs: event.sessionTimeoutMs,
    rebalanceTimeoutMs: event.rebalanceTimeoutMs,
    protocols: event.protocols,
    assignment: Buffer.alloc(0),
    awaitingJoin: event.replyTo,
    awaitingSync: null,
  })
  draft.start(`session/${memberId}`, newMemberJoinTimeoutMs)
  if (draft.state.initialDelay !== null)
    draft.change({ initialDelay: { ...draft.state.initialDelay, memberCame: true } })
  rebalance(draft)
}

function updateMember(draft: Draft, member: Member, event: JoinEvent) {
  // A second JoinGroup of the same member overtakes the first, which would otherwise never be answered.
  if (member.awaitingJoin !== null)
    draft.reply(member.awaitingJoin, joinRefusal('REBALANCE_IN_PROGRESS', member.memberId))
  draft.setMember({
    ...member,
    protocols: event.protocols,
    sessionTimeoutMs: event.sessionTimeoutMs,
    rebalanceTimeoutMs: event.rebalanceTimeoutMs,
    awaitingJoin: event.replyTo,
  })
  // It waits for others now, and shows that it lives by waiting.
  draft.stop(`session/${member.memberId}`)
  rebalance(draft)
}

/** Begins a rebalance if none has begun, and ends it if all have come. */
function rebalance(draft: Draft) {
  if (draft.state.phase !== 'PreparingRebalance') beginRebalance(draft)
  completeIfAllJoined(draft)
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
  for (const member of draft.state.members.values()) {
    if (member.awaitingSync !== null) draft.reply(member.awaitingSync, syncRefusal('REBALANCE_IN_PROGRESS'))
    if (member.awaitingSync !== null) draft.restartSession(member)
    draft.setMember({ ...member, awaitingSync: null, assignment: Buffer.alloc(0) })
  }
}

function completeIfAllJoined(draft: Draft) {
  const { phase, initialDelay, pendingMembers, members } = draft.state
  if (phase !== 'PreparingRebalance' || initialDelay !== null || pendingMembers.size > 0) return
  if ([...members.values()].every((member) => member.awaitingJoin !== null)) completeJoin(draft)
}

/** Ends the join phase: those that did not come are out, the rest get the new generation. */
function completeJoin(draft: Draft) {
  for (const member of draft.state.members.values())
    if (member.awaitingJoin === null) draft.removeMember(member.memberId)
  draft.change({ initialDelay: null, generationId: draft.state.generationId + 1 })
  if (draft.state.members.size === 0) return becomeEmpty(draft)

  draft.change({ phase: 'CompletingRebalance', protocolName: chosenProtocol(draft.state) })
  // From here the timer is for SyncGroup: members that joined and never sync must not hold the others up.
  draft.start('rebalance', rebalanceTimeoutMs(draft.state))
  for (const member of draft.state.members.values()) {
    if (member.awaitingJoin !== null)
      draft.reply(member.awaitingJoin, joinAnswer(draft.state, member.memberId))
    draft.setMember({ ...member, awaitingJoin: null })
    draft.restartSession(member)
  }
}

function becomeEmpty(draft: Draft) {
  draft.stop('rebalance')
  draft.change({ phase: 'Empty', protocolName: null, leaderId: null, initialDelay: null })
}

// ── SyncGroup, Heartbeat, LeaveGroup, OffsetCommit, DeleteGroups ────────────────────────────────────────────────────

function sync(draft: Draft, event: SyncEvent) {
  const { state } = draft
  const fault = fenced(state, event.memberId, event.generationId) ?? inconsistent(state, event)
  const member = state.members.get(event.memberId)
  if (fault !== null || member === undefined)
    return draft.reply(event.replyTo, syncRefusal(fault ?? 'UNKNOWN_MEMBER_ID'))
  if (state.phase === 'PreparingRebalance')
    return draft.reply(event.replyTo, syncRefusal('REBALANCE_IN_PROGRESS'))
  if (state.phase === 'Stable') {
    draft.restartSession(member)
    return draft.reply(event.replyTo, syncAnswer(state, member))
  }
  if (member.awaitingSync !== null) draft.reply(member.awaitingSync, syncRefusal('REBALANCE_IN_PROGRESS'))
  draft.setMember({ ...member, awaitingSync: event.replyTo })
  draft.stop(`session/${member.memberId}`)
  if (event.memberId === state.leaderId) becomeStable(draft, event)
}

function becomeStable(draft: Draft, event: SyncEvent) {
  const assignments = new Map(event.assignments.map((each) => [each.memberId, each.assignment]))
  draft.change({ phase: 'Stable' })
  for (const member of draft.state.members.values()) {
    const assigned = { ...member, assignment: assignments.get(member.memberId) ?? Buffer.alloc(0) }
    if (member.awaitingSync !== null) {
      draft.reply(member.awaitingSync, syncAnswer(draft.state, assigned))
      draft.restartSession(member)
    }
    draft.setMember({ ...assigned, awaitingSync: null })
  }
  // Members that have not synced yet keep their session timers, which put them out if they never do.
  draft.stop('rebalance')
}

function heartbeat(draft: Draft, event: HeartbeatEvent) {
  const { state } = draft
  const fault = fenced(state, event.memberId, event.generationId)
  const member = state.members.get(event.memberId)
  // A member that waits for others has no session running, and a stray heartbeat must not begin one.
  if (fault === null && member !== undefined && member.awaitingJoin === null && member.awaitingSync === null)
    draft.restartSession(member)
  const rebalancing = state.phase === 'PreparingRebalance'
  draft.reply(event.replyTo, {
    type: 'heartbeat',
    error: fault ?? (rebalancing ? 'REBALANCE_IN_PROGRESS' : 'NONE'),
  })
}

function leave(draft: Draft, event: LeaveEvent) {
  const members = event.memberIds.map((memberId) => ({ memberId, error: leaveOne(draft, memberId) }))
  draft.reply(event.replyTo, { type: 'leave', members })
}

function leaveOne(draft: Draft, memberId: string): GroupError {
  if (draft.state.pendingMembers.has(memberId)) {
    draft.setPending(memberId, null)
    completeIfAllJoined(draft)
    return 'NONE'
  }
  const member = draft.state.members.get(memberId)
  if (member === undefined) return 'UNKNOWN_MEMBER_ID'
  putOut(draft, member)
  return 'NONE'
}

/** Takes a member out, answers what it still waits for, and lets the others share anew. */
function putOut(draft: Draft, member: Member) {
  if (member.awaitingJoin !== null)
    draft.reply(member.awaitingJoin, joinRefusal('UNKNOWN_MEMBER_ID', member.memberId))
  if (member.awaitingSync !== null) draft.reply(member.awaitingSync, syncRefusal('UNKNOWN_MEMBER_ID'))
  draft.removeMember(member.memberId)
  if (draft.state.initialDelay !== null && draft.state.members.size > 0) return
  if (draft.state.members.size === 0) draft.change({ initialDelay: null })
  rebalance(draft)
}

/** Whether a commit of this member counts now (register GC-7). A commit shows that the member lives. */
function mayCommit(draft: Draft, event: CommitEvent): GroupError {
  const { state } = draft
  if (event.generationId < 0 && state.phase === 'Empty') return 'NONE'
  const fault = fenced(state, event.memberId, event.generationId)
  if (fault !== null) return fault
  if (state.phase === 'CompletingRebalance') return 'REBALANCE_IN_PROGRESS'
  const member = state.members.get(event.memberId)
  if (member !== undefined && member.awaitingJoin === null) draft.restartSession(member)
  return 'NONE'
}

function mayDelete(state: GroupState): GroupError {
  return state.members.size > 0 || state.pendingMembers.size > 0 ? 'NON_EMPTY_GROUP' : 'NONE'
}

// ── time-outs ───────────────────────────────────────────────────────────────────────────────────────────────────────

function timer(draft: Draft, name: TimerName) {
  if (name === 'rebalance') return rebalanceTimer(draft)
  const [kind, memberId] = split(name)
  if (kind === 'pending') {
    if (!draft.state.pendingMembers.has(memberId)) return
    draft.setPending(memberId, null)
    return completeIfAllJoined(draft)
  }
  const member = draft.state.members.get(memberId)
  if (member !== undefined) putOut(draft, member)
}

function split(name: string): readonly [kind: string, memberId: string] {
  const slash = name.indexOf('/')
  return [name.slice(0, slash), name.slice(slash + 1)]
}

function rebalanceTimer(draft: Draft) {
  const { state } = draft
  if (state.phase === 'CompletingRebalance') return putOutUnsynced(draft)
  if (state.phase !== 'PreparingRebalance') return
  const { initialDelay } = state
  if (initialDelay === null) return completeJoin(draft)
  const leftMs = initialDelay.untilMs - draft.nowMs
  if (initialDelay.memberCame && leftMs > 0) {
    draft.change({ initialDelay: { ...initialDelay, memberCame: false } })
    return draft.start('rebalance', Math.min(draft.limits.groupInitialRebalanceDelayMs, leftMs))
  }
  draft.change({ initialDelay: null })
  // All first members wait in their JoinGroup; an id that was handed out and not used must not hold them up longer.
  completeJoin(draft)
}

function putOutUnsynced(draft: Draft) {
  const unsynced = [...draft.state.members.values()].filter((member) => member.awaitingSync === null)
  for (const member of unsynced) draft.removeMember(member.memberId)
  rebalance(draft)
}

// ── fencing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function fenced(state: GroupState, memberId: string, generationId: number): GroupError | null {
  if (!state.members.has(memberId)) return 'UNKNOWN_MEMBER_ID'
  return generationId === state.generationId ? null : 'ILLEGAL_GENERATION'
}

/** KIP-559: a SyncGroup that names its protocol must name the chosen one. */
function inconsistent(state: GroupState, event: SyncEvent): GroupError | null {
  const typeDiffers = event.protocolType !== null && event.protocolType !== state.protocolType
  const nameDiffers = event.protocolName !== null && event.protocolName !== state.protocolName
  return typeDiffers || nameDiffers ? 'INCONSISTENT_GROUP_PROTOCOL' : null
}

function rebalanceTimeoutMs(state: GroupState): number {
  return Math.max(0, ...[...state.members.values()].map((member) => member.rebalanceTimeoutMs))
}
