import type { Socket } from 'node:net'
import type { Clock } from '../base/clock.js'
import type { Log } from '../base/log.js'
import { MalformedError } from '../base/malformed.js'
import { apiVersions } from './messages/18-api-versions.js'
import { ResponseQueue } from './response-queue.js'
import { type SaslOptions, SaslSession, strangersFrameBytesMax } from './session.js'
import { FrameReader } from './wire/frame-reader.js'
import {
  apiVersionsKey,
  type DecodedRequest,
  decodeRequest,
  decodeRequestHeader,
  encodeResponse,
  type RequestHeader,
} from './wire/frames.js'
import type { Api, ResponseOf } from './wire/schema.js'

/** An API that is answered, in these versions of its table. */
export interface ServedApi {
  readonly api: Api
  readonly versions: readonly [number, number]
}

/** What handlers may know of, and do to, the connection that a request came by. */
export interface ConnectionContext {
  /** The name of the listener that accepted it. */
  readonly listener: string
  /** The client's address as Kafka writes it: `/127.0.0.1`. */
  readonly clientHost: string
  /** Aborted when the connection ends or is to end: what waits for it, waits no longer. */
  readonly closed: AbortSignal
  /** The client's log-in; undefined on a listener that asks for none. */
  readonly session?: SaslSession | undefined
  /** Ends the connection, logging why. */
  close(reason: string): void
}

export interface RequestMeasure {
  readonly apiName: string
  readonly apiVersion: number
  readonly requestBytes: number
  /** From the frame's arrival to its response being handed to the socket. */
  readonly durationMs: number
}

export interface ConnectionOptions {
  readonly listener: string
  readonly clock: Clock
  readonly log: Log
  /** The largest frame accepted, in bytes (Kafka's `socket.request.max.bytes`). */
  readonly frameBytesMax: number
  /** A connection on which nothing moves for so long is closed (register PH-8). */
  readonly idleMs: number
  find(apiKey: number): ServedApi | undefined
  /** What the listener's clients log in to; absent: whoever comes is let in. */
  readonly sasl?: SaslOptions | undefined
  /** What a client with a newer ApiVersions is told, in v0 form (KIP-511). */
  apiVersionsRefusal(): ResponseOf<typeof apiVersions>
  /** @returns the response's body, or null when there is none to send (Produce with acks=0). */
  dispatch(request: DecodedRequest, connection: ConnectionContext): Promise<ResponseOf<Api> | null>
  onRequest?(measure: RequestMeasure): void
  /** Requests of these APIs may be under way together; `Produce` when absent. See `Connection`. */
  readonly pipelinedApiKeys?: ReadonlySet<number>
  /** Reading stops while so many requests are under way; 64 when absent. */
  readonly requestsMax?: number
  /** Reading stops while the requests under way are larger than this together; 32 MiB when absent. */
  readonly requestBytesMax?: number
  /** Reading stops while the client leaves more than this unread; 1 MiB when absent. */
  readonly unreadBytesMax?: number
}

const produceKey = 0
const pipelinedDefault: ReadonlySet<number> = new Set([produceKey])

/**
 * Serves one socket: frames in, dispatch, responses out.
 *
 * - Requests take effect and are answered in the order they came. As in Kafka, one is under way at a time, so that a client
 *   may rely on the effect of the request before. Those that are pipelined (Produce) overlap one another: they are started
 *   in order, and whoever appends keeps that order.
 * - Reading stops while too much is under way or unread (register PH-7), so that a client's own socket slows it down.
 * - Malformed and oversized frames, unknown APIs and versions, and a handler that throws end this connection only, with a
 *   logged reason (PH-6). An ApiVersions that is too new is answered instead (PH-4).
 *
 * Any `net.Socket` will do: a `TLSSocket` is one.
 */
export class Connection implements ConnectionContext {
  readonly listener: string
  readonly clientHost: string
  readonly session: SaslSession | undefined
  readonly #socket: Socket
  readonly #options: ConnectionOptions
  readonly #frames: FrameReader
  readonly #responses: ResponseQueue
  readonly #closed = new AbortController()
  readonly #pipelined: ReadonlySet<number>
  #held: Buffer | null = null
  #underWay = 0
  #bytesUnderWay = 0
  #serialUnderWay = false
  #draining: (() => void) | null = null
  #movedMs: number
  #cancelIdle: () => void = () => {}

