/** A set of whole numbers, kept as the ranges they form: acknowledgements mostly come in runs. */
export class Ranges {
  /** First and last of each range, in order, with gaps between: [from, to, from, to, …]. */
  #bounds: number[]

  constructor(bounds: readonly number[] = []) {
    this.#bounds = [...bounds]
  }

  get bounds(): readonly number[] {
    return this.#bounds
  }

  get isEmpty(): boolean {
    return this.#bounds.length === 0
  }

  /** How many numbers the set holds. */
  get size(): number {
    let size = 0
    for (let at = 0; at < this.#bounds.length; at += 2) size += this.#to(at) - this.#from(at) + 1
    return size
  }

  has(value: number): boolean {
    const at = this.#firstEndingFrom(value)
    return at < this.#bounds.length && this.#from(at) <= value
  }

  add(from: number, to: number): void {
    // Ranges that touch or overlap the new one become part of it.
    const at = this.#firstEndingFrom(from - 1)
    let end = at
    let low = from
    let high = to
    while (end < this.#bounds.length && this.#from(end) <= to + 1) {
      low = Math.min(low, this.#from(end))
      high = Math.max(high, this.#to(end))
      end += 2
    }
    this.#bounds.splice(at, end - at, low, high)
  }

  removeBelow(value: number): void {
    const at = this.#firstEndingFrom(value)
    this.#bounds.splice(0, at)
    if (this.#bounds.length > 0) this.#bounds[0] = Math.max(this.#from(0), value)
  }

  /** The first number from `value` on that is not in the set. */
  firstGapFrom(value: number): number {
    const at = this.#firstEndingFrom(value)
    return at < this.#bounds.length && this.#from(at) <= value ? this.#to(at) + 1 : value
  }

  toSet(): Set<number> {
    const values = new Set<number>()
    for (let at = 0; at < this.#bounds.length; at += 2) {
      for (let value = this.#from(at); value <= this.#to(at); value++) values.add(value)
    }
    return values
  }

  /** Where the first range begins whose end is at or after `value`. */
  #firstEndingFrom(value: number): number {
    let low = 0
    let high = this.#bounds.length / 2
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#to(middle * 2) >= value) high = middle
      else low = middle + 1
    }
    return low * 2
  }

  #from(at: number): number {
    return this.#bounds[at] ?? 0
  }

  #to(at: number): number {
    return this.#bounds[at + 1] ?? 0
  }
}
