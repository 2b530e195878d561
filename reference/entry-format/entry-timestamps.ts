import { MalformedError } from '../base/malformed.js'
import { readWholeBatch } from '../kafka/wire/record-batch.js'
import { RecordCursor, recordsOf } from '../kafka/wire/record-cursor.js'
import { type HeadersAndPayload, readHeadersAndPayload } from '../pulsar/wire/entry-checksum.js'
import { decompressPayload } from '../pulsar/wire/message-compression.js'
import { SingleMessageCursor, singleMessageBytesMin } from '../pulsar/wire/single-message.js'
import type { StoredEntry } from '../storage/types.js'
import { originOf } from './origin.js'
import { type MessageTimes, timestampOf } from './timestamps.js'
import type { TimestampType } from './types.js'

/** Called with each message that is there, in order; returning false ends the walk. */
type Visit = (batchIndex: number, timestampMs: number) => boolean

/** A message of an entry, and its timestamp. */
export interface TimestampFound {
  readonly batchIndex: number
  readonly timestampMs: bigint
}

/**
 * The first message of an entry whose timestamp is at or after `targetMs` (ListOffsets, register ID-8). Timestamps are
 * those that `toKafka` gives. An entry that cannot be read is found by the timestamp that it is stored under.
 * @returns undefined when all of them are earlier
 */
export async function timestampSearch(
  entry: StoredEntry,
  targetMs: bigint,
  timestampType: TimestampType = 'CreateTime',
): Promise<TimestampFound | undefined> {
  let found: TimestampFound | undefined
  const appendTimeMs = timestampType === 'LogAppendTime' ? entry.brokerTimestampMs : undefined
  const visit: Visit = (batchIndex, timestampMs) => {
    if (BigInt(timestampMs) < targetMs) return true
    found = { batchIndex, timestampMs: BigInt(timestampMs) }
    return false
  }
  try {
    await walkTimestamps(entry.data, appendTimeMs, visit)
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    found = undefined
    visit(0, appendTimeMs ?? entry.maxTimestampMs)
  }
  return found
}

/**
 * Visits the Kafka timestamps of an entry's messages.
 * @param appendTimeMs the broker's time, in place of what Pulsar clients set
 * @throws MalformedError when the entry cannot be read
 */
export async function walkTimestamps(
  data: Buffer,
  appendTimeMs: number | undefined,
  visit: Visit,
): Promise<void> {
  const parsed = readHeadersAndPayload(data)
  const { metadata, payloadStart } = parsed
  const origin = originOf(metadata)
  if (origin.writtenBy === 'kafka' && origin.format === 'kafka')
    return walkKafkaBatch(data.subarray(payloadStart), visit)
  const writtenByKafka = origin.writtenBy === 'kafka'
  const times = { writtenByKafka, publishTimeMs: metadata.publishTimeMs, appendTimeMs }
  if (metadata.messagesInBatch !== undefined && metadata.encryption === undefined)
    return walkSingleMessages(data, parsed, times, visit)
  visit(0, timestampOf(metadata.eventTimeMs !== undefined, metadata.eventTimeMs ?? 0, times))
}

async function walkKafkaBatch(batch: Buffer, visit: Visit): Promise<void> {
  const header = readWholeBatch(batch)
  const records = await recordsOf(header)
  const record = new RecordCursor(records, 0, records.length, 0)
  for (let index = 0; index < header.recordCount; index++) {
    record.next()
    const timestampMs = header.isLogAppendTime
      ? header.maxTimestampMs
      : header.baseTimestampMs + record.timestampDelta
    if (!visit(index, timestampMs)) return
  }
}

async function walkSingleMessages(
  data: Buffer,
  { metadata, payloadStart }: HeadersAndPayload,
  times: MessageTimes,
  visit: Visit,
): Promise<void> {
  const compressed = data.subarray(payloadStart)
  const payload = await decompressPayload(metadata.compression, compressed, metadata.uncompressedBytes ?? 0)
  const messageCount = metadata.messagesInBatch ?? 1
  if (messageCount < 1 || messageCount * singleMessageBytesMin > payload.length)
    throw new MalformedError(`${payload.length} bytes cannot hold ${messageCount} messages`)
  const message = new SingleMessageCursor(payload)
  for (let index = 0; index < messageCount; index++) {
    message.next()
    if (message.compactedOut) continue
    if (!visit(index, timestampOf(message.hasEventTime, message.eventTimeMs, times))) return
  }
  if (!message.atEnd) throw new MalformedError('a batch is longer than its messages')
}
