import { isRefusal, type TopicInfo } from '../../topics/types.js'
import { describeTopicPartitions as table } from '../messages/75-describe-topic-partitions.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import type { RequestOf, ResponseOf } from '../wire/schema.js'
import { topicOperations } from './authorized-operations.js'
import { type Call, handler } from './handler.js'
import { findTopic, isInternal, listedTopics, openPartition, partitionCount, zeroTopicId } from './topics.js'

type TopicAnswer = ResponseOf<typeof table>['topics'][number]

/** The most partitions in one answer, whatever the client asks for. */
const partitionsMax = 2000

/** DescribeTopicPartitions v0 (KIP-966): topics in name order, a page of partitions at a time. No topics named: all. */
export const describeTopicPartitions = handler(table, async (request, call) => {
  const limit = Math.min(Math.max(1, request.responsePartitionLimit), partitionsMax)
  const topics: TopicAnswer[] = []
  let left = limit
  for (const name of namesOf(request, call)) {
    const topic = findTopic(call, name)
    if (isRefusal(topic)) {
      topics.push(noTopic(name, topic.refused))
      continue
    }
    const first = request.cursor?.topicName === name ? Math.max(0, request.cursor.partitionIndex) : 0
    if (left === 0)
      return { throttleTimeMs: 0, topics, nextCursor: { topicName: name, partitionIndex: first } }
    const last = Math.min(partitionCount(topic), first + left)
    topics.push(await topicAnswer(name, topic, first, last, call))
    left -= Math.max(0, last - first)
    if (last < partitionCount(topic))
      return { throttleTimeMs: 0, topics, nextCursor: { topicName: name, partitionIndex: last } }
  }
  return { throttleTimeMs: 0, topics, nextCursor: null }
})

function namesOf(request: RequestOf<typeof table>, call: Call): readonly string[] {
  const asked = request.topics.map((topic) => topic.name)
  const listed = () => listedTopics(call).map((topic) => call.broker.names.kafkaNameOf(topic.name))
  const sorted = [...new Set(asked.length > 0 ? asked : listed())].sort()
  const from = request.cursor?.topicName ?? ''
  return sorted.filter((name) => name >= from)
}

async function topicAnswer(name: string, topic: TopicInfo, first: number, last: number, call: Call) {
  const indexes = Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index)
  return {
    errorCode: 0,
    name,
    topicId: topic.topicId,
    isInternal: isInternal(topic),
    partitions: await Promise.all(indexes.map((index) => partitionAnswer(topic, index, call))),
    topicAuthorizedOperations: topicOperations(call.access, topic.name),
  }
}

async function partitionAnswer(topic: TopicInfo, partitionIndex: number, call: Call) {
  const { nodeId } = call.broker
  const log = await openPartition(call, topic, partitionIndex)
  const isHere = !isRefusal(log)
  return {
    errorCode: errorCode(isHere ? 'NONE' : 'LEADER_NOT_AVAILABLE'),
    partitionIndex,
    leaderId: isHere ? nodeId : -1,
    leaderEpoch: isHere ? log.leaderEpoch : -1,
    replicaNodes: isHere ? [nodeId] : [],
    isrNodes: isHere ? [nodeId] : [],
    // Clients take null for a fault of theirs, though the protocol allows it.
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    offlineReplicas: [],
  }
}

const noTopic = (name: string, error: ErrorName): TopicAnswer => ({
  errorCode: errorCode(error),
  name,
  topicId: zeroTopicId,
  isInternal: false,
  partitions: [],
})
