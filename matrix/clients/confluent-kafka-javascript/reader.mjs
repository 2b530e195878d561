// Reading one partition by the promisified API, which reads only as a member of a group: a group of its own, whose
// assignment the driver sets to that partition at the wanted offset, as the library's rebalance callback may.
import { DriverError } from '../lib/driver.mjs'
import { deferred, orAfter } from '../lib/waiting.mjs'
import { toReceived } from './records.mjs'

const ASSIGN_PARTITIONS = -175

export class Reader {
  #consumer
  #place
  #received = []
  #position
  /** Whither, and whence, until the first record from there. */
  #sought = null
  #refused = false
  #failure = null
  #assigned = deferred()
  #changed = deferred()

  /**
   * @param place the topic and the partition
   * @param start the offset, a number
   * @param consumerOf makes a consumer with these further settings, and tells what it logs
   */
  constructor(place, start, consumerOf) {
    this.#place = place
    this.#position = start
    this.#consumer = consumerOf(
      { rebalance_cb: (event) => this.#rebalance(event) },
      { refused: () => this.#outOfRange(), failed: (error) => this.#failed(error) },
    )
  }

  async start() {
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topics: [this.#place.topic] })
    await this.#consumer.run({
      eachMessage: async ({ message }) => {
        const offset = Number(message.offset)
        if (this.#isStale(offset)) return
        this.#position = offset + 1
        this.#received.push(toReceived(this.#place.partition, message))
        this.#wake()
      },
    })
    await this.#assigned.promise
  }

  async take({ count, end, deadline, failWhenOutOfRange }) {
    for (;;) {
      const enough = count !== undefined && this.#received.length >= count
      const left = deadline - Date.now()
      if (this.#refused && failWhenOutOfRange)
        throw new DriverError('OFFSET_OUT_OF_RANGE', 'the broker refused the offset; the library logs it')
      if (this.#failure !== null) throw this.#failure
      if (enough || (end !== null && this.#position >= end) || left <= 0)
        return this.#received.splice(0, count ?? this.#received.length)
      await orAfter(left, this.#changed.promise)
    }
  }

  seek(offset) {
    this.#received = []
    this.#refused = false
    this.#sought = { to: Number(offset), from: this.#position }
    this.#position = Number(offset)
    this.#consumer.seek({ ...this.#place, offset })
  }

  close() {
    return this.#consumer.disconnect().catch((error) => console.error('while closing:', error.message))
  }

  async #rebalance({ code }) {
    if (code !== ASSIGN_PARTITIONS) return undefined
    setImmediate(() => this.#assigned.resolve())
    return [{ ...this.#place, offset: this.#position }]
  }

  /** The library seeks when its worker comes round: what it had fetched before may come first. */
  #isStale(offset) {
    if (this.#sought === null) return false
    const { to, from } = this.#sought
    if (offset < to || (to < from && offset >= from)) return true
    this.#sought = null
    return false
  }

  #outOfRange() {
    this.#refused = true
    this.#wake()
  }

  #failed(error) {
    this.#failure = error
    this.#assigned.reject(error)
    this.#wake()
  }

  #wake() {
    this.#changed.resolve()
    this.#changed = deferred()
  }
}
