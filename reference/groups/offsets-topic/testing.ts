import { asPartitionIndex } from '../../base/brand.js'
import { systemClock } from '../../base/clock.js'
import { offsetMapping } from '../../offsets/index.js'
import type { EmbeddedStorageOptions } from '../../storage/embedded/index.js'
import { rememberingLog, scratchStore } from '../../storage/embedded/testing.js'
import type { Storage } from '../../storage/types.js'
import { type CreateTopicsOptions, createTopics, type StoredTopics } from '../../topics/index.js'
import { accepted } from '../../topics/testing.js'
import type { PartitionLog } from '../../topics/types.js'
import type { GroupKey } from '../group-key.js'
import type { CommittedOffset } from '../offset-store.js'
import { OffsetsTopic, type OffsetsTopicOptions } from './index.js'

/* For tests and measurements. */

export const orders = 'persistent://public/default/orders'
export const offsetsTopicName = { tenant: 'public', namespace: 'kafka', local: '__offsets' }

export const commitOf = (offset: number | bigint, part: Partial<CommittedOffset> = {}): CommittedOffset => ({
  topic: orders,
  topicId: Buffer.alloc(16, 7).toString('base64url'),
  partition: 0,
  offset: BigInt(offset),
  leaderEpoch: -1,
  metadata: '',
  commitTimestampMs: 1_700_000_000_000,
  ...part,
})

export interface SceneOptions {
  readonly topic?: Partial<OffsetsTopicOptions>
  readonly topics?: Partial<CreateTopicsOptions>
  readonly storage?: Partial<EmbeddedStorageOptions>
}

/** An offsets topic over a store in a directory of its own, which can be closed and opened again. */
export class OffsetsScene {
  readonly log = rememberingLog()
  readonly #scratch = scratchStore()
  #storage: Storage | undefined
  #topics: StoredTopics | undefined
  #offsets: OffsetsTopic | undefined

  /** Closes what is open, and opens and loads it again. */
  async open({ topic = {}, topics = {}, storage = {} }: SceneOptions = {}): Promise<OffsetsTopic> {
    await this.close()
    const common = { clock: systemClock, log: this.log }
    this.#storage = await this.#scratch.open(storage)
    this.#topics = await createTopics({
      ...common,
      storage: this.#storage,
      mapping: offsetMapping('index'),
      entryFormat: 'pulsar',
      ...topics,
    })
    this.#offsets = await OffsetsTopic.open({
      ...common,
      catalog: this.#topics,
      metadata: this.#storage.metadata,
      name: offsetsTopicName,
      partitions: 1,
      batchBytesMax: 1 << 20,
      legacyNamespace: { tenant: 'public', namespace: 'default' },
      ...topic,
    })
    await this.#offsets.load()
    return this.#offsets
  }

  get storage(): Storage {
    return opened(this.#storage)
  }

  get topics(): StoredTopics {
    return opened(this.#topics)
  }

  async partition(index = 0): Promise<PartitionLog> {
    const { topic } = opened(this.#offsets)
    return accepted(await this.topics.partition(topic, asPartitionIndex(index)))
  }

  /** As an orderly stop leaves it; after failures of the store, as a kill does. */
  async close(): Promise<void> {
    await this.#offsets?.close()
    await this.#topics?.close()
    await this.#storage?.close()
    this.#storage = undefined
    this.#topics = undefined
    this.#offsets = undefined
  }

  async remove(): Promise<void> {
    await this.close()
    this.#scratch.remove()
  }
}

function opened<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('open it first')
  return part
}

/** All that a store holds, as text that can be compared. */
export async function contentsOf(offsets: OffsetsTopic): Promise<readonly string[]> {
  const lines: string[] = []
  for (const key of await offsets.groupIds())
    for (const { topic, partition, offset } of await offsets.ofGroup(key))
      lines.push(`${key} ${topic} ${partition} ${offset}`)
  for (const [key, { generationId }] of offsets.groups()) lines.push(`${key} ${generationId}`)
  return lines.sort()
}

export const groupOf = (name: string | number): GroupKey => `public/default/group-${name}`
