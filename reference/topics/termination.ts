import type { MetadataStore } from '../storage/types.js'

const terminatedValue = Buffer.from('1')

/** Whether a partition takes no more messages, for ever (Pulsar's terminated topic): durable in the metadata store. */
export class Termination {
  readonly #metadata: MetadataStore
  readonly #key: string
  #terminated = false

  private constructor(metadata: MetadataStore, key: string) {
    this.#metadata = metadata
    this.#key = key
  }

  static async open(metadata: MetadataStore, key: string): Promise<Termination> {
    const termination = new Termination(metadata, key)
    termination.#terminated = (await metadata.get(key)) !== undefined
    return termination
  }

  get terminated(): boolean {
    return this.#terminated
  }

  /**
   * Takes effect at once; durable when it resolves.
   * @param earlier the last append before, stored before this is
   * @throws StorageError when it cannot be stored: it is then undone.
   */
  async terminate(earlier: Promise<unknown>): Promise<void> {
    if (this.#terminated) return
    this.#terminated = true
    try {
      await earlier.catch(() => undefined)
      await this.#metadata.put(this.#key, terminatedValue)
    } catch (error) {
      this.#terminated = false
      throw error
    }
  }
}
