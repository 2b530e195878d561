import { asEntryId, asLedgerId, comparePositions, type Position } from '../../base/brand.js'
import type { Acknowledgement, Cursor, LogPoint } from '../types.js'
import { Ranges } from './ranges.js'

/** What a cursor asks of its log. */
export interface CursorLog {
  start(): LogPoint
  end(): Position
  /** The first kept entry at or after a position; the end when there is none. */
  atOrAfter(position: Position): Position
  entriesBetween(from: Position, to: Position): number
  /** Of a stored entry; undefined when there is none. */
  messageCount(position: Position): number | undefined
  /** Stores what `encode` gives when the round comes; `undefined` stores nothing. */
  save(name: string, encode: () => Buffer | undefined): Promise<void>
  saveFailed(name: string, error: unknown): void
}

interface StoredCursor {
  readonly version: 1
  readonly position: readonly [ledgerId: number, entryId: number]
  readonly acknowledged: readonly (readonly [ledgerId: number, entryIds: readonly number[]])[]
  readonly partly: readonly (readonly [ledgerId: number, entryId: number, batchIndexes: readonly number[]])[]
}

export class EmbeddedCursor implements Cursor {
  readonly name: string
  readonly durable: boolean
  readonly #log: CursorLog
  readonly #onClose: () => void
  #position: Position
  /** Wholly acknowledged entries after the position, by ledger. */
  #acknowledged = new Map<number, Ranges>()
  /** Acknowledged batch indexes of entries from the position on, by ledger and entry. */
  #partly = new Map<number, Map<number, Ranges>>()
  #queued: Promise<void> | null = null
  #latest: Promise<void> = Promise.resolve()
  #forgotten = false

  constructor(
    log: CursorLog,
    name: string,
    durable: boolean,
    initial: Position,
    onClose: () => void = () => {},
  ) {
    this.#log = log
    this.name = name
    this.durable = durable
    this.#position = initial
    this.#onClose = onClose
    this.#move(initial)
  }

  static restore(log: CursorLog, name: string, stored: Buffer): EmbeddedCursor {
    const { version, position, acknowledged, partly }: StoredCursor = JSON.parse(stored.toString())
    if (version !== 1) throw new Error(`cursor ${name} has version ${version}; this broker reads version 1`)
    const cursor = new EmbeddedCursor(log, name, true, positionOf(position[0], position[1]))
    for (const [ledgerId, bounds] of acknowledged) cursor.#acknowledged.set(ledgerId, new Ranges(bounds))
    for (const [ledgerId, entryId, bounds] of partly) {
      const entries = cursor.#partly.get(ledgerId) ?? new Map<number, Ranges>()
      cursor.#partly.set(ledgerId, entries.set(entryId, new Ranges(bounds)))
    }
    cursor.startMoved()
    return cursor
  }

  get position(): Position {
    return this.#log.atOrAfter(this.#position)
  }

  get batchIndex(): number {
    return this.#batchRanges(this.position)?.firstGapFrom(0) ?? 0
  }

  async acknowledge(acks: readonly Acknowledgement[]): Promise<void> {
    for (const ack of acks) this.#take(ack)
    this.#advance()
    await this.save()
  }

  async acknowledgeUpTo(position: Position, batchIndex?: number): Promise<void> {
    const messageCount = this.#log.messageCount(position)
    const whole = batchIndex === undefined || messageCount === undefined || batchIndex + 1 >= messageCount
    const target = this.#log.atOrAfter(whole ? after(position) : position)
    if (comparePositions(target, this.position) >= 0) {
      this.#move(target)
      if (!whole) this.#addBatchIndexes(target, 0, batchIndex)
      this.#advance()
    }
    await this.save()
  }

  async reset(position: Position, batchIndex = 0): Promise<void> {
    this.#acknowledged.clear()
    this.#partly.clear()
    const target = this.#log.atOrAfter(position)
    this.#position = target
    const same = comparePositions(target, position) === 0
    if (same && batchIndex > 0) this.#addBatchIndexes(target, 0, batchIndex - 1)
    this.#advance()
    this.startMoved()
    await this.save()
  }

  isAcknowledged(position: Position): boolean {
    if (comparePositions(position, this.position) < 0) return true
    return this.#acknowledged.get(position.ledgerId)?.has(position.entryId) ?? false
  }

  acknowledgedBatchIndexes(position: Position): ReadonlySet<number> | undefined {
    return this.#batchRanges(position)?.toSet()
  }

