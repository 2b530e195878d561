import type { GroupDescription } from '../../groups/group-views.js'
import type { Member } from '../../groups/step-state.js'
import { describeGroups as table } from '../messages/15-describe-groups.js'
import { errorCode } from '../wire/errors.js'
import type { ResponseOf } from '../wire/schema.js'
import { groupOperations, operationsOmitted } from './authorized-operations.js'
import { coordinatorFault } from './faults.js'
import { keyOfGroup } from './groups.js'
import { type Call, handler } from './handler.js'

type Answer = ResponseOf<typeof table>['groups'][number]

const notFoundSinceVersion = 6

/** DescribeGroups v0 to v6. What is no group is `Dead` without error, and from v6 on GROUP_ID_NOT_FOUND (KIP-1043). */
export const describeGroups = handler(table, async (request, call) => ({
  groups: await Promise.all(
    request.groups.map(async (groupId) => ({
      ...(await describe(groupId, call)),
      authorizedOperations: request.includeAuthorizedOperations
        ? groupOperations(call.access)
        : operationsOmitted,
    })),
  ),
}))

async function describe(groupId: string, call: Call): Promise<Answer> {
  const nothing = { groupId, groupState: '', protocolType: '', protocolData: '', members: [] }
  try {
    const group = await call.broker.coordinator.describe(keyOfGroup(groupId, call))
    if (group.phase !== 'Dead') return answer(groupId, group)
    const isError = call.apiVersion >= notFoundSinceVersion
    return {
      ...nothing,
      groupState: 'Dead',
      errorCode: errorCode(isError ? 'GROUP_ID_NOT_FOUND' : 'NONE'),
      errorMessage: isError ? `there is no group ${groupId}` : null,
    }
  } catch (error) {
    return { ...nothing, errorCode: errorCode(coordinatorFault(error, call, 'a group could not be read')) }
  }
}

function answer(groupId: string, { phase, state }: GroupDescription): Answer {
  const { protocolName } = state
  return {
    errorCode: 0,
    groupId,
    groupState: phase,
    protocolType: state.protocolType ?? '',
    protocolData: phase === 'Stable' ? (protocolName ?? '') : '',
    members: [...state.members.values()].map((member) =>
      memberAnswer(member, phase === 'Stable' ? protocolName : null),
    ),
  }
}

/** Metadata and assignment are those of the chosen protocol, so there are none while it is being chosen. */
function memberAnswer(member: Member, protocolName: string | null) {
  const { memberId, groupInstanceId, clientId, clientHost, assignment, protocols } = member
  const none = Buffer.alloc(0)
  return {
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    memberMetadata: protocols.find((protocol) => protocol.name === protocolName)?.metadata ?? none,
    memberAssignment: protocolName === null ? none : assignment,
  }
}
