import { StorageError } from '../storage/types.js'
import type { GroupKey } from './group-key.js'
import type { GroupChange, GroupStore, StoredGroup } from './group-store.js'
import type { CommittedOffset, TopicPartition } from './offset-store.js'

const placeOf = (topic: string, partition: number) => `${topic}/${partition}`

/** For tests: groups in memory. Writes can be made to wait, or to fail. */
export class MemoryGroupStore implements GroupStore {
  fails = false
  readonly #groups = new Map<GroupKey, StoredGroup>()
  readonly #offsets = new Map<GroupKey, Map<string, CommittedOffset>>()
  readonly #listeners = new Set<(change: GroupChange) => void>()
  #gate: Promise<void> = Promise.resolve()
  #turn: Promise<void> = Promise.resolve()

  /** Writes wait until the returned function is called. */
  hold(): () => void {
    let release = () => {}
    this.#gate = new Promise((resolve) => {
      release = resolve
    })
    return release
  }

  put(key: GroupKey, offsets: readonly CommittedOffset[]): Promise<void> {
    return this.#write(() => {
      for (const offset of offsets) this.#set(key, offset.topic, offset.partition, offset)
    })
  }

  async get(key: GroupKey, topic: string, partition: number): Promise<CommittedOffset | undefined> {
    return this.#offsets.get(key)?.get(placeOf(topic, partition))
  }

  async ofGroup(key: GroupKey): Promise<readonly CommittedOffset[]> {
    return [...(this.#offsets.get(key)?.values() ?? [])]
  }

  async groupIds(): Promise<readonly GroupKey[]> {
    return [...this.#offsets].filter(([, offsets]) => offsets.size > 0).map(([key]) => key)
  }

  deleteOffsets(key: GroupKey, partitions: readonly TopicPartition[]): Promise<void> {
    return this.#write(() => {
      for (const { topic, partition } of partitions) this.#set(key, topic, partition, undefined)
    })
  }

  async deleteGroup(key: GroupKey): Promise<void> {
    await this.deleteOffsets(key, await this.ofGroup(key))
    await this.#write(() => this.#setGroup(key, undefined))
  }

  async deleteTopic(topic: string): Promise<void> {
    for (const key of this.#offsets.keys()) {
      const gone = (await this.ofGroup(key)).filter((offset) => offset.topic === topic)
      await this.deleteOffsets(key, gone)
    }
  }

  getGroup(key: GroupKey): StoredGroup | undefined {
    return this.#groups.get(key)
  }

  groups(): Iterable<readonly [GroupKey, StoredGroup]> {
    return this.#groups
  }

  putGroup(key: GroupKey, group: StoredGroup): Promise<void> {
    return this.#write(() => this.#setGroup(key, group))
  }

  onChange(listener: (change: GroupChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #setGroup(key: GroupKey, group: StoredGroup | undefined): void {
    if (group === undefined) this.#groups.delete(key)
    else this.#groups.set(key, group)
    this.#tell({ type: 'group', key, group })
  }

  #set(key: GroupKey, topic: string, partition: number, offset: CommittedOffset | undefined): void {
    const offsets = this.#offsets.get(key) ?? new Map<string, CommittedOffset>()
    this.#offsets.set(key, offsets)
    if (offset === undefined) offsets.delete(placeOf(topic, partition))
    else offsets.set(placeOf(topic, partition), offset)
    this.#tell({ type: 'offset', key, topic, partition, offset })
  }

  #tell(change: GroupChange): void {
    for (const listener of [...this.#listeners]) listener(change)
  }

  #write(apply: () => void): Promise<void> {
    const gate = this.#gate
    const mine = this.#turn.then(async () => {
      await gate
      if (this.fails) throw new StorageError('disk full')
      apply()
    })
    this.#turn = mine.catch(() => undefined)
    return mine
  }
}
