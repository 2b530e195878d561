import type { PartitionIndex } from '../base/brand.js'
import type { Clock } from '../base/clock.js'
import type { Log } from '../base/log.js'
import type { EntryFormatName } from '../entry-format/types.js'
import type { OffsetMapping } from '../offsets/types.js'
import type { ManagedLedger } from '../storage/types.js'
import type { CompactedLog } from './compaction/compacted-log.js'
import type { LogCompaction } from './compaction/partition-compaction.js'
import type { TopicSettings } from './configs.js'
import type { Points } from './points.js'
import type { ProducerMemory } from './producer-memory.js'
import type { ReadAheadMemory } from './read-ahead.js'
import type { CachedPartition, TailCache } from './tail-cache.js'
import type { Termination } from './termination.js'
import type { Refusal, TopicName } from './types.js'

export interface PartitionLogOptions {
  readonly topic: TopicName
  readonly index: PartitionIndex
  readonly pulsarName: string
  readonly ledger: ManagedLedger
  /** The same log as compaction leaves it. */
  readonly compacted: CompactedLog
  readonly compaction: LogCompaction
  readonly producers: ProducerMemory
  readonly termination: Termination
  readonly mapping: OffsetMapping
  readonly entryFormat: EntryFormatName
  /** Asked anew each time: configs change under an open log. */
  readonly settings: () => TopicSettings
  readonly cache: TailCache
  readonly aheadMemory: ReadAheadMemory
  readonly clock: Clock
  readonly log: Log
}

/** What a partition's appending and reading sides share. */
export interface PartitionParts extends PartitionLogOptions {
  readonly leaderEpoch: number
  readonly points: Points
  /** Recently appended batches. */
  readonly cached: CachedPartition
  /** Why nothing can be done any more; undefined while the partition is open. */
  readonly closedRefusal: () => Refusal | undefined
}
