import { asEntryId, asLedgerId, asMessageIndex, type MessageIndex, type Position } from '../../base/brand.js'
import type {
  AppendedEntry,
  Cursor,
  LedgerInfo,
  LogPoint,
  ManagedLedger,
  NewEntry,
  ReadLimits,
  StoredEntry,
} from '../types.js'
import { StorageError } from '../types.js'
import type { FileWrite } from './committer.js'
import type { Put } from './database.js'
import type { Engine } from './engine.js'
import { type EntryPlaces, writeEntries } from './entry-writer.js'
import { LogCursors } from './log-cursors.js'
import type { LogReader } from './log-reader.js'
import {
  encodeLogState,
  endPoint,
  type LedgerState,
  type LogState,
  lastLedger,
  replaceLast,
  startPoint,
  withNewLedger,
} from './log-state.js'

/** The state as the running round will leave it. */
interface Draft {
  state: LogState
  /** Counts what is staged, stored or not. */
  entries: number
  bytes: number
  fileBytes: number
  /** Ledgers came or went: the log's own record must be written. */
  structureChanged: boolean
  readonly dropped: number[]
}

/** One partition's log in the embedded store. Its state changes only when a round of the committer has succeeded. */
export class EmbeddedLedger implements ManagedLedger {
  readonly name: string
  readonly #engine: Engine
  readonly #reader: LogReader
  #state: LogState
  #draft: Draft | null = null
  #deleted = false
  /** As last asked for. */
  #last: LogPoint | undefined
  /** Grows with each failure: appends in flight at that moment fail with it. */
  #failures = 0
  readonly #listeners = new Set<() => void>()
  readonly #cursors: LogCursors

  constructor(
    name: string,
    engine: Engine,
    reader: LogReader,
    state: LogState,
    cursors: Iterable<readonly [string, Buffer]>,
  ) {
    this.name = name
    this.#engine = engine
    this.#reader = reader
    this.#state = state
    this.#cursors = new LogCursors(name, engine, reader, () => this.#state, cursors)
  }

