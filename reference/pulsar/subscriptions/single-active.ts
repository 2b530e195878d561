import { asEntryId, asLedgerId, comparePositions, type Position } from '../../base/brand.js'
import type { PulsarEntry } from '../../topics/types.js'
import { ackSetOf } from './ack-set.js'
import type { Consumer } from './consumer.js'
import {
  acknowledgedOf,
  type Dispatcher,
  type DispatchSource,
  isPassedOver,
  positionAfter,
  READ_BYTES_MAX,
  READ_ENTRIES_MAX,
} from './dispatcher.js'
import { Pump } from './pump.js'

/**
 * Exclusive and Failover: one consumer at a time gets everything in order. When another takes over, or asks for
 * redelivery, reading starts again at the first entry that is not acknowledged.
 *
 * Failover's choice: the best (lowest) priority level; among equals, on a topic with partitions, by name and partition
 * number, so that partitions spread; else who came first.
 */
export class SingleActiveDispatcher implements Dispatcher {
  readonly #source: DispatchSource
  readonly #announces: boolean
  readonly #pump: Pump
  #consumers: Consumer[] = []
  #active: Consumer | undefined
  #readPosition: Position
  /** Nothing was read yet. */
  #isNew = true
  /** Grows when reading starts again, so that what was read before is not sent. */
  #generation = 0

  /** @param announces tell consumers whether they are the active one (Failover). */
  constructor(source: DispatchSource, announces: boolean) {
    this.#source = source
    this.#announces = announces
    this.#readPosition = source.cursor.position
    this.#pump = new Pump(
      () => this.#step(),
      (error) => source.onError(error),
    )
  }

  get consumers(): readonly Consumer[] {
    return this.#consumers
  }

  active(): Consumer | undefined {
    return this.#active
  }

  add(consumer: Consumer): void {
    this.#consumers = [...this.#consumers, consumer]
    const changed = this.#choose()
    if (this.#announces && !changed) this.#announce(consumer)
  }

  remove(consumer: Consumer): void {
    this.#consumers = this.#consumers.filter((other) => other !== consumer)
    this.#choose()
  }

  wake(): void {
    this.#pump.wake()
  }

  redeliver(consumer: Consumer): void {
    if (consumer === this.#active) this.#rewind()
  }

  stop(): void {
    this.#pump.stop()
  }

  /** @returns whether another consumer is active now. */
  #choose(): boolean {
    const chosen = chooseActive(
      this.#consumers,
      this.#source.partitioned ? this.#source.log.index : undefined,
    )
    if (chosen === this.#active) return false
    this.#active = chosen
    if (this.#announces) for (const consumer of this.#consumers) this.#announce(consumer)
    this.#rewind()
    return true
  }

  #announce(consumer: Consumer): void {
    const isActive = consumer === this.#active
    consumer.connection.send('ACTIVE_CONSUMER_CHANGE', { consumerId: consumer.id, isActive })
  }

  #rewind(): void {
    this.#generation++
    this.#readPosition = this.#source.cursor.position
    this.#pump.wake()
  }

  async #step(): Promise<boolean> {
    const consumer = this.#active
    if (consumer === undefined || consumer.permits <= 0 || !consumer.connection.isWritable()) return false
    const generation = this.#generation
    const maxEntries = Math.min(consumer.permits, READ_ENTRIES_MAX)
    const limits = { maxEntries, maxBytes: READ_BYTES_MAX }
    const entries = await this.#source.log.readPulsar(this.#readFrom(consumer), limits, consumer.view)
    this.#isNew = false
    for (const entry of entries) {
      if (generation !== this.#generation) return true
      if (consumer.permits <= 0) return false
      this.#readPosition = positionAfter(entry.position)
      if (!isPassedOver(this.#source, entry)) this.#deliver(consumer, entry)
    }
    return entries.length > 0 || generation !== this.#generation
  }

  /** What compaction has kept can be older than what the log still holds: who begins at its start gets it as well. */
  #readFrom({ view }: Consumer): Position {
    const { log, cursor } = this.#source
    const atStart = this.#isNew && comparePositions(cursor.position, log.ledger.start.position) <= 0
    return atStart && view === 'compacted' ? firstPosition : this.#readPosition
  }

  #deliver(consumer: Consumer, entry: PulsarEntry): void {
    const size = entry.view.messageCount
    const acknowledged = acknowledgedOf(this.#source.cursor, entry.position)
    if (acknowledged === undefined) consumer.deliver(entry, size, {})
    else consumer.deliver(entry, size - acknowledged.size, { ackSet: ackSetOf(size, acknowledged) })
  }
}

const firstPosition: Position = { ledgerId: asLedgerId(0), entryId: asEntryId(0) }

export function chooseActive(
  consumers: readonly Consumer[],
  partition: number | undefined,
): Consumer | undefined {
  const best = Math.min(...consumers.map((consumer) => consumer.priority))
  const candidates = consumers.filter((consumer) => consumer.priority === best)
  if (partition === undefined) return candidates[0]
  const byName = candidates.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  return byName[partition % byName.length]
}
