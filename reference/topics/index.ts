import type { Clock } from '../base/clock.js'
import type { Log } from '../base/log.js'
import type { EntryFormatName } from '../entry-format/types.js'
import type { OffsetMapping } from '../offsets/types.js'
import type { Storage } from '../storage/types.js'
import { StoredTopics } from './catalog.js'
import type { TopicSettings } from './configs.js'

export type { StoredTopics } from './catalog.js'
export { startCompactionChecks } from './compaction/checks.js'
export type { TopicSettings } from './configs.js'
export { kafkaNames } from './names.js'

export interface CreateTopicsOptions {
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Log
  readonly mapping: OffsetMapping
  readonly entryFormat: EntryFormatName
  /** Kept for ever, CreateTime, batches up to 5 MiB: unless told otherwise. */
  readonly defaults?: Partial<TopicSettings>
  /** Namespaces that the configuration names, besides `public/default` and `public/kafka`. */
  readonly namespaces?: readonly (readonly [tenant: string, namespace: string])[]
  /** 16 MiB when absent; 0 keeps nothing. */
  readonly tailCacheBytesMax?: number
  /** Five minutes when absent, as Kafka's log.retention.check.interval.ms. */
  readonly retentionCheckMs?: number
  /** Compaction keeps messages without a key; false when absent, as in Pulsar since 3.2 (PIP-318). */
  readonly retainsNullKeys?: boolean
  /** 10,000 when absent. */
  readonly partitionsMax?: number
}

/** Opens all topics of a broker's storage. Close it before the storage. */
export function createTopics(options: CreateTopicsOptions): Promise<StoredTopics> {
  return StoredTopics.open({
    namespaces: [],
    tailCacheBytesMax: 16 << 20,
    retentionCheckMs: 300_000,
    retainsNullKeys: false,
    partitionsMax: 10_000,
    ...options,
    defaults: {
      timestampType: 'CreateTime',
      messageBytesMax: 5 << 20,
      retentionMs: -1,
      retentionBytes: -1,
      ...options.defaults,
    },
  })
}
