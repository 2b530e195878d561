import { asPartitionIndex } from '../../base/brand.js'
import {
  isRefusal,
  type PartitionLog,
  type Refusal,
  refuse,
  type TopicInfo,
  type TopicName,
} from '../../topics/types.js'
import { topicFault } from './access.js'
import type { Call } from './handler.js'

/** The topic id that stands for none. */
export const zeroTopicId = 'AAAAAAAAAAAAAAAAAAAAAA'

/** The inverse of `fullName`, for what is stored under it. */
export function topicOfFullName(text: string): TopicName | undefined {
  const [, tenant, namespace, local] = /^persistent:\/\/([^/]+)\/([^/]+)\/(.+)$/.exec(text) ?? []
  if (tenant === undefined || namespace === undefined || local === undefined) return undefined
  return { tenant, namespace, local }
}

/** Kafka sees a topic without partitions with one (register MT-12). */
export const partitionCount = (topic: TopicInfo): number => Math.max(1, topic.partitions)

/** Names that Pulsar, Kafka and Kafka-on-Pulsar systems keep for themselves, in any namespace. */
const systemNames = new Set([
  '__change_events',
  '__consumer_offsets',
  '__offsets',
  '__transaction_buffer_snapshot',
  '__transaction_buffer_snapshot_indexes',
  '__transaction_buffer_snapshot_segments',
  '__transaction_state',
])
const pendingAckSuffix = '__transaction_pending_ack'

/** Register MT-11: not listed, and marked when asked for by name. */
export const isInternal = ({ internal, name: { local } }: TopicInfo): boolean =>
  internal || systemNames.has(local) || local.endsWith(pendingAckSuffix)

/**
 * The topics of its namespace that a client is shown unasked, in name order: those that it may produce to or consume.
 * Pulsar's names that Kafka forbids are left out: a client that takes up the whole list would be refused for them.
 */
export function listedTopics({ broker, access, namespace }: Call): readonly TopicInfo[] {
  const { catalog, names } = broker
  return catalog
    .list(namespace.tenant, namespace.namespace)
    .filter((topic) => access.mayOnTopic('see', topic.name))
    .filter(
      (topic) => !isInternal(topic) && !isRefusal(names.resolveKafkaName(names.kafkaNameOf(topic.name))),
    )
}

/** The topic that a client names, if it has the right that the API needs (`Access`). Creates nothing. */
export function findTopic(call: Call, kafkaName: string): TopicInfo | Refusal {
  const name = call.broker.names.resolveKafkaName(kafkaName)
  if (isRefusal(name)) return name
  return (
    topicFault(call, name) ?? call.broker.catalog.find(name) ?? unknownTopic(`there is no topic ${kafkaName}`)
  )
}

/** The same by the topic's id; undefined: there is none. */
export function findTopicById(call: Call, topicId: string): TopicInfo | Refusal | undefined {
  const topic = call.broker.catalog.findById(topicId)
  return topic && (topicFault(call, topic.name) ?? topic)
}

/** Opens one partition of a topic, as `index` of a request names it. */
export async function openPartition(
  call: Call,
  topic: TopicInfo,
  index: number,
): Promise<PartitionLog | Refusal> {
  if (index < 0 || index >= partitionCount(topic))
    return unknownTopic(`${topic.name.local} has ${partitionCount(topic)} partitions, and none is ${index}`)
  return call.broker.catalog.partition(topic, asPartitionIndex(index))
}

/** Finds and opens in one. */
export async function findPartition(
  call: Call,
  kafkaName: string,
  index: number,
): Promise<PartitionLog | Refusal> {
  const topic = findTopic(call, kafkaName)
  return isRefusal(topic) ? topic : openPartition(call, topic, index)
}

const unknownTopic = (message: string) => refuse('UNKNOWN_TOPIC_OR_PARTITION', message)

/** KIP-320: whether a client's idea of the leader epoch is older or newer than this broker's. −1: it has none. */
export function epochFault(
  log: PartitionLog,
  clientsEpoch: number,
): 'FENCED_LEADER_EPOCH' | 'UNKNOWN_LEADER_EPOCH' | null {
  if (clientsEpoch < 0 || clientsEpoch === log.leaderEpoch) return null
  return clientsEpoch < log.leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
}
