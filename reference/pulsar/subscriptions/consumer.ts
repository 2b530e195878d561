import type { Position } from '../../base/brand.js'
import type { LogView, PulsarEntry } from '../../topics/types.js'
import type { CommandBody, CommandName, SubscriptionTypeName } from '../wire/commands.js'
import { encodeBrokerEntryMetadata } from '../wire/frames.js'

/** What a consumer needs of its client's connection. */
export interface ConsumerConnection {
  readonly remoteAddress: string
  /** The client can read PIP-70's prefix. */
  readonly readsBrokerEntryMetadata: boolean
  /** False while the client leaves too much unread (register PH-7); the dispatcher is woken when that is over. */
  isWritable(): boolean
  send<Name extends CommandName>(name: Name, body: CommandBody<Name>): void
  /** @param messages how many the client will see. */
  sendMessage(body: CommandBody<'MESSAGE'>, rest: readonly Buffer[], messages: number): void
}

/** What keeps the messages of one key, or the pieces of one chunked message, at one consumer. */
export type DeliveryGroup = number | string

/** Messages of one entry, on their way to or at a consumer of a shared subscription. */
export interface Delivery {
  readonly key: string
  readonly position: Position
  readonly messageCount: number
  /** The batch indexes meant, when they are not all of the entry's. */
  readonly indexes: readonly number[] | undefined
  readonly groups: readonly DeliveryGroup[]
  readonly redeliveries: number
  /** Of a delivery made: how many messages are not acknowledged yet. */
  outstanding: number
}

export interface Sticky {
  readonly ranges: readonly { readonly start: number; readonly end: number }[]
}

export interface ConsumerOptions {
  readonly id: number
  readonly name: string
  readonly type: SubscriptionTypeName
  readonly connection: ConsumerConnection
  readonly priority: number
  /** Key_Shared with ranges that the client chose; undefined: shared out automatically. */
  readonly sticky: Sticky | undefined
  readonly partition: number
  readonly connectedSinceMs: number
  /** Reads what compaction has left of the log up to its horizon (register CO-11). */
  readonly readCompacted?: boolean
  /** Echoed in messages, so that the client can tell those sent before its last redelivery request. */
  readonly epoch: number | undefined
  readonly metadata: Readonly<Record<string, string>>
}

/** Shared consumers get no more while they hold this many messages unacknowledged (Pulsar's default). */
const UNACKED_MESSAGES_MAX = 50_000

/** One SUBSCRIBE of a client. */
export class Consumer {
  readonly id: number
  readonly name: string
  readonly type: SubscriptionTypeName
  readonly connection: ConsumerConnection
  readonly priority: number
  readonly sticky: Sticky | undefined
  readonly connectedSinceMs: number
  readonly metadata: Readonly<Record<string, string>>
  readonly view: LogView
  epoch: number | undefined
  /** Messages that the client has room for. Below 0 after a batch larger than that. */
  permits = 0
  /** Of shared subscriptions: what was sent and not acknowledged, by position. */
  readonly pending = new Map<string, Delivery>()
  unackedMessages = 0
  messagesOut = 0
  bytesOut = 0
  messagesRedelivered = 0
  readonly #partition: number

  constructor(options: ConsumerOptions) {
    this.id = options.id
    this.name = options.name
    this.type = options.type
    this.connection = options.connection
    this.priority = options.priority
    this.sticky = options.sticky
    this.connectedSinceMs = options.connectedSinceMs
    this.metadata = options.metadata
    this.epoch = options.epoch
    this.view = options.readCompacted === true ? 'compacted' : 'log'
    this.#partition = options.partition
  }

  get isBlocked(): boolean {
    return this.unackedMessages >= UNACKED_MESSAGES_MAX
  }

  canTake(): boolean {
    return this.permits > 0 && !this.isBlocked && this.connection.isWritable()
  }

  /**
   * Sends an entry, or what `rest` holds of it.
   * @param messages how many of it the client will see; they use up permits.
   */
  deliver(
    entry: PulsarEntry,
    messages: number,
    options: { ackSet?: readonly bigint[] | undefined; redeliveries?: number; rest?: readonly Buffer[] },
  ): void {
    let rest = options.rest ?? entry.view.headersAndPayload
    if (this.connection.readsBrokerEntryMetadata) {
      const lastIndex = entry.firstIndex + entry.view.messageCount - 1
      rest = [encodeBrokerEntryMetadata(entry.brokerTimestampMs, lastIndex), ...rest]
    }
    this.permits -= messages
    this.messagesOut += messages
    for (const piece of rest) this.bytesOut += piece.length
    const redeliveryCount = options.redeliveries ?? 0
    if (redeliveryCount > 0) this.messagesRedelivered += messages
    const { ledgerId, entryId } = entry.position
    this.connection.sendMessage(
      {
        consumerId: this.id,
        messageId: { ledgerId, entryId, partition: this.#partition },
        redeliveryCount,
        ackSet: options.ackSet,
        consumerEpoch: this.epoch,
      },
      rest,
      messages,
    )
  }
}
