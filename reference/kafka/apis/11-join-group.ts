import type { JoinReply } from '../../groups/step-state.js'
import { joinGroup as table } from '../messages/11-join-group.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import type { RequestOf } from '../wire/schema.js'
import { coordinatorFault } from './faults.js'
import { groupIdFault, keyOfGroup } from './groups.js'
import { type Call, handler } from './handler.js'

type Request = RequestOf<typeof table>

const memberIdsSinceVersion = 4
const skipAssignmentSinceVersion = 9
/** Until then null was no answer for a protocol that was not chosen. */
const nullProtocolSinceVersion = 7

/**
 * JoinGroup v0 to v9: dynamic and static members of the classic protocol (KIP-345). A static leader that is back is told to
 * skip the assignment from v9 on (KIP-814). The reason of v8 is logged (KIP-800).
 */
export const joinGroup = handler(table, async (request, call) => {
  const reply = await join(request, call)
  const isRefused = typeof reply === 'string'
  const protocolName = isRefused ? null : reply.protocolName
  return {
    errorCode: errorCode(isRefused ? reply : reply.error),
    generationId: isRefused ? -1 : reply.generationId,
    protocolType: isRefused ? null : reply.protocolType,
    protocolName: protocolName ?? (call.apiVersion >= nullProtocolSinceVersion ? null : ''),
    leader: isRefused ? '' : reply.leaderId,
    skipAssignment: !isRefused && reply.skipAssignment,
    memberId: isRefused ? request.memberId : reply.memberId,
    members: isRefused ? [] : reply.members,
  }
})

async function join(request: Request, call: Call): Promise<JoinReply | ErrorName> {
  const { sessionTimeoutMs, rebalanceTimeoutMs } = request
  const fault = groupIdFault(request.groupId)
  if (fault !== null) return fault
  const { groupId, memberId, groupInstanceId, reason } = request
  call.broker.log.debug({ groupId, memberId, groupInstanceId, reason }, 'a member joins')
  try {
    return await call.broker.coordinator.join(keyOfGroup(request.groupId, call), {
      memberId: request.memberId,
      requiresKnownMemberId: call.apiVersion >= memberIdsSinceVersion,
      canSkipAssignment: call.apiVersion >= skipAssignmentSinceVersion,
      groupInstanceId: request.groupInstanceId,
      clientId: call.clientId ?? '',
      clientHost: call.connection.clientHost,
      sessionTimeoutMs,
      // v0 has one time-out for both.
      rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
      protocolType: request.protocolType,
      // Views into the request's frame would keep all of it for as long as the member lives.
      protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
    })
  } catch (error) {
    return coordinatorFault(error, call, 'a member could not join')
  }
}
