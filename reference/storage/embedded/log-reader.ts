import { asEntryId, asLedgerId, asMessageIndex, type Position } from '../../base/brand.js'
import type { ReadLimits, StoredEntry } from '../types.js'
import type { Engine } from './engine.js'
import { decodeEntryRecord, type EntryRecord, entryHeaderBytes, entryKey } from './entry-record.js'
import { firstWhere, type LedgerState, type LogState, ledgerOfIndex } from './log-state.js'

interface Located {
  readonly ledgerId: number
  readonly entryId: number
  readonly record: EntryRecord
  readonly inline: Buffer | undefined
}

/** Finds and reads entries of one log, given its state. */
export class LogReader {
  readonly #engine: Engine
  /** Where the last look-up by index ended: the next one is mostly for what follows. */
  #last: { ledgerId: number; entryId: number } = { ledgerId: -1, entryId: 0 }

  constructor(engine: Engine) {
    this.#engine = engine
  }

  async read(state: LogState, from: Position, limits: ReadLimits): Promise<readonly StoredEntry[]> {
    return this.#load(this.#locateRun(state, from, limits))
  }

  async entryAt(ledgerId: number, entryId: number): Promise<StoredEntry | undefined> {
    const located = this.#locate(ledgerId, entryId)
    return located === undefined ? undefined : (await this.#load([located]))[0]
  }

  record(ledgerId: number, entryId: number): EntryRecord | undefined {
    const value = this.#engine.database.entries.getBinaryFast(entryKey(ledgerId, entryId))
    return value === undefined ? undefined : decodeEntryRecord(value)
  }

  /** The entry that holds the message of an index, which lies between the log's start and end. */
  positionOfIndex(state: LogState, index: number): { ledgerId: number; entryId: number } | undefined {
    const ledger = ledgerOfIndex(state, index)
    if (ledger === undefined) return undefined
    const entryId = this.#guess(ledger, index) ?? this.#entryOfIndex(ledger, index)
    this.#last = { ledgerId: ledger.ledgerId, entryId }
    return this.#last
  }

  /** The first kept entry with a message at or after a timestamp. */
  positionOfTimestamp(
    state: LogState,
    timestampMs: number,
  ): { ledgerId: number; entryId: number } | undefined {
    for (const ledger of state.ledgers) {
      if (ledger.entries === 0 || ledger.maxTimestampMs < timestampMs) continue
      const first = ledger.ledgerId === state.start.ledgerId ? state.start.entryId : 0
      const running = (entryId: number): boolean =>
        (this.record(ledger.ledgerId, entryId)?.runningMaxTimestampMs ?? -1) >= timestampMs
      const from = Math.max(first, firstWhere(ledger.entries, running))
      // The running maximum may come from a trimmed entry: then a later one's own must do.
      for (let entryId = from; entryId < ledger.entries; entryId++) {
        const record = this.record(ledger.ledgerId, entryId)
        if (record !== undefined && record.maxTimestampMs >= timestampMs)
          return { ledgerId: ledger.ledgerId, entryId }
      }
    }
    return undefined
  }

  #guess(ledger: LedgerState, index: number): number | undefined {
    if (this.#last.ledgerId !== ledger.ledgerId) return undefined
    for (const entryId of [this.#last.entryId, this.#last.entryId + 1]) {
      const record = entryId < ledger.entries ? this.record(ledger.ledgerId, entryId) : undefined
      if (record === undefined || index < record.firstIndex) return undefined
      if (index < record.firstIndex + record.messageCount) return entryId
    }
    return undefined
  }

  #entryOfIndex(ledger: LedgerState, index: number): number {
    const after = (entryId: number): boolean =>
      (this.record(ledger.ledgerId, entryId)?.firstIndex ?? -1) > index
    return firstWhere(ledger.entries, after) - 1
  }

  #locate(ledgerId: number, entryId: number): Located | undefined {
    const value = this.#engine.database.entries.getBinaryFast(entryKey(ledgerId, entryId))
    if (value === undefined) return undefined
    const record = decodeEntryRecord(value)
    // The view ends with the next look-up.
    const inline = record.inFile
      ? undefined
      : Buffer.from(value.subarray(entryHeaderBytes, entryHeaderBytes + record.length))
    return { ledgerId, entryId, record, inline }
  }

  #locateRun(state: LogState, from: Position, limits: ReadLimits): readonly Located[] {
    const found: Located[] = []
    let bytes = 0
    for (const ledger of state.ledgers) {
      if (ledger.ledgerId < from.ledgerId || ledger.ledgerId < state.start.ledgerId) continue
      for (let entryId = firstEntry(state, ledger, from); entryId < ledger.entries; entryId++) {
        if (found.length >= limits.maxEntries) return found
        const located = this.#locate(ledger.ledgerId, entryId)
        // Trimmed while we read: what was found before it stands, and the next read begins after it.
        if (located === undefined) return found
        bytes += located.record.length
        if (found.length > 0 && bytes > limits.maxBytes) return found
        found.push(located)
      }
    }
    return found
  }

  /** Reads data that lies together in a file at one go. */
  async #load(located: readonly Located[]): Promise<readonly StoredEntry[]> {
    const entries: StoredEntry[] = []
    for (let at = 0; at < located.length; ) {
      const first = located[at]
      if (first === undefined) break
      const run = first.inline === undefined ? runOf(located, at) : [first]
      const last = run.at(-1) ?? first
      const start = first.record.filePosition
      const data =
        first.inline ??
        (await this.#engine.files.read(
          first.ledgerId,
          start,
          last.record.filePosition + last.record.length - start,
        ))
      for (const one of run) {
        const offset = first.inline === undefined ? one.record.filePosition - start : 0
        entries.push(storedEntry(one, data.subarray(offset, offset + one.record.length)))
      }
      at += run.length
    }
    return entries
  }
}

const firstEntry = ({ start }: LogState, ledger: LedgerState, from: Position): number =>
  Math.max(
    ledger.ledgerId === from.ledgerId ? from.entryId : 0,
    ledger.ledgerId === start.ledgerId ? start.entryId : 0,
  )

/** The entries from `at` on whose data follows one another in one file. */
function runOf(located: readonly Located[], at: number): readonly Located[] {
  const run: Located[] = []
  let end = -1
  for (let next = at; next < located.length; next++) {
    const one = located[next]
    if (one === undefined || one.inline !== undefined || one.ledgerId !== located[at]?.ledgerId) break
    if (run.length > 0 && one.record.filePosition !== end) break
    run.push(one)
    end = one.record.filePosition + one.record.length
  }
  return run
}

const storedEntry = ({ ledgerId, entryId, record }: Located, data: Buffer): StoredEntry => ({
  position: { ledgerId: asLedgerId(ledgerId), entryId: asEntryId(entryId) },
  firstIndex: asMessageIndex(record.firstIndex),
  brokerTimestampMs: record.brokerTimestampMs,
  messageCount: record.messageCount,
  maxTimestampMs: record.maxTimestampMs,
  data,
})
