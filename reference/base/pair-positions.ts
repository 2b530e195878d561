/** Most records have no headers. */
const none = new Int32Array(0)

/** Where the names and values of one record's headers are, in one growing array: reused from record to record. */
export class PairPositions {
  count = 0
  #positions = none

  clear(): void {
    this.count = 0
  }

  /** @param valueStart −1 for a null value */
  add(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const at = this.count * 4
    if (at + 4 > this.#positions.length) {
      const larger = new Int32Array(Math.max(64, this.#positions.length * 2))
      larger.set(this.#positions)
      this.#positions = larger
    }
    this.#positions[at] = nameStart
    this.#positions[at + 1] = nameEnd
    this.#positions[at + 2] = valueStart
    this.#positions[at + 3] = valueEnd
    this.count++
  }

  nameStart(pair: number): number {
    return this.#positions[pair * 4] ?? 0
  }
  nameEnd(pair: number): number {
    return this.#positions[pair * 4 + 1] ?? 0
  }
  valueStart(pair: number): number {
    return this.#positions[pair * 4 + 2] ?? 0
  }
  valueEnd(pair: number): number {
    return this.#positions[pair * 4 + 3] ?? 0
  }
}
