import type { Socket } from 'node:net'
import { MalformedError } from '../base/malformed.js'
import { StorageError } from '../storage/types.js'
import { isUnauthorized, mayOnTopic } from './commands/authorization.js'
import { handlers } from './commands/index.js'
import { CredentialWatch } from './credential-watch.js'
import { type Failure, fail } from './failure.js'
import type { PulsarService } from './service.js'
import type { Handler, HeldConsumer, HeldProducer, Session } from './session.js'
import type { PulsarTopic } from './topic.js'
import { type CommandBody, type CommandName, ServerError } from './wire/commands.js'
import { encodeFrame, encodeFrameWithRest, type Frame, FrameSplitter, frameBytesMax } from './wire/frames.js'

/** Unsent bytes above which no more messages are given to this client, and its commands wait. */
const UNSENT_BYTES_MAX = 1024 * 1024
/** Bytes of messages being stored, and commands waiting, above which the socket is not read. */
const STORING_BYTES_MAX = 32 * 1024 * 1024
const WAITING_FRAMES_MAX = 1_000
/** The request id of what the broker sends unasked. */
const NO_REQUEST = -1n
/** Messages being stored above which the socket is not read: small ones cost more than their bytes (as in Pulsar). */
const STORING_MESSAGES_MAX = 1_000

/**
 * One client's connection: frames in, commands in order, frames out. A malformed frame ends this connection only, with
 * a logged reason (register PH-6); a client that does not read, or sends faster than the store takes, is not read from
 * (PH-7).
 */
export class PulsarConnection implements Session {
  readonly service: PulsarService
  readonly serviceUrl: string
  readonly remoteAddress: string
  readonly producers = new Map<number, HeldProducer>()
  readonly consumers = new Map<number, HeldConsumer>()
  client: Session['client']
  readsBrokerEntryMetadata = false
  role: string | null = null
  readonly credential: CredentialWatch
  readonly #socket: Socket
  readonly #splitter: FrameSplitter
  readonly #waiting: Frame[] = []
  #busy = false
  #waitingBytes = 0
  #storingBytes = 0
  #storingMessages = 0
  #corked = false
  #ended = false
  #heardOf = true
  #pinged = false
  #cancelKeepAlive: () => void = () => {}

