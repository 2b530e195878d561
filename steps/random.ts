/** Random choices of a scenario: the same seed and scenario give the same data again. */
export class Random {
  #state: number

  constructor(seed: number, name: string) {
    let hash = 2166136261 ^ seed
    for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 16777619)
    this.#state = hash >>> 0
  }

  /** From 0 up to, and without, `bound`. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)))
  }

  /** Letters and digits. */
  text(length: number): string {
    const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
    return Array.from({ length }, () => letters[this.below(letters.length)]).join('')
  }
}
