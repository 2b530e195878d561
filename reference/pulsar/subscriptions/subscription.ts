import { comparePositions, type Position } from '../../base/brand.js'
import type { Clock } from '../../base/clock.js'
import type { Log } from '../../base/log.js'
import type { Acknowledgement, Cursor } from '../../storage/types.js'
import type { PartitionLog } from '../../topics/types.js'
import { type Failure, fail } from '../failure.js'
import type { MessageIdData, SubscriptionTypeName } from '../wire/commands.js'
import { acknowledgedIndexes, firstUnacknowledged } from './ack-set.js'
import type { Consumer } from './consumer.js'
import type { Dispatcher, DispatchSource } from './dispatcher.js'
import { type KeySelector, RingSelector, StickySelector } from './key-selector.js'
import { asPosition } from './message-ids.js'
import { positionKey } from './position-set.js'
import { SharedDispatcher } from './shared.js'
import { SingleActiveDispatcher } from './single-active.js'

export interface SubscriptionOptions {
  readonly name: string
  readonly cursor: Cursor
  readonly log: PartitionLog
  readonly clock: Clock
  readonly logger: Log
  readonly partitioned: boolean
  /** Called after acknowledgements took effect. */
  readonly onAcknowledged?: (() => void) | undefined
}

/** Clients acknowledge "all before the first entry" as entry −1: nothing to do. */
const namesAnEntry = (id: MessageIdData): boolean =>
  id.ledgerId >= 0 && id.entryId >= 0 && id.ledgerId <= Number.MAX_SAFE_INTEGER && id.entryId < 2 ** 47

/** A subscription of one partition: a cursor, and while consumers are connected the dispatcher of their type. */
export class Subscription {
  readonly name: string
  readonly cursor: Cursor
  readonly #log: PartitionLog
  readonly #source: DispatchSource
  readonly #stopListening: () => void
  readonly #onAcknowledged: () => void
  #type: SubscriptionTypeName | undefined
  #dispatcher: Dispatcher | undefined
  #keys: KeySelector | undefined
  #reset: Promise<void> | undefined
  #cancelReset: (() => void) | undefined
  /** Who was told that a terminated topic has no more. */
  readonly #toldEnd = new WeakSet<Consumer>()

