import { joinAnswer, joinRefusal } from './step-answers.js'
import type { Draft } from './step-draft.js'
import { identify, memberOfInstance } from './step-identity.js'
import { acceptsProtocols, sameProtocols } from './step-protocols.js'
import { rebalance } from './step-rebalance.js'
import type { GroupError, JoinEvent, Member } from './step-state.js'
import { replaceStaticMember } from './step-static.js'

/** A member that joins for the first time has this long for its first rebalance, as its session has not begun. */
const newMemberJoinTimeoutMs = 5 * 60_000

export function join(draft: Draft, event: JoinEvent) {
  const fault = refusal(draft, event)
  if (fault !== null) return draft.reply(event.replyTo, joinRefusal(fault, event.memberId))
  if (event.memberId === '') return joinFirst(draft, event)
  if (draft.state.pendingMembers.has(event.memberId) && event.groupInstanceId === null)
    return addMember(draft, event, event.memberId)
  const member = identify(draft.state, event)
  if (typeof member === 'string') return draft.reply(event.replyTo, joinRefusal(member, event.memberId))
  joinAgain(draft, member, event)
}

function refusal({ state, limits }: Draft, event: JoinEvent): GroupError | null {
  const { sessionTimeoutMs } = event
  if (sessionTimeoutMs < limits.sessionTimeoutMsMin || sessionTimeoutMs > limits.sessionTimeoutMsMax)
    return 'INVALID_SESSION_TIMEOUT'
  return acceptsProtocols(state, event) ? null : 'INCONSISTENT_GROUP_PROTOCOL'
}

/** A client without a member id: a new member, or one that takes a static member's place again. */
function joinFirst(draft: Draft, event: JoinEvent) {
  const { state, limits } = draft
  const { groupInstanceId, newMemberId } = event
  const previous = groupInstanceId === null ? undefined : memberOfInstance(state, groupInstanceId)
  if (previous !== undefined) return replaceStaticMember(draft, previous, event)
  if (state.members.size + state.pendingMembers.size >= limits.groupMembersMax)
    return draft.reply(event.replyTo, joinRefusal('GROUP_MAX_SIZE_REACHED', ''))
  // A static member is found again by its instance id, so it need not come back with its member id first (KIP-394).
  if (event.requiresKnownMemberId && groupInstanceId === null) {
    draft.setPending(newMemberId, event.sessionTimeoutMs)
    return draft.reply(event.replyTo, joinRefusal('MEMBER_ID_REQUIRED', newMemberId))
  }
  addMember(draft, event, newMemberId)
}

/**
 * A repeated JoinGroup whose answer was lost is answered again. A leader that asks again wants a new rebalance (its
 * topics have changed), unless the assignment is still to come from it.
 */
function joinAgain(draft: Draft, member: Member, event: JoinEvent) {
  const { state } = draft
  const isRepeated =
    sameProtocols(member.protocols, event.protocols) &&
    (state.phase === 'CompletingRebalance' ||
      (state.phase === 'Stable' && state.leaderId !== member.memberId))
  if (!isRepeated) return updateMember(draft, member, event)
  if (member.awaitingSync === null) draft.restartSession(member)
  draft.reply(event.replyTo, joinAnswer(state, member.memberId))
}

function addMember(draft: Draft, event: JoinEvent, memberId: string) {
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
    hasSynced: false,
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
    clientId: event.clientId,
    clientHost: event.clientHost,
    protocols: event.protocols,
    sessionTimeoutMs: event.sessionTimeoutMs,
    rebalanceTimeoutMs: event.rebalanceTimeoutMs,
    awaitingJoin: event.replyTo,
  })
  // A SyncGroup that it also waits for is answered as the rebalance begins, which would start the session again.
  rebalance(draft)
  // It waits for others now, and shows that it lives by waiting.
  const now = draft.state.members.get(member.memberId)
  if (now !== undefined && now.awaitingJoin !== null) draft.stop(`session/${member.memberId}`)
}
