/**
 * Keeps answers in the order of their questions, whatever order they are found in. Pulsar's producers close the
 * connection when a receipt comes out of turn.
 */
export class AnswerQueue {
  readonly #slots: Slot[] = []

  /** Takes a place; call the result once, with what gives the answer. */
  enqueue(): (answer: () => void) => void {
    const slot: Slot = { answer: undefined }
    this.#slots.push(slot)
    return (answer) => {
      slot.answer = answer
      this.#flush()
    }
  }

  #flush(): void {
    for (let first = this.#slots[0]; first?.answer !== undefined; first = this.#slots[0]) {
      this.#slots.shift()
      first.answer()
    }
  }
}

interface Slot {
  answer: (() => void) | undefined
}
