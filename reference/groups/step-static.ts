import { subscribedTopics } from './consumer-protocol.js'
import { joinAnswer, joinRefusal, syncRefusal } from './step-answers.js'
import type { Draft } from './step-draft.js'
import { chosenProtocol } from './step-protocols.js'
import { rebalance } from './step-rebalance.js'
import type { GroupState, JoinEvent, Member } from './step-state.js'

/**
 * A client takes a static member's place under a new member id (KIP-345): after a restart, or as a duplicate. Whoever had
 * the place is fenced from now on. In a stable group that stays as it is otherwise, nobody rebalances.
 */
export function replaceStaticMember(draft: Draft, previous: Member, event: JoinEvent) {
  fenceWaiting(draft, previous)
  const member: Member = {
    ...previous,
    memberId: event.newMemberId,
    clientId: event.clientId,
    clientHost: event.clientHost,
    sessionTimeoutMs: event.sessionTimeoutMs,
    rebalanceTimeoutMs: event.rebalanceTimeoutMs,
    protocols: event.protocols,
    awaitingJoin: null,
    awaitingSync: null,
  }
  const before = draft.state
  draft.replaceMember(previous.memberId, member)
  if (before.phase === 'Stable' && staysAsItIs(draft.state, previous, member)) {
    draft.restartSession(member)
    draft.store('staticMember')
    return draft.reply(event.replyTo, resumed(draft.state, before, member.memberId, event.canSkipAssignment))
  }
  draft.setMember({ ...member, awaitingJoin: event.replyTo })
  rebalance(draft)
}

function fenceWaiting(draft: Draft, previous: Member) {
  const { awaitingJoin, awaitingSync, memberId } = previous
  if (awaitingJoin !== null) draft.reply(awaitingJoin, joinRefusal('FENCED_INSTANCE_ID', memberId))
  if (awaitingSync !== null) draft.reply(awaitingSync, syncRefusal('FENCED_INSTANCE_ID'))
}

/** The assignment still fits: the same assignor, and for consumers the same topics. */
function staysAsItIs(state: GroupState, previous: Member, member: Member): boolean {
  const { protocolName, protocolType } = state
  if (chosenProtocol(state) !== protocolName) return false
  return protocolType !== 'consumer' || topicsOf(previous, protocolName) === topicsOf(member, protocolName)
}

/** Only the topics: what a consumer says of partitions that it owned is different after each restart. */
function topicsOf(member: Member, protocolName: string | null): string {
  const chosen = member.protocols.find((protocol) => protocol.name === protocolName)
  return JSON.stringify(chosen === undefined ? [] : [...subscribedTopics(chosen.metadata)].sort())
}

/**
 * A leader that is back is told so and to assign nothing, if its client knows how (KIP-814). An older client is told that
 * its former self leads, so that it takes itself for a follower.
 */
function resumed(state: GroupState, before: GroupState, memberId: string, canSkipAssignment: boolean) {
  const answer = joinAnswer(state, memberId)
  if (state.leaderId !== memberId) return answer
  if (canSkipAssignment) return { ...answer, skipAssignment: true }
  return { ...answer, leaderId: before.leaderId ?? '', members: [] }
}
