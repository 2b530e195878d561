import { asPartitionIndex, type Offset, type Position } from '../base/brand.js'
import type { Clock } from '../base/clock.js'
import type { Log } from '../base/log.js'
import { StorageError } from '../storage/types.js'
import type {
  GroupOfPartition,
  GroupSubscriptions,
  SubscriptionUsers,
} from '../topics/group-subscriptions.js'
import { fullName } from '../topics/names.js'
import { isRefusal, type PartitionLog, type TopicCatalog, type TopicInfo } from '../topics/types.js'
import {
  canBeSubscription,
  isWrittenBy,
  noteProgress,
  type OwnWrite,
  rateOf,
  type Slot,
  Slots,
  topicOfFullName,
} from './cursor-sync-slots.js'
import { acknowledgedMetadata, CursorSyncWork, lagOf, pointOfCommitted } from './cursor-sync-work.js'
import { type GroupKey, groupKey, groupNameOf } from './group-key.js'
import type { GroupChange, GroupStore } from './group-store.js'
import type { CommittedOffset } from './offset-store.js'
import { type GroupMembers, membersOn, ownerOf } from './partition-members.js'

export interface CursorSyncOptions {
  readonly store: GroupStore
  readonly catalog: Pick<TopicCatalog, 'find' | 'partition'>
  /** Asked for only when groups are loaded. */
  readonly members: () => GroupMembers
  readonly clock: Clock
  readonly log: Log
  /** A commit is seen on its cursor within this time (`kafkaOffsetsSyncPeriodMs`). */
  readonly periodMs: number
  /** Told of each commit that reached its cursor: how long it took. */
  readonly onSynced?: (lagMs: number) => void
}

/** So many cursors are moved at a time: enough for the store to write them together, few enough to leave it to others. */
const slotsAtOnce = 64
/**
 * Keeps Kafka groups and Pulsar's subscriptions of the same names in step; `README.md` has the rules (chapter PT of the
 * register). A commit costs it a mark in memory; cursors are moved in the background, each to the newest offset alone.
 */
