import type { Clock } from '../../base/clock.js'
import type { Log } from '../../base/log.js'
import type { LedgerInfo, ManagedLedger } from '../../storage/types.js'
import type { TopicSettings } from '../configs.js'
import { CompactionCancelledError, type CompactionRule, compact } from './compact.js'
import type { CompactedLog } from './compacted-log.js'
import type { CompactionReport, CompactionStatus, PartitionCompaction } from './types.js'

export interface LogCompactionOptions {
  readonly compacted: CompactedLog
  readonly pulsarName: string
  readonly settings: () => TopicSettings
  /** Pulsar's topicCompactionRetainNullKey. */
  readonly retainsNullKeys: boolean
  readonly clock: Clock
  readonly log: Log
}

const neverRun: CompactionReport = { removedMessages: 0, succeededAtMs: 0, failedAtMs: 0, durationMs: 0 }

/**
 * Compacts one partition's log, one compaction at a time. Where the topic's `cleanup.policy` has `compact`, by Kafka's rules:
 * tombstones stay for `delete.retention.ms`, and what was deleted from the log's start goes. Elsewhere by Pulsar's.
 */
export class LogCompaction implements PartitionCompaction {
  readonly #options: LogCompactionOptions
  #running: Promise<void> | undefined
  #status: CompactionStatus = { status: 'NOT_RUN', lastError: '' }
  #report = neverRun
  #isClosed = false

  constructor(options: LogCompactionOptions) {
    this.#options = options
  }

  get status(): CompactionStatus {
    return this.#status
  }

  get report(): CompactionReport {
    return this.#report
  }

  get ledgers(): readonly LedgerInfo[] | undefined {
    return this.#options.compacted.compactedLedgers
  }

  /**
   * From which index on retention must keep a log for its next compaction; undefined where it need not. As in Pulsar, where
   * a log was compacted once, what has come since is only dropped when it was compacted, too.
   */
  get neededFrom(): number | undefined {
    const { compacted, settings } = this.#options
    return settings().compaction === undefined ? compacted.horizon?.index : undefined
  }

  start(): boolean {
    if (this.#running !== undefined || this.#isClosed) return false
    this.#status = { status: 'RUNNING', lastError: '' }
    this.#running = this.#run().finally(() => {
      this.#running = undefined
    })
    return true
  }

  /** Resolves when none is under way. */
  async idle(): Promise<void> {
    await this.#running
  }

  /** Breaks off what is under way, which loses nothing. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
  }

  isDue(thresholdBytes: number): boolean {
    const { compacted, settings, clock } = this.#options
    const { compaction } = settings()
    const { summary, ledger } = compacted
    const from = Math.max(compacted.horizon?.index ?? 0, ledger.start.index)
    const dirty = ledger.end.index - from
    if (thresholdBytes > 0 && dirty > 0 && bytesSince(ledger, from) > thresholdBytes) return true
    if (compaction === undefined) return false
    const since = summary?.tombstonesSinceMs ?? null
    if (since !== null && clock.nowMs() - since >= compaction.deleteRetentionMs) return true
    return dirty > 0 && dirty / (dirty + (summary?.messages ?? 0)) >= compaction.dirtyRatioMin
  }

  async #run(): Promise<void> {
    const { compacted, pulsarName, clock, log } = this.#options
    const startedMs = clock.nowMs()
    try {
      const removedMessages = await compact(compacted, this.#rule(startedMs))
      const nowMs = clock.nowMs()
      this.#report = { ...this.#report, removedMessages, succeededAtMs: nowMs, durationMs: nowMs - startedMs }
      this.#status = { status: 'SUCCESS', lastError: '' }
      log.info({ topic: pulsarName, removedMessages, ...compacted.summary }, 'a log was compacted')
    } catch (error) {
      if (error instanceof CompactionCancelledError) return
      const lastError = error instanceof Error ? error.message : String(error)
      this.#report = { ...this.#report, failedAtMs: clock.nowMs() }
      this.#status = { status: 'ERROR', lastError }
      log.warn({ topic: pulsarName, err: error }, 'a log could not be compacted')
    }
  }

  #rule(nowMs: number): CompactionRule {
    const { compaction } = this.#options.settings()
    return {
      retainsNullKeys: this.#options.retainsNullKeys,
      tombstonesKeptMs: compaction?.deleteRetentionMs ?? null,
      keepsLast: compaction !== undefined,
      keepsTrimmed: compaction === undefined,
      nowMs,
      isCancelled: () => this.#isClosed,
    }
  }
}

/** By the share of the messages: entries are of like size mostly. */
function bytesSince(ledger: ManagedLedger, index: number): number {
  const bytes = ledger.ledgers().reduce((sum, each) => sum + each.bytes, 0)
  const messages = ledger.end.index - ledger.start.index
  return messages === 0 ? 0 : (bytes * (ledger.end.index - index)) / messages
}
