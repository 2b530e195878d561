import { asEntryId, asLedgerId, asMessageIndex, type Offset } from '../base/brand.js'
import type { KafkaBatch, TimestampType } from '../entry-format/types.js'
import { atOffset } from '../kafka/wire/record-batch.js'
import type { AppendedEntry, NewEntry } from '../storage/types.js'
import { FailedAppends } from './failed-appends.js'
import type { Ticket } from './kafka-producers.js'
import type { PartitionParts } from './partition-options.js'
import type { Points } from './points.js'
import { entriesOfBatch, entryOfSend, type PreparedSend } from './prepare.js'
import { storageRefusal } from './storage-refusal.js'
import {
  isRefusal,
  type KafkaAppended,
  type PulsarAppended,
  type PulsarSend,
  type Refusal,
  refuse,
} from './types.js'

/** What an append hands on from its turn: the turn ends when the entries are submitted, not when they are durable. */
interface Submitted<T> {
  readonly outcome: Promise<T>
}

/** The appending side of a partition, of both protocols. */
export class PartitionAppends {
  readonly #options: PartitionParts
  readonly #points: Points
  readonly #failedAppends: FailedAppends
  #turn: Promise<unknown> = Promise.resolve()
  #lastAppend: Promise<unknown> = Promise.resolve()

  constructor(options: PartitionParts) {
    this.#options = options
    this.#points = options.points
    this.#failedAppends = new FailedAppends(options.pulsarName, options.log, options.clock)
  }

