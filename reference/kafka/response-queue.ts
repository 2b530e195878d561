import type { Socket } from 'node:net'

/** A place in the order of responses, taken when a request starts and filled when it is answered. */
export interface ResponseSlot {
  /** undefined: not yet; null: this request gets no answer. */
  pieces: readonly Buffer[] | null | undefined
}

/** Sends responses in the order of their requests, whichever is ready first, as few system calls as can be. */
export class ResponseQueue {
  readonly #socket: Socket
  readonly #onFlushed: () => void
  #slots: ResponseSlot[] = []

  /** @param onFlushed called whenever the socket has taken what was written. */
  constructor(socket: Socket, onFlushed: () => void) {
    this.#socket = socket
    this.#onFlushed = onFlushed
  }

  open(): ResponseSlot {
    const slot: ResponseSlot = { pieces: undefined }
    this.#slots.push(slot)
    return slot
  }

  /** Fills a slot, and sends every response that is now next in line. */
  fill(slot: ResponseSlot, pieces: readonly Buffer[] | null): void {
    slot.pieces = pieces
    if (this.#slots[0] !== slot || this.#socket.destroyed) return
    const ready = this.#takeReady()
    if (ready.length === 0) return
    this.#socket.cork()
    for (const piece of ready.slice(0, -1)) this.#socket.write(piece)
    this.#socket.write(ready.at(-1) ?? '', this.#onFlushed)
    this.#socket.uncork()
  }

  #takeReady(): Buffer[] {
    const ready: Buffer[] = []
    let count = 0
    for (const { pieces } of this.#slots) {
      if (pieces === undefined) break
      if (pieces !== null) ready.push(...pieces)
      count++
    }
    this.#slots.splice(0, count)
    return ready
  }
}