  constructor(socket: Socket, options: ConnectionOptions) {
    this.listener = options.listener
    this.clientHost = `/${(socket.remoteAddress ?? '').replace(/^::ffff:/, '')}`
    this.#socket = socket
    this.#options = options
    this.session = options.sasl === undefined ? undefined : new SaslSession(options.sasl)
    const { frameBytesMax } = options
    this.#frames = new FrameReader(
      this.session === undefined ? frameBytesMax : Math.min(frameBytesMax, strangersFrameBytesMax),
    )
    this.#responses = new ResponseQueue(socket, () => this.#onFlushed())
    this.#pipelined = options.pipelinedApiKeys ?? pipelinedDefault
    this.#movedMs = options.clock.nowMs()
    this.#listen()
    this.#watchIdle(options.idleMs)
  }

  get closed(): AbortSignal {
    return this.#closed.signal
  }

  close(reason: string): void {
    this.#end('info', reason)
  }

  /** Takes no more requests, lets those under way be answered, then ends. Resolves when it is over. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) return resolve()
      this.#socket.once('close', () => resolve())
      this.#draining = () => this.#socket.destroySoon()
      this.#socket.pause()
      this.#closed.abort()
      if (this.#underWay === 0) this.#draining()
    })
  }

  #listen(): void {
    const socket = this.#socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#onData(chunk))
    socket.on('error', (error) => this.#options.log.debug(this.#details(error.message), 'connection lost'))
    socket.on('close', () => this.#onClose())
  }

  #onData(chunk: Buffer): void {
    this.#movedMs = this.#options.clock.nowMs()
    this.#frames.push(chunk)
    this.#pump()
  }

  #onFlushed(): void {
    this.#movedMs = this.#options.clock.nowMs()
    this.#pump()
  }

  #onClose(): void {
    this.#cancelIdle()
    this.#held = null
    this.#closed.abort()
  }

  /** Starts all requests that may start, then reads on, unless too much is under way. */
  #pump(): void {
    try {
      while (!this.#socket.destroyed && this.#draining === null && this.session?.failure === undefined) {
        this.#held ??= this.#isFull() ? null : this.#frames.next()
        if (this.#held === null || !this.#mayStart(this.#held)) break
        const frame = this.#held
        this.#held = null
        this.#start(frame)
      }
    } catch (error) {
      this.#refuse(error)
    }
    if (this.#socket.destroyed) return
    if (this.#held !== null || this.#isFull() || this.#draining !== null) this.#socket.pause()
    else this.#socket.resume()
  }

  #isFull(): boolean {
    const { requestsMax = 64, requestBytesMax = 32 << 20, unreadBytesMax = 1 << 20 } = this.#options
    return (
      this.#underWay >= requestsMax ||
      this.#bytesUnderWay > requestBytesMax ||
      this.#socket.writableLength > unreadBytesMax
    )
  }

  #mayStart(frame: Buffer): boolean {
    if (this.#isFull()) return false
    return this.#underWay === 0 || (!this.#serialUnderWay && this.#isPipelined(frame))
  }

  #isPipelined(frame: Buffer): boolean {
    if (this.session?.takesRawFrames === true) return false
    return frame.length >= 2 && this.#pipelined.has(frame.readInt16BE(0))
  }

  /** @throws MalformedError */
  #start(frame: Buffer): void {
    if (this.session?.takesRawFrames === true) {
      void this.#answerRaw(this.session, frame)
      return
    }
    const header = decodeRequestHeader(frame)
    const refusal = this.session?.refusalOf(header.apiKey)
    if (refusal !== undefined) {
      this.#end('info', refusal)
      return
    }
    const served = this.#options.find(header.apiKey)
    if (header.apiKey === apiVersionsKey && served !== undefined && header.apiVersion > served.versions[1]) {
      this.#refuseApiVersions(header)
      return
    }
    if (served === undefined) throw new MalformedError(`API ${header.apiKey} is not known`)
    const [first, last] = served.versions
    if (header.apiVersion < first || header.apiVersion > last)
      throw new MalformedError(
        `${served.api.name} v${header.apiVersion}, where ${first} to ${last} are known`,
      )
    const request = decodeRequest(frame, served.api)
    void this.#answer(request, !this.#isPipelined(frame))
  }

  #refuseApiVersions({ correlationId }: RequestHeader): void {
    const body = this.#options.apiVersionsRefusal()
    this.#responses.fill(this.#responses.open(), encodeResponse(apiVersions, 0, correlationId, body))
  }

  async #answer(request: DecodedRequest, isSerial: boolean): Promise<void> {
    const { api, apiVersion, correlationId, frameBytes } = request
    const startedMs = performance.now()
    const slot = this.#responses.open()
    this.#underWay++
    this.#bytesUnderWay += frameBytes
    this.#serialUnderWay = isSerial
    try {
      const body = await this.#options.dispatch(request, this)
      this.#responses.fill(slot, body === null ? null : encodeResponse(api, apiVersion, correlationId, body))
    } catch (error) {
      this.#fail(request, error)
    }
    this.#underWay--
    this.#bytesUnderWay -= frameBytes
    this.#serialUnderWay = false
    const durationMs = performance.now() - startedMs
    this.#options.onRequest?.({ apiName: api.name, apiVersion, requestBytes: frameBytes, durationMs })
    this.#heedSession()
    if (this.#underWay === 0) this.#draining?.()
    this.#pump()
  }

  /** SASL's messages after handshake v0: bare frames, answered by bare frames; a refusal has no form but the end (KIP-152). */
  async #answerRaw(session: SaslSession, frame: Buffer): Promise<void> {
    const slot = this.#responses.open()
    this.#underWay++
    this.#serialUnderWay = true
    try {
      const answer = await session.raw(frame)
      const length = Buffer.alloc(4)
      length.writeInt32BE(answer.length)
      this.#responses.fill(slot, session.failure === undefined ? [length, answer] : null)
    } catch (error) {
      this.#refuse(error)
    }
    this.#underWay--
    this.#serialUnderWay = false
    this.#heedSession()
    if (this.#underWay === 0) this.#draining?.()
    this.#pump()
  }

  /** Who is known may send large requests; whose log-in failed is told so, and no more. */
  #heedSession(): void {
    const { session } = this
    if (session === undefined) return
    if (session.principal !== undefined) this.#frames.frameBytesMax = this.#options.frameBytesMax
    if (session.failure === undefined || this.#socket.destroyed) return
    this.#options.log.info(this.#details(session.failure), 'a client was not authenticated')
    this.#socket.destroySoon()
  }

  #fail({ api, apiVersion, clientId }: DecodedRequest, error: unknown): void {
    if (!this.#socket.destroyed)
      this.#options.log.error(
        { err: error, clientId, clientHost: this.clientHost },
        `${api.name} v${apiVersion} failed`,
      )
    this.#socket.destroy()
  }

  #refuse(error: unknown): void {
    if (error instanceof MalformedError) this.#end('warn', error.message)
    else {
      this.#options.log.error({ err: error, clientHost: this.clientHost }, 'connection failed')
      this.#socket.destroy()
    }
  }

  #end(level: 'info' | 'warn', reason: string): void {
    if (this.#socket.destroyed) return
    this.#options.log[level](this.#details(reason), 'connection closed')
    this.#socket.destroy()
  }

  #details(reason: string): object {
    return { clientHost: this.clientHost, listener: this.listener, reason }
  }

  /** One timer a connection, set anew when it fires, not with each request. */
  #watchIdle(delayMs: number): void {
    this.#cancelIdle = this.#options.clock.after(delayMs, () => {
      const leftMs = this.#movedMs + this.#options.idleMs - this.#options.clock.nowMs()
      if (this.#underWay > 0) this.#watchIdle(this.#options.idleMs)
      else if (leftMs > 0) this.#watchIdle(leftMs)
      else this.#end('info', `idle for ${this.#options.idleMs} ms`)
    })
  }
}
