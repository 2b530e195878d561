import type { MetadataStore } from '../../storage/types.js'

/** Gives out producer ids for idempotent producers; never one twice, also after a crash. */
export interface ProducerIds {
  next(): Promise<bigint>
}

const key = 'kafka/producer-ids-reserved-up-to'

/** Ids by blocks: a block is durably reserved before its first id is given out, so most calls write nothing (KIP-730). */
export class StoredProducerIds implements ProducerIds {
  readonly #metadata: MetadataStore
  readonly #blockSize: bigint
  #next = 0n
  #reservedUpTo = 0n
  #turn: Promise<unknown> = Promise.resolve()

  constructor(metadata: MetadataStore, blockSize = 1000) {
    this.#metadata = metadata
    this.#blockSize = BigInt(blockSize)
  }

  next(): Promise<bigint> {
    const mine = this.#turn.then(() => this.#take())
    // A failed reservation is its caller's; the next call tries again.
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  async #take(): Promise<bigint> {
    if (this.#next === this.#reservedUpTo) await this.#reserve()
    return this.#next++
  }

  async #reserve(): Promise<void> {
    const stored = await this.#metadata.get(key)
    const start = stored === undefined ? 0n : BigInt(stored.toString())
    await this.#metadata.put(key, Buffer.from(String(start + this.#blockSize)))
    this.#next = start
    this.#reservedUpTo = start + this.#blockSize
  }
}
