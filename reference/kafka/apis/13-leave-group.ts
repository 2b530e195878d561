import type { LeaveReply, LeavingMember } from '../../groups/step-state.js'
import { leaveGroup as table } from '../messages/13-leave-group.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import { coordinatorFault } from './faults.js'
import { groupIdFault, keyOfGroup } from './groups.js'
import { type Call, handler } from './handler.js'

const membersSinceVersion = 3

/** LeaveGroup v0 to v5: one member, or from v3 on several, each with its own error (KIP-345). */
export const leaveGroup = handler(table, async (request, call) => {
  const fault = groupIdFault(request.groupId)
  if (fault !== null) return { errorCode: errorCode(fault) }
  const isBatched = call.apiVersion >= membersSinceVersion
  const asked = isBatched ? request.members : [{ memberId: request.memberId, groupInstanceId: null }]
  call.broker.log.debug({ groupId: request.groupId, members: asked }, 'members leave')
  const members = await leave(request.groupId, asked, call)
  if (typeof members === 'string') return { errorCode: errorCode(members) }
  if (!isBatched) return { errorCode: errorCode(members[0]?.error ?? 'UNKNOWN_MEMBER_ID') }
  return {
    errorCode: 0,
    members: asked.map(({ memberId, groupInstanceId }, index) => ({
      memberId,
      groupInstanceId,
      errorCode: errorCode(members[index]?.error ?? 'UNKNOWN_MEMBER_ID'),
    })),
  }
})

async function leave(
  groupId: string,
  leaving: readonly LeavingMember[],
  call: Call,
): Promise<LeaveReply['members'] | ErrorName> {
  try {
    return (await call.broker.coordinator.leave(keyOfGroup(groupId, call), leaving)).members
  } catch (error) {
    return coordinatorFault(error, call, 'a member could not leave')
  }
}
