/** One partition of a topic, by the topic's id: `topicId/partition`. Ids are base64url and have no slash. */
export type Slot = string
export type Slots = ReadonlySet<Slot>

/** The partitions of one topic, as requests and records have them. */
export interface TopicSlots {
  readonly topicId: string
  readonly partitions: readonly number[]
}

export const noSlots: Slots = new Set()

export const slotOf = (topicId: string, partition: number): Slot => `${topicId}/${partition}`

export function partsOf(slot: Slot): { readonly topicId: string; readonly partition: number } {
  const slash = slot.lastIndexOf('/')
  return { topicId: slot.slice(0, slash), partition: Number(slot.slice(slash + 1)) }
}

export const both = (one: Slots, other: Slots): Slots => new Set([...one].filter((slot) => other.has(slot)))
export const without = (one: Slots, other: Slots): Slots =>
  new Set([...one].filter((slot) => !other.has(slot)))
export const either = (one: Slots, other: Slots): Slots => new Set([...one, ...other])
export const overlap = (one: Iterable<Slot>, other: Slots): boolean => {
  for (const slot of one) if (other.has(slot)) return true
  return false
}
export const sameSlots = (one: Slots, other: Slots): boolean =>
  one.size === other.size && [...one].every((slot) => other.has(slot))

/** By topic, partitions rising. */
export function byTopic(slots: Slots): readonly TopicSlots[] {
  const topics = new Map<string, number[]>()
  for (const slot of slots) {
    const { topicId, partition } = partsOf(slot)
    const partitions = topics.get(topicId) ?? []
    topics.set(topicId, partitions)
    partitions.push(partition)
  }
  return [...topics].map(([topicId, partitions]) => ({
    topicId,
    partitions: partitions.sort((a, b) => a - b),
  }))
}

export const slotsOf = (topics: readonly TopicSlots[]): Slots =>
  new Set(topics.flatMap(({ topicId, partitions }) => partitions.map((each) => slotOf(topicId, each))))
