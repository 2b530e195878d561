import { fullName } from '../topics/names.js'
import type { TopicName } from '../topics/types.js'
import { type GroupKey, groupNameOf } from './group-key.js'
import type { CommittedOffset } from './offset-store.js'

/** An offset that the broker itself is writing for a group. `written` is null until it is handed to the store. */
export interface OwnWrite {
  written: { readonly offset: CommittedOffset | undefined } | null
}

/** Whether a change is the one that was written: the offset, or its removal. */
export function isWrittenBy({ written }: OwnWrite, offset: CommittedOffset | undefined): boolean {
  if (written === null) return false
  return (
    written.offset?.offset === offset?.offset &&
    written.offset?.commitTimestampMs === offset?.commitTimestampMs &&
    written.offset?.metadata === offset?.metadata
  )
}

/** One group on one partition: what its cursor is to follow, or what is to follow its cursor. */
export interface Slot {
  readonly key: GroupKey
  readonly groupId: string
  readonly topic: string
  readonly partition: number
  /** As the store has it. */
  committed: CommittedOffset | undefined
  /** Which of the two moved last and is to be followed. */
  pending: 'toCursor' | 'toGroup' | undefined
  pendingSinceMs: number
  /** Grows with each commit and each move by Pulsar's side: work begun for an older one is given up. */
  version: number
  /** In the order of the calls. While there are any, changes that arrive are older than they. */
  readonly ownWrites: OwnWrite[]
  /** Cursors are made and removed, and own offsets written, one after another. */
  turn: Promise<unknown>
  /** The cursor was moved in memory, but not stored: it is to be stored where it stands already, too. */
  mustStore: boolean
  /** Where that offset is, as far as it was looked up. */
  place: { readonly offset: bigint; readonly index: number } | undefined
  /** The last two places that commits moved on to, for the rate. */
  progress: { readonly atMs: number; readonly offset: bigint; readonly perSecond: number } | undefined
}

const slotName = (groupId: string, topic: string, partition: number) => `${topic}\0${partition}\0${groupId}`

/** Slots by partition and group id. Two groups of one id, of two namespaces, can have to do with one partition. */
export class Slots {
  readonly #slots = new Map<string, Slot[]>()

  /** Of this very group. */
  find(key: GroupKey, topic: string, partition: number): Slot | undefined {
    const { groupId } = groupNameOf(key)
    return this.#slots.get(slotName(groupId, topic, partition))?.find((slot) => slot.key === key)
  }

  obtain(key: GroupKey, topic: string, partition: number): Slot {
    const { groupId } = groupNameOf(key)
    const name = slotName(groupId, topic, partition)
    const namesakes = this.#slots.get(name)
    const known = namesakes?.find((slot) => slot.key === key)
    if (known !== undefined) return known
    const slot: Slot = {
      key,
      groupId,
      topic,
      partition,
      committed: undefined,
      pending: undefined,
      pendingSinceMs: 0,
      version: 0,
      ownWrites: [],
      turn: Promise.resolve(),
      mustStore: false,
      place: undefined,
      progress: undefined,
    }
    if (namesakes === undefined) this.#slots.set(name, [slot])
    else namesakes.push(slot)
    return slot
  }

  /**
   * The slot whose cursor a subscription is: of the group of the topic's own namespace; where that one has no offset, of
   * a group of another namespace that has one, the first by key.
   */
  ofSubscription(topic: TopicName, partition: number, subscription: string): Slot | undefined {
    const namesakes = this.#slots.get(slotName(subscription, fullName(topic), partition)) ?? []
    const withOffset = namesakes.filter((slot) => slot.committed !== undefined)
    const own = `${topic.tenant}/${topic.namespace}/${subscription}`
    return (
      withOffset.find((slot) => slot.key === own) ??
      withOffset.sort((a, b) => (a.key < b.key ? -1 : 1))[0] ??
      namesakes.find((slot) => slot.key === own)
    )
  }

  /** Forgets what has nothing to tell any more. */
  drop(slot: Slot): void {
    if (slot.committed !== undefined || slot.pending !== undefined || slot.ownWrites.length > 0) return
    const name = slotName(slot.groupId, slot.topic, slot.partition)
    const others = (this.#slots.get(name) ?? []).filter((other) => other !== slot)
    if (others.length === 0) this.#slots.delete(name)
    else this.#slots.set(name, others)
  }
}

/** A group that has not moved on for this long has no rate. */
const rateStaleMs = 60_000
const rateIntervalMsMin = 1_000

/** Takes down how far a group's commits have come, now and then. */
export function noteProgress(slot: Slot, offset: bigint, atMs: number): void {
  const before = slot.progress
  if (before === undefined) {
    slot.progress = { atMs, offset, perSecond: 0 }
    return
  }
  const spentMs = atMs - before.atMs
  if (spentMs < rateIntervalMsMin) return
  const perSecond = Math.max(0, (Number(offset - before.offset) * 1000) / spentMs)
  slot.progress = { atMs, offset, perSecond }
}

/** Messages a second that the group's commits passed. */
export const rateOf = ({ progress }: Slot, nowMs: number): number =>
  progress === undefined || nowMs - progress.atMs > rateStaleMs ? 0 : progress.perSecond

/** Subscriptions have names without control characters; a group whose id has one, or none, has no cursor. */
export const canBeSubscription = (groupId: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are the ones meant
  groupId !== '' && !/[\u0000-\u001f\u007f]/.test(groupId)

/** `persistent://tenant/namespace/local` taken apart. */
export function topicOfFullName(full: string): TopicName | undefined {
  const [, tenant, namespace, local] = /^persistent:\/\/([^/]+)\/([^/]+)\/(.+)$/s.exec(full) ?? []
  return tenant === undefined || namespace === undefined || local === undefined
    ? undefined
    : { tenant, namespace, local }
}
