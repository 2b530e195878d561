import type { ConsumerGroupDescription, NamedTopicSlots } from '../../groups/next-generation.js'
import { isRefusal, type Refusal, type TopicInfo } from '../../topics/types.js'
import { consumerGroupDescribe as table } from '../messages/69-consumer-group-describe.js'
import { errorCode } from '../wire/errors.js'
import type { ResponseOf } from '../wire/schema.js'
import { groupOperations, operationsOmitted } from './authorized-operations.js'
import { coordinatorFault } from './faults.js'
import { keyOfGroup } from './groups.js'
import { type Call, handler } from './handler.js'
import { findTopic, findTopicById } from './topics.js'

type Answer = ResponseOf<typeof table>['groups'][number]

const consumerProtocolMember = 1

/**
 * ConsumerGroupDescribe v0 and v1 (KIP-848). Any other group than of this kind is GROUP_ID_NOT_FOUND: tools then ask
 * DescribeGroups. Topics that the client may not see are left out.
 */
export const consumerGroupDescribe = handler(table, async (request, call) => ({
  groups: request.groupIds.map((groupId) => ({
    ...describe(groupId, call),
    authorizedOperations: request.includeAuthorizedOperations
      ? groupOperations(call.access)
      : operationsOmitted,
  })),
}))

function describe(groupId: string, call: Call): Answer {
  const nothing = {
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
  }
  try {
    const group = call.broker.coordinator.describeConsumerGroup(keyOfGroup(groupId, call))
    if (group !== undefined) return answer(groupId, group, call)
    return {
      ...nothing,
      errorCode: errorCode('GROUP_ID_NOT_FOUND'),
      errorMessage: `there is no group ${groupId} of the consumer protocol`,
    }
  } catch (error) {
    return { ...nothing, errorCode: errorCode(coordinatorFault(error, call, 'a group could not be read')) }
  }
}

const answer = (groupId: string, group: ConsumerGroupDescription, call: Call): Answer => ({
  errorCode: 0,
  groupId,
  groupState: group.phase,
  groupEpoch: group.epoch,
  assignmentEpoch: group.epoch,
  assignorName: group.assignor,
  members: group.members.map((member) => ({
    memberId: member.memberId,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.memberEpoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: member.topicNames.filter((name) => !isForbidden(findTopic(call, name))),
    subscribedTopicRegex: member.topicRegex,
    assignment: { topicPartitions: visible(member.assigned, call) },
    targetAssignment: { topicPartitions: visible(member.target, call) },
    memberType: consumerProtocolMember,
  })),
})

const isForbidden = (topic: TopicInfo | Refusal): boolean =>
  isRefusal(topic) && topic.refused === 'TOPIC_AUTHORIZATION_FAILED'

const visible = (topics: readonly NamedTopicSlots[], call: Call): readonly NamedTopicSlots[] =>
  topics.filter(({ topicId }) => {
    const topic = findTopicById(call, topicId)
    return topic !== undefined && !('refused' in topic)
  })
