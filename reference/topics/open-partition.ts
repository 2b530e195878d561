import type { PartitionIndex } from '../base/brand.js'
import type { Storage } from '../storage/types.js'
import { CompactedLog } from './compaction/compacted-log.js'
import { LogCompaction } from './compaction/partition-compaction.js'
import { pulsarNameOf } from './names.js'
import { OpenPartitionLog } from './partition-log.js'
import type { PartitionLogOptions } from './partition-options.js'
import { ProducerMemory } from './producer-memory.js'
import { Termination } from './termination.js'
import type { TopicInfo } from './types.js'

/** What is kept of a partition, and where: its managed ledger, and values in the metadata store. */

type Shared = 'index' | 'mapping' | 'entryFormat' | 'settings' | 'cache' | 'aheadMemory' | 'clock' | 'log'

export interface OpenPartitionOptions extends Pick<PartitionLogOptions, Shared> {
  readonly storage: Storage
  readonly topic: TopicInfo
  readonly retainsNullKeys: boolean
}

const producersPrefix = 'producers/'
const terminatedPrefix = 'terminated/'
const compactedPrefix = 'compacted/'

export const logKey = ({ topicId }: TopicInfo, index: PartitionIndex): string => `${topicId}/${index}`

/** Carries the topic id, so that a topic made anew never sees what is left of an earlier one. */
const ledgerName = (topic: TopicInfo, index: PartitionIndex): string =>
  `${pulsarNameOf(topic.name, topic.partitions, index)}@${topic.topicId}`

/** @throws StorageError when it cannot be read */
export async function openPartitionLog(options: OpenPartitionOptions): Promise<OpenPartitionLog> {
  const { storage, topic, index, clock, log, settings, retainsNullKeys } = options
  const { metadata } = storage
  const pulsarName = pulsarNameOf(topic.name, topic.partitions, index)
  const name = ledgerName(topic, index)
  const key = logKey(topic, index)
  const ledger = await storage.open(name)
  const producers = await ProducerMemory.open({
    key: producersPrefix + key,
    metadata,
    ledger,
    mapping: options.mapping,
    clock,
    onSnapshotFailed: (error) =>
      log.warn({ topic: pulsarName, err: error }, 'a snapshot of producers was not stored'),
  })
  const termination = await Termination.open(metadata, terminatedPrefix + key)
  const compacted = await CompactedLog.open({ storage, key: compactedPrefix + key, name, ledger, log })
  const compaction = new LogCompaction({ compacted, pulsarName, settings, retainsNullKeys, clock, log })
  const parts = { pulsarName, ledger, producers, termination, compacted, compaction }
  return new OpenPartitionLog({ ...options, ...parts, topic: topic.name })
}

/** Of a topic that is deleted. Repeating it is harmless. */
export async function removePartitionData(
  storage: Storage,
  topic: TopicInfo,
  index: PartitionIndex,
): Promise<void> {
  const key = logKey(topic, index)
  await storage.delete(ledgerName(topic, index))
  await CompactedLog.remove(storage, compactedPrefix + key)
  await storage.metadata.putAll(
    [producersPrefix, terminatedPrefix].map((prefix) => [prefix + key, undefined]),
  )
}
