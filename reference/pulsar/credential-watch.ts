import type { Clock } from '../base/clock.js'
import type { CommandBody } from './wire/commands.js'

/** The connection whose client is watched. */
interface Watched {
  readonly client: { readonly protocolVersion: number } | undefined
  send(name: 'AUTH_CHALLENGE', body: CommandBody<'AUTH_CHALLENGE'>): void
  end(reason: string): void
}

/** What Pulsar's clients know to be the wish for a new credential. */
const refreshRequest = Buffer.from('PulsarAuthRefresh')
/** A timer takes no longer. */
const timerMsMax = 2 ** 31 - 1

/** Asks a client for a new token when its own has ended, and ends its connection when none comes (PIP-30). */
export class CredentialWatch {
  readonly #session: Watched
  readonly #clock: Clock
  readonly #answerMs: number
  #cancel: () => void = () => {}
  #isAsked = false

  constructor(session: Watched, clock: Clock, answerMs: number) {
    this.#session = session
    this.#clock = clock
    this.#answerMs = answerMs
  }

  /** Whether a new credential was asked for: one that comes unasked is none. */
  get isAsked(): boolean {
    return this.#isAsked
  }

  /** @param expiresAtMs undefined: never. @param canRefresh whether the client knows to be asked. */
  start(expiresAtMs: number | undefined, canRefresh: boolean): void {
    this.stop()
    if (expiresAtMs === undefined) return
    const leftMs = Math.max(0, expiresAtMs - this.#clock.nowMs())
    this.#cancel = this.#clock.after(Math.min(leftMs, timerMsMax), () => {
      if (leftMs > timerMsMax) this.start(expiresAtMs, canRefresh)
      else if (canRefresh) this.#ask()
      else this.#session.end('its token has expired')
    })
  }

  stop(): void {
    this.#cancel()
    this.#isAsked = false
  }

  #ask(): void {
    this.#isAsked = true
    this.#session.send('AUTH_CHALLENGE', {
      serverVersion: 'kop-conformance-reference',
      challenge: { authMethodName: 'token', authData: refreshRequest },
      protocolVersion: this.#session.client?.protocolVersion ?? 0,
    })
    this.#cancel = this.#clock.after(this.#answerMs, () =>
      this.#session.end('its token has expired, and no other came'),
    )
  }
}
