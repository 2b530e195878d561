import type { Clock } from '../../base/clock.js'

/** The longest time that a timer can run. */
const timerMsMax = 2 ** 31 - 1

interface Delayed<Item> {
  readonly item: Item
  readonly untilMs: number
}

/** What is to wait for its time, however much it is: in order of time, and with one timer for the earliest. */
export class DelayQueue<Item> {
  readonly #clock: Clock
  readonly #due: (items: readonly Item[]) => void
  /** A binary heap: an item is never later than those at twice its place, plus one and plus two. */
  readonly #heap: Delayed<Item>[] = []
  #timer: { readonly untilMs: number; readonly stop: () => void } | undefined

  /** @param due told of those whose time has come, the earliest first. */
  constructor(clock: Clock, due: (items: readonly Item[]) => void) {
    this.#clock = clock
    this.#due = due
  }

  get size(): number {
    return this.#heap.length
  }

  add(item: Item, untilMs: number): void {
    this.#heap.push({ item, untilMs })
    this.#rise(this.#heap.length - 1)
    this.#setTimer()
  }

  /** Forgets all of it. */
  clear(): void {
    this.#heap.length = 0
    this.#setTimer()
  }

  #setTimer(): void {
    const untilMs = this.#heap[0]?.untilMs
    if (untilMs === this.#timer?.untilMs) return
    this.#timer?.stop()
    this.#timer = undefined
    if (untilMs === undefined) return
    const delayMs = Math.min(Math.max(0, untilMs - this.#clock.nowMs()), timerMsMax)
    this.#timer = { untilMs, stop: this.#clock.after(delayMs, () => this.#ring()) }
  }

  #ring(): void {
    this.#timer = undefined
    const nowMs = this.#clock.nowMs()
    const items: Item[] = []
    for (let first = this.#heap[0]; first !== undefined && first.untilMs <= nowMs; first = this.#heap[0]) {
      items.push(first.item)
      this.#removeFirst()
    }
    this.#setTimer()
    if (items.length > 0) this.#due(items)
  }

  #removeFirst(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    this.#sink()
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1
      if (!this.#isBefore(at, parent)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  #sink(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      const least = this.#isBefore(left + 1, left) ? left + 1 : left
      if (!this.#isBefore(least, at)) return
      this.#swap(least, at)
      at = least
    }
  }

  /** False where nothing is at `one`. */
  #isBefore(one: number, other: number): boolean {
    const [first, second] = [this.#heap[one], this.#heap[other]]
    return first !== undefined && second !== undefined && first.untilMs < second.untilMs
  }

  #swap(one: number, other: number): void {
    const [first, second] = [this.#heap[one], this.#heap[other]]
    if (first === undefined || second === undefined) return
    this.#heap[one] = second
    this.#heap[other] = first
  }
}
