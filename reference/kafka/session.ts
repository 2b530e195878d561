import type { Clock } from '../base/clock.js'
import {
  isSaslMechanism,
  type SaslExchange,
  type SaslMechanism,
  type SaslParts,
  startExchange,
} from '../security/sasl.js'
import { type Authenticated, isDenied, type NamespaceName, type Role } from '../security/types.js'
import { apiVersionsKey } from './wire/frames.js'

/** Who is at the other end, from the log-in to the next: what is remembered of rights is remembered by this object. */
export interface Principal {
  readonly role: Role
  /** undefined: the namespace of the configuration. */
  readonly namespace: NamespaceName | undefined
}

export interface SaslOptions extends SaslParts {
  readonly mechanisms: readonly SaslMechanism[]
  /** How long a session lasts at most; 0: as long as its credential. */
  readonly sessionMsMax: number
  /** How long a refusal is kept back, so that guessing takes time (KIP-306). */
  readonly refusalDelayMs: number
  readonly clock: Clock
}

export interface SaslAnswer {
  readonly error: 'NONE' | 'ILLEGAL_SASL_STATE' | 'SASL_AUTHENTICATION_FAILED'
  readonly message: string | null
  readonly bytes: Buffer
  /** 0: the session does not end. */
  readonly lifetimeMs: number
}

const handshakeKey = 17
const authenticateKey = 36
/** What may be asked before it is known who asks. */
const openKeys: ReadonlySet<number> = new Set([handshakeKey, authenticateKey, apiVersionsKey])
/** Kafka's `sasl.server.max.receive.size`: who is not known yet does not make us keep more. */
export const strangersFrameBytesMax = 512 * 1024
const nothing = Buffer.alloc(0)

/**
 * The log-in of one connection on a listener that asks for it: SaslHandshake, then the mechanism's messages, inside
 * SaslAuthenticate or, after handshake v0, as bare frames; and logging in again before the session ends (KIP-368), as the same
 * role in the same namespace by the same mechanism.
 */
export class SaslSession {
  readonly #options: SaslOptions
  #mechanism: SaslMechanism | undefined
  #exchange: SaslExchange | undefined
  #isRaw = false
  #principal: Principal | undefined
  #endsAtMs: number | undefined
  #failure: string | undefined

  constructor(options: SaslOptions) {
    this.#options = options
  }

  get principal(): Principal | undefined {
    return this.#principal
  }

  /** Why the connection is to end when its answer is sent. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** The next frame is a bare message of the mechanism. */
  get takesRawFrames(): boolean {
    return this.#isRaw && this.#exchange !== undefined
  }

  get mechanisms(): readonly SaslMechanism[] {
    return this.#options.mechanisms
  }

  /** @returns why a request of this API may not be served now, for the log; Kafka ends the connection without an answer. */
  refusalOf(apiKey: number): string | undefined {
    if (openKeys.has(apiKey)) return undefined
    if (this.#principal === undefined || this.#exchange !== undefined)
      return `API ${apiKey} before authentication`
    if (this.#endsAtMs !== undefined && this.#options.clock.nowMs() >= this.#endsAtMs)
      return 'the session has ended without a new log-in'
    return undefined
  }

  handshake(
    mechanism: string,
    apiVersion: number,
  ): 'NONE' | 'ILLEGAL_SASL_STATE' | 'UNSUPPORTED_SASL_MECHANISM' {
    const isAgain = this.#principal !== undefined
    if (isAgain && (this.#endsAtMs === undefined || apiVersion === 0)) return 'ILLEGAL_SASL_STATE'
    if (this.#exchange !== undefined) {
      this.#fail('a SASL handshake in the middle of another')
      return 'ILLEGAL_SASL_STATE'
    }
    const isChanged = isAgain && mechanism !== this.#mechanism
    if (isChanged || !isSaslMechanism(mechanism) || !this.mechanisms.includes(mechanism)) {
      this.#fail('a SASL mechanism that is not offered')
      return 'UNSUPPORTED_SASL_MECHANISM'
    }
    this.#mechanism = mechanism
    this.#exchange = startExchange(mechanism, this.#options)
    this.#isRaw = apiVersion === 0
    return 'NONE'
  }

  /** A message inside SaslAuthenticate. */
  async authenticate(message: Buffer): Promise<SaslAnswer> {
    if (this.#exchange !== undefined && !this.#isRaw) return this.#step(this.#exchange, message)
    // Whoever is in stays in; whoever is not has no second try.
    if (this.#principal === undefined) this.#fail('SaslAuthenticate without a handshake')
    return failed('ILLEGAL_SASL_STATE', 'SaslAuthenticate belongs after SaslHandshake v1, and once is enough')
  }

  /** A bare message. @returns what to send as a bare frame; `failure` says when there is nothing. */
  async raw(message: Buffer): Promise<Buffer> {
    if (this.#exchange === undefined) return nothing
    return (await this.#step(this.#exchange, message)).bytes
  }

  async #step(exchange: SaslExchange, message: Buffer): Promise<SaslAnswer> {
    const step = await exchange(message)
    if (isDenied(step)) return this.#refuse(step.denied)
    if ('challenge' in step) return { error: 'NONE', message: null, bytes: step.challenge, lifetimeMs: 0 }
    return this.#accept(step.authenticated, step.message)
  }

  async #accept({ role, namespace, expiresAtMs }: Authenticated, bytes: Buffer): Promise<SaslAnswer> {
    const known = this.#principal
    if (known !== undefined && !isSame(known, { role, namespace }))
      return this.#refuse('Logging in again must be as the same role in the same namespace')
    const { clock, sessionMsMax } = this.#options
    const nowMs = clock.nowMs()
    const endsAtMs = Math.min(expiresAtMs ?? Infinity, sessionMsMax > 0 ? nowMs + sessionMsMax : Infinity)
    this.#principal ??= { role, namespace }
    this.#endsAtMs = Number.isFinite(endsAtMs) ? endsAtMs : undefined
    this.#exchange = undefined
    const lifetimeMs = this.#endsAtMs === undefined ? 0 : Math.max(1, this.#endsAtMs - nowMs)
    return { error: 'NONE', message: null, bytes, lifetimeMs }
  }

  async #refuse(reason: string): Promise<SaslAnswer> {
    this.#fail(reason)
    const { clock, refusalDelayMs } = this.#options
    if (refusalDelayMs > 0) await new Promise<void>((resolve) => clock.after(refusalDelayMs, resolve))
    return failed('SASL_AUTHENTICATION_FAILED', reason)
  }

  #fail(reason: string): void {
    this.#exchange = undefined
    this.#failure = reason
  }
}

const failed = (error: SaslAnswer['error'], message: string): SaslAnswer => ({
  error,
  message,
  bytes: nothing,
  lifetimeMs: 0,
})

const isSame = (one: Principal, other: Principal): boolean =>
  one.role === other.role &&
  one.namespace?.tenant === other.namespace?.tenant &&
  one.namespace?.namespace === other.namespace?.namespace
