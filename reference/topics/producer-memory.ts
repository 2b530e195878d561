import { asEntryId, asLedgerId, asMessageIndex, type MessageIndex } from '../base/brand.js'
import type { Clock } from '../base/clock.js'
import { describeEntry, kafkaProducerOf, pulsarProducerOf } from '../entry-format/index.js'
import type { OffsetMapping } from '../offsets/types.js'
import type { ManagedLedger, MetadataStore, StoredEntry } from '../storage/types.js'
import { KafkaProducers, type StoredProducer } from './kafka-producers.js'
import { PulsarProducers, type StoredPulsarProducer } from './pulsar-producers.js'

interface Snapshot {
  readonly version: 1
  /** What was appended from here on must be read again. */
  readonly nextIndex: number
  readonly kafka: readonly StoredProducer[]
  readonly pulsar: readonly StoredPulsarProducer[]
}

/** A snapshot is taken after so much: what a restart must read again at most, about. */
const snapshotBytes = 16 << 20
const snapshotEntries = 2_000
const replayLimits = { maxEntries: 500, maxBytes: 4 << 20 }

export interface ProducerMemoryOptions {
  /** Key of the snapshot in the metadata. */
  readonly key: string
  readonly metadata: MetadataStore
  readonly ledger: ManagedLedger
  readonly mapping: OffsetMapping
  readonly clock: Clock
  /** Told of a snapshot that could not be stored; the next one tries again. */
  readonly onSnapshotFailed: (error: unknown) => void
}

/**
 * What a partition remembers of its producers, right also after a crash: a snapshot now and then, and the log's tail
 * read again.
 */
export class ProducerMemory {
  readonly kafka = new KafkaProducers()
  readonly pulsar = new PulsarProducers()
  readonly #options: ProducerMemoryOptions
  #nextIndex = 0
  #bytes = 0
  #entries = 0
  #saving: Promise<void> | null = null
  /** While reading again: the time of the entry before, when it is as large as the mapping allows. */
  #cutAtMs: number | undefined

  private constructor(options: ProducerMemoryOptions) {
    this.#options = options
  }

  static async open(options: ProducerMemoryOptions): Promise<ProducerMemory> {
    const memory = new ProducerMemory(options)
    const stored = await options.metadata.get(options.key)
    if (stored !== undefined) memory.#load(JSON.parse(stored.toString()))
    await memory.#replay()
    return memory
  }

  /** Entries were stored, and what they say of producers is taken up. Called in the log's order. */
  appended(nextIndex: MessageIndex, entries: number, bytes: number): void {
    this.#nextIndex = nextIndex
    this.#entries += entries
    this.#bytes += bytes
    if (this.#bytes >= snapshotBytes || this.#entries >= snapshotEntries) void this.save()
  }

  /** Stores a snapshot if there is something new in it. */
  async save(): Promise<void> {
    if (this.#saving !== null) return this.#saving
    if (this.#entries === 0) return
    this.#saving = this.#store().finally(() => {
      this.#saving = null
    })
    return this.#saving
  }

  async #store(): Promise<void> {
    const { clock, key, metadata, onSnapshotFailed } = this.#options
    const nowMs = clock.nowMs()
    const snapshot: Snapshot = {
      version: 1,
      nextIndex: this.#nextIndex,
      kafka: this.kafka.snapshot(nowMs),
      pulsar: this.pulsar.snapshot(nowMs),
    }
    this.#entries = 0
    this.#bytes = 0
    try {
      await metadata.put(key, Buffer.from(JSON.stringify(snapshot)))
    } catch (error) {
      onSnapshotFailed(error)
    }
  }

  #load(snapshot: Snapshot): void {
    if (snapshot.version !== 1)
      throw new Error(`a producer snapshot has version ${snapshot.version}; 1 is read`)
    this.#nextIndex = snapshot.nextIndex
    this.kafka.load(snapshot.kafka)
    this.pulsar.load(snapshot.pulsar)
  }

  async #replay(): Promise<void> {
    const { ledger } = this.#options
    const from = asMessageIndex(Math.max(this.#nextIndex, ledger.start.index))
    const first = await ledger.entryOfIndex(from)
    let position = first?.position ?? ledger.end.position
    for (;;) {
      const entries = await ledger.read(position, replayLimits)
      const last = entries.at(-1)
      if (last === undefined) return
      for (const entry of entries) this.#take(entry)
      position = {
        ledgerId: asLedgerId(last.position.ledgerId),
        entryId: asEntryId(last.position.entryId + 1),
      }
    }
  }

  #take(entry: StoredEntry): void {
    this.#nextIndex = entry.firstIndex + entry.messageCount
    this.#entries++
    this.#bytes += entry.data.length
    try {
      this.#takeProducer(entry)
    } catch {
      // A damaged entry names no producer; readers are told of it when they come to it.
    }
  }

  /**
   * Whether the entry goes on with the batch of the entry before: the mapping cut that one at its limit, and all pieces
   * of a batch bear one time. Together they are what a producer may repeat.
   */
  #isPiece(entry: StoredEntry): boolean {
    const { publishTimeMs } = describeEntry(entry).metadata
    const joins = this.#cutAtMs === publishTimeMs
    this.#cutAtMs =
      entry.messageCount === this.#options.mapping.messagesPerEntryMax ? publishTimeMs : undefined
    return joins
  }

  #takeProducer(entry: StoredEntry): void {
    const { mapping } = this.#options
    const kafka = kafkaProducerOf(entry.data)
    if (kafka !== undefined) {
      const baseOffset = mapping.offsetOf(entry, 0)
      if (kafka.producerId < 0n || baseOffset === undefined) return
      this.kafka.restore(
        kafka,
        { baseOffset, logAppendTimeMs: -1n },
        entry.brokerTimestampMs,
        this.#isPiece(entry),
      )
      return
    }
    const pulsar = pulsarProducerOf(entry.data)
    if (pulsar === undefined || pulsar.sequenceId < 0n) return
    const { chunk } = describeEntry(entry)
    if (chunk !== undefined && chunk.chunkId < chunk.chunkCount - 1) return
    this.pulsar.restore(pulsar.producerName, pulsar.highestSequenceId, entry.brokerTimestampMs)
  }
}