export class CursorSync implements GroupSubscriptions {
  readonly #options: CursorSyncOptions
  readonly #slots = new Slots()
  readonly #work: CursorSyncWork
  readonly #marked = new Set<Slot>()
  /** Slots being worked on, with the time of the first change that the work is for. */
  readonly #underWay = new Map<Slot, number>()
  readonly #users = new Set<SubscriptionUsers>()
  readonly #flushes = new Set<Promise<void>>()
  #stopListening = () => {}
  #stopTimer: (() => void) | undefined
  #start: (started: boolean) => void = () => {}
  /** False when it was closed before. */
  readonly #started = new Promise<boolean>((resolve) => {
    this.#start = resolve
  })
  #isStarted = false
  #isFailing = false
  #closed = false

  constructor(options: CursorSyncOptions) {
    this.#options = options
    const { store, catalog, clock } = options
    this.#work = new CursorSyncWork({ store, catalog, clock, slots: this.#slots, users: () => this.#users })
  }

  /**
   * Takes up what is committed; until then Pulsar's tools wait, as they cannot know whose the subscription is.
   * Cursors that differ from it, after a stop or a crash, are moved in the background.
   */
  async start(): Promise<void> {
    const { store } = this.#options
    this.#stopListening = store.onChange((change) => this.#onChange(change))
    for (const key of await store.groupIds()) {
      for (const committed of await store.ofGroup(key)) this.#takeUp(key, committed)
    }
    this.#isStarted = true
    this.#start(true)
  }

  #takeUp(key: GroupKey, committed: CommittedOffset): void {
    if (!canBeSubscription(groupNameOf(key).groupId)) return
    const slot = this.#slots.obtain(key, committed.topic, committed.partition)
    // A change may have come while the store was read.
    if (slot.version > 0) return
    slot.committed = committed
    this.#mark(slot, committed.metadata === acknowledgedMetadata ? 'toGroup' : 'toCursor')
  }

  /** How long the oldest change has waited to be seen on the other side; 0 when all are in step. */
  lagMs(): number {
    let oldestMs = this.#options.clock.nowMs()
    const nowMs = oldestMs
    for (const { pendingSinceMs } of this.#marked) oldestMs = Math.min(oldestMs, pendingSinceMs)
    for (const sinceMs of this.#underWay.values()) oldestMs = Math.min(oldestMs, sinceMs)
    return nowMs - oldestMs
  }

  /** How many cursors and offsets are not in step. */
  waiting(): number {
    return this.#marked.size + this.#underWay.size
  }

  /** Brings over what waits, once, and ends. What fails is caught up with at the next start. */
  async close(): Promise<void> {
    this.#closed = true
    this.#start(false)
    this.#stopListening()
    this.#stopTimer?.()
    await Promise.all(this.#flushes)
    await this.#flush([...this.#marked])
  }

  /** Resolves when nothing is being brought over. Tests wait for it. */
  async idle(): Promise<void> {
    while (this.#flushes.size > 0) await Promise.all(this.#flushes)
  }

  /** To be awaited before an offset is answered: a tool's move, and what Pulsar's consumers acknowledged, is stored then. */
  async settled(key: GroupKey, topic: string, partition: number): Promise<void> {
    const slot = this.#slots.find(key, topic, partition)
    if (slot?.pending === 'toGroup') await this.#followed(slot)
    else if (slot !== undefined && slot.ownWrites.length > 0) await slot.turn
  }

  /**
   * Where a group without an offset begins: at the subscription of its name, if Pulsar's side made one in the topic's
   * namespace; undefined when there is none.
   */
  async startOf(key: GroupKey, topic: TopicInfo, partition: number): Promise<Offset | undefined> {
    const { tenant, namespace, groupId } = groupNameOf(key)
    if (tenant !== topic.name.tenant || namespace !== topic.name.namespace) return undefined
    const slot = this.#slots.find(key, fullName(topic.name), partition)
    if (slot?.committed !== undefined || slot?.pending !== undefined) return undefined
    const log = await this.#options.catalog.partition(topic, asPartitionIndex(partition))
    if (isRefusal(log) || !log.ledger.cursorNames().includes(groupId)) return undefined
    return log.offsetOfPoint(await log.ledger.openCursor(groupId, log.ledger.end.position))
  }

  of(partition: PartitionLog, subscription: string): GroupOfPartition | undefined {
    if (!this.#isStarted) return undefined
    const { topic, index } = partition
    const slot = this.#slots.ofSubscription(topic, index, subscription)
    const key = slot?.key ?? groupKey({ ...topic, groupId: subscription })
    const { isSubscribed, members } = membersOn(this.#options.members(), key, topic)
    if (slot?.committed === undefined && !isSubscribed) return undefined
    const owner = ownerOf(members, key, topic, index)
    return {
      members: members.length,
      owner: owner && {
        clientId: owner.clientId,
        clientHost: owner.clientHost,
        memberId: owner.memberId,
      },
      lag: lagOf(partition, slot),
      messagesPerSecond: slot === undefined ? 0 : rateOf(slot, this.#options.clock.nowMs()),
    }
  }

  async moved(
    partition: PartitionLog,
    subscription: string,
    to: { readonly position: Position; readonly batchIndex: number },
  ): Promise<void> {
    if (!this.#isStarted) await this.#untilStarted()
    const slot = this.#groupOf(partition, subscription)
    const topicId = this.#options.catalog.find(partition.topic)?.topicId
    if (slot === undefined || topicId === undefined) return
    await this.#write(slot, async (own) => {
      const offset = (await partition.offsetOfPoint(to)) ?? partition.endOffset()
      const committed = this.#work.offsetOf(slot, topicId, offset, '')
      await this.#withoutMembers(slot, partition, () => this.#work.write(slot, own, committed))
      slot.place = { offset, index: (await pointOfCommitted(partition, offset)).index }
    })
  }

  async deleted(
    partition: PartitionLog,
    subscription: string,
    removeCursor: () => Promise<void>,
  ): Promise<void> {
    if (!this.#isStarted) await this.#untilStarted()
    const slot = this.#slots.ofSubscription(partition.topic, partition.index, subscription)
    if (slot === undefined) return removeCursor()
    // In the slot's turn, and while members are fenced: nothing brings the cursor back before the offset is gone.
    await this.#write(slot, async (own) => {
      await this.#withoutMembers(slot, partition, async () => {
        await removeCursor()
        await this.#work.write(slot, own, undefined)
      })
    })
    this.#slots.drop(slot)
  }

  acknowledged(partition: PartitionLog, subscription: string): void {
    const slot = this.#slots.ofSubscription(partition.topic, partition.index, subscription)
    if (slot?.committed === undefined || slot.pending === 'toCursor' || slot.ownWrites.length > 0) return
    this.#mark(slot, 'toGroup')
  }

  async left(partition: PartitionLog, subscription: string): Promise<void> {
    const slot = this.#slots.ofSubscription(partition.topic, partition.index, subscription)
    if (slot?.pending === 'toGroup') await this.#followed(slot)
  }

  follow(users: SubscriptionUsers): () => void {
    this.#users.add(users)
    return () => this.#users.delete(users)
  }

  async #untilStarted(): Promise<void> {
    if (!(await this.#started)) throw new StorageError('the broker stops before its groups are loaded')
  }

  async #followed(slot: Slot): Promise<void> {
    if (this.#marked.has(slot)) await this.#flush([slot])
    else await slot.turn
  }

  /** The group that a subscription is: one with an offset here, or one with members that read the topic. */
  #groupOf({ topic, index }: PartitionLog, subscription: string): Slot | undefined {
    const slot = this.#slots.ofSubscription(topic, index, subscription)
    if (slot?.committed !== undefined) return slot
    const key = groupKey({ ...topic, groupId: subscription })
    const { isSubscribed } = membersOn(this.#options.members(), key, topic)
    return isSubscribed ? this.#slots.obtain(key, fullName(topic), index) : undefined
  }

  /** Members start again under a new generation, at the new place, and commits of the older are refused. */
  #withoutMembers({ key }: Slot, { topic }: PartitionLog, move: () => Promise<void>): Promise<void> {
    const members = this.#options.members()
    return membersOn(members, key, topic).isSubscribed ? members.resetByTool(key, move) : move()
  }

  #onChange(change: GroupChange): void {
    if (change.type === 'offset') {
      this.#onOffset(change)
      return
    }
    const isEmpty = (change.group?.members.length ?? 0) === 0
    if (isEmpty) this.#flushGroup(change.key)
    else for (const users of this.#users) users.groupStarted(groupNameOf(change.key).groupId)
  }

  #onOffset({ key, topic, partition, offset }: GroupChange & { type: 'offset' }): void {
    if (!canBeSubscription(groupNameOf(key).groupId)) return
    const slot = this.#slots.obtain(key, topic, partition)
    const own = slot.ownWrites[0]
    if (own !== undefined) {
      // What arrives before it is older, and superseded by it.
      if (isWrittenBy(own, offset)) {
        slot.ownWrites.shift()
        slot.committed = offset
      }
      return
    }
    slot.version++
    slot.committed = offset
    if (offset === undefined) this.#forgetOffset(slot)
    else noteProgress(slot, offset.offset, this.#options.clock.nowMs())
    this.#mark(slot, 'toCursor')
  }

  /** Where another namespace's group of that name has an offset, the subscription is its from now on. */
  #forgetOffset(slot: Slot): void {
    const topic = topicOfFullName(slot.topic)
    const heir = topic && this.#slots.ofSubscription(topic, slot.partition, slot.groupId)
    if (heir?.committed !== undefined) this.#mark(heir, 'toCursor')
    // At once: a group that starts anew must not take the cursor for a subscription of Pulsar's.
    else queueMicrotask(() => this.#flushGroup(slot.key))
  }

  #mark(slot: Slot, direction: 'toCursor' | 'toGroup'): void {
    slot.pending = direction
    if (this.#marked.has(slot)) return
    slot.pendingSinceMs = this.#options.clock.nowMs()
    this.#marked.add(slot)
    this.#schedule(this.#options.periodMs / 2)
  }

  /** Half the period to wait, half to do it. */
  #schedule(afterMs: number): void {
    if (this.#closed || this.#stopTimer !== undefined) return
    this.#stopTimer = this.#options.clock.after(afterMs, () => {
      this.#stopTimer = undefined
      void this.#flush([...this.#marked])
    })
  }

  #flushGroup(key: GroupKey): void {
    const slots = [...this.#marked].filter((slot) => slot.key === key)
    if (slots.length > 0 && !this.#closed) void this.#flush(slots)
  }

  #flush(slots: readonly Slot[]): Promise<void> {
    const flush = this.#doAll(slots).finally(() => {
      this.#flushes.delete(flush)
      if (this.#marked.size > 0) this.#schedule(this.#options.periodMs / 2)
    })
    this.#flushes.add(flush)
    return flush
  }

  async #doAll(slots: readonly Slot[]): Promise<void> {
    const left = slots[Symbol.iterator]()
    const worker = async (): Promise<void> => {
      for (const slot of left) if (this.#marked.has(slot)) await this.#do(slot)
    }
    await Promise.all(Array.from({ length: Math.min(slotsAtOnce, slots.length) }, worker))
  }

  async #do(slot: Slot): Promise<void> {
    const sinceMs = slot.pendingSinceMs
    const direction = slot.pending
    this.#marked.delete(slot)
    this.#underWay.set(slot, sinceMs)
    try {
      if (direction !== undefined)
        await this.#inTurn(slot, () =>
          direction === 'toGroup' ? this.#work.moveOffset(slot) : this.#work.moveCursor(slot),
        )
      this.#done(slot, sinceMs)
    } catch (error) {
      this.#failed(slot, sinceMs, error)
    } finally {
      this.#underWay.delete(slot)
    }
  }

  #done(slot: Slot, sinceMs: number): void {
    const { log, clock, onSynced } = this.#options
    onSynced?.(clock.nowMs() - sinceMs)
    if (!this.#marked.has(slot)) {
      slot.pending = undefined
      this.#slots.drop(slot)
    }
    if (!this.#isFailing) return
    this.#isFailing = false
    log.info({}, 'cursors follow their groups again')
  }

  #failed(slot: Slot, sinceMs: number, error: unknown): void {
    // A move by Pulsar's side that came meanwhile is the newer truth, and needs no retry.
    if (slot.pending !== undefined) {
      slot.pendingSinceMs = sinceMs
      this.#marked.add(slot)
    }
    if (this.#isFailing) return
    this.#isFailing = true
    const { groupId: group, topic, partition } = slot
    this.#options.log.warn(
      { err: error, group, topic, partition },
      'a cursor could not follow its group; it is tried again, without more of these lines',
    )
  }

  /** Writes an offset of the broker's own, in the slot's turn; older commits, and work begun for them, have no effect. */
  async #write(slot: Slot, task: (own: OwnWrite) => Promise<void>): Promise<void> {
    const own: OwnWrite = { written: null }
    slot.version++
    slot.ownWrites.push(own)
    slot.pending = undefined
    slot.mustStore = false
    this.#marked.delete(slot)
    try {
      await this.#inTurn(slot, () => task(own))
    } catch (error) {
      this.#work.forget(slot, own)
      await this.#recover(slot)
      throw error
    }
  }

  /** What the store has is the truth again, when an own write failed. */
  async #recover(slot: Slot): Promise<void> {
    const { version, key, topic, partition } = slot
    try {
      const committed = await this.#options.store.get(key, topic, partition)
      if (slot.version !== version) return
      slot.committed = committed
      if (committed !== undefined) this.#mark(slot, 'toCursor')
    } catch (error) {
      this.#options.log.warn({ err: error, group: slot.groupId, topic }, 'a group’s offset could not be read')
    }
  }

  #inTurn(slot: Slot, task: () => Promise<void>): Promise<void> {
    const mine = slot.turn.then(task)
    slot.turn = mine.catch(() => undefined)
    return mine
  }
}
