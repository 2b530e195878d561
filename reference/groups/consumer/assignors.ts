import { partsOf, type Slot, type Slots, slotOf } from './slots.js'

/** A member as assignors see it. */
export interface Subscriber {
  readonly memberId: string
  readonly instanceId: string | null
  /** The ids of its topics. */
  readonly topicIds: ReadonlySet<string>
  /** What it was to have before. */
  readonly previous: Slots
}

/** By member id; every subscriber is there. */
export type Targets = ReadonlyMap<string, Slots>
export type Assignor = (subscribers: readonly Subscriber[], topics: ReadonlyMap<string, number>) => Targets

/** Kafka's two server-side assignors (`group.consumer.assignors`), the first of which is the default. */
export const assignorNames = ['uniform', 'range'] as const
export type AssignorName = (typeof assignorNames)[number]
export const isAssignorName = (name: string): name is AssignorName =>
  assignorNames.some((known) => known === name)

interface Load {
  readonly subscriber: Subscriber
  readonly slots: Set<Slot>
}

/**
 * As even as subscriptions allow, and everybody keeps what it can: what is nobody's goes to who has least, and then
 * partitions move only from a member that has at least two more than another that could have them.
 */
const uniform: Assignor = (subscribers, topics) => {
  const loads = [...subscribers].sort(byId).map((subscriber): Load => ({ subscriber, slots: new Set() }))
  const taken = new Set<Slot>()
  for (const { subscriber, slots } of loads)
    for (const slot of subscriber.previous)
      if (!taken.has(slot) && mayHave(subscriber, slot) && exists(slot, topics)) {
        taken.add(slot)
        slots.add(slot)
      }
  const ofTopic = new Map(
    [...topics.keys()].map((topicId) => [
      topicId,
      loads.filter(({ subscriber }) => subscriber.topicIds.has(topicId)),
    ]),
  )
  for (const [topicId, partitions] of topics)
    for (let partition = 0; partition < partitions; partition++) {
      const slot = slotOf(topicId, partition)
      if (!taken.has(slot)) leastOf(ofTopic.get(topicId) ?? [])?.slots.add(slot)
    }
  while (evenedOut(loads, ofTopic));
  return new Map(loads.map(({ subscriber, slots }) => [subscriber.memberId, slots]))
}

/** Always from who has most of those that can give. Each move makes loads more even, so that rounds come to an end. */
function evenedOut(loads: readonly Load[], ofTopic: ReadonlyMap<string, readonly Load[]>): boolean {
  let moved = false
  const givers = new Set(loads)
  while (givers.size > 0) {
    const from = [...givers].reduce((most, each) => (each.slots.size > most.slots.size ? each : most))
    if (gives(from, ofTopic)) moved = true
    else givers.delete(from)
  }
  return moved
}

/** @returns whether a partition went to somebody who is the better for it */
function gives(from: Load, ofTopic: ReadonlyMap<string, readonly Load[]>): boolean {
  for (const topicId of from.subscriber.topicIds) {
    const to = leastOf(ofTopic.get(topicId) ?? [])
    if (to === undefined || to.slots.size + 1 >= from.slots.size) continue
    for (const slot of from.slots) {
      if (partsOf(slot).topicId !== topicId) continue
      from.slots.delete(slot)
      to.slots.add(slot)
      return true
    }
  }
  return false
}

function leastOf(loads: readonly Load[]): Load | undefined {
  let least = loads[0]
  for (const load of loads) if (least !== undefined && load.slots.size < least.slots.size) least = load
  return least
}

/** Each topic in as many runs of partitions as it has subscribers, the first ones longer by one where it does not come out. */
const range: Assignor = (subscribers, topics) => {
  const targets = new Map(subscribers.map(({ memberId }) => [memberId, new Set<Slot>()]))
  const sorted = [...subscribers].sort(byId)
  for (const [topicId, partitions] of topics) {
    const sharing = sorted.filter(({ topicIds }) => topicIds.has(topicId))
    let next = 0
    for (const [at, { memberId }] of sharing.entries()) {
      const count = Math.floor(partitions / sharing.length) + (at < partitions % sharing.length ? 1 : 0)
      for (const end = next + count; next < end; next++) targets.get(memberId)?.add(slotOf(topicId, next))
    }
  }
  return targets
}

export const assignors: Readonly<Record<AssignorName, Assignor>> = { uniform, range }

const mayHave = ({ topicIds }: Subscriber, slot: Slot): boolean => topicIds.has(partsOf(slot).topicId)

function exists(slot: Slot, topics: ReadonlyMap<string, number>): boolean {
  const { topicId, partition } = partsOf(slot)
  return partition < (topics.get(topicId) ?? 0)
}

/** Static members keep their place in the order when they come back under another member id. */
function byId(one: Subscriber, other: Subscriber): number {
  const [a, b] = [one.instanceId ?? one.memberId, other.instanceId ?? other.memberId]
  return a < b ? -1 : a > b ? 1 : 0
}
