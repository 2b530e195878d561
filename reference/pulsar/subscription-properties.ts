import type { MetadataStore } from '../storage/types.js'

export type Properties = Readonly<Record<string, string>>

const prefixOf = (topicId: string): string => `pulsar/subscription-properties/${topicId}/`

/** What users attach to the subscriptions of one partition: durable, all in memory. */
export class SubscriptionProperties {
  readonly #metadata: MetadataStore
  readonly #prefix: string
  readonly #byName = new Map<string, Properties>()

  constructor(metadata: MetadataStore, topicId: string, partition: number) {
    this.#metadata = metadata
    this.#prefix = `${prefixOf(topicId)}${partition}/`
  }

  async load(): Promise<void> {
    for (const [key, value] of await this.#metadata.list(this.#prefix))
      this.#byName.set(key.slice(this.#prefix.length), JSON.parse(value.toString()))
  }

  of(subscription: string): Properties {
    return this.#byName.get(subscription) ?? {}
  }

  /** Durable when it resolves. */
  async set(subscription: string, properties: Properties): Promise<void> {
    if (Object.keys(properties).length === 0) return this.delete(subscription)
    await this.#metadata.put(this.#prefix + subscription, Buffer.from(JSON.stringify(properties)))
    this.#byName.set(subscription, properties)
  }

  async delete(subscription: string): Promise<void> {
    if (!this.#byName.has(subscription)) return
    await this.#metadata.delete(this.#prefix + subscription)
    this.#byName.delete(subscription)
  }
}

/** Forgets those of a deleted topic. */
export const deleteSubscriptionProperties = (metadata: MetadataStore, topicId: string): Promise<void> =>
  deleteAll(metadata, prefixOf(topicId))

/** Deletes all that is stored under a prefix, in one. */
export async function deleteAll(metadata: MetadataStore, prefix: string): Promise<void> {
  const pairs = await metadata.list(prefix)
  if (pairs.length > 0) await metadata.putAll(pairs.map(([key]) => [key, undefined] as const))
}
