import type { Position } from '../../base/brand.js'
import type { PulsarEntry } from '../../topics/types.js'
import { readHeadersAndPayload } from '../wire/entry-checksum.js'
import { ackSetOf } from './ack-set.js'
import type { Consumer, Delivery, DeliveryGroup } from './consumer.js'
import { DelayQueue } from './delayed.js'
import {
  acknowledgedOf,
  type Dispatcher,
  type DispatchSource,
  isPassedOver,
  positionAfter,
  READ_BYTES_MAX,
  READ_ENTRIES_MAX,
} from './dispatcher.js'
import { type KeySelector, TurnTaker } from './key-selector.js'
import { batchOf, type KeyedEntry, readKeys, wholeEntry } from './keyed-entry.js'
import { OrderedByPosition, positionKey } from './position-set.js'
import { Pump } from './pump.js'

/** While this many deliveries wait (for their key's consumer, say), nothing further is read. */
const WAITING_MAX = 2_000
const DELIVERIES_PER_STEP = 100
/** The same for deliveries whose time is still to come: each is kept in memory. */
const DELAYED_MAX = 200_000

/** Some messages of an entry, with the consumer that gets them. */
interface Part {
  readonly indexes: number[]
  readonly groups: Set<DeliveryGroup>
}

/**
 * Shared and Key_Shared: many consumers at once, each entry to one of them (Key_Shared: each message by its key).
 *
 * A delivery waits in `#waiting` when it was given back (closed consumer, negative acknowledgement), when its time has
 * come (delayed delivery), or when its consumer cannot take it yet. Messages of one group (a key's hash; a chunked
 * message) stay at the consumer that holds unacknowledged ones of it, and never overtake one another.
 */
export class SharedDispatcher implements Dispatcher {
  readonly #source: DispatchSource
  readonly #keys: KeySelector | undefined
  readonly #turns = new TurnTaker()
  readonly #pump: Pump
  readonly #waiting = new OrderedByPosition<Delivery>()
  readonly #waitingGroups = new Map<DeliveryGroup, number>()
  readonly #owners = new Map<DeliveryGroup, { readonly consumer: Consumer; count: number }>()
  /** Read on the way, and not due yet. */
  readonly #delayed: DelayQueue<Delivery>
  #consumers: Consumer[] = []
  #readPosition: Position

