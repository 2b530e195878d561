import { asOffset } from '../../base/brand.js'
import { isRefusal, type PartitionLog, type Refusal, type TopicInfo } from '../../topics/types.js'
import type { ErrorName } from '../wire/errors.js'
import { downConvert } from '../wire/message-set.js'
import { beforeZstd } from '../wire/record-batch.js'
import { storageFault } from './faults.js'
import type { FetchedFacts, FetchPartition } from './fetch-sessions.js'
import type { Call } from './handler.js'
import { epochFault, findTopic, findTopicById, openPartition, zeroTopicId } from './topics.js'

export interface FetchLimits {
  /** Of all partitions together; the first batch may exceed it. */
  readonly bytesMax: number
  readonly minBytes: number
  readonly maxWaitMs: number
}

/** What was read of a partition. */
export interface FetchOutcome extends FetchedFacts {
  readonly errorName: ErrorName
  readonly records: readonly Buffer[]
  /** Told with epoch errors, so that the client need not ask for metadata (KIP-951); null otherwise. */
  readonly currentLeaderEpoch: number | null
}

interface Entry {
  readonly asked: FetchPartition
  outcome: FetchOutcome | undefined
  /** What was told when it was last looked at is out of date. */
  isStale: boolean
  log: PartitionLog | undefined
}

/**
 * One fetch, from its first look at the partitions to its answer. It waits by the logs' own events, never by polling: an
 * append makes only its partition be read again; a deleted topic, the end of the time, or of the connection ends the wait.
 */
export class FetchRead {
  readonly #call: Call
  readonly #limits: FetchLimits
  readonly #entries: readonly Entry[]
  readonly #endings: (() => void)[] = []
  #wake: () => void = () => {}
  /** Of all outcomes together. */
  #bytes = 0
  #isOver = false
  #isListening = false

  constructor(partitions: readonly FetchPartition[], limits: FetchLimits, call: Call) {
    this.#call = call
    this.#limits = limits
    this.#entries = partitions.map((asked) => ({ asked, outcome: undefined, isStale: true, log: undefined }))
  }

