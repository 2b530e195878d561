import { ConfigError } from '../config.js'
import { OffsetsTopic } from '../groups/offsets-topic/index.js'
import { offsetMapping } from '../offsets/index.js'
import { openEmbeddedStorage } from '../storage/embedded/index.js'
import type { Storage } from '../storage/types.js'
import { createTopics, kafkaNames, type StoredTopics } from '../topics/index.js'
import { isRefusal } from '../topics/types.js'
import { type Parts, type StartBrokerOptions, same } from './parts.js'

/** What the first parts are made of. */
export type Ground = Pick<Parts, 'config' | 'replace' | 'clock' | 'log'>

/** @param failWrites as in `StartBrokerOptions` @throws the store's one-line error */
export async function openStorage(
  { config, replace, clock, log }: Ground,
  failWrites: StartBrokerOptions['failWrites'],
): Promise<Storage> {
  const storage = await openEmbeddedStorage({
    directory: config.dataDirectory,
    durability: config.journalSyncData ? 'sync' : 'os',
    entriesPerLedgerMax: config.managedLedgerMaxEntriesPerLedger,
    bytesPerLedgerMax: config.managedLedgerMaxSizePerLedgerMbytes * 1024 * 1024,
    clock,
    log: log.child({ part: 'storage' }),
    ...(failWrites === undefined ? {} : { failWrites }),
  })
  return (replace.storage ?? same)(storage)
}

export const openTopics = ({ config, clock, log }: Ground, storage: Storage): Promise<StoredTopics> =>
  createTopics({
    storage,
    clock,
    log: log.child({ part: 'topics' }),
    mapping: offsetMapping(config.offsetMapping),
    entryFormat: config.entryFormat,
    tailCacheBytesMax: config.kafkaTailCacheSizeMb * 1024 * 1024,
    defaults: { messageBytesMax: config.maxMessageSize },
    retentionCheckMs: config.retentionCheckIntervalInSeconds * 1000,
    retainsNullKeys: config.topicCompactionRetainNullKey,
    namespaces: [
      [config.kafkaTenant, config.kafkaNamespace],
      [config.kafkaMetadataTenant, config.kafkaMetadataNamespace],
    ],
  })

/** What a record and Pulsar's metadata take of a batch, beside the records. */
const batchHeadersBytes = 512
const offsetsBatchBytesMax = 1 << 20

/** The topic of groups and their offsets, found or made; what it holds is yet to be loaded. */
export async function openOffsets(
  { config, clock, log }: Ground,
  storage: Storage,
  topics: StoredTopics,
): Promise<OffsetsTopic> {
  const { offsetsTopicName, kafkaMetadataTenant: kafkaTenant, kafkaMetadataNamespace } = config
  const names = kafkaNames({ kafkaTenant, kafkaNamespace: kafkaMetadataNamespace })
  const name = names.resolveKafkaName(offsetsTopicName)
  if (isRefusal(name)) throw new ConfigError(`offsetsTopicName=${offsetsTopicName}: ${name.message}`)
  return OffsetsTopic.open({
    catalog: topics,
    metadata: storage.metadata,
    name,
    partitions: config.offsetsTopicNumPartitions,
    batchBytesMax: Math.min(offsetsBatchBytesMax, config.maxMessageSize - batchHeadersBytes),
    legacyNamespace: { tenant: config.kafkaTenant, namespace: config.kafkaNamespace },
    clock,
    log: log.child({ part: 'groups' }),
  })
}
