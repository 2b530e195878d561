// What a driver in Node keeps of a member of a group: what it has, what it was given and not yet asked for.
// @ts-check
import { DriverError } from './driver.mjs'
import { deferred, orAfter } from './waiting.mjs'

/** @typedef {{ topic: string, partition: number }} Place */
/** @typedef {Place & { offset: string, metadata?: string }} Position */

/** So many records wait for `memberPoll`: beyond that a member should fetch no more. */
const WAITING_RECORDS_MAX = 5000

const keyOf = (/** @type {Place} */ { topic, partition }) => `${topic} ${partition}`
const placeOf = (/** @type {Place} */ { topic, partition }) => ({ topic, partition })

export class MemberState {
  /** @type {Map<string, Place>} */
  #assigned = new Map()
  /** @type {{ event: 'assigned' | 'revoked' | 'lost', partitions: Place[] }[]} */
  #history = []
  /** @type {(Place & { offset: string })[]} */
  #waiting = []
  /** @type {Map<string, Position>} */
  #positions = new Map()
  /** @type {unknown} */
  #failure = null
  /** How many a `poll` that waits asks for. */
  #wanted = 0
  #changed = deferred()

  /** Given in addition to what it has. @param {readonly Place[]} places */
  assigned(places) {
    for (const place of places) this.#assigned.set(keyOf(place), placeOf(place))
    this.#tell('assigned', places)
  }

  /** Given up: what was not handed out of these is dropped, and so are their positions. @param {readonly Place[]} places */
  revoked(places) {
    this.#take('revoked', places)
  }

  /** Found to be another's already. @param {readonly Place[]} places */
  lost(places) {
    this.#take('lost', places)
  }

  /** @param {Place} place */
  has(place) {
    return this.#assigned.has(keyOf(place))
  }

  get partitions() {
    return inOrder([...this.#assigned.values()])
  }

  /** Whether enough waits, and fetching should pause. */
  get full() {
    return this.#waiting.length >= Math.max(WAITING_RECORDS_MAX, this.#wanted)
  }

  /** @param {Place & { offset: string }} record */
  received(record) {
    if (!this.has(record)) return
    this.#waiting.push(record)
    this.#wake()
  }

  /** The library has given the member up. @param {unknown} error */
  failed(error) {
    this.#failure = error
    this.#wake()
  }

  /** Why the library has given the member up; null: it has not. */
  get failure() {
    return this.#failure
  }

  recovered() {
    this.#failure = null
  }

  /** @param {number} count @param {number} timeoutMs */
  async assignment(count, timeoutMs) {
    await this.#until(timeoutMs, () => this.#assigned.size === count)
    return { partitions: this.partitions, history: [...this.#history] }
  }

  /** @param {number} count @param {number} timeoutMs */
  async poll(count, timeoutMs) {
    this.#wanted = count
    try {
      await this.#until(timeoutMs, () => this.#waiting.length >= count)
    } finally {
      this.#wanted = 0
    }
    const records = this.#waiting.splice(0, count)
    for (const { topic, partition, offset } of records) {
      this.#positions.set(keyOf({ topic, partition }), {
        topic,
        partition,
        offset: String(BigInt(offset) + 1n),
      })
    }
    return records
  }

  /** The places after what `poll` answered with, of partitions that it still has. */
  get positions() {
    return [...this.#positions.values()]
  }

  /** @param {'assigned' | 'revoked' | 'lost'} event @param {readonly Place[]} places */
  #tell(event, places) {
    if (places.length > 0) this.#history.push({ event, partitions: places.map(placeOf) })
    this.#wake()
  }

  /** @param {'revoked' | 'lost'} event @param {readonly Place[]} places */
  #take(event, places) {
    for (const place of places) {
      this.#assigned.delete(keyOf(place))
      this.#positions.delete(keyOf(place))
    }
    this.#waiting = this.#waiting.filter((record) => this.has(record))
    this.#tell(event, places)
  }

  /** @param {number} timeoutMs @param {() => boolean} done */
  async #until(timeoutMs, done) {
    const deadline = Date.now() + timeoutMs
    while (!done()) {
      if (this.#failure !== null) throw this.#failure
      const left = deadline - Date.now()
      if (left <= 0) return
      await orAfter(left, this.#changed.promise)
    }
  }

  #wake() {
    this.#changed.resolve()
    this.#changed = deferred()
  }
}

/**
 * @template T
 * @param {Map<string, T>} members
 * @param {string} name
 * @returns {T}
 */
export function openMemberOf(members, name) {
  const member = members.get(name)
  if (member === undefined) throw new DriverError('NoSuchMember', `no member ${name} is open`)
  return member
}

/** In the order of topic and partition. @template {Place} P @param {readonly P[]} places @returns {P[]} */
export function inOrder(places) {
  return [...places].sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition)
}
