import type { Consumer } from './consumer.js'
import { HASH_RANGE_SIZE, murmur3 } from './murmur3.js'

/** Which consumer of a Key_Shared subscription a hash belongs to. */
export interface KeySelector {
  /** @returns a sentence when the consumer cannot be taken in. */
  add(consumer: Consumer): string | undefined
  remove(consumer: Consumer): void
  select(hash: number): Consumer | undefined
}

const POINTS_PER_CONSUMER = 100

/** Auto-split: a ring of points, so that a consumer that comes or goes moves few keys. */
export class RingSelector implements KeySelector {
  #points: { readonly at: number; readonly consumer: Consumer }[] = []

  add(consumer: Consumer): undefined {
    const points = [...this.#points]
    for (let point = 0; point < POINTS_PER_CONSUMER; point++)
      points.push({ at: murmur3(Buffer.from(`${consumer.name}\0${point}`)) % HASH_RANGE_SIZE, consumer })
    this.#points = points.sort((a, b) => a.at - b.at)
  }

  remove(consumer: Consumer): void {
    this.#points = this.#points.filter((point) => point.consumer !== consumer)
  }

  select(hash: number): Consumer | undefined {
    let low = 0
    let high = this.#points.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#points[middle]?.at ?? 0) < hash) low = middle + 1
      else high = middle
    }
    return (this.#points[low] ?? this.#points[0])?.consumer
  }
}

/** Sticky: consumers name their ranges, both ends included; ranges must not overlap. */
export class StickySelector implements KeySelector {
  #consumers: Consumer[] = []

  add(consumer: Consumer): string | undefined {
    const ranges = consumer.sticky?.ranges ?? []
    if (ranges.length === 0) return 'Ranges for KeyShared policy must not be empty.'
    for (const { start, end } of ranges) {
      if (start < 0 || end < start || end >= HASH_RANGE_SIZE) return `Range ${start}-${end} is not valid`
      const other = this.#consumers.find((holder) =>
        holder.sticky?.ranges.some((held) => start <= held.end && held.start <= end),
      )
      if (other !== undefined) return `Range ${start}-${end} conflicts with that of consumer ${other.name}`
    }
    this.#consumers = [...this.#consumers, consumer]
    return undefined
  }

  remove(consumer: Consumer): void {
    this.#consumers = this.#consumers.filter((other) => other !== consumer)
  }

  select(hash: number): Consumer | undefined {
    return this.#consumers.find((consumer) =>
      consumer.sticky?.ranges.some(({ start, end }) => start <= hash && hash <= end),
    )
  }
}

/** Shared: the next in turn that can take a message, best (lowest) priority level first. */
export class TurnTaker {
  #consumers: Consumer[] = []
  #turn = 0

  add(consumer: Consumer): void {
    this.#consumers = [...this.#consumers, consumer]
  }

  remove(consumer: Consumer): void {
    this.#consumers = this.#consumers.filter((other) => other !== consumer)
  }

  next(): Consumer | undefined {
    let best: Consumer | undefined
    let bestStep = 0
    for (let step = 0; step < this.#consumers.length; step++) {
      const consumer = this.#consumers[(this.#turn + step) % this.#consumers.length]
      if (consumer?.canTake() !== true) continue
      if (best === undefined || consumer.priority < best.priority) {
        best = consumer
        bestStep = step
      }
    }
    if (best !== undefined) this.#turn = (this.#turn + bestStep + 1) % this.#consumers.length
    return best
  }
}
