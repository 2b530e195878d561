import type { Clock } from '../base/clock.js'
import type { Log } from '../base/log.js'

/** Clients send again at once: each failure by itself would fill the log, perhaps on the disk that is full. */
const quietMs = 10_000

/** Says in the log that a partition's appends fail: the first at once, then how many it were, now and then. */
export class FailedAppends {
  readonly #topic: string
  readonly #log: Log
  readonly #clock: Clock
  #count = 0
  #quietUntilMs = Number.NEGATIVE_INFINITY

  constructor(topic: string, log: Log, clock: Clock) {
    this.#topic = topic
    this.#log = log
    this.#clock = clock
  }

  add(error: unknown): void {
    this.#count++
    const nowMs = this.#clock.nowMs()
    if (nowMs < this.#quietUntilMs) return
    this.#log.error({ topic: this.#topic, err: error, failed: this.#count }, 'appends fail and are refused')
    this.#count = 0
    this.#quietUntilMs = nowMs + quietMs
  }
}
