import type { Offset } from '../base/brand.js'
import type { Clock } from '../base/clock.js'

/** Together. A batch larger than its fetch's limit, which is read all the same, exceeds it by itself. */
const bytesMax = 32 << 20
/** Counted for the smallest fetch: its one batch may be much larger than its limit. */
const bytesOfOneMin = 1 << 20
/** A consumer that takes longer reads for itself. */
const keptMs = 1000

/** Memory for what consumers will ask for next. Shared by all partitions: what finds no room is not read ahead. */
export class ReadAheadMemory {
  readonly clock: Clock
  #bytes = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  take(bytes: number): boolean {
    if (this.#bytes + bytes > bytesMax) return false
    this.#bytes += bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes
  }
}

interface Ahead<T> {
  readonly maxBytes: number
  readonly reading: Promise<T | undefined>
  drop(): void
}

/**
 * One partition's fetches to come. A consumer asks for the next records when it has worked through those before; read and
 * converted in the meantime, they can be sent at once.
 */
export class ReadAheads<T> {
  readonly #memory: ReadAheadMemory
  readonly #aheads = new Map<Offset, Ahead<T>>()

  constructor(memory: ReadAheadMemory) {
    this.#memory = memory
  }

  /** Reads in a later turn: what was just read is sent first. */
  begin(offset: Offset, maxBytes: number, read: () => Promise<T>): void {
    const held = Math.max(maxBytes, bytesOfOneMin)
    if (this.#aheads.has(offset) || !this.#memory.take(held)) return
    let isDropped = false
    const reading = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => (isDropped ? undefined : read()))
      // Whoever asks reads again, and is told then.
      .catch(() => undefined)
    const drop = () => {
      if (isDropped) return
      isDropped = true
      cancel()
      this.#aheads.delete(offset)
      this.#memory.giveBack(held)
    }
    const cancel = this.#memory.clock.after(keptMs, drop)
    this.#aheads.set(offset, { maxBytes, reading, drop })
  }

  /** Undefined when nothing was read ahead for a fetch at this offset and of this size. It is given once. */
  async take(offset: Offset, maxBytes: number): Promise<T | undefined> {
    const ahead = this.#aheads.get(offset)
    if (ahead?.maxBytes !== maxBytes) return undefined
    const read = await ahead.reading
    ahead.drop()
    return read
  }
}
