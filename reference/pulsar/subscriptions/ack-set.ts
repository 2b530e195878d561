/** Pulsar's ack sets: bit i of word i >> 6 is set while message i is NOT acknowledged; trailing zero words are left out. */

/** @returns the words for a batch in which `acknowledged` are done; bits at and above `size` are clear. */
export function ackSetOf(size: number, acknowledged: ReadonlySet<number>): bigint[] {
  const words: bigint[] = new Array<bigint>((size + 63) >> 6).fill(0n)
  for (let index = 0; index < size; index++) {
    if (acknowledged.has(index)) continue
    const word = index >> 6
    words[word] = (words[word] ?? 0n) | (1n << BigInt(index & 63))
  }
  return words.map((word) => BigInt.asIntN(64, word))
}

const isSet = (words: readonly bigint[], index: number): boolean =>
  ((BigInt.asUintN(64, words[index >> 6] ?? 0n) >> BigInt(index & 63)) & 1n) === 1n

/** The indexes below `size` that the words declare acknowledged. */
export function acknowledgedIndexes(words: readonly bigint[], size: number): number[] {
  const indexes: number[] = []
  for (let index = 0; index < size; index++) if (!isSet(words, index)) indexes.push(index)
  return indexes
}

/** The first message that is not acknowledged; undefined when all are. */
export function firstUnacknowledged(words: readonly bigint[]): number | undefined {
  for (let index = 0; index < words.length * 64; index++) if (isSet(words, index)) return index
  return undefined
}
