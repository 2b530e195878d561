import type { JoinRequest } from './coordinator.js'
import type { GroupKey } from './group-key.js'
import type { GroupChange, GroupStore, StoredGroup } from './group-store.js'
import type { CommittedOffset, TopicPartition } from './offset-store.js'

/** A consumer's first JoinGroup, of topic `t`; for tests. */
export const consumerJoin = (part: Partial<JoinRequest> = {}): JoinRequest => ({
  memberId: '',
  requiresKnownMemberId: false,
  canSkipAssignment: false,
  groupInstanceId: null,
  clientId: 'app',
  clientHost: '/127.0.0.1',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 60_000,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: Buffer.from('0000000000010001740000000000', 'hex') }],
  ...part,
})

const offsetKey = ({ topic, partition }: TopicPartition) => `${topic}#${partition}`

/** A group store in memory, for tests: what it holds outlives the coordinators that use it. */
export class MemoryGroupStore implements GroupStore {
  readonly stored = new Map<GroupKey, StoredGroup>()
  readonly offsets = new Map<GroupKey, Map<string, CommittedOffset>>()
  /** What the next changes fail with. */
  failure: Error | null = null
  /** Changes wait for it. */
  gate: Promise<void> = Promise.resolve()
  readonly #listeners = new Set<(change: GroupChange) => void>()

  /** Changes wait until the returned function is called. */
  hold(): () => void {
    let release = () => {}
    this.gate = new Promise((resolve) => {
      release = resolve
    })
    return release
  }

  getGroup = (key: GroupKey) => this.stored.get(key)
  groups = () => this.stored.entries()

  async putGroup(key: GroupKey, group: StoredGroup): Promise<void> {
    await this.#write()
    this.stored.set(key, group)
    this.#tell({ type: 'group', key, group })
  }

  onChange(listener: (change: GroupChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async put(key: GroupKey, offsets: readonly CommittedOffset[]): Promise<void> {
    await this.#write()
    const ofGroup = this.offsets.get(key) ?? new Map<string, CommittedOffset>()
    this.offsets.set(key, ofGroup)
    for (const offset of offsets) {
      ofGroup.set(offsetKey(offset), offset)
      this.#tell({ type: 'offset', key, topic: offset.topic, partition: offset.partition, offset })
    }
  }

  get = async (key: GroupKey, topic: string, partition: number) =>
    this.offsets.get(key)?.get(offsetKey({ topic, partition }))

  ofGroup = async (key: GroupKey) => [...(this.offsets.get(key)?.values() ?? [])]
  groupIds = async () => [...this.offsets].filter(([, offsets]) => offsets.size > 0).map(([key]) => key)

  async deleteOffsets(key: GroupKey, partitions: readonly TopicPartition[]): Promise<void> {
    await this.#write()
    for (const each of partitions)
      if (this.offsets.get(key)?.delete(offsetKey(each)))
        this.#tell({ type: 'offset', key, topic: each.topic, partition: each.partition, offset: undefined })
  }

  async deleteGroup(key: GroupKey): Promise<void> {
    await this.deleteOffsets(key, await this.ofGroup(key))
    this.offsets.delete(key)
    if (this.stored.delete(key)) this.#tell({ type: 'group', key, group: undefined })
  }

  async deleteTopic(topic: string): Promise<void> {
    for (const key of this.offsets.keys()) {
      const ofTopic = (await this.ofGroup(key)).filter((each) => each.topic === topic)
      await this.deleteOffsets(key, ofTopic)
    }
  }

  async #write(): Promise<void> {
    await this.gate
    if (this.failure !== null) throw this.failure
  }

  #tell(change: GroupChange): void {
    for (const listener of this.#listeners) listener(change)
  }
}
