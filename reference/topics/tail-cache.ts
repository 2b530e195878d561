/**
 * Recently appended Kafka batches, ready to be sent: readers at the tail need neither store nor conversion. Shared by
 * all partitions.
 */
export class TailCache {
  readonly #bytesMax: number
  #bytes = 0
  /** In the order of appending; what is before `#head` is gone. */
  #queue: { readonly partition: CachedPartition; readonly firstIndex: number; readonly bytes: number }[] = []
  #head = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  add(partition: CachedPartition, batch: CachedBatch): void {
    const { bytes } = batch
    if (bytes > this.#bytesMax) return
    partition.set(batch.firstIndex, batch)
    this.#queue.push({ partition, firstIndex: batch.firstIndex, bytes })
    this.#bytes += bytes
    while (this.#bytes > this.#bytesMax) this.#dropOldest()
  }

  #dropOldest(): void {
    const oldest = this.#queue[this.#head++]
    if (oldest === undefined) return
    oldest.partition.delete(oldest.firstIndex)
    this.#bytes -= oldest.bytes
    if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
  }
}

/** A partition's part of the cache, by the index of a batch's first record. */
export type CachedPartition = Map<number, CachedBatch>

export interface CachedBatch {
  readonly firstIndex: number
  readonly recordCount: number
  /** With base offset and leader epoch as consumers see them. Nobody writes into them: several fetches may send them. */
  readonly pieces: readonly Buffer[]
  /** Of all pieces. */
  readonly bytes: number
}
