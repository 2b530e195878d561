import {
  asMessageIndex,
  asOffset,
  comparePositions,
  type MessageIndex,
  type Offset,
  type Position,
} from '../base/brand.js'
import type { OffsetMapping } from '../offsets/types.js'
import type { LogPoint, ManagedLedger, StoredEntry } from '../storage/types.js'

const oneEntry = { maxEntries: 1, maxBytes: 1 }
const offsetMax = asOffset(2n ** 63n - 1n)

/** Offsets ↔ places of one log, over the configured mapping. */
export class Points {
  readonly #ledger: ManagedLedger
  readonly #mapping: OffsetMapping

  constructor(ledger: ManagedLedger, mapping: OffsetMapping) {
    this.#ledger = ledger
    this.#mapping = mapping
  }

  startOffset(): Offset {
    return this.offsetOf(this.#ledger.start)
  }

  /** One past the last record, whatever the mapping: a consumer that has read all stands exactly here. */
  endOffset(): Offset {
    const { last, end } = this.#ledger
    return last === undefined ? this.offsetOf(end) : asOffset(this.offsetOf(last) + 1n)
  }

  /** Whether the log's next entry has an offset: under `packed` and `wrapper` a log can outgrow the bits (ID-11). */
  hasRoom(): boolean {
    const { position, index } = this.#ledger.end
    return this.#mapping.offsetOf({ position, firstIndex: index }, 0) !== undefined
  }

  offsetOf({ position, batchIndex, index }: LogPoint): Offset {
    return this.offsetIn({ position, firstIndex: asMessageIndex(index - batchIndex) }, batchIndex)
  }

  /** Appends that would have no offset are refused, so every stored message has one. */
  offsetIn(entry: Pick<StoredEntry, 'position' | 'firstIndex'>, batchIndex: number): Offset {
    return this.#mapping.offsetOf(entry, batchIndex) ?? offsetMax
  }

  /** The message at or after an offset; the log's end for what lies between the last message and it. */
  async ofOffset(offset: Offset): Promise<LogPoint | undefined> {
    const { start, end } = this.#ledger
    if (offset > this.endOffset()) return undefined
    if (offset <= this.startOffset()) return start
    const target = this.#mapping.targetOf(offset)
    if (target.by === 'id') return this.#atOrAfter(target.position, target.batchIndex)
    return (await this.#ofIndex(target.index)) ?? end
  }

  async ofPosition(position: Position, batchIndex: number): Promise<Offset | undefined> {
    const { start, end } = this.#ledger
    if (comparePositions(position, end.position) > 0) return undefined
    const point = await this.#atOrAfter(position, batchIndex)
    if (point.index >= end.index) return this.endOffset()
    return this.offsetOf(point.index < start.index ? start : point)
  }

  async #atOrAfter(position: Position, batchIndex: number): Promise<LogPoint> {
    const [entry] = await this.#ledger.read(position, oneEntry)
    const { end } = this.#ledger
    if (entry === undefined) return end
    if (comparePositions(entry.position, position) > 0) return pointIn(entry, 0)
    if (batchIndex < entry.messageCount) return pointIn(entry, batchIndex)
    return this.#following(entry)
  }

  async #ofIndex(index: MessageIndex): Promise<LogPoint | undefined> {
    if (this.#ledger.pointOfIndex !== undefined) return this.#ledger.pointOfIndex(index)
    const entry = await this.#ledger.entryOfIndex(index)
    return entry && pointIn(entry, index - entry.firstIndex)
  }

  async #following(entry: StoredEntry): Promise<LogPoint> {
    const next = await this.#ofIndex(asMessageIndex(entry.firstIndex + entry.messageCount))
    return next ?? this.#ledger.end
  }
}

const pointIn = ({ position, firstIndex }: StoredEntry, batchIndex: number): LogPoint => ({
  position,
  batchIndex,
  index: asMessageIndex(firstIndex + batchIndex),
})