  /** @param keys Key_Shared's way to choose; undefined for Shared. */
  constructor(source: DispatchSource, keys: KeySelector | undefined) {
    this.#source = source
    this.#keys = keys
    this.#readPosition = source.cursor.position
    this.#delayed = new DelayQueue(source.clock, (deliveries) => {
      for (const delivery of deliveries) this.#wait(delivery)
      this.#pump.wake()
    })
    this.#pump = new Pump(
      () => this.#step(),
      (error) => source.onError(error),
    )
  }

  get consumers(): readonly Consumer[] {
    return this.#consumers
  }

  active(): undefined {
    return undefined
  }

  add(consumer: Consumer): void {
    this.#consumers = [...this.#consumers, consumer]
    this.#turns.add(consumer)
  }

  remove(consumer: Consumer): void {
    this.#consumers = this.#consumers.filter((other) => other !== consumer)
    this.#turns.remove(consumer)
    this.#keys?.remove(consumer)
    this.#takeBack(consumer, [...consumer.pending.values()])
  }

  redeliver(consumer: Consumer, positions: readonly Position[] | undefined): void {
    const given =
      positions === undefined
        ? [...consumer.pending.values()]
        : positions.flatMap((position) => consumer.pending.get(positionKey(position)) ?? [])
    this.#takeBack(consumer, given)
  }

  wake(): void {
    this.#pump.wake()
  }

  stop(): void {
    this.#pump.stop()
    this.#delayed.clear()
  }

  /** Whether messages of an entry went, or are to go, to several consumers. */
  isParted(position: Position): boolean {
    if (this.#keys === undefined) return false
    const key = positionKey(position)
    return (
      this.#consumers.some(({ pending }) => pending.get(key)?.indexes !== undefined) ||
      this.#waiting
        .inOrder()
        .some((delivery) => delivery.indexes !== undefined && positionKey(delivery.position) === key)
    )
  }

  /** A delivery is done: all its messages are acknowledged. */
  settle(consumer: Consumer, delivery: Delivery): void {
    if (!consumer.pending.delete(positionKey(delivery.position))) return
    consumer.unackedMessages -= delivery.outstanding
    this.#disown(delivery)
    this.#pump.wake()
  }

  #takeBack(consumer: Consumer, deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      consumer.pending.delete(positionKey(delivery.position))
      consumer.unackedMessages -= delivery.outstanding
      this.#disown(delivery)
      this.#wait({ ...delivery, redeliveries: delivery.redeliveries + 1, outstanding: 0 })
    }
    this.#pump.wake()
  }

  #wait(delivery: Delivery): void {
    if (this.#waiting.has(delivery.key)) return
    this.#waiting.add(delivery)
    for (const group of delivery.groups)
      this.#waitingGroups.set(group, (this.#waitingGroups.get(group) ?? 0) + 1)
  }

  #stopWaiting(delivery: Delivery): void {
    this.#waiting.delete(delivery)
    for (const group of delivery.groups) {
      const count = (this.#waitingGroups.get(group) ?? 0) - 1
      if (count > 0) this.#waitingGroups.set(group, count)
      else this.#waitingGroups.delete(group)
    }
  }

  #own(consumer: Consumer, groups: readonly DeliveryGroup[]): void {
    for (const group of groups) {
      const owner = this.#owners.get(group)
      if (owner?.consumer === consumer) owner.count++
      else this.#owners.set(group, { consumer, count: 1 })
    }
  }

  #disown(delivery: Delivery): void {
    for (const group of delivery.groups) {
      const owner = this.#owners.get(group)
      if (owner !== undefined && --owner.count <= 0) this.#owners.delete(group)
    }
  }

  async #step(): Promise<boolean> {
    if (!this.#consumers.some((consumer) => consumer.canTake())) return false
    const again = await this.#serveWaiting()
    if (this.#waiting.size >= WAITING_MAX || this.#delayed.size >= DELAYED_MAX) return again
    return (await this.#readOn()) || again
  }

  /** Waiting deliveries, in log order. @returns whether any went out. */
  async #serveWaiting(): Promise<boolean> {
    const held = new Set<DeliveryGroup>()
    let served = 0
    for (const delivery of this.#waiting.inOrder()) {
      if (served >= DELIVERIES_PER_STEP) return true
      if (!this.#waiting.has(delivery.key)) continue
      const overtakes = delivery.groups.some((group) => held.has(group))
      if (overtakes || !this.#mayGo(delivery)) {
        for (const group of delivery.groups) held.add(group)
        continue
      }
      const entry = await this.#readAt(delivery.position)
      if (!this.#waiting.has(delivery.key)) continue
      this.#stopWaiting(delivery)
      served++
      if (entry !== undefined && !isPassedOver(this.#source, entry)) await this.#place(entry, delivery, false)
    }
    return served > 0
  }

  /** A first look, without reading the entry, whether some consumer could take some of it. */
  #mayGo(delivery: Delivery): boolean {
    if (delivery.groups.length === 0) return this.#consumers.some((consumer) => consumer.canTake())
    return delivery.groups.some((group) => this.#holderOf(group, delivery.position) !== undefined)
  }

  async #readAt(position: Position): Promise<PulsarEntry | undefined> {
    const [entry] = await this.#source.log.readPulsar(position, { maxEntries: 1, maxBytes: 1 })
    const found = entry !== undefined && positionKey(entry.position) === positionKey(position)
    return found ? entry : undefined
  }

  async #readOn(): Promise<boolean> {
    const room = this.#consumers.reduce((sum, consumer) => sum + Math.max(0, consumer.permits), 0)
    if (room === 0) return false
    const entries = await this.#source.log.readPulsar(this.#readPosition, {
      maxEntries: Math.min(room, READ_ENTRIES_MAX),
      maxBytes: READ_BYTES_MAX,
    })
    for (const entry of entries) {
      if (!this.#consumers.some((consumer) => consumer.canTake())) return false
      this.#readPosition = positionAfter(entry.position)
      if (isPassedOver(this.#source, entry)) continue
      const { metadata } = readHeadersAndPayload(wholeEntry(entry))
      const chunk = metadata.chunk
      const delivery: Delivery = {
        key: positionKey(entry.position),
        position: entry.position,
        messageCount: entry.view.messageCount,
        indexes: undefined,
        groups: chunk !== undefined && this.#keys === undefined ? [`chunk ${chunk.uuid}`] : [],
        redeliveries: 0,
        outstanding: 0,
      }
      if ((metadata.deliverAtTimeMs ?? 0) > this.#source.clock.nowMs())
        this.#delayed.add(delivery, metadata.deliverAtTimeMs ?? 0)
      else await this.#place(entry, delivery, true)
    }
    return entries.length > 0
  }

  /** Sends an entry's messages to who gets them; what no one can take now waits. */
  async #place(entry: PulsarEntry, delivery: Delivery, fresh: boolean): Promise<void> {
    if (this.#keys !== undefined) return this.#placeByKey(entry, delivery, await readKeys(entry), fresh)
    const group = delivery.groups[0]
    const overtakes = fresh && group !== undefined && this.#waitingGroups.has(group)
    const consumer =
      group === undefined || (!overtakes && this.#owners.get(group) === undefined)
        ? this.#turns.next()
        : overtakes
          ? undefined
          : this.#holderOf(group, entry.position)
    if (consumer === undefined) this.#wait(delivery)
    else this.#deliver(consumer, entry, delivery)
  }

  /** Who may get messages of a group now. */
  #holderOf(group: DeliveryGroup, position: Position): Consumer | undefined {
    const owner = this.#owners.get(group)?.consumer
    const chosen =
      this.#keys === undefined || typeof group === 'string'
        ? (owner ?? this.#consumers.find((consumer) => consumer.canTake()))
        : this.#keys.select(group)
    if (chosen === undefined || !chosen.canTake()) return undefined
    if (owner !== undefined && owner !== chosen) return undefined
    return chosen.pending.has(positionKey(position)) ? undefined : chosen
  }

  #placeByKey(entry: PulsarEntry, delivery: Delivery, keyed: KeyedEntry, fresh: boolean): void {
    const acknowledged = acknowledgedOf(this.#source.cursor, entry.position)
    const parts = new Map<Consumer | undefined, Part>()
    for (const index of delivery.indexes ?? keyed.hashes.keys()) {
      if (acknowledged?.has(index) === true) continue
      const hash = keyed.hashes[index] ?? 0
      const overtakes = fresh && this.#waitingGroups.has(hash)
      const consumer = overtakes ? undefined : this.#holderOf(hash, entry.position)
      const part = parts.get(consumer) ?? { indexes: [], groups: new Set<DeliveryGroup>() }
      part.indexes.push(index)
      part.groups.add(hash)
      parts.set(consumer, part)
    }
    const whole = parts.size === 1 && delivery.indexes === undefined
    for (const [consumer, { indexes, groups }] of parts) {
      const part = {
        ...delivery,
        key: whole ? delivery.key : `${positionKey(delivery.position)}:${indexes[0] ?? 0}`,
        indexes: whole ? undefined : indexes,
        groups: [...groups],
      }
      if (consumer === undefined) this.#wait(part)
      else if (whole || keyed.batch === undefined) this.#deliver(consumer, entry, part)
      else this.#deliverPart(consumer, entry, part, indexes, batchOf(keyed.batch, indexes))
    }
  }

  #deliver(consumer: Consumer, entry: PulsarEntry, delivery: Delivery): void {
    const size = entry.view.messageCount
    const acknowledged = acknowledgedOf(this.#source.cursor, entry.position)
    const messages = size - (acknowledged?.size ?? 0)
    this.#hold(consumer, delivery, messages)
    consumer.deliver(entry, messages, {
      ackSet: acknowledged === undefined ? undefined : ackSetOf(size, acknowledged),
      redeliveries: delivery.redeliveries,
    })
  }

  #deliverPart(
    consumer: Consumer,
    entry: PulsarEntry,
    delivery: Delivery,
    indexes: readonly number[],
    rest: readonly Buffer[],
  ): void {
    this.#hold(consumer, delivery, indexes.length)
    consumer.deliver(entry, indexes.length, { rest, redeliveries: delivery.redeliveries })
  }

  #hold(consumer: Consumer, delivery: Delivery, messages: number): void {
    consumer.pending.set(positionKey(delivery.position), { ...delivery, outstanding: messages })
    consumer.unackedMessages += messages
    this.#own(consumer, delivery.groups)
  }
}
