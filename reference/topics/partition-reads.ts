import type { Offset, Position } from '../base/brand.js'
import { MalformedError } from '../base/malformed.js'
import { toPulsar } from '../entry-format/index.js'
import type { PulsarView } from '../entry-format/types.js'
import type { ReadLimits, StoredEntry } from '../storage/types.js'
import { KafkaReader } from './fetch.js'
import type { PartitionParts } from './partition-options.js'
import type { Points } from './points.js'
import { storageRefusal } from './storage-refusal.js'
import {
  type OffsetAndTime,
  offsetOfMaxTimestamp,
  offsetOfTimestamp,
  type SearchedLog,
} from './timestamps.js'
import { convertedInTurns } from './turns.js'
import { type KafkaFetched, type LogView, type PulsarEntry, type Refusal, refuse } from './types.js'

/** The reading side of a partition, of both protocols. */
export class PartitionReads {
  readonly #options: PartitionParts
  readonly #points: Points
  readonly #reader: KafkaReader

  constructor(options: PartitionParts) {
    this.#options = options
    this.#points = options.points
    this.#reader = new KafkaReader({
      ledger: options.ledger,
      compacted: () => (options.settings().compaction === undefined ? undefined : options.compacted),
      mapping: options.mapping,
      points: options.points,
      cache: options.cached,
      aheadMemory: options.aheadMemory,
      leaderEpoch: options.leaderEpoch,
      timestampType: () => options.settings().timestampType,
      onUnconvertible: (entry, reason) =>
        options.log.warn(
          { topic: options.pulsarName, ...entry.position, reason },
          'an entry cannot be converted for Kafka',
        ),
    })
  }

  async kafka(
    offset: Offset,
    limits: { maxBytes: number; atLeastOne: boolean },
  ): Promise<KafkaFetched | Refusal> {
    const refusal = this.#options.closedRefusal()
    if (refusal !== undefined) return refusal
    const logStartOffset = this.#points.startOffset()
    const highWatermark = this.#points.endOffset()
    if (offset < logStartOffset || offset > highWatermark) {
      const message = `Offset ${offset} lies outside ${logStartOffset} to ${highWatermark}.`
      return refuse('OFFSET_OUT_OF_RANGE', message)
    }
    if (offset === highWatermark) return { records: [], bytes: 0, highWatermark, logStartOffset }
    try {
      return { highWatermark, logStartOffset, ...(await this.#reader.read(offset, limits)) }
    } catch (error) {
      return this.#options.closedRefusal() ?? storageRefusal(error)
    }
  }

  offsetOfTimestamp(timestampMs: bigint): Promise<OffsetAndTime | undefined> {
    return offsetOfTimestamp(this.#searched(), timestampMs)
  }

  offsetOfMaxTimestamp(): Promise<OffsetAndTime | undefined> {
    return offsetOfMaxTimestamp(this.#searched())
  }

  async deleteRecords(before: Offset): Promise<Offset | Refusal> {
    if (this.#options.settings().compaction?.deletes === false)
      return refuse(
        'POLICY_VIOLATION',
        `${this.#options.pulsarName} is compacted: its cleanup.policy has no "delete".`,
      )
    const end = this.#points.endOffset()
    const target = before === -1n ? end : before
    if (target < 0n || target > end) {
      return refuse('OFFSET_OUT_OF_RANGE', `Offset ${before} lies beyond the log's end, ${end}.`)
    }
    const point = await this.#points.ofOffset(target)
    try {
      if (point !== undefined) await this.#options.ledger.trim(point.index)
    } catch (error) {
      return this.#options.closedRefusal() ?? storageRefusal(error)
    }
    return this.#points.startOffset()
  }

  async pulsar(from: Position, limits: ReadLimits, view: LogView): Promise<readonly PulsarEntry[]> {
    const { ledger, compacted } = this.#options
    const entries = await (view === 'log' ? ledger : compacted).read(from, limits)
    const converted: PulsarEntry[] = []
    for await (const entry of convertedInTurns(entries, (each) => this.#pulsarEntry(each)))
      converted.push(entry)
    return converted
  }

  async #pulsarEntry(entry: StoredEntry): Promise<PulsarEntry> {
    const { position, firstIndex, brokerTimestampMs } = entry
    return { position, firstIndex, brokerTimestampMs, view: await this.#pulsarView(entry) }
  }

  #searched(): SearchedLog {
    const { ledger, compacted, settings } = this.#options
    const { timestampType, compaction } = settings()
    return { ledger: compaction === undefined ? ledger : compacted, points: this.#points, timestampType }
  }

  async #pulsarView(entry: StoredEntry): Promise<PulsarView> {
    try {
      return await toPulsar(entry)
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error
      const { log, pulsarName } = this.#options
      log.warn(
        { topic: pulsarName, ...entry.position, err: error },
        'a damaged entry is given to Pulsar as stored',
      )
      return { headersAndPayload: [entry.data], messageCount: entry.messageCount, isMarker: false }
    }
  }
}