  constructor(options: SubscriptionOptions) {
    this.name = options.name
    this.cursor = options.cursor
    this.#log = options.log
    this.#onAcknowledged = () => {
      options.onAcknowledged?.()
      this.#tellEnd()
    }
    this.#source = {
      log: options.log,
      cursor: options.cursor,
      clock: options.clock,
      partitioned: options.partitioned,
      onError: (error) =>
        options.logger.error(
          { err: error, topic: options.log.pulsarName, subscription: options.name },
          'dispatching failed; it goes on at the next wake-up',
        ),
    }
    this.#stopListening = options.log.onAppend(() => {
      this.#dispatcher?.wake()
      this.#tellEnd()
    })
  }

  /** True while a seek makes consumers reconnect: a non-durable subscription then outlives its last consumer. */
  get resetting(): boolean {
    return this.#cancelReset !== undefined
  }

  /** The last seek, over when it resolves; who comes meanwhile waits for it. */
  get reset(): Promise<void> | undefined {
    return this.#reset
  }

  /** @param cancel stops what would end the waiting for consumers. */
  beginReset(reset: Promise<void>, cancel: () => void): void {
    this.endReset()
    this.#reset = reset
    this.#cancelReset = cancel
  }

  /** A consumer has come back, or none will. */
  endReset(): void {
    this.#cancelReset?.()
    this.#cancelReset = undefined
  }

  /** Of the consumers connected, or last connected. */
  get type(): SubscriptionTypeName | undefined {
    return this.#type
  }

  get consumers(): readonly Consumer[] {
    return this.#dispatcher?.consumers ?? []
  }

  get activeConsumer(): Consumer | undefined {
    return this.#dispatcher?.active()
  }

  /** @returns why the consumer cannot be taken in: another type, or an exclusive one, is there. */
  add(consumer: Consumer): Failure | undefined {
    const refused = this.#refusal(consumer)
    if (refused !== undefined) return refused
    if (this.#dispatcher === undefined) {
      this.#type = consumer.type
      this.#dispatcher = this.#newDispatcher(consumer)
    }
    const clash = this.#keys?.add(consumer)
    if (clash !== undefined) {
      if (this.consumers.length === 0) this.#stopDispatching()
      return fail('ConsumerAssignError', clash)
    }
    this.#dispatcher.add(consumer)
    return undefined
  }

  #refusal(consumer: Consumer): Failure | undefined {
    if (this.consumers.length === 0) return undefined
    if (this.#type !== consumer.type)
      return fail('ConsumerBusy', `Subscription is of different type: ${this.#type} is connected`)
    if (consumer.type === 'Exclusive') return fail('ConsumerBusy', 'Exclusive consumer is already connected')
    const sticky = this.#keys instanceof StickySelector
    if (consumer.type === 'Key_Shared' && sticky !== (consumer.sticky !== undefined))
      return fail('ConsumerBusy', 'Key_Shared subscription is of a different key-sharing mode')
    return undefined
  }

  #newDispatcher(consumer: Consumer): Dispatcher {
    this.#keys = undefined
    if (consumer.type === 'Exclusive') return new SingleActiveDispatcher(this.#source, false)
    if (consumer.type === 'Failover') return new SingleActiveDispatcher(this.#source, true)
    if (consumer.type === 'Key_Shared')
      this.#keys = consumer.sticky === undefined ? new RingSelector() : new StickySelector()
    return new SharedDispatcher(this.#source, this.#keys)
  }

  /** Its unacknowledged messages go to the others. */
  remove(consumer: Consumer): void {
    if (!this.consumers.includes(consumer)) return
    this.#dispatcher?.remove(consumer)
    if (this.consumers.length === 0) this.#stopDispatching()
  }

  #stopDispatching(): void {
    this.#dispatcher?.stop()
    this.#dispatcher = undefined
    this.#keys = undefined
  }

  flow(consumer: Consumer, permits: number): void {
    consumer.permits += permits
    this.#dispatcher?.wake()
    this.#tellEnd()
  }

  /** A terminated topic's consumers learn that they have had its last message. */
  #tellEnd(): void {
    if (!this.#log.terminated || this.cursor.backlogEntries() > 0) return
    for (const consumer of this.consumers) {
      if (this.#toldEnd.has(consumer)) continue
      this.#toldEnd.add(consumer)
      consumer.connection.send('REACHED_END_OF_TOPIC', { consumerId: consumer.id })
    }
  }

  wake(): void {
    this.#dispatcher?.wake()
  }

  /** Sends unacknowledged messages again: all, or those of the entries named (which single-active types take as all). */
  redeliver(consumer: Consumer, ids: readonly MessageIdData[]): void {
    this.#dispatcher?.redeliver(consumer, ids.length === 0 ? undefined : ids.map(asPosition))
  }

  /** Individual acknowledgement. Durable, on a durable subscription, when it resolves. */
  async acknowledge(consumer: Consumer, ids: readonly MessageIdData[]): Promise<void> {
    const acknowledgements: Acknowledgement[] = []
    for (const id of ids.filter(namesAnEntry)) {
      const position = asPosition(id)
      const acknowledgement =
        id.ackSet === undefined
          ? this.#wholeEntry(consumer, position)
          : this.#someOfEntry(
              consumer,
              position,
              id.ackSet,
              id.batchSize ?? (await this.#batchSize(consumer, position)),
            )
      acknowledgements.push(acknowledgement)
    }
    await this.cursor.acknowledge(acknowledgements)
    this.#dispatcher?.wake()
    this.#onAcknowledged()
  }

  #wholeEntry(consumer: Consumer, position: Position): Acknowledgement {
    const delivery = consumer.pending.get(positionKey(position))
    if (delivery === undefined)
      return this.#isOthers(position) ? { position, batchIndexes: [] } : { position }
    this.#settle(consumer, position)
    return { position, batchIndexes: delivery.indexes }
  }

  /** Bits count the batch that the client was given, which of Key_Shared may be a part of the entry. */
  #someOfEntry(
    consumer: Consumer,
    position: Position,
    ackSet: readonly bigint[],
    size: number,
  ): Acknowledgement {
    const delivery = consumer.pending.get(positionKey(position))
    if (delivery === undefined && this.#isOthers(position)) return { position, batchIndexes: [] }
    const indexes = delivery?.indexes
    const local = acknowledgedIndexes(ackSet, indexes?.length ?? size)
    const batchIndexes = indexes === undefined ? local : local.map((index) => indexes[index] ?? 0)
    if (delivery !== undefined) {
      const outstanding = Math.max(0, (indexes?.length ?? size) - local.length)
      consumer.unackedMessages -= Math.max(0, delivery.outstanding - outstanding)
      delivery.outstanding = Math.min(delivery.outstanding, outstanding)
      if (outstanding === 0) this.#settle(consumer, position)
    }
    return { position, batchIndexes }
  }

  /**
   * A late acknowledgement of a part that was taken back meanwhile says nothing of which part it was: it must not take
   * others' messages with it. They, and the part, come again to whoever does acknowledge them.
   */
  #isOthers(position: Position): boolean {
    return this.#dispatcher instanceof SharedDispatcher && this.#dispatcher.isParted(position)
  }

  #settle(consumer: Consumer, position: Position): void {
    const delivery = consumer.pending.get(positionKey(position))
    if (delivery !== undefined && this.#dispatcher instanceof SharedDispatcher)
      this.#dispatcher.settle(consumer, delivery)
  }

  /** How many messages the entry holds, for clients that do not say. */
  async #batchSize(consumer: Consumer, position: Position): Promise<number> {
    const delivery = consumer.pending.get(positionKey(position))
    if (delivery !== undefined) return delivery.messageCount
    const [entry] = await this.#log.readPulsar(position, { maxEntries: 1, maxBytes: 1 })
    const found = entry !== undefined && comparePositions(entry.position, position) === 0
    return found ? entry.view.messageCount : 0
  }

  /** Cumulative acknowledgement; Shared and Key_Shared have none. */
  async acknowledgeUpTo(id: MessageIdData): Promise<Failure | undefined> {
    if (!namesAnEntry(id)) return undefined
    if (this.#dispatcher instanceof SharedDispatcher)
      return fail('NotAllowedError', 'cumulative acknowledgement is not possible on a shared subscription')
    const position = asPosition(id)
    const first = id.ackSet === undefined ? undefined : firstUnacknowledged(id.ackSet)
    if (first === undefined) await this.cursor.acknowledgeUpTo(position)
    else if (first > 0) await this.cursor.acknowledgeUpTo(position, first - 1)
    else {
      const entryId = (position.entryId - 1) as Position['entryId']
      if (entryId >= 0) await this.cursor.acknowledgeUpTo({ ledgerId: position.ledgerId, entryId })
    }
    this.#onAcknowledged()
    return undefined
  }

  close(): void {
    this.#stopListening()
    this.#stopDispatching()
  }
}
