import { asPartitionIndex, type PartitionIndex } from '../../base/brand.js'
import type { Clock } from '../../base/clock.js'
import type { Log } from '../../base/log.js'
import { type MetadataStore, StorageError } from '../../storage/types.js'
import { fullName } from '../../topics/names.js'
import { isRefusal, type TopicCatalog, type TopicInfo, type TopicName } from '../../topics/types.js'
import type { ConsumerGroupStore, StoredConsumerGroup } from '../consumer/stored.js'
import type { GroupKey, GroupName } from '../group-key.js'
import type { GroupChange, GroupStore, StoredGroup } from '../group-store.js'
import type { CommittedOffset, TopicPartition } from '../offset-store.js'
import { moveLegacyOffsets } from './legacy-offsets.js'
import { type CompactionRule, OffsetsPartition } from './offsets-partition.js'
import { offsetsPartitionOf } from './partition-of.js'

export interface OffsetsTopicOptions {
  readonly catalog: Pick<TopicCatalog, 'find' | 'create' | 'partition'>
  readonly metadata: MetadataStore
  readonly name: TopicName
  /** Of a topic that is made now; one that is there keeps its number. */
  readonly partitions: number
  /** Batches stay below it, as far as single records do. */
  readonly batchBytesMax: number
  readonly compaction?: CompactionRule
  /** Whose groups those are that were stored when groups had no namespace. */
  readonly legacyNamespace: Omit<GroupName, 'groupId'>
  readonly clock: Clock
  readonly log: Log
}

const compactionDefault: CompactionRule = { recordsMin: 20_000, ratioMax: 4 }
/** Neither retention of the broker nor of a namespace takes anything from it: compaction does. */
const topicConfigs = { 'cleanup.policy': 'compact', 'retention.ms': '-1', 'retention.bytes': '-1' }

/**
 * The offsets topic (register GC-3, GC-4): groups and their offsets as the records of README.md, in the partition that the
 * group's key hashes to. Memory holds what the records come to; it follows the log, never the other way about.
 */
export class OffsetsTopic implements GroupStore, ConsumerGroupStore {
  readonly topic: TopicInfo
  readonly #options: OffsetsTopicOptions
  readonly #partitions: readonly OffsetsPartition[]
  readonly #isNew: boolean
  readonly #listeners = new Set<(change: GroupChange) => void>()

