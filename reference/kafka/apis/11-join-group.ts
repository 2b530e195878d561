import type { JoinReply } from '../../groups/step-state.js'
import { joinGroup as table } from '../messages/11-join-group.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import type { RequestOf } from '../wire/schema.js'
import { coordinatorFault } from './faults.js'
import { groupIdFault, keyOfGroup } from './groups.js'
import { type Call, handler } from './handler.js'

type Request = RequestOf<typeof table>

/** Kafka's defaults of `group.min.session.timeout.ms` (lowered, so that tests need not wait) and the max of the same. */
const sessionTimeoutMsMin = 1_000
const sessionTimeoutMsMax = 1_800_000
const memberIdsSinceVersion = 4
/** Until then null was no answer for a protocol that was not chosen. */
const nullProtocolSinceVersion = 7

/**
 * JoinGroup v0 to v9, of the classic protocol: dynamic members (a group instance id is kept and shown, but its member is
 * not static; KIP-345 is left out). The leader is never told to skip the assignment (v9).
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
    memberId: isRefused ? request.memberId : reply.memberId,
    members: isRefused ? [] : reply.members,
  }
})

async function join(request: Request, call: Call): Promise<JoinReply | ErrorName> {
  const { sessionTimeoutMs, rebalanceTimeoutMs } = request
  const fault = groupIdFault(request.groupId)
  if (fault !== null) return fault
  if (sessionTimeoutMs < sessionTimeoutMsMin || sessionTimeoutMs > sessionTimeoutMsMax)
    return 'INVALID_SESSION_TIMEOUT'
  try {
    return await call.broker.coordinator.join(keyOfGroup(request.groupId, call), {
      memberId: request.memberId,
      requiresKnownMemberId: call.apiVersion >= memberIdsSinceVersion,
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
