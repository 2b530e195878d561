import type { Offset } from '../base/brand.js'
import type { KafkaBatch } from '../entry-format/types.js'
import { type Refusal, refuse } from './types.js'

/** What a stored batch was acknowledged with. */
export interface BatchResult {
  readonly baseOffset: Offset
  readonly logAppendTimeMs: bigint
}

export type BatchOutcome = BatchResult | Refusal

interface ProducerBatch {
  readonly epoch: number
  readonly firstSequence: number
  readonly lastSequence: number
  /** Undefined while it is being made durable. */
  result: BatchResult | undefined
  readonly outcome: Promise<BatchOutcome>
  /** Of a batch put together from its pieces: where each begins. */
  readonly pieces?: readonly (readonly [firstSequence: number, result: BatchResult])[]
}

interface Producer {
  /** The last five stored, and those in flight, in the order of their appends. */
  batches: ProducerBatch[]
  lastUsedMs: number
}

/** A batch that may be appended: to be told how that ended. */
export interface Ticket {
  stored(result: BatchResult): void
  /** It was not stored: its sequence numbers are free again. */
  failed(refusal: Refusal): void
}

export type Admission =
  | Refusal
  | { readonly duplicateOf: Promise<BatchOutcome> }
  | { readonly ticket: Ticket }

export type SequencedBatch = Pick<KafkaBatch, 'producerId' | 'producerEpoch' | 'baseSequence' | 'recordCount'>

/** As stored in snapshots: producer id, last use, batches of epoch, first and last sequence, offset, append time. */
export type StoredProducer = readonly [
  string,
  number,
  readonly (readonly [number, number, number, string, string])[],
]

const rememberedBatches = 5
const sequenceCount = 2 ** 31
/** Kafka's producer.id.expiration.ms. */
const expiryMs = 86_400_000

/**
 * The sequence numbers of Kafka's idempotent producers (KIP-98, KIP-360; register PR-6): duplicates among a producer's
 * last five batches are known again, gaps and old epochs refused. A duplicate of a batch in flight waits for it.
 */
export class KafkaProducers {
  readonly #producers = new Map<bigint, Producer>()

  admit(batch: SequencedBatch, nowMs: number): Admission {
    const { producerId, producerEpoch: epoch, baseSequence: firstSequence } = batch
    const producer = this.#producers.get(producerId) ?? { batches: [], lastUsedMs: nowMs }
    const lastSequence = (firstSequence + batch.recordCount - 1) % sequenceCount
    const known = producer.batches.find(
      (one) => one.epoch === epoch && covers(one, firstSequence, lastSequence),
    )
    if (known !== undefined) return { duplicateOf: outcomeAt(known, firstSequence) }
    const refusal = refusalOf(producer.batches.at(-1), batch)
    if (refusal !== undefined) return refusal
    producer.lastUsedMs = nowMs
    this.#producers.set(producerId, producer)
    return { ticket: this.#begin(producerId, producer, { epoch, firstSequence, lastSequence }) }
  }

  /**
   * Takes up a batch found in the log. Finding it again changes nothing.
   * @param joins it is a further piece of the batch before it, which was cut to fit the mapping
   */
  restore(batch: SequencedBatch, result: BatchResult, nowMs: number, joins: boolean): void {
    const { producerId, producerEpoch: epoch, baseSequence: firstSequence } = batch
    const producer = this.#producers.get(producerId) ?? { batches: [], lastUsedMs: nowMs }
    const lastSequence = (firstSequence + batch.recordCount - 1) % sequenceCount
    if (producer.batches.some((one) => one.epoch === epoch && covers(one, firstSequence, lastSequence)))
      return
    this.#producers.set(producerId, producer)
    producer.lastUsedMs = nowMs
    const last = producer.batches.at(-1)
    const next = (last?.lastSequence ?? 0) + 1
    if (
      joins &&
      last?.result !== undefined &&
      last.epoch === epoch &&
      next % sequenceCount === firstSequence
    ) {
      const pieces = last.pieces ?? [[last.firstSequence, last.result]]
      const joined = storedBatch(epoch, last.firstSequence, lastSequence, last.result)
      producer.batches.splice(-1, 1, { ...joined, pieces: [...pieces, [firstSequence, result]] })
    } else {
      producer.batches.push(storedBatch(epoch, firstSequence, lastSequence, result))
    }
    forgetOld(producer)
  }

  snapshot(nowMs: number): readonly StoredProducer[] {
    const stored: StoredProducer[] = []
    for (const [producerId, { batches, lastUsedMs }] of this.#producers) {
      const inFlight = batches.some(({ result }) => result === undefined)
      if (nowMs - lastUsedMs > expiryMs && !inFlight) this.#producers.delete(producerId)
      else stored.push([String(producerId), lastUsedMs, batches.flatMap(storedForm)])
    }
    return stored
  }

  load(stored: readonly StoredProducer[]): void {
    for (const [producerId, lastUsedMs, batches] of stored) {
      this.#producers.set(BigInt(producerId), {
        lastUsedMs,
        batches: batches.map(([epoch, first, last, offset, time]) =>
          storedBatch(epoch, first, last, {
            baseOffset: BigInt(offset) as Offset,
            logAppendTimeMs: BigInt(time),
          }),
        ),
      })
    }
  }

  #begin(
    producerId: bigint,
    producer: Producer,
    place: Pick<ProducerBatch, 'epoch' | 'firstSequence' | 'lastSequence'>,
  ): Ticket {
    let settle: (outcome: BatchOutcome) => void = () => {}
    const outcome = new Promise<BatchOutcome>((resolve) => {
      settle = resolve
    })
    const batch: ProducerBatch = { result: undefined, outcome, ...place }
    producer.batches.push(batch)
    return {
      stored: (result) => {
        batch.result = result
        forgetOld(producer)
        settle(result)
      },
      failed: (refusal) => {
        producer.batches = producer.batches.filter((one) => one !== batch)
        if (producer.batches.length === 0) this.#producers.delete(producerId)
        settle(refusal)
      },
    }
  }
}