  async kafka(batch: KafkaBatch): Promise<KafkaAppended | Refusal> {
    const { settings, clock } = this.#options
    const { messageBytesMax, timestampType, compaction } = settings()
    if (batch.bytes.length > messageBytesMax) {
      const message = `The batch has ${batch.bytes.length} bytes, ${messageBytesMax} are allowed (max.message.bytes).`
      return refuse('MESSAGE_TOO_LARGE', message)
    }
    const appendTimeMs = clock.nowMs()
    // The next batch is converted while the one before is made durable; effects keep the order of the calls.
    const needsKeys = compaction !== undefined
    const converting = entriesOfBatch(batch, this.#options, timestampType, appendTimeMs, needsKeys)
    const { outcome } = await this.#inTurn(converting, async () => {
      const entries = await converting
      return isRefusal(entries)
        ? { outcome: Promise.resolve(entries) }
        : this.#submitKafka(batch, entries, timestampType, appendTimeMs)
    })
    return outcome
  }

  async pulsar(send: PulsarSend): Promise<PulsarAppended | Refusal> {
    const converting = entryOfSend(
      send,
      this.#options.mapping,
      this.#options.settings().timestampType,
      this.#options.clock.nowMs(),
    )
    const { outcome } = await this.#inTurn(converting, async () => {
      const prepared = await converting
      return isRefusal(prepared) ? { outcome: Promise.resolve(prepared) } : this.#submitPulsar(send, prepared)
    })
    return outcome
  }

  /** Takes effect after what was being appended; see `PartitionLog.terminate`. */
  async terminate(): Promise<void> {
    await this.#turn
    await this.#options.termination.terminate(this.#lastAppend)
  }

  /** Runs when the call before has submitted its entries. */
  #inTurn<T>(
    converting: Promise<unknown>,
    submit: () => Promise<Submitted<T | Refusal>>,
  ): Promise<Submitted<T | Refusal>> {
    // Its failure is told in its turn; nobody looking at it until then must not end the process.
    converting.catch(() => undefined)
    const mine = this.#turn.then(submit)
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  #submitKafka(
    batch: KafkaBatch,
    entries: readonly NewEntry[],
    timestampType: TimestampType,
    appendTimeMs: number,
  ): Submitted<KafkaAppended | Refusal> {
    const refusal = this.#appendRefusal()
    if (refusal !== undefined) return { outcome: Promise.resolve(refusal) }
    const logAppendTimeMs = timestampType === 'LogAppendTime' ? BigInt(appendTimeMs) : -1n
    if (batch.producerId < 0n) return { outcome: this.#storeKafka(batch, entries, logAppendTimeMs) }
    const admission = this.#options.producers.kafka.admit(batch, appendTimeMs)
    if (isRefusal(admission)) return { outcome: Promise.resolve(admission) }
    if ('ticket' in admission)
      return { outcome: this.#storeKafka(batch, entries, logAppendTimeMs, admission.ticket) }
    const repeated = admission.duplicateOf.then((result) =>
      isRefusal(result) ? result : { ...result, logStartOffset: this.#points.startOffset(), duplicate: true },
    )
    return { outcome: repeated }
  }

  async #storeKafka(
    batch: KafkaBatch,
    entries: readonly NewEntry[],
    logAppendTimeMs: bigint,
    ticket?: Ticket,
  ): Promise<KafkaAppended | Refusal> {
    const stored = await this.#store(entries)
    if (isRefusal(stored)) {
      ticket?.failed(stored)
      return stored
    }
    const [first] = stored
    if (first === undefined) throw new Error('a batch became no entry')
    const result = { baseOffset: this.#points.offsetIn(first, 0), logAppendTimeMs }
    ticket?.stored(result)
    this.#remember(stored, entries)
    if (entries.length === 1 && logAppendTimeMs < 0n) this.#cache(batch, first, result.baseOffset)
    return { logStartOffset: this.#points.startOffset(), duplicate: false, ...result }
  }

  /** Only where consumers count by index: the next batch is then found by where this one ends. */
  #cache(batch: KafkaBatch, { firstIndex }: AppendedEntry, baseOffset: Offset): void {
    if (this.#options.mapping.name !== 'index' || batch.isControl) return
    // Under entryFormat=kafka the store was given these very bytes, under a checksum of its own: they stay as they are.
    this.#options.cache.add(this.#options.cached, {
      firstIndex,
      recordCount: batch.recordCount,
      pieces: atOffset(withoutSurroundings(batch.bytes), baseOffset, this.#options.leaderEpoch),
      bytes: batch.bytes.length,
    })
  }

  #submitPulsar(
    send: PulsarSend,
    { entry, isEarlierChunk }: PreparedSend,
  ): Submitted<PulsarAppended | Refusal> {
    const refusal = this.#appendRefusal()
    if (refusal !== undefined) return { outcome: Promise.resolve(refusal) }
    const { producerName, sequenceId, highestSequenceId } = send
    const place = { producerName, sequenceId, highestSequenceId, isEarlierChunk }
    const admission = this.#options.producers.pulsar.admit(place, this.#options.clock.nowMs())
    if ('settle' in admission) return { outcome: this.#storePulsar(entry, admission.settle) }
    const repeated = admission.duplicateOf.then((stored) =>
      stored
        ? duplicateSend
        : refuse('KAFKA_STORAGE_ERROR', 'The message that this one repeats was not stored.'),
    )
    return { outcome: repeated }
  }

  async #storePulsar(entry: NewEntry, settle: (stored: boolean) => void): Promise<PulsarAppended | Refusal> {
    const stored = await this.#store([entry])
    settle(!isRefusal(stored))
    if (isRefusal(stored)) return stored
    const [first] = stored
    if (first === undefined) throw new Error('a message became no entry')
    this.#remember(stored, [entry])
    return { position: first.position, firstIndex: first.firstIndex, duplicate: false }
  }

  /** Submits at once, in the order of the calls. */
  async #store(entries: readonly NewEntry[]): Promise<readonly AppendedEntry[] | Refusal> {
    try {
      const appending = this.#options.ledger.append(entries)
      this.#lastAppend = appending
      return await appending
    } catch (error) {
      const closed = this.#options.closedRefusal()
      if (closed !== undefined) return closed
      this.#failedAppends.add(error)
      return storageRefusal(error)
    }
  }

  #remember(stored: readonly AppendedEntry[], entries: readonly NewEntry[]): void {
    const last = stored.at(-1)
    const count = entries.at(-1)?.messageCount ?? 0
    if (last === undefined) return
    const bytes = entries.reduce(
      (sum, { data }) => sum + data.reduce((inner, piece) => inner + piece.length, 0),
      0,
    )
    this.#options.producers.appended(asMessageIndex(last.firstIndex + count), entries.length, bytes)
  }

  #appendRefusal(): Refusal | undefined {
    const closed = this.#options.closedRefusal()
    if (closed !== undefined) return closed
    const { ledger, pulsarName, mapping, termination } = this.#options
    if (termination.terminated)
      return refuse('POLICY_VIOLATION', `${pulsarName} was terminated: it takes no more messages.`)
    if (this.#points.hasRoom()) return undefined
    const { position } = ledger.end
    const message = `Ledger ${position.ledgerId}, entry ${position.entryId} has no offset under ${mapping.name}: its bits are used up; use the mapping "index".`
    return refuse('POLICY_VIOLATION', message)
  }
}

/** Pulsar answers −1:−1 for what it did not store again. */
const duplicateSend: PulsarAppended = {
  position: { ledgerId: asLedgerId(-1), entryId: asEntryId(-1) },
  firstIndex: asMessageIndex(-1),
  duplicate: true,
}

/** A small part of a request must not hold on to the whole of it. */
const withoutSurroundings = (bytes: Buffer): Buffer =>
  bytes.buffer.byteLength > 2 * bytes.length ? Buffer.from(bytes) : bytes
