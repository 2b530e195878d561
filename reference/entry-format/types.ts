import type { Offset } from '../base/brand.js'
import type { Chunk } from '../pulsar/wire/message-metadata.js'
import type { NewEntry, StoredEntry } from '../storage/types.js'

/**
 * The conversion rules between Kafka batches, ledger entries and Pulsar messages, and nothing else (document: "Produce
 * Messages", "Consume Messages"). Every entry on a ledger is a Pulsar message, whichever side wrote it:
 *
 * - written by Pulsar: the client's own "headers and payload", byte for byte;
 * - written by Kafka under `entryFormat=pulsar`: a Pulsar batch of one single-message per record;
 * - written by Kafka under `entryFormat=kafka`: message metadata with the property `entry.format=kafka`, and the Kafka
 *   batch as it came as payload.
 *
 * What is stored says how to read it, so the setting can change at any time (register MC-21).
 */
export type EntryFormatName = 'pulsar' | 'kafka'

export type TimestampType = 'CreateTime' | 'LogAppendTime'

/** One validated Kafka v2 batch (magic 0 and 1 are converted before), with the header fields the broker needs. */
export interface KafkaBatch {
  /** The whole batch from its base offset on; its CRC is right. */
  readonly bytes: Buffer
  readonly recordCount: number
  readonly maxTimestampMs: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly isTransactional: boolean
  readonly isControl: boolean
}

export interface FromKafkaOptions {
  readonly format: EntryFormatName
  /** An offset mapping's limit: with 1, each record becomes an entry of its own. */
  readonly messagesPerEntryMax: number
  readonly timestampType: TimestampType
  /** The broker's time, put in place of the client's under LogAppendTime. */
  readonly appendTimeMs: number
}

/** @returns entries to append next to one another, in record order. */
export type FromKafka = (batch: KafkaBatch, options: FromKafkaOptions) => Promise<readonly NewEntry[]>

export interface ToKafkaOptions {
  readonly baseOffset: Offset
  readonly timestampType: TimestampType
  /** The leader epoch written into the batch header. */
  readonly leaderEpoch: number
  /** Finds the earlier pieces of a chunked message, in any order. Called when the entry is the last of them. */
  readonly earlierChunks?: (entry: StoredEntry, chunk: Chunk) => Promise<readonly StoredEntry[]>
  /** Told of an entry that cannot be converted (register MC-19): for the log. Its records say the same to consumers. */
  readonly onUnconvertible?: (entry: StoredEntry, reason: string) => void
}

/**
 * One Kafka v2 batch in pieces, its CRC right, that covers exactly the entry's offsets. An empty result means that the
 * entry has nothing for Kafka (a marker, an earlier chunk): consumers step over its offset.
 */
export type ToKafka = (entry: StoredEntry, options: ToKafkaOptions) => Promise<readonly Buffer[]>

/** An entry in the form that Pulsar clients read. */
export interface PulsarView {
  /** Magic and checksum, metadata, payload: what follows the command in a MESSAGE frame. In pieces. */
  readonly headersAndPayload: readonly Buffer[]
  readonly messageCount: number
  /** True for markers of either system: never sent to clients. */
  readonly isMarker: boolean
}

export type ToPulsar = (entry: StoredEntry) => Promise<PulsarView>