/** Whether the sequence numbers lie within a batch's: usually they are the same. They start again at 0 after 2^31 − 1. */
function covers(batch: ProducerBatch, first: number, last: number): boolean {
  const from = distance(batch.firstSequence, first)
  const to = distance(batch.firstSequence, last)
  return from <= to && to <= distance(batch.firstSequence, batch.lastSequence)
}

const distance = (from: number, to: number): number => (to - from + sequenceCount) % sequenceCount

/** What a batch from `sequence` on was acknowledged with. */
function outcomeAt(batch: ProducerBatch, sequence: number): Promise<BatchOutcome> {
  const piece = batch.pieces?.find(([firstSequence]) => firstSequence === sequence)
  return piece === undefined ? batch.outcome : Promise.resolve(piece[1])
}

function refusalOf(last: ProducerBatch | undefined, batch: SequencedBatch): Refusal | undefined {
  const { producerId, producerEpoch, baseSequence } = batch
  // Nothing is known of a producer after its batches were trimmed: any number may come next (KIP-360).
  if (last === undefined) return undefined
  if (producerEpoch < last.epoch) {
    const message = `Producer ${producerId} has epoch ${last.epoch} here; epoch ${producerEpoch} is fenced off.`
    return refuse('INVALID_PRODUCER_EPOCH', message)
  }
  const expected = producerEpoch > last.epoch ? 0 : (last.lastSequence + 1) % sequenceCount
  if (baseSequence === expected) return undefined
  const message = `Producer ${producerId} sent sequence number ${baseSequence} where ${expected} comes next.`
  return refuse('OUT_OF_ORDER_SEQUENCE_NUMBER', message)
}

const storedBatch = (
  epoch: number,
  firstSequence: number,
  lastSequence: number,
  result: BatchResult,
): ProducerBatch => ({ epoch, firstSequence, lastSequence, result, outcome: Promise.resolve(result) })

function storedForm({ epoch, firstSequence, lastSequence, result }: ProducerBatch) {
  if (result === undefined) return []
  return [
    [epoch, firstSequence, lastSequence, String(result.baseOffset), String(result.logAppendTimeMs)] as const,
  ]
}

/** Keeps the last five stored batches. */
function forgetOld(producer: Producer): void {
  let surplus = producer.batches.filter(({ result }) => result !== undefined).length - rememberedBatches
  while (surplus-- > 0) producer.batches.shift()
}
