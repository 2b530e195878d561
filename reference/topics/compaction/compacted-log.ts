import { asEntryId, asLedgerId, asMessageIndex, comparePositions, type Position } from '../../base/brand.js'
import type { Log } from '../../base/log.js'
import type { LedgerInfo, ManagedLedger, ReadLimits, Storage } from '../../storage/types.js'
import { Generation, type Horizon } from './generation.js'
import type { KeptEntry } from './kept-entry.js'

/** What a compaction tells of itself, for the next one to know whether it is worth while. */
export interface CompactionSummary {
  readonly messages: number
  readonly bytes: number
  /** When the oldest tombstone that was kept was first kept; null: there is none. */
  readonly tombstonesSinceMs: number | null
}

/** As it is in the metadata store: the one place that says which compacted ledger holds. */
interface Stored {
  /** Compacted ledgers made so far: each has a name of its own. */
  readonly made: number
  readonly current:
    | (CompactionSummary & { ledger: string; horizon: readonly [number, number, number] })
    | null
  /** Being written, or replaced: what is found here at the opening goes. */
  readonly doomed: readonly string[]
}

export interface CompactedLogOptions {
  readonly storage: Storage
  /** In the metadata store. */
  readonly key: string
  /** The managed ledger's name: those of its compacted ledgers begin with it. */
  readonly name: string
  readonly ledger: ManagedLedger
  readonly log: Log
}

const nothing: Stored = { made: 0, current: null, doomed: [] }

/**
 * A log as those see it who want the last message of each key: what compaction kept up to its horizon, and the log itself
 * after it; without a compaction, the log. Positions and indexes are the log's. Reads as a `ManagedLedger` does.
 */
export class CompactedLog {
  readonly ledger: ManagedLedger
  readonly #options: CompactedLogOptions
  #stored: Stored
  #current: Generation | undefined

  private constructor(options: CompactedLogOptions, stored: Stored, current: Generation | undefined) {
    this.#options = options
    this.ledger = options.ledger
    this.#stored = stored
    this.#current = current
  }

  static async open(options: CompactedLogOptions): Promise<CompactedLog> {
    const { storage, key } = options
    const value = await storage.metadata.get(key)
    const stored: Stored = value === undefined ? nothing : JSON.parse(value.toString())
    const { current } = stored
    const generation =
      current === null ? undefined : new Generation(await storage.open(current.ledger), horizonOf(current))
    const log = new CompactedLog(options, stored, generation)
    await log.#removeDoomed()
    return log
  }

  /** Removes what compaction has left of a log that goes. */
  static async remove(storage: Storage, key: string): Promise<void> {
    const value = await storage.metadata.get(key)
    if (value === undefined) return
    const { current, doomed }: Stored = JSON.parse(value.toString())
    for (const name of [...doomed, ...(current === null ? [] : [current.ledger])]) await storage.delete(name)
    await storage.metadata.delete(key)
  }

  /** Undefined when the log was never compacted. */
  get horizon(): Horizon | undefined {
    return this.#current?.horizon
  }

  get summary(): CompactionSummary | undefined {
    return this.#stored.current ?? undefined
  }

  /** Of the compacted ledger; undefined when there is none. */
  get compactedLedgers(): readonly LedgerInfo[] | undefined {
    return this.#current?.ledger.ledgers()
  }

  get start(): ManagedLedger['start'] {
    return this.ledger.start
  }

  get end(): ManagedLedger['end'] {
    return this.ledger.end
  }

  async read(from: Position, limits: ReadLimits): Promise<readonly KeptEntry[]> {
    const current = this.#current
    if (current === undefined || comparePositions(from, current.horizon.position) >= 0)
      return this.ledger.read(from, limits)
    const kept = await current.use(() => current.read(from, limits))
    return kept.length > 0 ? kept : this.ledger.read(current.horizon.position, limits)
  }

