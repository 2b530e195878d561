import { isRefusal } from '../../topics/types.js'
import { consumerGroupHeartbeat as table } from '../messages/68-consumer-group-heartbeat.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import type { RequestOf } from '../wire/schema.js'
import { coordinatorFault } from './faults.js'
import { groupIdFault, keyOfGroup } from './groups.js'
import { type Call, handler } from './handler.js'
import { findTopic } from './topics.js'

/**
 * ConsumerGroupHeartbeat v0 and v1 (KIP-848, register GC-11). Topics that are not there yet may be subscribed to; those that
 * the client may not consume may not. Left out: racks, and taking over a classic group that has members.
 */
export const consumerGroupHeartbeat = handler(table, async (request, call) => {
  const { groupId, memberId } = request
  const fault = faultOf(request, call)
  if (fault !== null) return failed(fault, memberId)
  try {
    const reply = await call.broker.coordinator.consumerGroupHeartbeat(keyOfGroup(groupId, call), {
      memberId,
      memberEpoch: request.memberEpoch,
      instanceId: request.instanceId,
      rackId: request.rackId,
      clientId: call.clientId ?? '',
      clientHost: call.connection.clientHost,
      rebalanceTimeoutMs: request.rebalanceTimeoutMs,
      topicNames: request.subscribedTopicNames,
      topicRegex: request.subscribedTopicRegex,
      assignor: request.serverAssignor,
      owned: request.topicPartitions,
    })
    if (reply === null) return failed('GROUP_ID_NOT_FOUND', memberId)
    const { error, message, assignment, ...answer } = reply
    return {
      ...answer,
      errorCode: errorCode(error),
      errorMessage: message,
      assignment: assignment && { topicPartitions: assignment },
    }
  } catch (error) {
    return failed(coordinatorFault(error, call, 'a heartbeat could not be taken'), memberId)
  }
})

function faultOf(request: RequestOf<typeof table>, call: Call): ErrorName | null {
  const { groupId, memberId, memberEpoch, subscribedTopicNames } = request
  const fault = groupIdFault(groupId)
  if (fault !== null) return fault
  // Clients choose their ids themselves from v1 on (KIP-1082).
  if (call.apiVersion >= 1 && memberId === '' && memberEpoch === 0) return 'INVALID_REQUEST'
  const isForbidden = (name: string): boolean => {
    const topic = findTopic(call, name)
    return isRefusal(topic) && topic.refused === 'TOPIC_AUTHORIZATION_FAILED'
  }
  return subscribedTopicNames?.some(isForbidden) ? 'TOPIC_AUTHORIZATION_FAILED' : null
}

const failed = (error: ErrorName, memberId: string) => ({
  errorCode: errorCode(error),
  memberId,
  memberEpoch: 0,
  heartbeatIntervalMs: 0,
})
