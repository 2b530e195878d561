import type { Logger } from 'pino'
import type { Clock } from '../base/clock.js'
import type { Config } from '../config.js'
import type { ConsumerGroupStore } from '../groups/consumer/stored.js'
import type { GroupCoordinator } from '../groups/coordinator.js'
import type { CursorSync } from '../groups/cursor-sync.js'
import type { GroupStore } from '../groups/group-store.js'
import type { LoadingCoordinator } from '../groups/loading.js'
import type { NextGenerationGroups } from '../groups/next-generation.js'
import type { OffsetsTopic } from '../groups/offsets-topic/index.js'
import type { GroupStep } from '../groups/step.js'
import type { dispatcher } from '../kafka/apis/index.js'
import type { Metrics } from '../metrics.js'
import type { Security } from '../security/index.js'
import type { Storage } from '../storage/types.js'
import type { GroupSubscriptions } from '../topics/group-subscriptions.js'
import type { StoredTopics } from '../topics/index.js'
import type { TopicCatalog } from '../topics/types.js'
import type { Listeners } from './opened.js'

/** How clients reach a running broker. */
export interface BrokerEndpoints {
  /** `host:port` of the first Kafka listener. */
  readonly kafka: string
  readonly pulsar: string
  readonly admin: string
  /** Of each Kafka listener by its name; where there is more than one. */
  readonly kafkaListeners?: Readonly<Record<string, string>>
  /** `pulsar+ssl://host:port` and `https://host:port`, where these ports are served. */
  readonly pulsarTls?: string
  readonly adminTls?: string
  readonly version: string
}

type KafkaDispatch = ReturnType<typeof dispatcher>

/** Puts something else in a part's place. Only tests do so: wrong variants of the broker prove that the suite sees them. */
export interface PartReplacements {
  readonly storage?: (storage: Storage) => Storage
  /** The topics as Kafka's handlers see them. */
  readonly kafkaTopics?: (topics: TopicCatalog) => TopicCatalog
  /** The topics as Pulsar's commands see them. */
  readonly pulsarTopics?: (topics: TopicCatalog) => TopicCatalog
  readonly kafkaDispatch?: (dispatch: KafkaDispatch) => KafkaDispatch
  /** The rules of the group protocol. */
  readonly groupStep?: (step: GroupStep) => GroupStep
  /** Groups of the consumer protocol (KIP-848), and how they are stored and read. */
  readonly nextGeneration?: (groups: NextGenerationGroups) => NextGenerationGroups
  readonly consumerGroupStore?: (groups: ConsumerGroupStore) => ConsumerGroupStore
  /** Groups and offsets as the coordinator stores and reads them. */
  readonly groupStore?: (groups: GroupStore) => GroupStore
  /** Groups as Kafka's handlers see them. */
  readonly kafkaGroups?: (groups: GroupCoordinator) => GroupCoordinator
  /** Groups and offsets as cursor sync follows and writes them. */
  readonly followedGroups?: (groups: GroupStore) => GroupStore
  /** Groups as Pulsar's commands and tools tell them of their subscriptions. */
  readonly groupSubscriptions?: (groups: GroupSubscriptions) => GroupSubscriptions
  /** Who is let in, and what they may do. */
  readonly security?: (security: Security) => Security
}

export interface StartBrokerOptions {
  readonly clock?: Clock
  /** Tests: asked before each write to the store; an error makes it fail. */
  readonly failWrites?: () => Error | undefined
  readonly replace?: PartReplacements
}

/** For a part that nothing replaces. */
export const same = <Part>(part: Part): Part => part

/** What listeners are made of. */
export interface Parts {
  readonly config: Config
  readonly replace: PartReplacements
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly storage: Storage
  readonly topics: StoredTopics
  readonly offsets: OffsetsTopic
  readonly groups: LoadingCoordinator
  readonly cursors: CursorSync
  readonly listeners: Listeners
  readonly security: Security
}