  async untilEnough(): Promise<void> {
    await this.#readStale()
    if (this.#isEnough() || this.#limits.maxWaitMs <= 0) return
    this.#listen()
    // What was appended between the reading and the listening was not heard of.
    for (const entry of this.#entries)
      if (entry.log !== undefined) entry.isStale ||= hasGrown(entry, entry.log)
    for (;;) {
      await this.#readStale()
      if (this.#isEnough() || this.#isOver) return
      await this.#woken()
    }
  }

  /** Stops listening; must be called whatever happened. */
  end(): void {
    for (const stop of this.#endings.splice(0)) stop()
  }

  *results(): Iterable<{ readonly asked: FetchPartition; readonly outcome: FetchOutcome }> {
    for (const { asked, outcome } of this.#entries) if (outcome !== undefined) yield { asked, outcome }
  }

  #isEnough(): boolean {
    if (this.#entries.length === 0 || this.#entries.some((entry) => entry.outcome?.error === true))
      return true
    return this.#bytes >= this.#limits.minBytes
  }

  #listen(): void {
    const { clock } = this.#call.broker
    const { closed } = this.#call.connection
    const over = () => {
      this.#isOver = true
      this.#wake()
    }
    this.#endings.push(clock.after(this.#limits.maxWaitMs, over))
    if (closed.aborted) over()
    closed.addEventListener('abort', over, { once: true })
    this.#endings.push(() => closed.removeEventListener('abort', over))
    this.#isListening = true
    for (const entry of this.#entries) this.#listenTo(entry)
  }

  #listenTo(entry: Entry): void {
    const stale = () => {
      entry.isStale = true
      this.#wake()
    }
    if (entry.log === undefined) return
    this.#endings.push(entry.log.onAppend(stale), entry.log.onClosed(stale))
  }

  async #woken(): Promise<void> {
    if (this.#isOver || this.#entries.some((entry) => entry.isStale)) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  async #readStale(): Promise<void> {
    for (const entry of this.#entries) {
      if (!entry.isStale) continue
      entry.isStale = false
      const otherBytes = this.#bytes - (entry.outcome?.bytes ?? 0)
      const left = Math.max(0, this.#limits.bytesMax - otherBytes)
      const maxBytes = Math.min(entry.asked.partitionBytesMax, left)
      entry.outcome = await this.#read(entry, { maxBytes, atLeastOne: otherBytes === 0 })
      this.#bytes = otherBytes + entry.outcome.bytes
    }
  }

  async #read(entry: Entry, limits: { maxBytes: number; atLeastOne: boolean }): Promise<FetchOutcome> {
    const { asked } = entry
    try {
      const topic = this.#topicOf(asked)
      if (typeof topic === 'string') return failure(topic)
      const log = await openPartition(this.#call, topic, asked.partition)
      if (isRefusal(log)) return failure(log.refused)
      const isNew = entry.log !== log
      entry.log = log
      // A topic that was deleted and made anew while we waited has another log.
      if (isNew && this.#isListening) this.#listenTo(entry)
      const fault = epochFault(log, asked.currentLeaderEpoch)
      if (fault !== null) return { ...failure(fault), currentLeaderEpoch: log.leaderEpoch }
      const fetched = await log.fetchKafka(asOffset(asked.fetchOffset), limits)
      if (isRefusal(fetched)) return { ...failure(fetched.refused), ...endsOf(log, fetched.refused) }
      const { highWatermark, logStartOffset } = fetched
      const readable =
        this.#call.apiVersion < zstdSinceVersion ? beforeZstd(fetched.records) : fetched.records
      if (readable.length === 0 && fetched.records.length > 0)
        return { ...failure('UNSUPPORTED_COMPRESSION_TYPE'), highWatermark, logStartOffset }
      const records = await this.#inClientsFormat(readable)
      const bytes = records === fetched.records ? fetched.bytes : bytesOf(records)
      return { ...success, records, bytes, highWatermark, logStartOffset }
    } catch (error) {
      return failure(storageFault(error, this.#call, 'records could not be read'))
    }
  }

  #topicOf(asked: FetchPartition): TopicInfo | ErrorName {
    if (asked.topicId !== zeroTopicId)
      return orError(findTopicById(this.#call, asked.topicId)) ?? 'UNKNOWN_TOPIC_ID'
    if (asked.topic === '') return 'UNKNOWN_TOPIC_ID'
    return orError(findTopic(this.#call, asked.topic)) ?? 'UNKNOWN_TOPIC_OR_PARTITION'
  }

  /** Message format 2 came with v4, format 1 with v2. */
  #inClientsFormat(records: readonly Buffer[]): Promise<readonly Buffer[]> | readonly Buffer[] {
    const { apiVersion } = this.#call
    if (apiVersion >= 4 || records.length === 0) return records
    return downConvert(records, apiVersion >= 2 ? 1 : 0)
  }
}

const orError = (topic: TopicInfo | Refusal | undefined): TopicInfo | ErrorName | undefined =>
  topic !== undefined && isRefusal(topic) ? topic.refused : topic

/** KIP-110: to older clients the partition's error says what they cannot read, also where it would be converted. */
const zstdSinceVersion = 10

const hasGrown = (entry: Entry, log: PartitionLog) => log.endOffset() !== entry.outcome?.highWatermark

const bytesOf = (records: readonly Buffer[]) => records.reduce((sum, piece) => sum + piece.length, 0)

const success = { error: false, errorName: 'NONE', currentLeaderEpoch: null } as const

const failure = (errorName: ErrorName): FetchOutcome => ({
  error: true,
  errorName,
  records: [],
  bytes: 0,
  highWatermark: -1n,
  logStartOffset: -1n,
  currentLeaderEpoch: null,
})

/** With OFFSET_OUT_OF_RANGE Kafka says where the log begins and ends. */
function endsOf(log: PartitionLog, refused: string) {
  if (refused !== 'OFFSET_OUT_OF_RANGE') return {}
  return { highWatermark: log.endOffset(), logStartOffset: log.startOffset() }
}
