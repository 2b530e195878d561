// What a driver in Node keeps of a member of a group: what it has, what it was given and not yet asked for.
// @ts-check
import { DriverError } from './driver.mjs'
import { deferred, orAfter } from './waiting.mjs'

/** @typedef {{ topic: string, partition: number }} Place */
/** @typedef {Place & { offset: string, metadata?: string }} Position */
/**
 * What was received and handed out of a place that was given up, until the library tells where it goes on. `end`: behind
 * all that it handed over; null: nothing yet. `start`: where it says that it goes on; null: it did not say.
 * @typedef {{ records: (Place & { offset: string })[], position: Position | null, end: bigint | null, start: bigint | null }} Held
 */

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
  /** Behind what was received. @type {Map<string, bigint>} */
  #ends = new Map()
  /** @type {Map<string, Held>} */
  #held = new Map()
  /** @type {unknown} */
  #failure = null
  /** How many a `poll` that waits asks for. */
  #wanted = 0
  #changed = deferred()

  /** Given in addition to what it has: what is held of others may be another's by now. @param {readonly Place[]} places */
  assigned(places) {
    for (const place of places) this.#assigned.set(keyOf(place), placeOf(place))
    for (const key of this.#held.keys()) if (!this.#assigned.has(key)) this.#held.delete(key)
    this.#tell('assigned', places)
  }

  /** Given up: what was not handed out of these is dropped, and so are their positions. @param {readonly Place[]} places */
  revoked(places) {
    this.#take('revoked', places)
  }

  /**
   * Given up, by a library that may go on behind what it handed over if it gets them back at once: what was not handed out
   * of these is held, and so are their positions, until `goesOn` or the next record tells. Held positions are no `positions`:
   * the places may be another's.
   * @param {readonly Place[]} places
   */
  revokedForNow(places) {
    for (const place of places) this.#hold(place)
    this.#take('revoked', places)
  }

  /** The places that it has back, of which nothing tells yet where the library goes on. */
  get unsettled() {
    return this.partitions.filter((place) => this.#held.get(keyOf(place))?.start === null)
  }

  /**
   * The library says at which offset it goes on: right behind what it handed over, and what is held of the place comes back.
   * Elsewhere the next record decides: a fetch that was under way meanwhile may carry it on behind all the same.
   * @param {Place} place @param {bigint} start
   */
  goesOn(place, start) {
    const held = this.#held.get(keyOf(place))
    if (held === undefined || !this.has(place)) return
    if (held.end === null) this.#held.delete(keyOf(place))
    else if (start === held.end) this.#restore(place, held)
    else held.start = start
  }

  /** Found to be another's already: nothing stays held. @param {readonly Place[]} places */
  lost(places) {
    this.#held.clear()
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
    const held = this.#held.get(keyOf(record))
    const offset = BigInt(record.offset)
    if (held !== undefined && (held.start === null || !this.has(record))) {
      held.records.push(record)
      held.end = offset + 1n
      return
    }
    if (!this.has(record)) return
    if (held !== undefined) this.#settle(record, held, offset)
    this.#ends.set(keyOf(record), offset + 1n)
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

  /** @param {Place} place */
  #hold(place) {
    const key = keyOf(place)
    if (!this.#assigned.has(key)) return
    const before = this.#held.get(key)
    this.#held.set(key, {
      records: [...(before?.records ?? []), ...this.#waiting.filter((record) => keyOf(record) === key)],
      position: this.#positions.get(key) ?? before?.position ?? null,
      end: this.#ends.get(key) ?? before?.end ?? null,
      start: null,
    })
  }

  /** The first record since the place came back tells where the library has gone on. @param {Place} place @param {Held} held @param {bigint} offset */
  #settle(place, held, offset) {
    const { end, start } = held
    const isMovedBack = end !== null && start !== null && start < end
    if (end !== null && (offset === end || (offset > end && isMovedBack))) this.#restore(place, held)
    else this.#held.delete(keyOf(place))
  }

  /** @param {Place} place @param {Held} held */
  #restore(place, { records, position, end }) {
    const key = keyOf(place)
    this.#held.delete(key)
    this.#waiting.push(...records)
    if (position !== null) this.#positions.set(key, position)
    if (end !== null) this.#ends.set(key, end)
    this.#wake()
  }

  /** @param {'revoked' | 'lost'} event @param {readonly Place[]} places */
  #take(event, places) {
    for (const place of places) {
      this.#assigned.delete(keyOf(place))
      this.#ends.delete(keyOf(place))
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
