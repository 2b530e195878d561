/** Time, injected, so that tests advance it and never wait for it. */
export interface Clock {
  /** Milliseconds since the epoch, as Kafka and Pulsar stamp messages. */
  nowMs(): number
  /** Runs `task` once after `delayMs`; the returned function cancels it. A pending timer never keeps a process alive. */
  after(delayMs: number, task: () => void): () => void
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** A clock that stands still until told to move. */
export class ManualClock implements Clock {
  #now: number
  #timers: { at: number; task: () => void }[] = []

  constructor(startMs = 0) {
    this.#now = startMs
  }

  nowMs(): number {
    return this.#now
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { at: this.#now + delayMs, task }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Moves time on, running every timer that falls due, in order of its time. */
  advance(byMs: number): void {
    const end = this.#now + byMs
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#timers = this.#timers.filter((timer) => timer !== due)
      this.#now = Math.max(this.#now, due.at)
      due.task()
    }
    this.#now = end
  }
}
