import type { AnswerQueue } from './answer-queue.js'
import type { CredentialWatch } from './credential-watch.js'
import type { Failure } from './failure.js'
import type { Producer } from './producer.js'
import type { PulsarService } from './service.js'
import type { Consumer, ConsumerConnection } from './subscriptions/consumer.js'
import type { Subscription } from './subscriptions/subscription.js'
import type { PulsarTopic } from './topic.js'
import type { CommandBody, CommandName } from './wire/commands.js'

export interface HeldProducer {
  readonly producer: Producer
  readonly topic: PulsarTopic
  readonly answers: AnswerQueue
  readonly schemaVersion: Buffer | undefined
  /** False while it waits for exclusive access. */
  ready: boolean
}

export interface HeldConsumer {
  readonly consumer: Consumer
  readonly topic: PulsarTopic
  readonly subscription: Subscription
}

/** A client's connection, as command handlers see it. */
export interface Session extends ConsumerConnection {
  readonly service: PulsarService
  /** The address of the listener that this client came to. */
  readonly serviceUrl: string
  readonly producers: Map<number, HeldProducer>
  readonly consumers: Map<number, HeldConsumer>
  /** What CONNECT told; undefined before. */
  client: { readonly version: string; readonly protocolVersion: number } | undefined
  readsBrokerEntryMetadata: boolean
  /** Who the client is; null where nobody has to say. */
  role: string | null
  /** Waits for the end of the client's credential. */
  readonly credential: CredentialWatch
  send<Name extends CommandName>(name: Name, body: CommandBody<Name>): void
  sendError(requestId: bigint, failure: Failure): void
  /** Brackets a message being stored: while too many bytes are, the connection is not read (register PH-7). */
  publishStarted(bytes: number): void
  publishEnded(bytes: number): void
  /** Tells the client why, then ends this connection. */
  refuse(failure: Failure): void
  /** Ends this connection, saying why in the log. */
  end(reason: string): void
}

/**
 * Does what a command asks. Commands of one connection take effect in order: when a handler returns a promise, the next
 * command waits for it.
 */
export type Handler<Name extends CommandName> = (
  session: Session,
  body: CommandBody<Name>,
  rest: Buffer,
) => void | Promise<void>
