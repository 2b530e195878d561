import type { MetadataStore } from '../storage/types.js'
import type { PartitionLog } from '../topics/types.js'
import type { PulsarContext } from './context.js'
import { type Failure, fail } from './failure.js'
import type { Producer } from './producer.js'
import { deleteAll } from './subscription-properties.js'
import { AccessMode } from './wire/commands.js'

interface Member {
  readonly close: () => void
}

interface WaitingProducer {
  readonly producer: Producer
  readonly admit: () => void
  /** Called when it is fenced off, or when its turn cannot be stored. */
  readonly close: () => void
}

/** The producers of one partition, by their access modes (PIP-68), and the epoch of those that were exclusive. */
export class TopicProducers {
  readonly #topicId: string
  readonly #log: Pick<PartitionLog, 'pulsarName' | 'index'>
  readonly #context: Pick<PulsarContext, 'metadata' | 'log'>
  readonly #producersMax: () => number
  readonly #producers = new Map<Producer, Member>()
  #waiting: WaitingProducer[] = []
  #exclusive: Producer | undefined
  #epoch: number | undefined

  constructor(
    topicId: string,
    log: Pick<PartitionLog, 'pulsarName' | 'index'>,
    context: Pick<PulsarContext, 'metadata' | 'log'>,
    producersMax: () => number,
  ) {
    this.#topicId = topicId
    this.#log = log
    this.#context = context
    this.#producersMax = producersMax
  }

  /** Without those that wait. */
  get all(): readonly Producer[] {
    return [...this.#producers.keys()]
  }

  /** Undefined until a producer was exclusive. */
  get epoch(): number | undefined {
    return this.#epoch
  }

  /** Takes up the epoch, which outlives the process. */
  async load(): Promise<void> {
    const stored = await this.#context.metadata.get(this.#epochKey())
    if (stored !== undefined) this.#epoch = Number(stored.toString())
  }

  #epochKey(): string {
    return epochsPrefixOf(this.#topicId) + this.#log.index
  }

  /**
   * @param admitted called when a producer that waits for exclusive access gets it.
   * @returns whether it may send at once, or why never.
   */
  async add(
    producer: Producer,
    requestedEpoch: number | undefined,
    close: () => void,
    admitted: () => void,
  ): Promise<'ready' | 'waiting' | Failure> {
    const namesake = this.all.find((other) => other.name === producer.name)
    if (namesake !== undefined) {
      if (!producer.replaces(namesake))
        return fail(
          'ProducerBusy',
          `Producer with name '${producer.name}' is already connected to topic ${this.#log.pulsarName}`,
        )
      this.close(namesake)
    }
    if (this.#producers.size >= this.#producersMax())
      return fail('ProducerBusy', `Topic '${this.#log.pulsarName}' reached max producers limit`)
    const refused = this.#refusalOf(producer, requestedEpoch)
    if (refused !== undefined) return refused
    if (producer.accessMode === AccessMode.WaitForExclusive && this.#isBusy()) {
      const admit = () => {
        this.#producers.set(producer, { close })
        admitted()
      }
      this.#waiting.push({ producer, admit, close })
      return 'waiting'
    }
    if (producer.accessMode === AccessMode.ExclusiveWithFencing) this.#fenceAll()
    // From the checks to here nothing waited: who comes next sees this one.
    this.#producers.set(producer, { close })
    if (isExclusive(producer)) await this.#takeExclusively(producer, requestedEpoch)
    return 'ready'
  }

  #isBusy(): boolean {
    return this.#exclusive !== undefined || this.#producers.size > 0
  }

  /** By the producer's access mode (PIP-68). */
  #refusalOf(producer: Producer, requestedEpoch: number | undefined): Failure | undefined {
    switch (producer.accessMode) {
      case AccessMode.Exclusive:
        if (this.#isBusy()) return fail('ProducerFenced', 'Topic has other producers')
        if (requestedEpoch !== undefined && requestedEpoch < (this.#epoch ?? 0))
          return fail('ProducerFenced', `Topic epoch is ${this.#epoch}, the producer's is ${requestedEpoch}`)
        return undefined
      case AccessMode.ExclusiveWithFencing:
      case AccessMode.WaitForExclusive:
        return undefined
      default:
        if (this.#exclusive !== undefined || this.#waiting.length > 0)
          return fail('ProducerBusy', 'Topic has an existing exclusive producer')
        return undefined
    }
  }

  /** Those that wait first, or the next of them would take the place of the one that goes. */
  #fenceAll(): void {
    for (const waiting of this.#waiting.splice(0)) waiting.close()
    for (const other of this.all) this.close(other)
  }

  /** @throws StorageError when the epoch cannot be stored; the producer is then out again. */
  async #takeExclusively(producer: Producer, requestedEpoch: number | undefined): Promise<void> {
    this.#exclusive = producer
    this.#epoch = requestedEpoch ?? (this.#epoch ?? -1) + 1
    try {
      await this.#context.metadata.put(this.#epochKey(), Buffer.from(String(this.#epoch)))
    } catch (error) {
      this.remove(producer)
      throw error
    }
  }

  /** The broker ends a producer: its client is told, and comes back or is refused. */
  close(producer: Producer): void {
    const member = this.#producers.get(producer)
    this.remove(producer)
    member?.close()
  }

  remove(producer: Producer): void {
    this.#producers.delete(producer)
    this.#waiting = this.#waiting.filter((waiter) => waiter.producer !== producer)
    if (this.#exclusive === producer) this.#exclusive = undefined
    if (this.#producers.size > 0 || this.#exclusive !== undefined) return
    const next = this.#waiting.shift()
    if (next === undefined) return
    this.#takeExclusively(next.producer, undefined).then(
      // Its client may have gone meanwhile.
      () => this.#exclusive === next.producer && next.admit(),
      (error) => {
        this.#context.log.error({ err: error, topic: this.#log.pulsarName }, 'storing a topic epoch failed')
        next.close()
      },
    )
  }
}

const exclusiveModes: readonly number[] = [
  AccessMode.Exclusive,
  AccessMode.WaitForExclusive,
  AccessMode.ExclusiveWithFencing,
]
const isExclusive = ({ accessMode }: Producer): boolean => exclusiveModes.includes(accessMode)

const epochsPrefixOf = (topicId: string): string => `pulsar/topic-epochs/${topicId}/`

/** Forgets the epochs of a deleted topic's producers. */
export const deleteTopicEpochs = (metadata: MetadataStore, topicId: string): Promise<void> =>
  deleteAll(metadata, epochsPrefixOf(topicId))