  constructor(socket: Socket, service: PulsarService, serviceUrl: string) {
    this.#socket = socket
    this.service = service
    this.serviceUrl = serviceUrl
    const { clock, config } = service.context
    this.credential = new CredentialWatch(
      this,
      clock,
      (config.authenticationRefreshCheckSeconds ?? 60) * 1000,
    )
    this.remoteAddress = `/${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`
    this.#splitter = new FrameSplitter(frameBytesMax(service.context.config.maxMessageSize))
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('drain', () => this.#drained())
    socket.on('error', (error) =>
      service.context.log.debug({ err: error }, 'a Pulsar client’s connection failed'),
    )
    socket.on('close', () => this.#closed())
    service.context.metrics?.connectionOpened?.()
    this.#keepAlive()
  }

  send<Name extends CommandName>(name: Name, body: CommandBody<Name>): void {
    this.#write([encodeFrame(name, body)])
  }

  sendMessage(body: CommandBody<'MESSAGE'>, rest: readonly Buffer[], messages: number): void {
    const pieces = encodeFrameWithRest('MESSAGE', body, rest)
    const messagesOut = this.service.context.metrics?.messagesOut
    messagesOut?.(
      messages,
      pieces.reduce((sum, piece) => sum + piece.length, 0),
    )
    this.#write(pieces)
  }

  sendError(requestId: bigint, { failed, message }: Failure): void {
    this.send('ERROR', { requestId, error: ServerError[failed], message })
  }

  isWritable(): boolean {
    return !this.#ended && this.#socket.writableLength < UNSENT_BYTES_MAX
  }

  publishStarted(bytes: number): void {
    this.#storingBytes += bytes
    this.#storingMessages++
    this.#regulate()
  }

  publishEnded(bytes: number): void {
    this.#storingBytes -= bytes
    this.#storingMessages--
    this.#regulate()
  }

  refuse(failure: Failure): void {
    if (this.#ended) return
    const { log } = this.service.context
    log.info({ client: this.remoteAddress, reason: failure.message }, 'a Pulsar client was refused')
    this.sendError(NO_REQUEST, failure)
    this.close()
  }

  /** Closes what its role may no longer have open; the client asks anew, and is told. */
  dropUnauthorized(tenant: string, namespace: string): void {
    for (const [id, { topic, producer }] of this.producers) {
      if (!isOf(topic, tenant, namespace) || mayOnTopic(this, topic.info.name, 'produce')) continue
      this.producers.delete(id)
      topic.removeProducer(producer)
      this.send('CLOSE_PRODUCER', { producerId: id, requestId: NO_REQUEST })
    }
    for (const [id, { topic, consumer }] of this.consumers) {
      if (!isOf(topic, tenant, namespace) || mayOnTopic(this, topic.info.name, 'consume')) continue
      this.consumers.delete(id)
      this.send('CLOSE_CONSUMER', { consumerId: id, requestId: NO_REQUEST })
      topic
        .removeConsumer(consumer)
        .catch((error) => this.service.context.log.warn({ err: error }, 'closing a consumer failed'))
    }
  }

  end(reason: string): void {
    if (this.#ended) return
    this.service.context.log.warn(
      { client: this.remoteAddress, reason },
      'closing a Pulsar client’s connection',
    )
    this.#ended = true
    this.#socket.destroy()
  }

  /** Ends the connection because the broker stops; what was written is still sent. */
  close(): void {
    this.#ended = true
    this.#socket.end(() => this.#socket.destroy())
  }

  /** All that is written in one turn of the event loop goes out in one system call. */
  #write(pieces: readonly Buffer[]): void {
    if (this.#ended || this.#socket.destroyed) return
    if (!this.#corked) {
      this.#corked = true
      this.#socket.cork()
      process.nextTick(() => {
        this.#corked = false
        this.#socket.uncork()
      })
    }
    for (const piece of pieces) this.#socket.write(piece)
  }

  #receive(chunk: Buffer): void {
    if (this.#ended) return
    this.#heardOf = true
    this.#splitter.push(chunk)
    try {
      for (let frame = this.#splitter.next(); frame !== null; frame = this.#splitter.next()) {
        if (this.#ended) return
        if (this.#busy) this.#wait(frame)
        else this.#handle(frame)
      }
    } catch (error) {
      this.#failed(error)
    }
    this.#regulate()
  }

  #wait(frame: Frame): void {
    this.#waiting.push(frame)
    this.#waitingBytes += frame.bytes
  }

  /** @throws what a synchronous handler throws. */
  #handle(frame: Frame): void {
    const { command, rest } = frame
    const handler = this.#handlerOf(command)
    if (handler === undefined || command.name === 'UNKNOWN') return
    this.service.context.metrics?.command?.(command.name)
    if (isUnauthorized(this, command)) return
    const outcome = handler(this, command.body, rest)
    if (outcome === undefined) return
    this.#busy = true
    outcome.catch((error) => this.#answerFailure(command.body, error)).then(() => this.#goOn())
  }

  /** Ends the connection when the command is not one to be answered now. */
  #handlerOf(command: Frame['command']): Handler<CommandName> | undefined {
    if (command.name === 'UNKNOWN') this.end(`unknown command ${command.type}`)
    else if (this.client === undefined && command.name !== 'CONNECT')
      this.end(`${command.name} before CONNECT`)
    else {
      const handler = handlers[command.name] as Handler<CommandName> | undefined
      if (handler === undefined) this.end(`${command.name} is not a client’s command`)
      return handler
    }
    return undefined
  }

  #goOn(): void {
    this.#busy = false
    // What was opened while the client went away is given up again.
    if (this.#ended) this.#release()
    try {
      while (!this.#busy && !this.#ended) {
        const frame = this.#waiting.shift()
        if (frame === undefined) break
        this.#waitingBytes -= frame.bytes
        this.#handle(frame)
      }
    } catch (error) {
      this.#failed(error)
    }
    this.#regulate()
  }

  #answerFailure(body: object, error: unknown): void {
    if (error instanceof MalformedError) {
      this.end(error.message)
      return
    }
    this.service.context.log.error({ err: error, client: this.remoteAddress }, 'a Pulsar command failed')
    const message = error instanceof Error ? error.message : String(error)
    const failed = error instanceof StorageError ? 'PersistenceError' : 'UnknownError'
    if ('requestId' in body && typeof body.requestId === 'bigint')
      this.sendError(body.requestId, fail(failed, message))
  }

  #failed(error: unknown): void {
    if (!(error instanceof MalformedError))
      this.service.context.log.error({ err: error, client: this.remoteAddress }, 'a Pulsar command failed')
    this.end(error instanceof Error ? error.message : String(error))
  }

  #regulate(): void {
    if (this.#ended) return
    const full =
      this.#storingBytes + this.#waitingBytes > STORING_BYTES_MAX ||
      this.#storingMessages > STORING_MESSAGES_MAX ||
      this.#waiting.length > WAITING_FRAMES_MAX ||
      this.#socket.writableLength > UNSENT_BYTES_MAX
    if (full && !this.#socket.isPaused()) this.#socket.pause()
    else if (!full && this.#socket.isPaused()) this.#socket.resume()
  }

  #drained(): void {
    this.#regulate()
    for (const { subscription } of this.consumers.values()) subscription.wake()
  }

  /** A client that stays silent is asked; one that does not answer either is gone. */
  #keepAlive(): void {
    const { clock, config } = this.service.context
    this.#cancelKeepAlive = clock.after(config.keepAliveIntervalSeconds * 1000, () => {
      if (this.#ended) return
      if (this.#heardOf) this.#pinged = false
      else if (this.#pinged && !this.#socket.isPaused()) {
        this.end('no answer to a keep-alive')
        return
      } else {
        this.#pinged = true
        this.send('PING', {})
      }
      this.#heardOf = false
      this.#keepAlive()
    })
  }

  #closed(): void {
    this.#ended = true
    this.#waiting.length = 0
    this.#cancelKeepAlive()
    this.credential.stop()
    this.#release()
    this.service.context.metrics?.connectionClosed?.()
  }

  #release(): void {
    for (const { topic, producer } of this.producers.values()) topic.removeProducer(producer)
    for (const { topic, consumer } of this.consumers.values())
      topic
        .removeConsumer(consumer)
        .catch((error) => this.service.context.log.warn({ err: error }, 'closing a consumer failed'))
    this.producers.clear()
    this.consumers.clear()
  }
}

const isOf = ({ info }: PulsarTopic, tenant: string, namespace: string): boolean =>
  info.name.tenant === tenant && info.name.namespace === namespace
