import { asEntryId, comparePositions, type Position } from '../../base/brand.js'
import { walkKeys, withoutMessages } from '../../entry-format/index.js'
import type { ManagedLedger, NewEntry } from '../../storage/types.js'
import type { CompactedLog, CompactionSummary } from './compacted-log.js'
import type { Horizon } from './generation.js'
import { encodeKept, type KeptEntry } from './kept-entry.js'

export interface CompactionRule {
  /** Messages without a key stay (Pulsar's topicCompactionRetainNullKey). */
  readonly retainsNullKeys: boolean
  /** How long tombstones stay after the compaction that first comes to them; null: they go at once, as Pulsar's do. */
  readonly tombstonesKeptMs: number | null
  /** The log's last message stays whatever it is, so that Kafka's consumers, who go on after it, reach the log's end. */
  readonly keepsLast: boolean
  /** What retention has dropped from the log since it was compacted stays, as in Pulsar. */
  readonly keepsTrimmed: boolean
  readonly nowMs: number
  readonly isCancelled: () => boolean
}

/** The partition went while it was compacted. */
export class CompactionCancelledError extends Error {
  override readonly name = 'CompactionCancelledError'
}

const readLimits = { maxEntries: 500, maxBytes: 1 << 20 }
const first: Position = { ledgerId: 0 as Position['ledgerId'], entryId: asEntryId(0) }

/**
 * Compacts a log up to its end: reads it once to find the last message of each key, and again to write those into a new
 * compacted ledger. What comes meanwhile is the next compaction's. Keys are held in memory while it runs.
 * @returns how many messages were removed
 * @throws StorageError, CompactionCancelledError; what was compacted before stays as it was.
 */
export async function compact(log: CompactedLog, rule: CompactionRule): Promise<number> {
  const { position, index } = log.end
  const horizon: Horizon = { position, index }
  const found = await findLatest(log, horizon, rule)
  let removed = 0
  await log.replace(horizon, async (target) => {
    const writer = new Writer(target, found, rule, index - 1)
    for await (const entries of entriesBefore(log, horizon, rule)) {
      for (const entry of entries) await writer.take(entry)
      await writer.flush(flushBytesMin)
    }
    await writer.flush(0)
    removed = writer.removed
    return writer.summary
  })
  return removed
}

/** In reads of at most `readLimits`. Others get their turn between them. */
async function* entriesBefore(
  log: CompactedLog,
  { index }: Horizon,
  { keepsTrimmed, isCancelled }: CompactionRule,
): AsyncGenerator<readonly KeptEntry[]> {
  let position = keepsTrimmed ? first : log.start.position
  for (;;) {
    await new Promise<void>((resolve) => setImmediate(resolve))
    if (isCancelled()) throw new CompactionCancelledError('the partition was closed')
    const start = keepsTrimmed ? first : log.start.position
    if (comparePositions(position, start) < 0) position = start
    const read = await log.read(position, readLimits)
    const last = read.at(-1)
    if (last === undefined) return
    yield read.filter(({ firstIndex }) => firstIndex < index)
    if (last.firstIndex + last.messageCount >= index) return
    position = { ...last.position, entryId: asEntryId(last.position.entryId + 1) }
  }
}

interface Latest {
  /** The index of the last message of each key. */
  readonly byKey: ReadonlyMap<string, number>
  /** The index and key of the last piece of each chunked message: it decides about the others. */
  readonly lastChunks: ReadonlyMap<string, { readonly index: number; readonly key: string | null }>
}

async function findLatest(log: CompactedLog, horizon: Horizon, rule: CompactionRule): Promise<Latest> {
  const byKey = new Map<string, number>()
  const lastChunks = new Map<string, { index: number; key: string | null }>()
  for await (const entries of entriesBefore(log, horizon, rule)) {
    for (const entry of entries) {
      let lastKey: string | null = null
      const keys = await walkKeys(entry, (batchIndex, key) => {
        lastKey = key
        if (key !== null) byKey.set(key, entry.firstIndex + batchIndex)
      })
      if (keys.kind === 'chunk' && keys.isLast)
        lastChunks.set(keys.uuid, { index: entry.firstIndex, key: lastKey })
    }
  }
  return { byKey, lastChunks }
}

const flushBytesMin = 1 << 20

/** Writes what stays. */
class Writer {
  readonly #target: ManagedLedger
  readonly #latest: Latest
  readonly #rule: CompactionRule
  readonly #lastIndex: number
  #waiting: NewEntry[] = []
  #waitingBytes = 0
  #messages = 0
  #bytes = 0
  #tombstonesSinceMs: number | null = null
  removed = 0

  constructor(target: ManagedLedger, latest: Latest, rule: CompactionRule, lastIndex: number) {
    this.#target = target
    this.#latest = latest
    this.#rule = rule
    this.#lastIndex = lastIndex
  }

  get summary(): CompactionSummary {
    return { messages: this.#messages, bytes: this.#bytes, tombstonesSinceMs: this.#tombstonesSinceMs }
  }

  async take(entry: KeptEntry): Promise<void> {
    const stays = new Set<number>()
    let messages = 0
    const keys = await walkKeys(entry, (batchIndex, key, isTombstone) => {
      messages++
      if (this.#stays(entry, entry.firstIndex + batchIndex, key, isTombstone)) stays.add(batchIndex)
    })
    if (keys.kind === 'opaque') return this.#write(entry, entry.messageCount)
    if (keys.kind === 'chunk') return this.#takeChunk(entry, keys.uuid)
    this.removed += messages - stays.size
    if (stays.size === 0) return
    if (stays.size === messages) return this.#write(entry, messages)
    const rest = await withoutMessages(entry, (batchIndex) => stays.has(batchIndex))
    this.#write({ ...entry, ...rest }, stays.size)
  }

  /** Appends what waits, when it is as much. */
  async flush(bytesMin: number): Promise<void> {
    if (this.#waiting.length === 0 || this.#waitingBytes < bytesMin) return
    const entries = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    await this.#target.append(entries)
  }

  #stays({ compactedAtMs }: KeptEntry, index: number, key: string | null, isTombstone: boolean): boolean {
    const { keepsLast, retainsNullKeys, tombstonesKeptMs, nowMs } = this.#rule
    const isLast = keepsLast && index === this.#lastIndex
    if (key === null) return isLast || retainsNullKeys
    if (this.#latest.byKey.get(key) !== index) return false
    if (!isTombstone || isLast) return true
    if (tombstonesKeptMs === null) return false
    if (compactedAtMs !== undefined && nowMs - compactedAtMs >= tombstonesKeptMs) return false
    this.#tombstonesSinceMs = Math.min(this.#tombstonesSinceMs ?? nowMs, compactedAtMs ?? nowMs)
    return true
  }

  /** Pieces of a message whose last one has yet to come are the next compaction's to judge. */
  #takeChunk(entry: KeptEntry, uuid: string): void {
    const last = this.#latest.lastChunks.get(uuid)
    if (last === undefined || this.#stays(entry, last.index, last.key, false)) this.#write(entry, 1)
    else this.removed++
  }

  #write(entry: KeptEntry, messages: number): void {
    this.#messages += messages
    this.#bytes += entry.data.length
    this.#waitingBytes += entry.data.length
    this.#waiting.push(encodeKept(entry, entry.compactedAtMs ?? this.#rule.nowMs))
  }
}
