import { comparePositions, type Position } from '../../base/brand.js'
import type { Cursor } from '../types.js'
import { type CursorLog, EmbeddedCursor } from './cursor.js'
import type { Put } from './database.js'
import type { Engine } from './engine.js'
import type { LogReader } from './log-reader.js'
import { atOrAfter, endPoint, entriesBetween, type LogState, startPoint } from './log-state.js'

/** The cursors of one log: the durable ones by name, and those that nothing remembers. */
export class LogCursors {
  readonly #logName: string
  readonly #engine: Engine
  readonly #log: CursorLog
  readonly #durable = new Map<string, EmbeddedCursor>()
  readonly #nonDurable = new Set<EmbeddedCursor>()

  /** @param stored the durable cursors, as the database has them */
  constructor(
    logName: string,
    engine: Engine,
    reader: LogReader,
    state: () => LogState,
    stored: Iterable<readonly [name: string, value: Buffer]>,
  ) {
    this.#logName = logName
    this.#engine = engine
    this.#log = this.#cursorLog(reader, state)
    for (const [name, value] of stored)
      this.#durable.set(name, EmbeddedCursor.restore(this.#log, name, value))
  }

  async open(name: string, initial: Position): Promise<Cursor> {
    const known = this.#durable.get(name)
    if (known !== undefined) {
      // It may be new, and its first record still on its way.
      await known.saved()
      return known
    }
    const cursor = new EmbeddedCursor(this.#log, name, true, initial)
    this.#durable.set(name, cursor)
    try {
      await cursor.save()
    } catch (error) {
      this.#durable.delete(name)
      throw error
    }
    return cursor
  }

  newNonDurable(name: string, initial: Position): Cursor {
    const cursor: EmbeddedCursor = new EmbeddedCursor(this.#log, name, false, initial, () =>
      this.#nonDurable.delete(cursor),
    )
    this.#nonDurable.add(cursor)
    return cursor
  }

  names(): readonly string[] {
    return [...this.#durable.keys()]
  }

  async delete(name: string): Promise<void> {
    const cursor = this.#durable.get(name)
    if (cursor === undefined) return
    this.#durable.delete(name)
    cursor.forget()
    await this.#engine.committer.write((puts) => puts.push(this.#deletion(name)))
  }

  /** The log goes, and its cursors with it. */
  putDeletions(puts: Put[]): void {
    for (const [name, cursor] of this.#durable) {
      cursor.forget()
      puts.push(this.#deletion(name))
    }
  }

  startMoved(): void {
    for (const cursor of [...this.#durable.values(), ...this.#nonDurable]) cursor.startMoved()
  }

  /** Waits for what cursors have pending. */
  async flush(): Promise<void> {
    await Promise.all([...this.#durable.values()].map((cursor) => cursor.saved()))
  }

  #deletion(name: string): Put {
    return { table: this.#engine.database.cursors, key: cursorKey(this.#logName, name), value: undefined }
  }

  #cursorLog(reader: LogReader, state: () => LogState): CursorLog {
    const { database, committer, log } = this.#engine
    return {
      start: () => startPoint(state()),
      end: () => endPoint(state()).position,
      atOrAfter: (position) => atOrAfter(state(), position),
      entriesBetween: (from, to) => entriesBetween(state(), from, to),
      messageCount: (position) =>
        comparePositions(position, endPoint(state()).position) < 0
          ? reader.record(position.ledgerId, position.entryId)?.messageCount
          : undefined,
      save: (name, encode) =>
        committer.write((puts) => {
          const value = encode()
          if (value === undefined) return
          puts.push({ table: database.cursors, key: cursorKey(this.#logName, name), value })
        }),
      saveFailed: (name, error) =>
        log.warn({ err: error, cursor: name, ledger: this.#logName }, 'a cursor was not stored'),
    }
  }
}

/** Log names hold no zero byte, so that one log's cursors lie together and apart from all others'. */
export const cursorKey = (log: string, cursor: string): Buffer => Buffer.from(`${log}\0${cursor}`)
