import { MalformedError } from '../base/malformed.js'
import type { HeadlessBatch } from '../kafka/wire/batch-builder.js'
import { atOffset, readWholeBatch, withLogAppendTime, writeBatchHeader } from '../kafka/wire/record-batch.js'
import {
  checksumIsRight,
  type HeadersAndPayload,
  readHeadersAndPayload,
} from '../pulsar/wire/entry-checksum.js'
import { decompressPayload } from '../pulsar/wire/message-compression.js'
import type { Chunk } from '../pulsar/wire/message-metadata.js'
import type { StoredEntry } from '../storage/types.js'
import { joinChunks } from './chunks.js'
import { messagesToRecords } from './messages-to-records.js'
import { type KafkaFacts, noKafkaFacts, originOf } from './origin.js'
import { encodePlainRecords } from './plain-records.js'
import { encryptedRecord, schemaHeaders, singleRecord, unconvertibleRecords } from './pulsar-message.js'
import type { MessageTimes } from './timestamps.js'
import type { ToKafka, ToKafkaOptions } from './types.js'

/**
 * An entry as a Kafka batch (document: "Consume Messages"), uncompressed unless it is stored as Kafka's own. An entry that
 * cannot be converted becomes records that say so, and `options.onUnconvertible` is told (register MC-19).
 */
export const toKafka: ToKafka = async (entry, options) => {
  try {
    const parsed = readHeadersAndPayload(entry.data)
    const { metadata } = parsed
    const origin = originOf(metadata)
    if (origin.writtenBy === 'kafka' && origin.format === 'kafka') return kafkaBatch(entry, parsed, options)
    if (metadata.markerType !== undefined) return []
    const { chunk } = metadata
    if (chunk !== undefined && chunk.chunkId < chunk.chunkCount - 1) return []
    const records = await convert(entry, parsed, options)
    if (records.recordCount === 0) return []
    const facts = origin.writtenBy === 'kafka' ? origin.facts : pulsarFacts(options)
    return [completed(records, facts, entry, options)]
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return unconvertible(entry, error.message, options)
  }
}

/** Stored as it came: only base offset and leader epoch are put in. */
function kafkaBatch(
  entry: StoredEntry,
  { payloadStart }: HeadersAndPayload,
  options: ToKafkaOptions,
): readonly Buffer[] {
  const batch = entry.data.subarray(payloadStart)
  if (readWholeBatch(batch).recordCount !== entry.messageCount)
    throw new MalformedError('a batch has not the records that were announced')
  return atOffset(batch, options.baseOffset, options.leaderEpoch)
}

async function convert(
  entry: StoredEntry,
  parsed: HeadersAndPayload,
  options: ToKafkaOptions,
): Promise<HeadlessBatch> {
  if (!checksumIsRight(entry.data)) throw new MalformedError('the entry’s checksum is wrong')
  const { metadata, payloadStart } = parsed
  const times = timesOf(entry, parsed, options)
  const messageCount = metadata.messagesInBatch ?? 1
  if (messageCount !== entry.messageCount)
    throw new MalformedError(`${messageCount} messages where ${entry.messageCount} were announced`)
  const pieces = metadata.chunk === undefined ? [entry.data] : await chunkData(entry, metadata.chunk, options)
  if (metadata.encryption !== undefined) return encodePlainRecords([encryptedRecord(pieces, times)])
  const compressed =
    metadata.chunk === undefined ? entry.data.subarray(payloadStart) : joinChunks(pieces, metadata.chunk)
  const payload = await decompressPayload(metadata.compression, compressed, metadata.uncompressedBytes ?? 0)
  if (metadata.messagesInBatch === undefined)
    return encodePlainRecords([singleRecord(metadata, payload, times)])
  return messagesToRecords({ payload, messageCount, times, extraHeaders: schemaHeaders(metadata) })
}

async function chunkData(
  entry: StoredEntry,
  chunk: Chunk,
  { earlierChunks }: ToKafkaOptions,
): Promise<readonly Buffer[]> {
  const earlier = await earlierChunks?.(entry, chunk)
  return [...(earlier ?? []).map(({ data }) => data), entry.data]
}

function timesOf(entry: StoredEntry, { metadata }: HeadersAndPayload, options: ToKafkaOptions): MessageTimes {
  return {
    writtenByKafka: originOf(metadata).writtenBy === 'kafka',
    publishTimeMs: metadata.publishTimeMs,
    appendTimeMs: options.timestampType === 'LogAppendTime' ? entry.brokerTimestampMs : undefined,
  }
}

const pulsarFacts = (options: ToKafkaOptions): KafkaFacts =>
  options.timestampType === 'LogAppendTime'
    ? { ...noKafkaFacts, attributes: withLogAppendTime(0) }
    : noKafkaFacts

/** Fills in the header, so that the batch covers exactly the entry's offsets. */
function completed(
  records: HeadlessBatch,
  facts: KafkaFacts,
  entry: StoredEntry,
  options: ToKafkaOptions,
): Buffer {
  writeBatchHeader(records.batch, {
    attributes: facts.attributes,
    producerId: facts.producerId,
    producerEpoch: facts.producerEpoch,
    baseSequence: facts.baseSequence,
    baseTimestampMs: records.baseTimestampMs,
    maxTimestampMs: records.maxTimestampMs,
    recordCount: records.recordCount,
    baseOffset: options.baseOffset,
    leaderEpoch: options.leaderEpoch,
    lastOffsetDelta: entry.messageCount - 1,
  })
  return records.batch
}

function unconvertible(entry: StoredEntry, reason: string, options: ToKafkaOptions): readonly Buffer[] {
  options.onUnconvertible?.(entry, reason)
  const records = encodePlainRecords(unconvertibleRecords(entry, reason, options.timestampType))
  return [completed(records, pulsarFacts(options), entry, options)]
}
