import type { Offset, PartitionIndex, Position } from '../base/brand.js'
import type { KafkaBatch, TimestampType } from '../entry-format/types.js'
import type { LogPoint, ManagedLedger, ReadLimits, StoredEntry } from '../storage/types.js'
import type { LogCompaction } from './compaction/partition-compaction.js'
import { PartitionAppends } from './partition-appends.js'
import type { PartitionLogOptions, PartitionParts } from './partition-options.js'
import { PartitionReads } from './partition-reads.js'
import { Points } from './points.js'
import type { OffsetAndTime } from './timestamps.js'
import {
  type KafkaAppended,
  type KafkaFetched,
  type LogView,
  type PartitionLog,
  type PulsarAppended,
  type PulsarEntry,
  type PulsarSend,
  type Refusal,
  refuse,
  type TopicName,
} from './types.js'

/** One partition of an embedded broker: see `PartitionLog`. */
export class OpenPartitionLog implements PartitionLog {
  readonly topic: TopicName
  readonly index: PartitionIndex
  readonly pulsarName: string
  readonly ledger: ManagedLedger
  readonly leaderEpoch = 0
  readonly #options: PartitionLogOptions
  readonly #points: Points
  readonly #appends: PartitionAppends
  readonly #reads: PartitionReads
  readonly #appendListeners = new Set<() => void>()
  readonly #closedListeners = new Set<() => void>()
  #wakeScheduled = false
  #closed = false

  constructor(options: PartitionLogOptions) {
    this.#options = options
    this.topic = options.topic
    this.index = options.index
    this.pulsarName = options.pulsarName
    this.ledger = options.ledger
    this.#points = new Points(options.ledger, options.mapping)
    const parts: PartitionParts = {
      ...options,
      leaderEpoch: this.leaderEpoch,
      points: this.#points,
      cached: new Map(),
      closedRefusal: () => this.#closedRefusal(),
    }
    this.#appends = new PartitionAppends(parts)
    this.#reads = new PartitionReads(parts)
    options.ledger.onAppend(() => this.#scheduleWake())
  }

  get timestampType(): TimestampType {
    return this.#options.settings().timestampType
  }

  appendKafka(batch: KafkaBatch): Promise<KafkaAppended | Refusal> {
    return this.#appends.kafka(batch)
  }

  fetchKafka(
    offset: Offset,
    limits: { maxBytes: number; atLeastOne: boolean },
  ): Promise<KafkaFetched | Refusal> {
    return this.#reads.kafka(offset, limits)
  }

  startOffset(): Offset {
    return this.#points.startOffset()
  }

  endOffset(): Offset {
    return this.#points.endOffset()
  }

  offsetOfTimestamp(timestampMs: bigint): Promise<OffsetAndTime | undefined> {
    return this.#reads.offsetOfTimestamp(timestampMs)
  }

  offsetOfMaxTimestamp(): Promise<OffsetAndTime | undefined> {
    return this.#reads.offsetOfMaxTimestamp()
  }

  deleteRecords(before: Offset): Promise<Offset | Refusal> {
    return this.#reads.deleteRecords(before)
  }

  pointOfOffset(offset: Offset): Promise<LogPoint | undefined> {
    return this.#points.ofOffset(offset)
  }

  offsetOfPoint(point: { position: Position; batchIndex: number }): Promise<Offset | undefined> {
    return this.#points.ofPosition(point.position, point.batchIndex)
  }

  appendPulsar(send: PulsarSend): Promise<PulsarAppended | Refusal> {
    return this.#appends.pulsar(send)
  }

  readPulsar(from: Position, limits: ReadLimits, view: LogView = 'log'): Promise<readonly PulsarEntry[]> {
    return this.#reads.pulsar(from, limits, view)
  }

  lastSequenceId(producerName: string): bigint {
    return this.#options.producers.pulsar.lastSequenceId(producerName)
  }

  lastEntry(view: LogView = 'log'): Promise<StoredEntry | undefined> {
    return view === 'log' ? this.ledger.lastEntry() : this.#options.compacted.lastEntry()
  }

  onAppend(listener: () => void): () => void {
    this.#appendListeners.add(listener)
    return () => this.#appendListeners.delete(listener)
  }

  onClosed(listener: () => void): () => void {
    // It may have been closed between being found and being listened to.
    if (this.#closed) queueMicrotask(() => this.#call([listener]))
    else this.#closedListeners.add(listener)
    return () => this.#closedListeners.delete(listener)
  }

  get compaction(): LogCompaction {
    return this.#options.compaction
  }

  get terminated(): boolean {
    return this.#options.termination.terminated
  }

  async terminate(): Promise<void> {
    await this.#appends.terminate()
    this.#scheduleWake()
  }

  /** The topic goes, or this broker ceases to own it: says so to all who use it, once. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    const listeners = [...this.#closedListeners]
    this.#closedListeners.clear()
    this.#call(listeners)
    // Waiting fetches look again, and find it closed.
    this.#call(this.#appendListeners)
  }

  /** Stores what is remembered of producers, so that the next opening need not read for it. */
  saveProducers(): Promise<void> {
    return this.#options.producers.save()
  }

  #closedRefusal(): Refusal | undefined {
    return this.#closed ? refuse('UNKNOWN_TOPIC_OR_PARTITION', `${this.pulsarName} was deleted.`) : undefined
  }

  /** After the appends' own promises, so that whoever is woken finds them in the cache. */
  #scheduleWake(): void {
    if (this.#wakeScheduled) return
    this.#wakeScheduled = true
    setImmediate(() => {
      this.#wakeScheduled = false
      this.#call(this.#appendListeners)
    })
  }

  #call(listeners: Iterable<() => void>): void {
    for (const listener of [...listeners]) {
      try {
        listener()
      } catch (error) {
        this.#options.log.error({ topic: this.pulsarName, err: error }, 'a listener of a partition failed')
      }
    }
  }
}
