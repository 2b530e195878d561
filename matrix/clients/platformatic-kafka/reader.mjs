// Reading one partition by @platformatic/kafka: a stream of a group of its own, that begins at a given offset. The
// library does not seek: another stream of the same consumer begins elsewhere.
import { DriverError, Unsupported } from '../lib/driver.mjs'
import { deferred, orAfter } from '../lib/waiting.mjs'
import { nameOf } from './names.mjs'
import { toReceived } from './records.mjs'

export class Reader {
  #consumer
  #place
  #options
  #fetches
  #stream = null
  #received = []
  #position = 0n
  #failure = null
  #changed = deferred()
  #fetching = deferred()

  /**
   * @param consumer of a group of its own
   * @param place the topic and the partition
   * @param options of the library's `consume`
   * @param fetches the library's channel that tells of every fetch that begins
   */
  constructor(consumer, place, options, fetches) {
    this.#consumer = consumer
    this.#place = place
    this.#options = options
    this.#fetches = fetches
    consumer.on('error', (error) => this.#failed(error))
    fetches.subscribe(this.#listener)
  }

  #listener = {
    start: ({ client }) => client === this.#consumer && this.#fetching.resolve(),
    asyncEnd: ({ client }) => client === this.#consumer && setImmediate(() => this.#wake()),
  }

  /** Resolves when a fetch from the place is under way. */
  get fetching() {
    return this.#fetching.promise
  }

  async start(offset) {
    this.#position = BigInt(offset)
    const stream = await this.#consumer.consume({
      ...this.#options,
      topics: [this.#place.topic],
      mode: 'manual',
      offsets: [{ ...this.#place, offset: this.#position }],
      autocommit: false,
    })
    this.#stream = stream
    stream.on('error', (error) => this.#failed(error))
    stream.on('data', (message) => {
      if (stream !== this.#stream || message.partition !== this.#place.partition) return
      this.#position = message.offset + 1n
      this.#received.push(toReceived(message))
      this.#wake()
    })
  }

  async seek(offset) {
    const old = this.#stream
    this.#stream = null
    await old.close()
    this.#received = []
    this.#failure = null
    await this.start(offset)
  }

  async take({ count, end, deadline, reset = 'none' }) {
    for (;;) {
      const enough = count !== undefined && this.#received.length >= count
      const left = deadline - Date.now()
      if (!enough && this.#failure !== null) throw this.#told(reset)
      if (enough || (end !== null && this.#isAt(end)) || left <= 0)
        return this.#received.splice(0, count ?? this.#received.length)
      await orAfter(left, this.#changed.promise)
    }
  }

  close() {
    this.#fetches.unsubscribe(this.#listener)
    return this.#consumer.close(true).catch((error) => console.error('while closing:', error))
  }

  /** Where the log ends in what is no record, newer versions tell how far they fetched. */
  #isAt(end) {
    if (this.#position >= end) return true
    const { topic, partition } = this.#place
    const fetched = this.#stream?.offsetsToFetch?.get(`${topic}:${partition}`)
    return fetched !== undefined && fetched >= end && this.#stream.readableLength === 0
  }

  #told(reset) {
    if (nameOf(this.#failure) === 'OFFSET_OUT_OF_RANGE' && reset !== 'none')
      return new Unsupported('@platformatic/kafka resets no offset that is out of range: its stream fails')
    return this.#failure
  }

  #failed(error) {
    this.#failure = error ?? new DriverError('Error', 'the stream failed')
    this.#fetching.reject(this.#failure)
    this.#wake()
  }

  #wake() {
    this.#changed.resolve()
    this.#changed = deferred()
  }
}
