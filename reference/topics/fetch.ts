import { asEntryId, asMessageIndex, asOffset, type Offset, type Position } from '../base/brand.js'
import { describeEntry, toKafka } from '../entry-format/index.js'
import type { TimestampType } from '../entry-format/types.js'
import type { OffsetMapping } from '../offsets/types.js'
import type { Chunk } from '../pulsar/wire/message-metadata.js'
import type { ManagedLedger, StoredEntry } from '../storage/types.js'
import type { CompactedLog } from './compaction/compacted-log.js'
import type { Horizon } from './compaction/generation.js'
import type { Points } from './points.js'
import { type ReadAheadMemory, ReadAheads } from './read-ahead.js'
import type { CachedPartition } from './tail-cache.js'
import { convertedInTurns } from './turns.js'

export interface FetchLimits {
  readonly maxBytes: number
  readonly atLeastOne: boolean
}

export interface KafkaReaderOptions {
  readonly ledger: ManagedLedger
  /** The log as compaction leaves it, where that is what consumers see. */
  readonly compacted: () => CompactedLog | undefined
  readonly mapping: OffsetMapping
  readonly points: Points
  readonly cache: CachedPartition
  readonly aheadMemory: ReadAheadMemory
  readonly leaderEpoch: number
  readonly timestampType: () => TimestampType
  readonly onUnconvertible: (entry: StoredEntry, reason: string) => void
}

/** Batches as they are sent, and their bytes together. */
interface Gathered {
  readonly records: Buffer[]
  bytes: number
  /** Where the log ended when they were read. */
  readonly endIndex: number
  readonly timestampType: TimestampType
  /** Up to where it had been compacted. */
  readonly horizon: Horizon | undefined
  /** Where a consumer of these batches goes on, if that is in the store. */
  next: Offset | undefined
}

const entriesPerReadMax = 1000
/** How far back the pieces of a chunked message are looked for, beyond their own number. */
const chunkLookBackEntries = 1000

/** Reads a log as Kafka batches. */
export class KafkaReader {
  readonly #options: KafkaReaderOptions
  readonly #aheads: ReadAheads<Gathered>

  constructor(options: KafkaReaderOptions) {
    this.#options = options
    this.#aheads = new ReadAheads(options.aheadMemory)
  }

  /** Whole batches from the one that holds `offset`, which lies before the log's end. */
  async read(offset: Offset, limits: FetchLimits): Promise<Gathered> {
    const ahead = await this.#aheads.take(offset, limits.maxBytes)
    const read = ahead && this.#isStillRight(ahead, limits) ? ahead : await this.#read(offset, limits)
    if (read.next !== undefined) this.#readAhead(read.next, limits)
    return read
  }