  backlogEntries(): number {
    let acknowledged = 0
    for (const ranges of this.#acknowledged.values()) acknowledged += ranges.size
    return this.#log.entriesBetween(this.position, this.#log.end()) - acknowledged
  }

  async close(): Promise<void> {
    await this.saved()
    this.#onClose()
  }

  /** The log's start moved: what lies before it counts as acknowledged. */
  startMoved(): void {
    const { position, batchIndex } = this.#log.start()
    const order = comparePositions(position, this.#position)
    if (order < 0) return
    if (order > 0) this.#move(position)
    if (batchIndex > 0) this.#addBatchIndexes(position, 0, batchIndex - 1)
    this.#advance()
  }

  /** Stores the state as it is when the round comes, so that acknowledgements made meanwhile go along. */
  save(): Promise<void> {
    if (!this.durable || this.#forgotten) return Promise.resolve()
    if (this.#queued !== null) return this.#queued
    const saved = this.#log.save(this.name, () => {
      if (this.#queued === saved) this.#queued = null
      return this.#forgotten ? undefined : this.#encode()
    })
    this.#queued = saved
    this.#latest = saved.catch((error: unknown) => {
      if (this.#queued === saved) this.#queued = null
      this.#log.saveFailed(this.name, error)
    })
    return saved
  }

  /** Waits until nothing is pending. */
  saved(): Promise<void> {
    return this.#latest
  }

  /** The cursor was deleted: it must not come back by a late save. */
  forget(): void {
    this.#forgotten = true
  }

  #take({ position, batchIndexes }: Acknowledgement): void {
    if (this.isAcknowledged(position)) return
    const messageCount = this.#log.messageCount(position)
    if (messageCount === undefined) return
    if (batchIndexes === undefined) {
      this.#addEntry(position)
      return
    }
    for (const index of batchIndexes) {
      if (index >= 0 && index < messageCount) this.#addBatchIndexes(position, index, index)
    }
    if (this.#batchRanges(position)?.firstGapFrom(0) === messageCount) this.#addEntry(position)
  }

  #addEntry({ ledgerId, entryId }: Position): void {
    const ranges = this.#acknowledged.get(ledgerId) ?? new Ranges()
    ranges.add(entryId, entryId)
    this.#acknowledged.set(ledgerId, ranges)
    this.#partly.get(ledgerId)?.delete(entryId)
  }

  #addBatchIndexes({ ledgerId, entryId }: Position, from: number, to: number): void {
    const entries = this.#partly.get(ledgerId) ?? new Map<number, Ranges>()
    const ranges = entries.get(entryId) ?? new Ranges()
    ranges.add(from, to)
    this.#partly.set(ledgerId, entries.set(entryId, ranges))
  }

  #batchRanges({ ledgerId, entryId }: Position): Ranges | undefined {
    return this.#partly.get(ledgerId)?.get(entryId)
  }

  /** Moves over entries that are acknowledged already. */
  #advance(): void {
    for (;;) {
      const position = this.position
      const gap =
        this.#acknowledged.get(position.ledgerId)?.firstGapFrom(position.entryId) ?? position.entryId
      if (gap === position.entryId) return
      this.#move(this.#log.atOrAfter({ ledgerId: position.ledgerId, entryId: asEntryId(gap) }))
    }
  }

  #move(target: Position): void {
    this.#position = target
    dropBefore(this.#acknowledged, target, (ranges) => ranges.removeBelow(target.entryId))
    dropBefore(this.#partly, target, (entries) => {
      for (const entryId of entries.keys()) if (entryId < target.entryId) entries.delete(entryId)
    })
  }

  #encode(): Buffer {
    const position = this.position
    const stored: StoredCursor = {
      version: 1,
      position: [position.ledgerId, position.entryId],
      acknowledged: [...this.#acknowledged].map(([ledgerId, { bounds }]) => [ledgerId, bounds]),
      partly: [...this.#partly].flatMap(([ledgerId, entries]) =>
        [...entries].map(([entryId, { bounds }]) => [ledgerId, entryId, bounds] as const),
      ),
    }
    return Buffer.from(JSON.stringify(stored))
  }
}

function dropBefore<T>(byLedger: Map<number, T>, target: Position, within: (value: T) => void): void {
  for (const [ledgerId, value] of byLedger) {
    if (ledgerId < target.ledgerId) byLedger.delete(ledgerId)
    else if (ledgerId === target.ledgerId) within(value)
  }
}

const positionOf = (ledgerId: number, entryId: number): Position => ({
  ledgerId: asLedgerId(ledgerId),
  entryId: asEntryId(entryId),
})
const after = ({ ledgerId, entryId }: Position): Position => ({ ledgerId, entryId: asEntryId(entryId + 1) })
