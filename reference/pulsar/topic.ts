import { asEntryId, comparePositions } from '../base/brand.js'
import type { GroupOfPartition } from '../topics/group-subscriptions.js'
import { isRefusal, type PartitionLog, type TopicInfo } from '../topics/types.js'
import type { PulsarContext } from './context.js'
import { asFailure, type Failure, fail } from './failure.js'
import { type LimitPolicy, limitOf } from './limits.js'
import { isStorable } from './names.js'
import type { Producer } from './producer.js'
import { SubscriptionProperties } from './subscription-properties.js'
import type { Consumer } from './subscriptions/consumer.js'
import { type StartPoint, startPointOf, startPointOfTime } from './subscriptions/message-ids.js'
import { Subscription } from './subscriptions/subscription.js'
import { TopicProducers } from './topic-producers.js'
import type { MessageIdData } from './wire/commands.js'

export interface SubscribeRequest {
  readonly subscription: string
  readonly durable: boolean
  readonly startMessageId: MessageIdData | undefined
  readonly fromEarliest: boolean
  /** 0: none; else a new subscription starts so long before now. */
  readonly rollbackSeconds: number
}

interface Member {
  readonly close: () => void
}

/** A non-durable subscription whose consumers were closed by a seek is forgotten when none comes back. */
const RECONNECT_MS_MAX = 60_000

/** One partition as Pulsar clients use it: its producers and subscriptions. Exists while its log is open here. */
export class PulsarTopic {
  readonly info: TopicInfo
  readonly log: PartitionLog
  /** What users attach to subscriptions here. */
  readonly properties: SubscriptionProperties
  readonly #context: PulsarContext
  readonly #producers: TopicProducers
  readonly #consumers = new Map<Consumer, Member & { readonly subscription: Subscription }>()
  readonly #subscriptions = new Map<string, Promise<Subscription>>()
  readonly #opened = new Map<string, Subscription>()
  /** Subscriptions being deleted: whoever wants one of that name gets a new one, afterwards. */
  readonly #deletions = new Map<string, Promise<void>>()

