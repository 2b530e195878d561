import {
  asEntryId,
  asLedgerId,
  asMessageIndex,
  type Offset,
  type PartitionIndex,
  type Position,
} from '../base/brand.js'
import type { Clock } from '../base/clock.js'
import type { Log } from '../base/log.js'
import { MalformedError } from '../base/malformed.js'
import { toPulsar } from '../entry-format/index.js'
import type { EntryFormatName, KafkaBatch, PulsarView, TimestampType } from '../entry-format/types.js'
import { atOffset } from '../kafka/wire/record-batch.js'
import type { OffsetMapping } from '../offsets/types.js'
import type {
  AppendedEntry,
  LogPoint,
  ManagedLedger,
  NewEntry,
  ReadLimits,
  StoredEntry,
} from '../storage/types.js'
import { StorageError } from '../storage/types.js'
import type { TopicSettings } from './configs.js'
import { FailedAppends } from './failed-appends.js'
import { KafkaReader } from './fetch.js'
import type { Ticket } from './kafka-producers.js'
import { Points } from './points.js'
import { entriesOfBatch, entryOfSend, type PreparedSend } from './prepare.js'
import type { ProducerMemory } from './producer-memory.js'
import type { ReadAheadMemory } from './read-ahead.js'
import type { CachedPartition, TailCache } from './tail-cache.js'
import type { Termination } from './termination.js'
import {
  type OffsetAndTime,
  offsetOfMaxTimestamp,
  offsetOfTimestamp,
  type SearchedLog,
} from './timestamps.js'
import { convertedInTurns } from './turns.js'
import {
  isRefusal,
  type KafkaAppended,
  type KafkaFetched,
  type PartitionLog,
  type PulsarAppended,
  type PulsarEntry,
  type PulsarSend,
  type Refusal,
  refuse,
  type TopicName,
} from './types.js'

export interface PartitionLogOptions {
  readonly topic: TopicName
  readonly index: PartitionIndex
  readonly pulsarName: string
  readonly ledger: ManagedLedger
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

/** What an append hands on from its turn: the turn ends when the entries are submitted, not when they are durable. */
interface Submitted<T> {
  readonly outcome: Promise<T>
}

/** One partition of an embedded broker: see `PartitionLog`. */
export class OpenPartitionLog implements PartitionLog {
  readonly topic: TopicName
  readonly index: PartitionIndex
  readonly pulsarName: string
  readonly ledger: ManagedLedger
  readonly leaderEpoch = 0
  readonly #options: PartitionLogOptions
  readonly #failedAppends: FailedAppends
  readonly #points: Points
  readonly #reader: KafkaReader
  readonly #cached: CachedPartition = new Map()
  readonly #appendListeners = new Set<() => void>()
  readonly #closedListeners = new Set<() => void>()
  #turn: Promise<unknown> = Promise.resolve()
  #lastAppend: Promise<unknown> = Promise.resolve()
  #wakeScheduled = false
  #closed = false

  constructor(options: PartitionLogOptions) {
    this.#options = options
    this.topic = options.topic
    this.index = options.index
    this.pulsarName = options.pulsarName
    this.ledger = options.ledger
    this.#failedAppends = new FailedAppends(options.pulsarName, options.log, options.clock)
    this.#points = new Points(options.ledger, options.mapping)
    this.#reader = new KafkaReader({
      ledger: options.ledger,
      mapping: options.mapping,
      points: this.#points,
      cache: this.#cached,
      aheadMemory: options.aheadMemory,
      leaderEpoch: this.leaderEpoch,
      timestampType: () => this.timestampType,
      onUnconvertible: (entry, reason) =>
        options.log.warn(
          { topic: this.pulsarName, ...entry.position, reason },
          'an entry cannot be converted for Kafka',
        ),
    })
    options.ledger.onAppend(() => this.#scheduleWake())
  }

  get timestampType(): TimestampType {
    return this.#options.settings().timestampType
  }

