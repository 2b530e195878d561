import { isRefusal, type Refusal, type TopicInfo, type TopicName } from '../../topics/types.js'
import { metadata as table } from '../messages/03-metadata.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import type { RequestOf, ResponseOf } from '../wire/schema.js'
import { clusterOperations, operationsOmitted, topicOperations } from './authorized-operations.js'
import { type Call, handler } from './handler.js'
import {
  findTopic,
  findTopicById,
  isInternal,
  listedTopics,
  openPartition,
  partitionCount,
  zeroTopicId,
} from './topics.js'

type Request = RequestOf<typeof table>
type TopicAnswer = ResponseOf<typeof table>['topics'][number]

/**
 * Metadata v0 to v13. A missing topic is created only if both the request (v4+) and the broker's setting allow it
 * (register MT-10); internal topics are not listed, and marked when asked for by name (MT-11); addresses are those of
 * the listener that was asked (TL-6). Replicas are the broker itself: replication is the store's.
 */
export const metadata = handler(table, async (request, call) => {
  const { broker, connection, apiVersion } = call
  const topics = await Promise.all(topicsAskedFor(request, call))
  return {
    brokers: [...broker.brokers(connection.listener)],
    clusterId: broker.clusterId,
    controllerId: broker.nodeId,
    topics,
    clusterAuthorizedOperations:
      apiVersion <= 10 && request.includeClusterAuthorizedOperations
        ? clusterOperations(call.access)
        : operationsOmitted,
  }
})

function topicsAskedFor(request: Request, call: Call): readonly Promise<TopicAnswer>[] {
  const { names } = call.broker
  const all = request.topics === null || (call.apiVersion === 0 && request.topics.length === 0)
  if (all) {
    return listedTopics(call).map((topic) => topicAnswer(topic, names.kafkaNameOf(topic.name), request, call))
  }
  return (request.topics ?? []).map((asked) =>
    asked.name === null || asked.topicId !== zeroTopicId
      ? topicById(asked.topicId, request, call)
      : topicByName(asked.name, request, call),
  )
}

async function topicById(topicId: string, request: Request, call: Call): Promise<TopicAnswer> {
  const topic = findTopicById(call, topicId)
  // Only from v12 on may an answer be without a name.
  const noName = call.apiVersion >= 12 ? null : ''
  if (topic === undefined) return { ...noTopic(noName, 'UNKNOWN_TOPIC_ID'), topicId }
  if (isRefusal(topic)) return { ...noTopic(noName, topic.refused), topicId }
  return topicAnswer(topic, call.broker.names.kafkaNameOf(topic.name), request, call)
}

async function topicByName(name: string, request: Request, call: Call): Promise<TopicAnswer> {
  const topic = await findOrCreate(name, request, call)
  if (!isRefusal(topic)) return topicAnswer(topic, name, request, call)
  // Also of a topic that is not there, as Kafka has it: some clients cannot read a bit field that says "not asked for".
  const resolved = call.broker.names.resolveKafkaName(name)
  const operations = isRefusal(resolved) ? operationsOmitted : operationsOn(resolved, request, call)
  return { ...noTopic(name, topic.refused), topicAuthorizedOperations: operations }
}

async function findOrCreate(name: string, request: Request, call: Call): Promise<TopicInfo | Refusal> {
  const { allowAutoTopicCreation, defaultNumPartitions, catalog, names } = call.broker
  const found = findTopic(call, name)
  const mayCreate = allowAutoTopicCreation && request.allowAutoTopicCreation
  if (!isRefusal(found) || found.refused !== 'UNKNOWN_TOPIC_OR_PARTITION' || !mayCreate) return found
  const resolved = names.resolveKafkaName(name)
  if (isRefusal(resolved)) return resolved
  const created = await catalog.create(resolved, { partitions: defaultNumPartitions })
  // Another client may have been first, which is as good.
  return isRefusal(created) && created.refused === 'TOPIC_ALREADY_EXISTS' ? findTopic(call, name) : created
}

async function topicAnswer(
  topic: TopicInfo,
  name: string,
  request: Request,
  call: Call,
): Promise<TopicAnswer> {
  const indexes = Array.from({ length: partitionCount(topic) }, (_, index) => index)
  return {
    errorCode: 0,
    name,
    topicId: topic.topicId,
    isInternal: isInternal(topic),
    partitions: await Promise.all(indexes.map((index) => partitionAnswer(topic, index, call))),
    topicAuthorizedOperations: operationsOn(topic.name, request, call),
  }
}

function operationsOn(name: TopicName, request: Request, { access }: Call): number {
  return request.includeTopicAuthorizedOperations ? topicOperations(access, name) : operationsOmitted
}

/** Being asked for gives a partition its owner (register TL-2): it is opened here. */
async function partitionAnswer(topic: TopicInfo, partitionIndex: number, call: Call) {
  const { nodeId } = call.broker
  const log = await openPartition(call, topic, partitionIndex)
  if (isRefusal(log)) {
    const noLeader = { partitionIndex, leaderId: -1, replicaNodes: [], isrNodes: [] }
    return { ...noLeader, errorCode: errorCode('LEADER_NOT_AVAILABLE') }
  }
  const replicas = { replicaNodes: [nodeId], isrNodes: [nodeId] }
  return { errorCode: 0, partitionIndex, leaderId: nodeId, leaderEpoch: log.leaderEpoch, ...replicas }
}

const noTopic = (name: string | null, error: ErrorName): TopicAnswer => ({
  errorCode: errorCode(error),
  name,
  partitions: [],
})