  private constructor(options: OffsetsTopicOptions, topic: TopicInfo, isNew: boolean) {
    this.#options = options
    this.topic = topic
    this.#isNew = isNew
    this.#partitions = Array.from({ length: Math.max(1, topic.partitions) }, (_, index) =>
      this.#newPartition(asPartitionIndex(index)),
    )
  }

  /**
   * Finds the topic, or makes it.
   * @throws Error when a topic of clients has its name
   */
  static async open(options: OffsetsTopicOptions): Promise<OffsetsTopic> {
    const { catalog, name, partitions, log } = options
    const found = catalog.find(name)
    if (found !== undefined && !found.internal)
      throw new Error(`${fullName(name)} is a topic of clients: give the offsets topic another name`)
    if (found !== undefined && found.partitions !== partitions) {
      const details = { topic: fullName(name), partitions: found.partitions, configured: partitions }
      log.warn(details, 'the offsets topic keeps the number of partitions that it was made with')
    }
    const topic = found ?? (await catalog.create(name, { partitions, internal: true, configs: topicConfigs }))
    if (isRefusal(topic)) throw new StorageError(`${fullName(name)} cannot be made: ${topic.message}`)
    return new OffsetsTopic(options, topic, found === undefined)
  }

  /** Takes up what is stored: before it resolves, nothing that this answers is right. */
  async load(): Promise<void> {
    const { metadata, legacyNamespace, log, clock } = this.#options
    const startMs = clock.nowMs()
    // What nobody has written to is opened when somebody does.
    if (!this.#isNew) await Promise.all(this.#partitions.map((partition) => partition.load()))
    const moved = await moveLegacyOffsets(metadata, this, legacyNamespace)
    if (moved > 0) log.info({ offsets: moved }, 'committed offsets were moved to the offsets topic')
    const keys = this.#partitions.reduce((sum, { state }) => sum + state.keyCount, 0)
    log.info({ keys, tookMs: clock.nowMs() - startMs }, 'groups and offsets are loaded')
  }

  /** The partition of the topic that a group's records are in: whoever owns it coordinates the group (GC-5). */
  partitionOf(key: GroupKey): PartitionIndex {
    return asPartitionIndex(offsetsPartitionOf(key, this.#partitions.length))
  }

  getGroup(key: GroupKey): StoredGroup | undefined {
    return this.#of(key).state.group(key)
  }

  *groups(): Iterable<readonly [GroupKey, StoredGroup]> {
    for (const { state } of this.#partitions) yield* state.groups()
  }

  putGroup(key: GroupKey, group: StoredGroup): Promise<void> {
    return this.#of(key).append([{ type: 'group', key, group }])
  }

  *consumerGroups(): Iterable<readonly [GroupKey, StoredConsumerGroup]> {
    for (const { state } of this.#partitions) yield* state.consumerGroups()
  }

  putConsumerGroup(key: GroupKey, group: StoredConsumerGroup | undefined): Promise<void> {
    return this.#of(key).append([{ type: 'consumerGroup', key, group }])
  }

  put(key: GroupKey, offsets: readonly CommittedOffset[]): Promise<void> {
    const changes = offsets.map((offset): GroupChange => {
      const { topic, partition } = offset
      return { type: 'offset', key, topic, partition, offset }
    })
    return this.#of(key).append(changes)
  }

  async get(key: GroupKey, topic: string, partition: number): Promise<CommittedOffset | undefined> {
    return this.#of(key).state.offset(key, topic, partition)
  }

  async ofGroup(key: GroupKey): Promise<readonly CommittedOffset[]> {
    return this.#of(key).state.offsets(key)
  }

  async groupIds(): Promise<readonly GroupKey[]> {
    return this.#partitions.flatMap(({ state }) => state.groupIds())
  }

  deleteOffsets(key: GroupKey, partitions: readonly TopicPartition[]): Promise<void> {
    const { state } = this.#of(key)
    return this.#of(key).appendLater(() => state.removalOfOffsets(key, partitions))
  }

  deleteGroup(key: GroupKey): Promise<void> {
    const { state } = this.#of(key)
    return this.#of(key).appendLater(() => state.removalOfGroup(key))
  }

  async deleteTopic(topic: string): Promise<void> {
    await Promise.all(
      this.#partitions.map((partition) => partition.appendLater(() => partition.state.removalOfTopic(topic))),
    )
  }

  /** Full names of the topics that have commits. */
  committedTopics(): ReadonlySet<string> {
    return new Set(this.#partitions.flatMap(({ state }) => [...state.topics()]))
  }

  onChange(listener: (change: GroupChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Waits for what was asked for. Before the topics are closed. */
  async close(): Promise<void> {
    await Promise.all(this.#partitions.map((partition) => partition.close()))
  }

  #of(key: GroupKey): OffsetsPartition {
    const partition = this.#partitions[this.partitionOf(key)]
    if (partition === undefined) throw new Error(`no partition for group ${key}`)
    return partition
  }

  #newPartition(index: PartitionIndex): OffsetsPartition {
    const { catalog, clock, log, batchBytesMax, compaction } = this.#options
    return new OffsetsPartition({
      open: async () => {
        const partition = await catalog.partition(this.topic, index)
        if (isRefusal(partition)) throw new StorageError(partition.message)
        return partition
      },
      clock,
      log,
      batchBytesMax,
      compaction: compaction ?? compactionDefault,
      onChange: (change) => this.#tell(change),
    })
  }

  #tell(change: GroupChange): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(change)
      } catch (err) {
        this.#options.log.error({ err, group: change.key }, 'a listener of group changes failed')
      }
    }
  }
}