  constructor(info: TopicInfo, log: PartitionLog, context: PulsarContext) {
    this.info = info
    this.log = log
    this.properties = new SubscriptionProperties(context.metadata, info.topicId, log.index)
    this.#context = context
    this.#producers = new TopicProducers(info.topicId, log, context, () =>
      this.#limit('maxProducersPerTopic'),
    )
  }

  get producers(): readonly Producer[] {
    return this.#producers.all
  }

  /** Subscriptions in use. Durable ones that nobody used since the start are only in `ledger.cursorNames()`. */
  get subscriptions(): readonly Subscription[] {
    return [...this.#opened.values()]
  }

  /** Undefined until a producer was exclusive. */
  get epoch(): number | undefined {
    return this.#producers.epoch
  }

  /** Loads what outlives the process. */
  async open(): Promise<void> {
    await this.#producers.load()
    await this.properties.load()
  }

  /** @returns whether it may send at once, or why never; see `TopicProducers`. */
  addProducer(
    producer: Producer,
    requestedEpoch: number | undefined,
    close: () => void,
    admitted: () => void,
  ): Promise<'ready' | 'waiting' | Failure> {
    return this.#producers.add(producer, requestedEpoch, close, admitted)
  }

  /** The broker ends a producer: its client is told, and comes back or is refused. */
  closeProducer(producer: Producer): void {
    this.#producers.close(producer)
  }

  removeProducer(producer: Producer): void {
    this.#producers.remove(producer)
  }

  /** Opens a subscription, creating it when there is none. */
  async subscription(request: SubscribeRequest): Promise<Subscription | Failure> {
    if (!isStorable(request.subscription))
      return fail('NotAllowedError', 'The subscription name is not valid')
    await this.#deletions.get(request.subscription)?.catch(() => undefined)
    const known = this.#subscriptions.get(request.subscription)
    if (known !== undefined) {
      const subscription = await known
      await subscription.reset
      if (this.#opened.get(request.subscription) !== subscription) return this.subscription(request)
      if (subscription.cursor.durable !== request.durable)
        return fail(
          'NotAllowedError',
          `Subscription ${request.subscription} is ${request.durable ? 'not ' : ''}durable`,
        )
      return subscription
    }
    const tooMany = this.#refusalToCreate(request)
    if (tooMany !== undefined) return tooMany
    const opening = this.#openSubscription(request)
    this.#subscriptions.set(request.subscription, opening)
    opening.catch(() => this.#subscriptions.delete(request.subscription))
    return opening
  }

  /** One whose cursor lasts, under the usual options; a new one begins at the log's end, or at its beginning. */
  durableSubscription(name: string, { fromEarliest = false } = {}): Promise<Subscription | Failure> {
    return this.subscription({
      subscription: name,
      durable: true,
      startMessageId: undefined,
      fromEarliest,
      rollbackSeconds: 0,
    })
  }

  /** Readers, which are subscriptions without a cursor that lasts, are not counted. */
  #refusalToCreate({ subscription, durable }: SubscribeRequest): Failure | undefined {
    const names = this.log.ledger.cursorNames()
    if (!durable || names.includes(subscription)) return undefined
    if (names.length < this.#limit('maxSubscriptionsPerTopic')) return undefined
    return fail('NotAllowedError', `Topic ${this.log.pulsarName} has as many subscriptions as it may have`)
  }

  async #openSubscription(request: SubscribeRequest): Promise<Subscription> {
    const { ledger } = this.log
    const { subscription: name, durable } = request
    const isNew = !durable || !ledger.cursorNames().includes(name)
    const start = isNew ? await this.#startOf(request) : ledger.end
    const cursor = durable
      ? await ledger.openCursor(name, start.position)
      : ledger.newNonDurableCursor(name, start.position)
    const subscription = new Subscription({
      name,
      cursor,
      log: this.log,
      clock: this.#context.clock,
      logger: this.#context.log,
      partitioned: this.info.partitions > 0,
      onAcknowledged: () => {
        if (durable) this.#context.groups?.acknowledged(this.log, name)
      },
    })
    this.#opened.set(name, subscription)
    return subscription
  }

  async #startOf(request: SubscribeRequest): Promise<StartPoint> {
    const { ledger } = this.log
    if (request.rollbackSeconds > 0)
      return startPointOfTime(ledger, this.#context.clock.nowMs() - request.rollbackSeconds * 1000)
    if (!request.durable && request.startMessageId !== undefined)
      return startPointOf(request.startMessageId, ledger)
    return request.fromEarliest ? ledger.start : ledger.end
  }

  /** @param close called when the broker ends the consumer. */
  addConsumer(subscription: Subscription, consumer: Consumer, close: () => void): Failure | undefined {
    const refused =
      this.#refusalByGroup(subscription) ?? this.#refusalByNumber(subscription) ?? subscription.add(consumer)
    if (refused !== undefined) return refused
    this.#consumers.set(consumer, { subscription, close })
    subscription.endReset()
    return undefined
  }

  #limit(policy: LimitPolicy): number {
    const { catalog } = this.#context
    return limitOf(catalog.tenants, catalog.findById(this.info.topicId) ?? this.info, policy)
  }

  #refusalByNumber({ consumers }: Subscription): Failure | undefined {
    if (this.#consumers.size >= this.#limit('maxConsumersPerTopic'))
      return fail('ConsumerBusy', 'Topic reached max consumers limit')
    if (consumers.length >= this.#limit('maxConsumersPerSubscription'))
      return fail('ConsumerBusy', 'Subscription reached max consumers limit')
    return undefined
  }

  /** A Kafka group with members has its subscription to itself (register PT-7). */
  #refusalByGroup(subscription: Subscription): Failure | undefined {
    const members = this.groupOf(subscription)?.members ?? 0
    if (members === 0) return undefined
    const are = members === 1 ? 'member is' : 'members are'
    const message = `Subscription ${subscription.name} is a Kafka group: ${members} ${are} active`
    return fail('ConsumerBusy', message)
  }

  /** The Kafka group that the subscription is; undefined when it is Pulsar's own. */
  groupOf({ name, cursor }: Subscription): GroupOfPartition | undefined {
    return cursor.durable ? this.#context.groups?.of(this.log, name) : undefined
  }

  /** Whether consumers of either world use it: then it is not deleted unless its caller insists (register PT-4). */
  isInUse(subscription: Subscription): boolean {
    return subscription.consumers.length > 0 || (this.groupOf(subscription)?.members ?? 0) > 0
  }

  /** The client has gone or closed it. A non-durable subscription goes with its last consumer (register CO-3). */
  async removeConsumer(consumer: Consumer): Promise<void> {
    const member = this.#consumers.get(consumer)
    if (member === undefined) return
    this.#consumers.delete(consumer)
    member.subscription.remove(consumer)
    await this.#tellLeft(member.subscription)
    await this.#dropIfUnused(member.subscription)
  }

  /** So that a Kafka client that comes next resumes where the last consumer of Pulsar has acknowledged. */
  async #tellLeft({ name, cursor, consumers }: Subscription): Promise<void> {
    if (!cursor.durable || consumers.length > 0) return
    await this.#context.groups?.left(this.log, name)
  }

  async #dropIfUnused(subscription: Subscription): Promise<void> {
    if (subscription.cursor.durable || subscription.resetting || subscription.consumers.length > 0) return
    if (this.#opened.get(subscription.name) === subscription) await this.#forget(subscription)
  }

  async #forget(subscription: Subscription): Promise<void> {
    this.#opened.delete(subscription.name)
    this.#subscriptions.delete(subscription.name)
    subscription.endReset()
    subscription.close()
    await subscription.cursor.close()
  }

  /** Removes a subscription for ever; its consumers must have gone. */
  deleteSubscription(name: string): Promise<void> {
    const before = this.#deletions.get(name)
    if (before !== undefined) return before
    const deletion = this.#deleteSubscription(name).finally(() => this.#deletions.delete(name))
    this.#deletions.set(name, deletion)
    // It is its caller's to report; who waits for it only wants it to be over.
    deletion.catch(() => undefined)
    return deletion
  }

  async #deleteSubscription(name: string): Promise<void> {
    const subscription = this.#opened.get(name)
    if (subscription !== undefined) await this.#forget(subscription)
    await this.properties.delete(name)
    const { groups } = this.#context
    const removeCursor = async (): Promise<void> => {
      if (this.log.ledger.cursorNames().includes(name)) await this.log.ledger.deleteCursor(name)
    }
    await (groups === undefined ? removeCursor() : groups.deleted(this.log, name, removeCursor))
  }

  /** The group that a subscription is has no offset any more. False when consumers use it: then it stays theirs. */
  async removeUnused(name: string): Promise<boolean> {
    const subscription = this.#opened.get(name)
    if (subscription === undefined) return true
    if (subscription.consumers.length > 0) return false
    await this.#forget(subscription)
    return true
  }

  /** A Kafka group's commit moved the cursor: its consumers, if there are any, come back to the new place. */
  cursorMoved(name: string): void {
    const subscription = this.#opened.get(name)
    if (subscription?.cursor.durable === true) this.closeConsumers(subscription)
  }

  /** A Kafka group of that name has members: where they read this topic, consumers of Pulsar have to go (register PT-7). */
  groupStarted(name: string): void {
    const subscription = this.#opened.get(name)
    if (subscription === undefined || subscription.consumers.length === 0) return
    if ((this.groupOf(subscription)?.members ?? 0) > 0) this.closeConsumers(subscription)
  }

  /** In the same turn of the event loop as the cursor moved: no commit comes between. */
  async #tellMoved({ name, cursor }: Subscription): Promise<void> {
    if (!cursor.durable) return
    const { position, batchIndex } = cursor
    await this.#context.groups?.moved(this.log, name, { position, batchIndex })
  }

  /** Moves a subscription. As Pulsar does, its consumers are closed first and come back by themselves. */
  async seek(subscription: Subscription, point: StartPoint): Promise<void> {
    const timer = this.#context.clock.after(RECONNECT_MS_MAX, () => {
      subscription.endReset()
      this.#dropIfUnused(subscription).catch((error) =>
        this.#context.log.warn({ err: error }, 'closing a cursor failed'),
      )
    })
    const reset = subscription.cursor.reset(point.position, point.batchIndex)
    const moved = Promise.all([reset, this.#tellMoved(subscription)])
    // Who comes meanwhile waits for it to be over; whether it was stored is told to the one who asked.
    subscription.beginReset(
      moved.then(
        () => undefined,
        () => undefined,
      ),
      timer,
    )
    this.closeConsumers(subscription)
    await moved
  }

  /**
   * Acknowledges all before a place for a subscription: skipping, clearing and expiring. What is acknowledged after it
   * stays so, and consumers stay connected.
   */
  async advance(subscription: Subscription, point: StartPoint): Promise<void> {
    const { cursor } = subscription
    const order = comparePositions(point.position, cursor.position)
    if (order < 0 || (order === 0 && point.batchIndex <= cursor.batchIndex)) return
    const { ledgerId, entryId } = point.position
    const acknowledged =
      point.batchIndex > 0
        ? cursor.acknowledgeUpTo(point.position, point.batchIndex - 1)
        : cursor.acknowledgeUpTo({ ledgerId, entryId: asEntryId(entryId - 1) })
    const told = this.#tellMoved(subscription)
    subscription.wake()
    await Promise.all([acknowledged, told])
  }

  closeConsumers(subscription: Subscription): void {
    for (const consumer of subscription.consumers) {
      const member = this.#consumers.get(consumer)
      this.#consumers.delete(consumer)
      subscription.remove(consumer)
      member?.close()
    }
  }

  /** Ends all producers and consumers here; they reconnect by themselves. */
  async unload(): Promise<void> {
    for (const producer of this.producers) this.closeProducer(producer)
    for (const subscription of this.subscriptions) {
      this.closeConsumers(subscription)
      await this.#forget(subscription)
    }
  }
}

/** @returns the partition's log opened, or the failure. */
export async function openTopic(
  context: PulsarContext,
  info: TopicInfo,
  index: PartitionLog['index'],
): Promise<PulsarTopic | Failure> {
  const log = await context.catalog.partition(info, index)
  if (isRefusal(log)) return asFailure(log)
  const topic = new PulsarTopic(info, log, context)
  await topic.open()
  return topic
}
