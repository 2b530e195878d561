import type { MetadataStore } from '../types.js'
import { StorageError } from '../types.js'
import type { Committer } from './committer.js'
import type { IndexDatabase } from './database.js'

const keyBytesMax = 1900

/** Metadata in its own table of the index database; writes join the round of the appends. */
export class EmbeddedMetadata implements MetadataStore {
  readonly #database: IndexDatabase
  readonly #committer: Committer

  constructor(database: IndexDatabase, committer: Committer) {
    this.#database = database
    this.#committer = committer
  }

  async get(key: string): Promise<Buffer | undefined> {
    return this.#database.metadata.get(keyOf(key))
  }

  async list(prefix: string): Promise<readonly (readonly [key: string, value: Buffer])[]> {
    const start = Buffer.from(prefix)
    const pairs: (readonly [string, Buffer])[] = []
    for (const { key, value } of this.#database.metadata.getRange(prefix === '' ? {} : { start })) {
      if (!key.subarray(0, start.length).equals(start)) break
      pairs.push([key.toString(), Buffer.from(value)])
    }
    return pairs
  }

  put(key: string, value: Buffer): Promise<void> {
    return this.putAll([[key, value]])
  }

  delete(key: string): Promise<void> {
    return this.putAll([[key, undefined]])
  }

  async putAll(pairs: Iterable<readonly [key: string, value: Buffer | undefined]>): Promise<void> {
    const table = this.#database.metadata
    const puts = [...pairs].map(([key, value]) => ({ table, key: keyOf(key), value }))
    await this.#committer.write((round) => round.push(...puts))
  }
}

function keyOf(key: string): Buffer {
  const bytes = Buffer.from(key)
  if (bytes.length === 0 || bytes.length > keyBytesMax) {
    throw new StorageError(`a metadata key of ${bytes.length} bytes is refused: 1 to ${keyBytesMax}`)
  }
  return bytes
}
