import { asOffset, asPartitionIndex, comparePositions } from '../base/brand.js'
import type { Clock } from '../base/clock.js'
import { type Cursor, type LogPoint, StorageError } from '../storage/types.js'
import type { SubscriptionUsers } from '../topics/group-subscriptions.js'
import { isRefusal, type PartitionLog, type TopicCatalog } from '../topics/types.js'
import { type OwnWrite, type Slot, type Slots, topicOfFullName } from './cursor-sync-slots.js'
import type { GroupStore } from './group-store.js'
import type { CommittedOffset } from './offset-store.js'

/** The metadata of an offset that follows acknowledgements of Pulsar consumers: after a restart its cursor is the truth. */
export const acknowledgedMetadata = 'acknowledged by consumers of Pulsar'

/** Where a cursor stands for a committed offset: kept within the log (register PT-2). */
export async function pointOfCommitted(log: PartitionLog, offset: bigint): Promise<LogPoint> {
  const { start, end } = log.ledger
  if (offset <= log.startOffset()) return start
  return (await log.pointOfOffset(asOffset(offset))) ?? end
}

export const standsAt = (
  cursor: Pick<Cursor, 'position' | 'batchIndex'>,
  point: Pick<LogPoint, 'position' | 'batchIndex'>,
): boolean =>
  comparePositions(cursor.position, point.position) === 0 && cursor.batchIndex === point.batchIndex

/** Messages that the group has not consumed. Offsets count them under the mapping by index; else its last known place does. */
export function lagOf(log: PartitionLog, slot: Slot | undefined): number {
  const { start, end } = log.ledger
  const offset = slot?.committed?.offset
  if (offset === undefined) return end.index - start.index
  const endOffset = log.endOffset()
  const countsMessages = endOffset === BigInt(end.index)
  if (countsMessages) return Math.min(end.index - start.index, Math.max(0, Number(endOffset - offset)))
  return slot?.place?.offset === offset ? end.index - slot.place.index : end.index - start.index
}

export interface CursorSyncWorkOptions {
  readonly store: GroupStore
  readonly catalog: Pick<TopicCatalog, 'find' | 'partition'>
  readonly slots: Slots
  readonly users: () => Iterable<SubscriptionUsers>
  readonly clock: Clock
}

interface OpenedPartition {
  readonly log: PartitionLog
  readonly topicId: string
}

/** What is done for one slot, in its turn: the cursor to the offset, or the offset to the cursor. */
export class CursorSyncWork {
  readonly #options: CursorSyncWorkOptions

  constructor(options: CursorSyncWorkOptions) {
    this.#options = options
  }

  /**
   * Brings the cursor to the committed offset. Given up when the slot changes meanwhile: between the last look at its
   * version and the move nothing is awaited, so that what is older never overwrites what is newer.
   * @throws StorageError when the store fails.
   */
  async moveCursor(slot: Slot): Promise<void> {
    const { version, committed } = slot
    const opened = await this.#open(slot)
    if (opened === undefined || slot.version !== version) return
    const { log, topicId } = opened
    if (committed === undefined) return this.#removeCursor(slot, log)
    // A recreated topic starts without commits; and one cursor follows one group.
    if (committed.topicId !== topicId || !this.#isSubscription(slot, log)) return
    const point = await pointOfCommitted(log, committed.offset)
    if (slot.version !== version) return
    slot.place = { offset: committed.offset, index: point.index }
    const cursor = await log.ledger.openCursor(slot.groupId, point.position)
    if (slot.version !== version) return
    if (standsAt(cursor, point) && !slot.mustStore) return
    slot.mustStore = true
    const moved = cursor.reset(point.position, point.batchIndex)
    for (const users of this.#options.users()) users.cursorMoved(log, slot.groupId)
    await moved
    slot.mustStore = false
  }

  async #removeCursor(slot: Slot, log: PartitionLog): Promise<void> {
    if (!log.ledger.cursorNames().includes(slot.groupId)) return
    for (const users of this.#options.users()) if (!(await users.removeUnused(log, slot.groupId))) return
    await log.ledger.deleteCursor(slot.groupId)
  }

  /** Writes the cursor's place as the group's offset, when it has one already. */
  async moveOffset(slot: Slot): Promise<void> {
    const { version } = slot
    const opened = await this.#open(slot)
    if (opened === undefined || slot.committed === undefined) return
    const { log, topicId } = opened
    if (!log.ledger.cursorNames().includes(slot.groupId)) return this.moveCursor(slot)
    const cursor = await log.ledger.openCursor(slot.groupId, log.ledger.end.position)
    const offset = await log.offsetOfPoint(cursor)
    if (slot.version !== version || offset === undefined || offset === slot.committed.offset) return
    const own: OwnWrite = { written: null }
    slot.ownWrites.push(own)
    await this.write(slot, own, this.offsetOf(slot, topicId, offset, acknowledgedMetadata))
  }

  /** Stores an own write. The slot knows of it before the store does. */
  async write(slot: Slot, own: OwnWrite, offset: CommittedOffset | undefined): Promise<void> {
    const { store } = this.#options
    const { key, topic, partition } = slot
    own.written = { offset }
    try {
      if (offset === undefined) await store.deleteOffsets(key, [{ topic, partition }])
      else await store.put(key, [offset])
      if (slot.ownWrites.includes(own)) slot.committed = offset
    } finally {
      this.forget(slot, own)
    }
  }

  forget(slot: Slot, own: OwnWrite): void {
    const at = slot.ownWrites.indexOf(own)
    if (at >= 0) slot.ownWrites.splice(at, 1)
  }

  offsetOf(slot: Slot, topicId: string, offset: bigint, metadata: string): CommittedOffset {
    const { topic, partition } = slot
    const commitTimestampMs = this.#options.clock.nowMs()
    return { topic, topicId, partition, offset, leaderEpoch: -1, metadata, commitTimestampMs }
  }

  #isSubscription(slot: Slot, { topic, index }: PartitionLog): boolean {
    return this.#options.slots.ofSubscription(topic, index, slot.groupId) === slot
  }

  /** Undefined when the partition is no more. @throws StorageError when it cannot be opened. */
  async #open(slot: Slot): Promise<OpenedPartition | undefined> {
    const { catalog } = this.#options
    const name = topicOfFullName(slot.topic)
    const topic = name && catalog.find(name)
    if (topic === undefined) return undefined
    const log = await catalog.partition(topic, asPartitionIndex(slot.partition))
    if (!isRefusal(log)) return { log, topicId: topic.topicId }
    if (log.refused === 'KAFKA_STORAGE_ERROR') throw new StorageError(log.message)
    return undefined
  }
}