  #readAhead(offset: Offset, { maxBytes }: FetchLimits): void {
    this.#aheads.begin(offset, maxBytes, () => this.#read(offset, { maxBytes, atLeastOne: true }))
  }

  /** What reached the log's end is not, when more has come. */
  #isStillRight(ahead: Gathered, { maxBytes, atLeastOne }: FetchLimits): boolean {
    if (ahead.next === undefined && ahead.endIndex !== this.#options.ledger.end.index) return false
    if (ahead.horizon !== this.#options.compacted()?.horizon) return false
    return ahead.timestampType === this.#options.timestampType() && (atLeastOne || ahead.bytes <= maxBytes)
  }

  async #read(offset: Offset, limits: FetchLimits): Promise<Gathered> {
    const { ledger, mapping, points, timestampType } = this.#options
    const horizon = this.#options.compacted()?.horizon
    const gathered: Gathered = {
      records: [],
      bytes: 0,
      endIndex: ledger.end.index,
      timestampType: timestampType(),
      horizon,
      next: undefined,
    }
    const target = mapping.targetOf(offset)
    const isCached = target.by === 'index' && target.index >= (horizon?.index ?? 0)
    const next = isCached ? this.#takeCached(target.index, limits, gathered) : undefined
    if (next === 'full') return gathered
    const from = await points.ofOffset(next === undefined ? offset : asOffset(BigInt(next)))
    if (from !== undefined) await this.#takeStored(from.position, limits, gathered)
    return gathered
  }

  /** @returns the index to go on from, or `full` when nothing more fits. */
  #takeCached(index: number, limits: FetchLimits, gathered: Gathered): number | 'full' {
    let next = index
    for (;;) {
      const batch = this.#options.cache.get(next)
      if (batch === undefined) return next
      if (!fits(batch.bytes, limits, gathered)) return 'full'
      add(gathered, batch.pieces)
      next += batch.recordCount
    }
  }

  async #takeStored(from: Position, limits: FetchLimits, gathered: Gathered): Promise<void> {
    let position = from
    const source = this.#options.compacted() ?? this.#options.ledger
    for (;;) {
      const maxBytes = Math.max(1, limits.maxBytes - gathered.bytes)
      const entries = await source.read(position, { maxEntries: entriesPerReadMax, maxBytes })
      const last = entries.at(-1)
      if (last === undefined) return
      for await (const [entry, pieces] of convertedInTurns(entries, (entry) =>
        this.#convert(entry, gathered),
      )) {
        const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
        if (bytes === 0) continue
        if (!fits(bytes, limits, gathered)) return
        add(gathered, pieces)
        gathered.next = this.#after(entry, gathered.endIndex)
      }
      // Entries that have nothing for Kafka do not end a read: a consumer could not step over them otherwise.
      if (gathered.records.length > 0) return
      position = { ledgerId: last.position.ledgerId, entryId: asEntryId(last.position.entryId + 1) }
    }
  }

  /** The offset after an entry's last; undefined where nothing follows. */
  #after({ position, firstIndex, messageCount }: StoredEntry, endIndex: number): Offset | undefined {
    if (firstIndex + messageCount >= endIndex) return undefined
    return asOffset(this.#options.points.offsetIn({ position, firstIndex }, messageCount - 1) + 1n)
  }

  async #convert(
    entry: StoredEntry,
    { timestampType }: Gathered,
  ): Promise<readonly [StoredEntry, readonly Buffer[]]> {
    const { leaderEpoch, points, onUnconvertible } = this.#options
    const pieces = await toKafka(entry, {
      baseOffset: points.offsetIn(entry, 0),
      leaderEpoch,
      timestampType,
      onUnconvertible,
      earlierChunks: this.#earlierChunks,
    })
    return [entry, pieces]
  }

  /** Before the last piece of a chunked message (PIP-37). They may stand among other producers' entries. */
  readonly #earlierChunks = async (entry: StoredEntry, chunk: Chunk): Promise<readonly StoredEntry[]> => {
    const found = new Map<number, StoredEntry>()
    let index = entry.firstIndex - 1
    for (let steps = 0; steps < chunk.chunkCount + chunkLookBackEntries; steps++) {
      if (found.size === chunk.chunkCount - 1) break
      const earlier = await this.#options.ledger.entryOfIndex(asMessageIndex(index))
      if (earlier === undefined) break
      const piece = earlier.messageCount === 1 ? chunkOf(earlier) : undefined
      if (piece?.uuid === chunk.uuid) found.set(piece.chunkId, earlier)
      index = earlier.firstIndex - 1
    }
    return [...found.values()].reverse()
  }
}

function chunkOf(entry: StoredEntry) {
  try {
    return describeEntry(entry).chunk
  } catch {
    // A damaged entry: its conversion says so.
    return undefined
  }
}

const fits = (bytes: number, limits: FetchLimits, { records, bytes: taken }: Gathered): boolean =>
  taken + bytes <= limits.maxBytes || (records.length === 0 && limits.atLeastOne)

function add(gathered: Gathered, pieces: readonly Buffer[]): void {
  gathered.records.push(...pieces)
  gathered.bytes += pieces.reduce((sum, piece) => sum + piece.length, 0)
}
