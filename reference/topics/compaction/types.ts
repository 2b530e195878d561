import type { LedgerInfo } from '../../storage/types.js'

/** As Pulsar's tools are told it. */
export interface CompactionStatus {
  readonly status: 'NOT_RUN' | 'RUNNING' | 'SUCCESS' | 'ERROR'
  /** Why the last one failed; empty when it did not. */
  readonly lastError: string
}

/** What the compactions of a partition have done since it was opened; times in milliseconds, 0 for never. */
export interface CompactionReport {
  readonly removedMessages: number
  readonly succeededAtMs: number
  readonly failedAtMs: number
  readonly durationMs: number
}

/** The compaction of one partition. */
export interface PartitionCompaction {
  /** Begins in the background. @returns false when one is under way. */
  start(): boolean
  /** Resolves when none is under way. */
  idle(): Promise<void>
  readonly status: CompactionStatus
  readonly report: CompactionReport
  /** Of the compacted ledger; undefined when there is none. */
  readonly ledgers: readonly LedgerInfo[] | undefined
  /**
   * Whether so much is new that it is worth while: by the topic's `min.cleanable.dirty.ratio` when its `cleanup.policy` has
   * `compact`, and for any topic when more than `thresholdBytes` have come since the last one (0: never).
   */
  isDue(thresholdBytes: number): boolean
}
