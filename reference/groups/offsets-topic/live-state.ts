import type { StoredConsumerGroup } from '../consumer/stored.js'
import type { GroupKey } from '../group-key.js'
import type { GroupChange, StoredGroup } from '../group-store.js'
import type { CommittedOffset, TopicPartition } from '../offset-store.js'

interface LiveGroup {
  group: StoredGroup | undefined
  /** By topic, then partition. */
  readonly offsets: Map<string, Map<number, CommittedOffset>>
}

/** What the records of one partition of the offsets topic come to: the last value of each key. */
export class LiveState {
  readonly #groups = new Map<GroupKey, LiveGroup>()
  /** Of the next-generation protocol. */
  readonly #consumerGroups = new Map<GroupKey, StoredConsumerGroup>()
  #keys = 0

  /** How many records would say all of it. */
  get keyCount(): number {
    return this.#keys + this.#consumerGroups.size
  }

  apply(change: GroupChange): void {
    if (change.type === 'group') this.#setGroup(change.key, change.group)
    else if (change.type === 'consumerGroup') this.#setConsumerGroup(change.key, change.group)
    else this.#setOffset(change.key, change.topic, change.partition, change.offset)
  }

  group(key: GroupKey): StoredGroup | undefined {
    return this.#groups.get(key)?.group
  }

  offset(key: GroupKey, topic: string, partition: number): CommittedOffset | undefined {
    return this.#groups.get(key)?.offsets.get(topic)?.get(partition)
  }

  offsets(key: GroupKey): readonly CommittedOffset[] {
    return [...(this.#groups.get(key)?.offsets.values() ?? [])].flatMap((byPartition) => [
      ...byPartition.values(),
    ])
  }

  *groups(): Iterable<readonly [GroupKey, StoredGroup]> {
    for (const [key, { group }] of this.#groups) if (group !== undefined) yield [key, group]
  }

  consumerGroups(): Iterable<readonly [GroupKey, StoredConsumerGroup]> {
    return this.#consumerGroups
  }

  /** Groups with at least one committed offset. */
  groupIds(): readonly GroupKey[] {
    return [...this.#groups].filter(([, { offsets }]) => offsets.size > 0).map(([key]) => key)
  }

  topics(): ReadonlySet<string> {
    return new Set([...this.#groups.values()].flatMap(({ offsets }) => [...offsets.keys()]))
  }

  /** All that is live, one change a key. Changes made while it runs are seen, or not, but nothing else is missed. */
  *everything(): Iterable<GroupChange> {
    for (const [key, group] of this.#consumerGroups) yield { type: 'consumerGroup', key, group }
    for (const [key, { group, offsets }] of this.#groups) {
      if (group !== undefined) yield { type: 'group', key, group }
      for (const [topic, byPartition] of offsets)
        for (const [partition, offset] of byPartition) yield { type: 'offset', key, topic, partition, offset }
    }
  }

  removalOfOffsets(key: GroupKey, partitions: readonly TopicPartition[]): readonly GroupChange[] {
    return partitions
      .filter(({ topic, partition }) => this.offset(key, topic, partition) !== undefined)
      .map(({ topic, partition }) => ({ type: 'offset', key, topic, partition, offset: undefined }))
  }

  removalOfGroup(key: GroupKey): readonly GroupChange[] {
    const removals = [...this.removalOfOffsets(key, this.offsets(key))]
    if (this.group(key) !== undefined) removals.push({ type: 'group', key, group: undefined })
    return removals
  }

  removalOfTopic(topic: string): readonly GroupChange[] {
    return [...this.#groups].flatMap(([key, { offsets }]) =>
      this.removalOfOffsets(key, [...(offsets.get(topic)?.values() ?? [])]),
    )
  }

  #setConsumerGroup(key: GroupKey, group: StoredConsumerGroup | undefined): void {
    if (group === undefined) this.#consumerGroups.delete(key)
    else this.#consumerGroups.set(key, group)
  }

  #setGroup(key: GroupKey, group: StoredGroup | undefined): void {
    const live = this.#groupOf(key)
    this.#keys += Number(group !== undefined) - Number(live.group !== undefined)
    live.group = group
    this.#dropIfEmpty(key, live)
  }

  #setOffset(key: GroupKey, topic: string, partition: number, offset: CommittedOffset | undefined): void {
    const live = this.#groupOf(key)
    const byPartition = live.offsets.get(topic) ?? new Map<number, CommittedOffset>()
    const before = byPartition.size
    if (offset === undefined) byPartition.delete(partition)
    else byPartition.set(partition, offset)
    this.#keys += byPartition.size - before
    if (byPartition.size === 0) live.offsets.delete(topic)
    else live.offsets.set(topic, byPartition)
    this.#dropIfEmpty(key, live)
  }

  #groupOf(key: GroupKey): LiveGroup {
    const known = this.#groups.get(key)
    if (known !== undefined) return known
    const added: LiveGroup = { group: undefined, offsets: new Map() }
    this.#groups.set(key, added)
    return added
  }

  #dropIfEmpty(key: GroupKey, { group, offsets }: LiveGroup): void {
    if (group === undefined && offsets.size === 0) this.#groups.delete(key)
  }
}
