import type { PartitionIndex } from '../../base/brand.js'
import type { Clock } from '../../base/clock.js'
import type { Log } from '../../base/log.js'
import type { GroupCoordinator } from '../../groups/coordinator.js'
import type { GroupKey } from '../../groups/group-key.js'
import type { ScramUsers } from '../../security/scram-users.js'
import type { Authorizer } from '../../security/types.js'
import type { KafkaNames } from '../../topics/names.js'
import type { TopicCatalog, TopicInfo } from '../../topics/types.js'
import { FetchSessions } from './fetch-sessions.js'
import type { ProducerIds } from './producer-ids.js'

export interface BrokerAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

/** A topic whose partitions' owners coordinate what hashes to them. */
export interface CoordinatedTopic {
  readonly topic: TopicInfo
  partitionOf(key: GroupKey): PartitionIndex
}

export interface KafkaContextOptions {
  readonly clusterId: string
  /** This broker's node id. */
  readonly nodeId: number
  /** All brokers with the address that clients of the named listener are to use (register TL-6). */
  readonly brokers: (listener: string) => readonly BrokerAddress[]
  /** The namespace of clients that choose none. */
  readonly kafkaTenant: string
  readonly kafkaNamespace: string
  readonly defaultNumPartitions: number
  readonly allowAutoTopicCreation: boolean
  /** The largest record batch accepted, in bytes; a topic's `max.message.bytes` may set less. */
  readonly messageBytesMax: number
  /** The most a single fetch answers, whatever the client asks for; 55 MiB when absent, as Kafka's `fetch.max.bytes`. */
  readonly fetchBytesMax?: number
  /** How many incremental fetch sessions are kept; 1,000 when absent, as in Kafka. */
  readonly fetchSessionsMax?: number
  readonly names: KafkaNames
  readonly catalog: TopicCatalog
  readonly coordinator: GroupCoordinator
  /** The offsets topic: who owns a group's partition of it coordinates the group (register GC-5). */
  readonly offsetsTopic?: CoordinatedTopic
  /** Bytes of the text that a commit may carry; 4,096 when absent, as Kafka's `offset.metadata.max.bytes`. */
  readonly offsetMetadataBytesMax?: number
  readonly producerIds: ProducerIds
  /** Absent or null: everything is allowed. */
  readonly authorizer?: Authorizer | null
  readonly users: ScramUsers
  readonly clock: Clock
  readonly log: Log
}

/** What all handlers share: one a broker. */
export interface KafkaContext extends Omit<KafkaContextOptions, 'fetchSessionsMax'> {
  readonly fetchBytesMax: number
  readonly fetchSessions: FetchSessions
}

export function kafkaContext(options: KafkaContextOptions): KafkaContext {
  const { fetchSessionsMax = 1000, ...rest } = options
  return {
    ...rest,
    fetchBytesMax: options.fetchBytesMax ?? 55 * 1024 * 1024,
    fetchSessions: new FetchSessions(options.clock, fetchSessionsMax),
  }
}
