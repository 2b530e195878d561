import type { Clock } from '../base/clock.js'
import type { Log } from '../base/log.js'
import type { TlsKeys } from '../security/tls.js'
import type { TokenVerifier } from '../security/tokens.js'
import type { Authorizer } from '../security/types.js'
import type { MetadataStore } from '../storage/types.js'
import type { GroupSubscriptions } from '../topics/group-subscriptions.js'
import type { TopicCompaction } from '../topics/topic-compaction.js'
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
  /** How long a client may take to bring a new credential when its own has ended; 60 when absent. */
  readonly authenticationRefreshCheckSeconds?: number
  /** Whether `/metrics` asks who wants it; false when absent. */
  readonly authenticateMetricsEndpoint?: boolean
}

/** Who may come in, and what they may do. */
export interface PulsarSecurity {
  readonly isAuthenticated: boolean
  /** null: whoever was let in may do all. */
  readonly authorizer: Authorizer | null
  readonly tokens: TokenVerifier
  readonly tls: TlsKeys | undefined
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
  /** Absent: this broker does not compact topics. */
  readonly compaction?: TopicCompaction | undefined
  readonly metrics?: PulsarMetrics | undefined
  /** Absent: nobody has to say who they are, and all may do all. */
  readonly security?: PulsarSecurity | undefined
}