  get start(): LogPoint {
    return startPoint(this.#state)
  }

  get end(): LogPoint {
    return endPoint(this.#state)
  }

  get last(): LogPoint | undefined {
    const index = asMessageIndex(this.end.index - 1)
    if (index < this.start.index) return undefined
    if (this.#last?.index !== index) this.#last = this.#pointOfIndex(index)
    return this.#last
  }

  append(entries: readonly NewEntry[]): Promise<readonly AppendedEntry[]> {
    if (entries.length === 0) return Promise.resolve([])
    const sizes = entries.map(({ data }) => data.reduce((sum, piece) => sum + piece.length, 0))
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    return new Promise((resolve, reject) => {
      const failures = this.#failures
      let places: Omit<EntryPlaces, 'nowMs'>
      let appended: readonly AppendedEntry[] = []
      this.#engine.committer.submit({
        bytes,
        log: this,
        stage: (inlineBytesMax) => {
          // Nothing overtakes what failed: whoever retries it finds its place in the order still free.
          if (failures !== this.#failures) throw new StorageError(`${this.name}: an earlier append failed`)
          const draft = this.#draftFor(entries.length, bytes)
          if (draft === 'next-round') return draft
          places = { sizes, inlineBytesMax, filePosition: draft.fileBytes }
          return this.#stageFileData(draft, entries, places)
        },
        put: (puts) => {
          appended = this.#putEntries(puts, entries, places)
        },
        committed: () => {
          this.#publish()
          resolve(appended)
        },
        failed: (error, staged) => {
          if (failures === this.#failures) this.#failures++
          this.#fail(error, staged, reject)
        },
      })
    })
  }

  read(from: Position, limits: ReadLimits): Promise<readonly StoredEntry[]> {
    return this.#reader.read(this.#state, from, limits)
  }

  async entryOfIndex(index: MessageIndex): Promise<StoredEntry | undefined> {
    if (index < this.start.index || index >= this.end.index) return undefined
    const found = this.#reader.positionOfIndex(this.#state, index)
    return found && this.#reader.entryAt(found.ledgerId, found.entryId)
  }

  async pointOfIndex(index: MessageIndex): Promise<LogPoint | undefined> {
    return index < this.start.index || index >= this.end.index ? undefined : this.#pointOfIndex(index)
  }

  #pointOfIndex(index: MessageIndex): LogPoint | undefined {
    const found = this.#reader.positionOfIndex(this.#state, index)
    const record = found && this.#reader.record(found.ledgerId, found.entryId)
    if (found === undefined || record === undefined) return undefined
    const position = { ledgerId: asLedgerId(found.ledgerId), entryId: asEntryId(found.entryId) }
    return { position, batchIndex: index - record.firstIndex, index }
  }

  async entryOfTimestamp(timestampMs: number): Promise<StoredEntry | undefined> {
    const found = this.#reader.positionOfTimestamp(this.#state, timestampMs)
    return found && this.#reader.entryAt(found.ledgerId, found.entryId)
  }

  async lastEntry(): Promise<StoredEntry | undefined> {
    if (this.start.index === this.end.index) return undefined
    const ledger = this.#state.ledgers.findLast(({ entries }) => entries > 0)
    return ledger && this.#reader.entryAt(ledger.ledgerId, ledger.entries - 1)
  }

  ledgers(): readonly LedgerInfo[] {
    return this.#state.ledgers.map(({ ledgerId, entries, bytes, open }) => ({
      ledgerId: asLedgerId(ledgerId),
      entries,
      bytes,
      open,
    }))
  }

  trim(index: MessageIndex): Promise<void> {
    return this.#restructure((draft) => {
      const from = Math.min(index, endPoint(draft.state).index)
      if (from <= draft.state.start.index) return
      draft.state = this.#trimmed(draft, from)
      draft.structureChanged = true
    })
  }

  rollOver(): Promise<void> {
    return this.#restructure((draft) => {
      if (lastLedger(draft.state).entries > 0) this.#rollDraft(draft)
    })
  }

  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  openCursor(name: string, initial: Position): Promise<Cursor> {
    return this.#cursors.open(name, initial)
  }

  newNonDurableCursor(name: string, initial: Position): Cursor {
    return this.#cursors.newNonDurable(name, initial)
  }

  cursorNames(): readonly string[] {
    return this.#cursors.names()
  }

  deleteCursor(name: string): Promise<void> {
    return this.#cursors.delete(name)
  }

  /** Removes the log with all that belongs to it; later appends are refused. */
  async delete(): Promise<void> {
    const { database, committer } = this.#engine
    this.#deleted = true
    await committer.write((puts) => {
      puts.push({ table: database.logs, key: Buffer.from(this.name), value: undefined })
      this.#cursors.putDeletions(puts)
      for (const { ledgerId } of this.#state.ledgers) puts.push(this.#engine.droppedLedgerPut(ledgerId))
    })
    this.#engine.reclaim()
  }

  /** Waits for what cursors have pending. */
  flush(): Promise<void> {
    return this.#cursors.flush()
  }

  #draftFor(entries: number, bytes: number): Draft | 'next-round' {
    if (this.#deleted) throw new StorageError(`${this.name}: deleted`)
    if (this.#draft === null) {
      const draft = this.#newDraft()
      this.#draft = draft
      if (this.#mustRoll(draft.state, entries, bytes)) this.#rollDraft(draft)
    } else if (this.#draft.entries > 0 && this.#exceeds(this.#draft, entries, bytes)) {
      return 'next-round'
    }
    this.#draft.entries += entries
    this.#draft.bytes += bytes
    return this.#draft
  }

  #newDraft(): Draft {
    const { entries, bytes, fileBytes } = lastLedger(this.#state)
    return { state: this.#state, entries, bytes, fileBytes, structureChanged: false, dropped: [] }
  }

  #exceeds(held: { entries: number; bytes: number }, entries: number, bytes: number): boolean {
    const { entriesPerLedgerMax, bytesPerLedgerMax } = this.#engine
    return held.entries + entries > entriesPerLedgerMax || held.bytes + bytes > bytesPerLedgerMax
  }

  #mustRoll(state: LogState, entries: number, bytes: number): boolean {
    const last = lastLedger(state)
    if (last.entries === 0) return false
    const tooOld = this.#engine.clock.nowMs() - last.createdMs >= this.#engine.ledgerRolloverMs
    return tooOld || this.#exceeds(last, entries, bytes)
  }

  #rollDraft(draft: Draft): void {
    this.#flushClosed(lastLedger(draft.state))
    draft.state = withNewLedger(draft.state, this.#engine.newLedgerId(), this.#engine.clock.nowMs())
    Object.assign(draft, { entries: 0, bytes: 0, fileBytes: 0, structureChanged: true })
  }

  /** After a power cut only open ledgers are looked through: closed ones must be on disk before long. */
  #flushClosed({ ledgerId, fileBytes }: LedgerState): void {
    if (fileBytes === 0) return
    this.#engine.files.flush(ledgerId).catch((error: unknown) => {
      this.#engine.log.warn(
        { err: error, ledger: this.name, ledgerId },
        'a closed ledger could not be flushed',
      )
    })
  }

  #stageFileData(
    draft: Draft,
    entries: readonly NewEntry[],
    { sizes, inlineBytesMax, filePosition: position }: Omit<EntryPlaces, 'nowMs'>,
  ): FileWrite | undefined {
    const pieces: Buffer[] = []
    entries.forEach(({ data }, at) => {
      const size = sizes[at] ?? 0
      if (size <= inlineBytesMax) return
      pieces.push(...data)
      draft.fileBytes += size
    })
    return pieces.length === 0 ? undefined : { ledgerId: lastLedger(draft.state).ledgerId, position, pieces }
  }

  #putEntries(
    puts: Put[],
    entries: readonly NewEntry[],
    places: Omit<EntryPlaces, 'nowMs'>,
  ): readonly AppendedEntry[] {
    const draft = this.#putStructure(puts)
    const nowMs = this.#engine.clock.nowMs()
    const written = writeEntries(lastLedger(draft.state), entries, { nowMs, ...places })
    const table = this.#engine.database.entries
    for (const { key, value } of written.records) puts.push({ table, key, value })
    draft.state = replaceLast(draft.state, written.ledger)
    return written.appended
  }

  /** Before the round's first put, the log's own record if ledgers came or went. */
  #putStructure(puts: Put[]): Draft {
    const draft = this.#draft
    if (draft === null) throw new Error(`${this.name}: put without stage`)
    if (!draft.structureChanged) return draft
    const { database } = this.#engine
    puts.push({ table: database.logs, key: Buffer.from(this.name), value: encodeLogState(draft.state) })
    puts.push(this.#engine.ledgerIdPut())
    for (const ledgerId of draft.dropped) puts.push(this.#engine.droppedLedgerPut(ledgerId))
    draft.structureChanged = false
    return draft
  }

  /** A change to the set of ledgers: first in its round, so that it starts from what is stored. */
  #restructure(change: (draft: Draft) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#engine.committer.submit({
        bytes: 0,
        stage: () => {
          if (this.#deleted) throw new StorageError(`${this.name}: deleted`)
          if (this.#draft !== null) return 'next-round'
          const draft = this.#newDraft()
          change(draft)
          this.#draft = draft
          return undefined
        },
        put: (puts) => {
          this.#putStructure(puts)
        },
        committed: () => {
          this.#publish()
          resolve()
        },
        failed: (error, staged) => this.#fail(error, staged, reject),
      })
    })
  }

  #trimmed(draft: Draft, index: number): LogState {
    if (index === endPoint(draft.state).index && lastLedger(draft.state).entries > 0) this.#rollDraft(draft)
    const { state } = draft
    const end = endPoint(state)
    if (index === end.index) {
      draft.dropped.push(...state.ledgers.slice(0, -1).map(({ ledgerId }) => ledgerId))
      const { ledgerId, entryId } = end.position
      return { ledgers: [lastLedger(state)], start: { ledgerId, entryId, batchIndex: 0, index } }
    }
    const found = this.#reader.positionOfIndex(state, index)
    const record = found && this.#reader.record(found.ledgerId, found.entryId)
    if (found === undefined || record === undefined)
      throw new StorageError(`${this.name}: no entry holds index ${index}`)
    draft.dropped.push(
      ...state.ledgers.filter(({ ledgerId }) => ledgerId < found.ledgerId).map(({ ledgerId }) => ledgerId),
    )
    return {
      ledgers: state.ledgers.filter(({ ledgerId }) => ledgerId >= found.ledgerId),
      start: { ...found, batchIndex: index - record.firstIndex, index },
    }
  }

  #publish(): void {
    const draft = this.#draft
    if (draft === null) return
    this.#draft = null
    const grown = endPoint(draft.state).index > endPoint(this.#state).index
    const trimmed = draft.state.start.index > this.#state.start.index
    this.#state = draft.state
    if (draft.dropped.length > 0) this.#engine.reclaim()
    if (trimmed) this.#cursors.startMoved()
    if (grown) this.#notify()
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener()
      } catch (error) {
        this.#engine.log.error({ err: error, ledger: this.name }, 'a listener for appended entries failed')
      }
    }
  }

  #fail(error: StorageError, staged: boolean, reject: (error: StorageError) => void): void {
    if (staged) this.#draft = null
    reject(error)
  }
}
