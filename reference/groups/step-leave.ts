import type { Draft } from './step-draft.js'
import { identify, memberOfInstance } from './step-identity.js'
import { completeIfAllJoined, putOut } from './step-rebalance.js'
import type { GroupError, LeaveEvent, LeavingMember } from './step-state.js'

export function leave(draft: Draft, event: LeaveEvent) {
  const members = event.members.map((each) => ({ memberId: each.memberId, error: leaveOne(draft, each) }))
  draft.reply(event.replyTo, { type: 'leave', members })
}

function leaveOne(draft: Draft, leaving: LeavingMember): GroupError {
  const { memberId, groupInstanceId } = leaving
  if (groupInstanceId === null && draft.state.pendingMembers.has(memberId)) {
    draft.setPending(memberId, null)
    completeIfAllJoined(draft)
    return 'NONE'
  }
  // Tools name a static member by its instance id alone (KIP-345).
  const member =
    memberId === '' && groupInstanceId !== null
      ? (memberOfInstance(draft.state, groupInstanceId) ?? 'UNKNOWN_MEMBER_ID')
      : identify(draft.state, leaving)
  if (typeof member === 'string') return member
  putOut(draft, member)
  return 'NONE'
}
