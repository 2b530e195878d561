/** The place of a Pulsar send among its producer's. */
export interface SequencedSend {
  readonly producerName: string
  readonly sequenceId: bigint
  readonly highestSequenceId: bigint
  /** A piece of a chunked message that is not its last: all pieces have one sequence id. */
  readonly isEarlierChunk: boolean
}

interface InFlight {
  readonly highestSequenceId: bigint
  readonly stored: Promise<boolean>
}

interface Producer {
  /** −1n when nothing is stored. */
  highestStored: bigint
  inFlight: InFlight[]
  lastUsedMs: number
}

export type SendAdmission =
  /** Resolves false when what it repeats was not stored after all. */
  { readonly duplicateOf: Promise<boolean> } | { readonly settle: (stored: boolean) => void }

/** As stored in snapshots: name, highest sequence id, last use. */
export type StoredPulsarProducer = readonly [string, string, number]

/** Pulsar forgets producers after brokerDeduplicationProducerInactivityTimeoutMinutes: six hours. */
const expiryMs = 6 * 3_600_000

/** De-duplication by producer name and sequence id (Pulsar's deduplication, PIP-6). */
export class PulsarProducers {
  readonly #producers = new Map<string, Producer>()

  admit(send: SequencedSend, nowMs: number): SendAdmission {
    const { producerName, sequenceId, highestSequenceId } = send
    const producer = this.#producers.get(producerName) ?? {
      highestStored: -1n,
      inFlight: [],
      lastUsedMs: nowMs,
    }
    this.#producers.set(producerName, producer)
    producer.lastUsedMs = nowMs
    if (sequenceId < 0n) return { settle: () => {} }
    if (sequenceId <= producer.highestStored) return { duplicateOf: Promise.resolve(true) }
    const repeated = producer.inFlight.find((one) => sequenceId <= one.highestSequenceId)
    if (repeated !== undefined) return { duplicateOf: repeated.stored }
    if (send.isEarlierChunk) return { settle: () => {} }
    return { settle: begin(producer, highestSequenceId) }
  }

  lastSequenceId(producerName: string): bigint {
    return this.#producers.get(producerName)?.highestStored ?? -1n
  }

  /** Takes up a send found in the log. */
  restore(producerName: string, highestSequenceId: bigint, nowMs: number): void {
    const producer = this.#producers.get(producerName)
    if (producer === undefined) {
      this.#producers.set(producerName, { highestStored: highestSequenceId, inFlight: [], lastUsedMs: nowMs })
    } else {
      raise(producer, highestSequenceId)
      producer.lastUsedMs = nowMs
    }
  }

  snapshot(nowMs: number): readonly StoredPulsarProducer[] {
    const stored: StoredPulsarProducer[] = []
    for (const [name, { highestStored, inFlight, lastUsedMs }] of this.#producers) {
      if (nowMs - lastUsedMs > expiryMs && inFlight.length === 0) this.#producers.delete(name)
      else if (highestStored >= 0n) stored.push([name, String(highestStored), lastUsedMs])
    }
    return stored
  }

  load(stored: readonly StoredPulsarProducer[]): void {
    for (const [name, highest, lastUsedMs] of stored) this.restore(name, BigInt(highest), lastUsedMs)
  }
}

function begin(producer: Producer, highestSequenceId: bigint): (stored: boolean) => void {
  let settle: (stored: boolean) => void = () => {}
  const stored = new Promise<boolean>((resolve) => {
    settle = resolve
  })
  const inFlight: InFlight = { highestSequenceId, stored }
  producer.inFlight.push(inFlight)
  return (success) => {
    producer.inFlight = producer.inFlight.filter((one) => one !== inFlight)
    if (success) raise(producer, highestSequenceId)
    settle(success)
  }
}

function raise(producer: Producer, highestSequenceId: bigint): void {
  if (highestSequenceId > producer.highestStored) producer.highestStored = highestSequenceId
}