  async appendKafka(batch: KafkaBatch): Promise<KafkaAppended | Refusal> {
    const { settings, clock } = this.#options
    const { messageBytesMax, timestampType } = settings()
    if (batch.bytes.length > messageBytesMax) {
      const message = `The batch has ${batch.bytes.length} bytes, ${messageBytesMax} are allowed (max.message.bytes).`
      return refuse('MESSAGE_TOO_LARGE', message)
    }
    const appendTimeMs = clock.nowMs()
    // The next batch is converted while the one before is made durable; effects keep the order of the calls.
    const converting = entriesOfBatch(batch, this.#options, timestampType, appendTimeMs)
    const { outcome } = await this.#inTurn(converting, async () => {
      const entries = await converting
      return isRefusal(entries)
        ? { outcome: Promise.resolve(entries) }
        : this.#submitKafka(batch, entries, timestampType, appendTimeMs)
    })
    return outcome
  }

  async fetchKafka(
    offset: Offset,
    limits: { maxBytes: number; atLeastOne: boolean },
  ): Promise<KafkaFetched | Refusal> {
    const refusal = this.#closedRefusal()
    if (refusal !== undefined) return refusal
    const logStartOffset = this.startOffset()
    const highWatermark = this.endOffset()
    if (offset < logStartOffset || offset > highWatermark) {
      const message = `Offset ${offset} lies outside ${logStartOffset} to ${highWatermark}.`
      return refuse('OFFSET_OUT_OF_RANGE', message)
    }
    if (offset === highWatermark) return { records: [], bytes: 0, highWatermark, logStartOffset }
    try {
      return { ...(await this.#reader.read(offset, limits)), highWatermark, logStartOffset }
    } catch (error) {
      return this.#closedRefusal() ?? storageRefusal(error)
    }
  }

  startOffset(): Offset {
    return this.#points.startOffset()
  }

  endOffset(): Offset {
    return this.#points.endOffset()
  }

  offsetOfTimestamp(timestampMs: bigint): Promise<OffsetAndTime | undefined> {
    return offsetOfTimestamp(this.#searched(), timestampMs)
  }

  offsetOfMaxTimestamp(): Promise<OffsetAndTime | undefined> {
    return offsetOfMaxTimestamp(this.#searched())
  }

  async deleteRecords(before: Offset): Promise<Offset | Refusal> {
    const end = this.endOffset()
    const target = before === -1n ? end : before
    if (target < 0n || target > end) {
      return refuse('OFFSET_OUT_OF_RANGE', `Offset ${before} lies beyond the log's end, ${end}.`)
    }
    const point = await this.#points.ofOffset(target)
    try {
      if (point !== undefined) await this.ledger.trim(point.index)
    } catch (error) {
      return this.#closedRefusal() ?? storageRefusal(error)
    }
    return this.startOffset()
  }

  pointOfOffset(offset: Offset): Promise<LogPoint | undefined> {
    return this.#points.ofOffset(offset)
  }

  offsetOfPoint(point: { position: Position; batchIndex: number }): Promise<Offset | undefined> {
    return this.#points.ofPosition(point.position, point.batchIndex)
  }

  async appendPulsar(send: PulsarSend): Promise<PulsarAppended | Refusal> {
    const converting = entryOfSend(
      send,
      this.#options.mapping,
      this.timestampType,
      this.#options.clock.nowMs(),
    )
    const { outcome } = await this.#inTurn(converting, async () => {
      const prepared = await converting
      return isRefusal(prepared) ? { outcome: Promise.resolve(prepared) } : this.#submitPulsar(send, prepared)
    })
    return outcome
  }

  async readPulsar(from: Position, limits: ReadLimits): Promise<readonly PulsarEntry[]> {
    const entries = await this.ledger.read(from, limits)
    const converted: PulsarEntry[] = []
    for await (const entry of convertedInTurns(entries, (each) => this.#pulsarEntry(each)))
      converted.push(entry)
    return converted
  }

  async #pulsarEntry(entry: StoredEntry): Promise<PulsarEntry> {
    const { position, firstIndex, brokerTimestampMs } = entry
    return { position, firstIndex, brokerTimestampMs, view: await this.#pulsarView(entry) }
  }

  lastSequenceId(producerName: string): bigint {
    return this.#options.producers.pulsar.lastSequenceId(producerName)
  }

  lastEntry(): Promise<StoredEntry | undefined> {
    return this.ledger.lastEntry()
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

  get terminated(): boolean {
    return this.#options.termination.terminated
  }

  async terminate(): Promise<void> {
    await this.#turn
    await this.#options.termination.terminate(this.#lastAppend)
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

  #searched(): SearchedLog {
    return { ledger: this.ledger, points: this.#points, timestampType: this.timestampType }
  }

  /** Runs when the call before has submitted its entries. */
  #inTurn<T>(
    converting: Promise<unknown>,
    submit: () => Promise<Submitted<T | Refusal>>,
  ): Promise<Submitted<T | Refusal>> {
    // Its failure is told in its turn; nobody looking at it until then must not end the process.
    converting.catch(() => undefined)
    const mine = this.#turn.then(submit)
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  #submitKafka(
    batch: KafkaBatch,
    entries: readonly NewEntry[],
    timestampType: TimestampType,
    appendTimeMs: number,
  ): Submitted<KafkaAppended | Refusal> {
    const refusal = this.#appendRefusal()
    if (refusal !== undefined) return { outcome: Promise.resolve(refusal) }
    const logAppendTimeMs = timestampType === 'LogAppendTime' ? BigInt(appendTimeMs) : -1n
    if (batch.producerId < 0n) return { outcome: this.#storeKafka(batch, entries, logAppendTimeMs) }
    const admission = this.#options.producers.kafka.admit(batch, appendTimeMs)
    if (isRefusal(admission)) return { outcome: Promise.resolve(admission) }
    if ('ticket' in admission)
      return { outcome: this.#storeKafka(batch, entries, logAppendTimeMs, admission.ticket) }
    const repeated = admission.duplicateOf.then((result) =>
      isRefusal(result) ? result : { ...result, logStartOffset: this.startOffset(), duplicate: true },
    )
    return { outcome: repeated }
  }

  async #storeKafka(
    batch: KafkaBatch,
    entries: readonly NewEntry[],
    logAppendTimeMs: bigint,
    ticket?: Ticket,
  ): Promise<KafkaAppended | Refusal> {
    const stored = await this.#store(entries)
    if (isRefusal(stored)) {
      ticket?.failed(stored)
      return stored
    }
    const [first] = stored
    if (first === undefined) throw new Error('a batch became no entry')
    const result = { baseOffset: this.#points.offsetIn(first, 0), logAppendTimeMs }
    ticket?.stored(result)
    this.#remember(stored, entries)
    if (entries.length === 1 && logAppendTimeMs < 0n) this.#cache(batch, first, result.baseOffset)
    return { ...result, logStartOffset: this.startOffset(), duplicate: false }
  }

  /** Only where consumers count by index: the next batch is then found by where this one ends. */
  #cache(batch: KafkaBatch, { firstIndex }: AppendedEntry, baseOffset: Offset): void {
    if (this.#options.mapping.name !== 'index' || batch.isControl) return
    // Under entryFormat=kafka the store was given these very bytes, under a checksum of its own: they stay as they are.
    this.#options.cache.add(this.#cached, {
      firstIndex,
      recordCount: batch.recordCount,
      pieces: atOffset(withoutSurroundings(batch.bytes), baseOffset, this.leaderEpoch),
      bytes: batch.bytes.length,
    })
  }

  #submitPulsar(
    send: PulsarSend,
    { entry, isEarlierChunk }: PreparedSend,
  ): Submitted<PulsarAppended | Refusal> {
    const refusal = this.#appendRefusal()
    if (refusal !== undefined) return { outcome: Promise.resolve(refusal) }
    const { producerName, sequenceId, highestSequenceId } = send
    const place = { producerName, sequenceId, highestSequenceId, isEarlierChunk }
    const admission = this.#options.producers.pulsar.admit(place, this.#options.clock.nowMs())
    if ('settle' in admission) return { outcome: this.#storePulsar(entry, admission.settle) }
    const repeated = admission.duplicateOf.then((stored) =>
      stored
        ? duplicateSend
        : refuse('KAFKA_STORAGE_ERROR', 'The message that this one repeats was not stored.'),
    )
    return { outcome: repeated }
  }

  async #storePulsar(entry: NewEntry, settle: (stored: boolean) => void): Promise<PulsarAppended | Refusal> {
    const stored = await this.#store([entry])
    settle(!isRefusal(stored))
    if (isRefusal(stored)) return stored
    const [first] = stored
    if (first === undefined) throw new Error('a message became no entry')
    this.#remember(stored, [entry])
    return { position: first.position, firstIndex: first.firstIndex, duplicate: false }
  }

  /** Submits at once, in the order of the calls. */
  async #store(entries: readonly NewEntry[]): Promise<readonly AppendedEntry[] | Refusal> {
    try {
      const appending = this.ledger.append(entries)
      this.#lastAppend = appending
      return await appending
    } catch (error) {
      const closed = this.#closedRefusal()
      if (closed !== undefined) return closed
      this.#failedAppends.add(error)
      return storageRefusal(error)
    }
  }

  #remember(stored: readonly AppendedEntry[], entries: readonly NewEntry[]): void {
    const last = stored.at(-1)
    const count = entries.at(-1)?.messageCount ?? 0
    if (last === undefined) return
    const bytes = entries.reduce(
      (sum, { data }) => sum + data.reduce((inner, piece) => inner + piece.length, 0),
      0,
    )
    this.#options.producers.appended(asMessageIndex(last.firstIndex + count), entries.length, bytes)
  }

  #appendRefusal(): Refusal | undefined {
    if (this.#closed) return this.#closedRefusal()
    if (this.terminated)
      return refuse('POLICY_VIOLATION', `${this.pulsarName} was terminated: it takes no more messages.`)
    if (this.#points.hasRoom()) return undefined
    const { position } = this.ledger.end
    const message = `Ledger ${position.ledgerId}, entry ${position.entryId} has no offset under ${this.#options.mapping.name}: its bits are used up; use the mapping "index".`
    return refuse('POLICY_VIOLATION', message)
  }

  #closedRefusal(): Refusal | undefined {
    return this.#closed ? refuse('UNKNOWN_TOPIC_OR_PARTITION', `${this.pulsarName} was deleted.`) : undefined
  }

  async #pulsarView(entry: StoredEntry): Promise<PulsarView> {
    try {
      return await toPulsar(entry)
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error
      const { log } = this.#options
      log.warn(
        { topic: this.pulsarName, ...entry.position, err: error },
        'a damaged entry is given to Pulsar as stored',
      )
      return { headersAndPayload: [entry.data], messageCount: entry.messageCount, isMarker: false }
    }
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

/** Pulsar answers −1:−1 for what it did not store again. */
const duplicateSend: PulsarAppended = {
  position: { ledgerId: asLedgerId(-1), entryId: asEntryId(-1) },
  firstIndex: asMessageIndex(-1),
  duplicate: true,
}

/** A small part of a request must not hold on to the whole of it. */
const withoutSurroundings = (bytes: Buffer): Buffer =>
  bytes.buffer.byteLength > 2 * bytes.length ? Buffer.from(bytes) : bytes

function storageRefusal(error: unknown): Refusal {
  if (error instanceof StorageError) return refuse('KAFKA_STORAGE_ERROR', error.message)
  throw error
}
