import type { Clock } from '../base/clock.js'
import type { Log } from '../base/log.js'
import type { MetadataStore } from '../storage/types.js'
import type { GroupSubscriptions } from '../topics/group-subscriptions.js'
import type { TopicCatalog } from '../topics/types.js'

/** Settings of the Pulsar side, by the names of Pulsar's `broker.conf`. */
export interface PulsarConfig {
  readonly clusterName: string
  /** The host that clients are told to connect to; the bound host when absent. */
  readonly advertisedAddress?: string | undefined
  /** Bytes of the largest message accepted. */
  readonly maxMessageSize: number
  readonly allowAutoTopicCreation: boolean
  readonly allowAutoTopicCreationType: 'partitioned' | 'non-partitioned'
  readonly defaultNumPartitions: number
  /** A silent connection is pinged after this, and closed after twice this. */
  readonly keepAliveIntervalSeconds: number
}

/** Counters that the broker may expose; each is called as it happens. */
export interface PulsarMetrics {
  connectionOpened?(): void
  connectionClosed?(): void
  command?(name: string): void
  messagesIn?(messages: number, bytes: number): void
  messagesOut?(messages: number, bytes: number): void
}

/** What the Pulsar listener and the admin server are given by the composition root. One object serves both. */
export interface PulsarContext {
  readonly catalog: TopicCatalog
  readonly clock: Clock
  readonly log: Log
  readonly config: PulsarConfig
  readonly metadata: MetadataStore
  /** Kafka's groups, which subscriptions of their names are (chapter PT of the register); absent: there are none. */
  readonly groups?: GroupSubscriptions | undefined
  readonly metrics?: PulsarMetrics | undefined
}
