import type { MetadataStore } from '../storage/types.js'

/** One committed offset, as stored and as answered. */
export interface CommittedOffset {
  /** The topic's canonical full name, so that its short and its full name share commits (register MT-3). */
  readonly topic: string
  /** The id of the topic that was committed for: a recreated topic has another, and starts without commits. */
  readonly topicId: string
  readonly partition: number
  readonly offset: bigint
  /** −1 when the consumer gave none. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestampMs: number
  /** When it is to be dropped, if its client asked for a time of its own (OffsetCommit v2 to v4). */
  readonly expireTimestampMs?: number
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Committed offsets by group. What a promise says is done, is durable. */
export interface OffsetStore {
  put(groupId: string, offsets: readonly CommittedOffset[]): Promise<void>
  get(groupId: string, topic: string, partition: number): Promise<CommittedOffset | undefined>
  ofGroup(groupId: string): Promise<readonly CommittedOffset[]>
  /** Groups with at least one committed offset. */
  groupIds(): Promise<readonly string[]>
  deleteOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void>
  deleteGroup(groupId: string): Promise<void>
  deleteTopic(topic: string): Promise<void>
}

const root = 'group-offset/'

/**
 * Offsets in the metadata store. Key: `group-offset/GROUP/TOPIC/PARTITION`, group and full topic name URI-encoded (so that
 * neither can hold a slash); value: JSON, 64-bit numbers as text. The offsets topic of the document (register GC-4)
 * comes with the work on shared groups and will stand behind the same interface.
 */
export class MetadataOffsetStore implements OffsetStore {
  readonly #metadata: MetadataStore

  constructor(metadata: MetadataStore) {
    this.#metadata = metadata
  }

  async put(groupId: string, offsets: readonly CommittedOffset[]): Promise<void> {
    await this.#metadata.putAll(
      offsets.map((each) => [keyOf(groupId, each.topic, each.partition), encode(each)] as const),
    )
  }

  async get(groupId: string, topic: string, partition: number): Promise<CommittedOffset | undefined> {
    const value = await this.#metadata.get(keyOf(groupId, topic, partition))
    return value === undefined ? undefined : decode(value)
  }

  async ofGroup(groupId: string): Promise<readonly CommittedOffset[]> {
    const pairs = await this.#metadata.list(groupPrefix(groupId))
    return pairs.map(([, value]) => decode(value))
  }

  async groupIds(): Promise<readonly string[]> {
    const pairs = await this.#metadata.list(root)
    return [...new Set(pairs.map(([key]) => partsOf(key).groupId))]
  }

  async deleteOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    await this.#deleteKeys(partitions.map((each) => keyOf(groupId, each.topic, each.partition)))
  }

  async deleteGroup(groupId: string): Promise<void> {
    const pairs = await this.#metadata.list(groupPrefix(groupId))
    await this.#deleteKeys(pairs.map(([key]) => key))
  }

  async deleteTopic(topic: string): Promise<void> {
    const pairs = await this.#metadata.list(root)
    await this.#deleteKeys(pairs.map(([key]) => key).filter((key) => partsOf(key).topic === topic))
  }

  async #deleteKeys(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await this.#metadata.putAll(keys.map((key) => [key, undefined] as const))
  }
}

const groupPrefix = (groupId: string) => `${root}${encodeURIComponent(groupId)}/`
const keyOf = (groupId: string, topic: string, partition: number) =>
  `${groupPrefix(groupId)}${encodeURIComponent(topic)}/${partition}`

function partsOf(key: string): { groupId: string; topic: string } {
  const [groupId = '', topic = ''] = key.slice(root.length).split('/')
  return { groupId: decodeURIComponent(groupId), topic: decodeURIComponent(topic) }
}

const encode = (committed: CommittedOffset) =>
  Buffer.from(JSON.stringify({ ...committed, offset: committed.offset.toString() }))

function decode(value: Buffer): CommittedOffset {
  const stored = JSON.parse(value.toString()) as Omit<CommittedOffset, 'offset'> & { offset: string }
  return { ...stored, offset: BigInt(stored.offset) }
}