  /** The entry that holds the message of that index or, where that is gone, the next one. */
  async entryOfIndex(index: number): Promise<KeptEntry | undefined> {
    const current = this.#current
    if (current === undefined || index >= current.horizon.index)
      return this.ledger.entryOfIndex(asMessageIndex(index))
    const kept = await current.use(() => current.entryOfIndex(index))
    return kept ?? this.ledger.entryOfIndex(asMessageIndex(current.horizon.index))
  }

  /** The first entry that the log still holds whose `maxTimestampMs` is at or after the given one. */
  async entryOfTimestamp(timestampMs: number): Promise<KeptEntry | undefined> {
    const current = this.#current
    const inLog = await this.ledger.entryOfTimestamp(timestampMs)
    if (current === undefined || inLog === undefined || inLog.firstIndex >= current.horizon.index)
      return inLog
    const kept = await current.use(() => current.entryOfTimestamp(timestampMs))
    if (kept === undefined) return this.#scan(current.horizon.position, timestampMs)
    const isThere = kept.firstIndex + kept.messageCount > this.start.index
    return isThere ? kept : this.#scan(this.start.position, timestampMs)
  }

  async lastEntry(): Promise<KeptEntry | undefined> {
    const current = this.#current
    if (current === undefined || this.end.index > current.horizon.index) return this.ledger.lastEntry()
    return current.use(() => current.lastEntry())
  }

  /**
   * Makes a compacted ledger and puts it in the place of the one before, which goes then. A crash at any moment leaves the
   * one or the other, whole.
   * @param write fills the new ledger
   * @throws what `write` or the store throws: the one before stays.
   */
  async replace(
    horizon: Horizon,
    write: (target: ManagedLedger) => Promise<CompactionSummary>,
  ): Promise<void> {
    await this.#removeDoomed()
    const { storage, name } = this.#options
    const before = this.#stored
    const made = before.made + 1
    const ledger = `${name}#compacted-${made}`
    await this.#store({ ...before, made, doomed: [...before.doomed, ledger] })
    const target = await storage.open(ledger)
    try {
      const summary = await write(target)
      const { ledgerId, entryId } = horizon.position
      const doomed = before.current === null ? before.doomed : [...before.doomed, before.current.ledger]
      const current = { ...summary, ledger, horizon: [ledgerId, entryId, horizon.index] as const }
      await this.#store({ made, current, doomed })
    } catch (error) {
      await this.#removeDoomed()
      throw error
    }
    const replaced = this.#current
    this.#current = new Generation(target, horizon)
    await replaced?.unused()
    await this.#removeDoomed()
  }

  async #store(stored: Stored): Promise<void> {
    const { storage, key } = this.#options
    await storage.metadata.put(key, Buffer.from(JSON.stringify(stored)))
    this.#stored = stored
  }

  /** What cannot be removed now is when it is next tried. */
  async #removeDoomed(): Promise<void> {
    if (this.#stored.doomed.length === 0) return
    const { storage, log, name } = this.#options
    try {
      for (const doomed of this.#stored.doomed) await storage.delete(doomed)
      await this.#store({ ...this.#stored, doomed: [] })
    } catch (error) {
      log.warn({ topic: name, err: error }, 'a compacted ledger that is not used any more remains for now')
    }
  }

  async #scan(from: Position, timestampMs: number): Promise<KeptEntry | undefined> {
    let position = from
    for (;;) {
      const entries = await this.read(position, { maxEntries: 1000, maxBytes: 4 << 20 })
      const found = entries.find(({ maxTimestampMs }) => maxTimestampMs >= timestampMs)
      const last = entries.at(-1)
      if (found !== undefined || last === undefined) return found
      position = { ...last.position, entryId: asEntryId(last.position.entryId + 1) }
    }
  }
}

function horizonOf({ horizon: [ledgerId, entryId, index] }: NonNullable<Stored['current']>): Horizon {
  return { position: { ledgerId: asLedgerId(ledgerId), entryId: asEntryId(entryId) }, index }
}
