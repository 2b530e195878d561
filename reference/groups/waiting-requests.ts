import type { GroupReply, ReplyTo } from './step-state.js'

interface Waiting {
  readonly resolve: (reply: GroupReply) => void
  readonly reject: (reason: unknown) => void
}

/** Requests that are not answered yet. Each is answered once; what comes later for it is dropped. */
export class WaitingRequests {
  readonly #waiting = new Map<ReplyTo, Waiting>()
  #next: ReplyTo = 1

  /** @param resolve called in the same turn as the group answers. */
  add(resolve: Waiting['resolve'], reject: Waiting['reject']): ReplyTo {
    const replyTo = this.#next++
    this.#waiting.set(replyTo, { resolve, reject })
    return replyTo
  }

  resolve(to: ReplyTo, reply: GroupReply): void {
    this.#take(to)?.resolve(reply)
  }

  reject(to: ReplyTo, reason: unknown): void {
    this.#take(to)?.reject(reason)
  }

  rejectAll(reason: unknown): void {
    for (const to of [...this.#waiting.keys()]) this.reject(to, reason)
  }

  #take(to: ReplyTo): Waiting | undefined {
    const waiting = this.#waiting.get(to)
    this.#waiting.delete(to)
    return waiting
  }
}
