import { MalformedError } from '../base/malformed.js'
import { InvalidRecordError } from '../kafka/wire/invalid-record.js'
import { readHeadersAndPayload } from '../pulsar/wire/entry-checksum.js'
import type { MessageMetadata } from '../pulsar/wire/message-metadata.js'
import type { NewEntry } from '../storage/types.js'
import { walkTimestamps } from './entry-timestamps.js'
import { claimsKafka } from './origin.js'
import { timestampOf } from './timestamps.js'

/** A batch that cannot be looked into is believed to hold at most so many messages. */
const unreadMessagesMax = 100_000

export interface FromPulsarOptions {
  /** The broker's time, on a topic with LogAppendTime; absent for CreateTime. */
  readonly appendTimeMs?: number
}

/**
 * What a Pulsar client sends, as an entry: its bytes untouched (register MC-4), its largest Kafka timestamp found. A batch
 * that cannot be read is stored all the same, as Pulsar would.
 * @throws InvalidRecordError for what must not be stored: metadata that is none, batch properties that are Kafka's, or a
 * number of messages that cannot be believed
 */
export async function newEntryFromPulsar(
  headersAndPayload: Buffer,
  options: FromPulsarOptions = {},
): Promise<NewEntry> {
  const metadata = readMetadata(headersAndPayload)
  if (claimsKafka(metadata)) throw new InvalidRecordError('batch properties are reserved for Kafka’s batches')
  const messageCount = metadata.messagesInBatch ?? 1
  const maxTimestampMs = await maxTimestamp(headersAndPayload, metadata, options.appendTimeMs)
  if (maxTimestampMs !== undefined && messageCount >= 1)
    return { data: [headersAndPayload], messageCount, maxTimestampMs }
  if (messageCount < 1 || messageCount > unreadMessagesMax)
    throw new InvalidRecordError(`a batch of ${messageCount} messages that cannot be read`)
  const times = { writtenByKafka: false, publishTimeMs: metadata.publishTimeMs, ...options }
  return { data: [headersAndPayload], messageCount, maxTimestampMs: timestampOf(false, 0, times) }
}

function readMetadata(data: Buffer): MessageMetadata {
  try {
    return readHeadersAndPayload(data).metadata
  } catch (error) {
    if (error instanceof MalformedError) throw new InvalidRecordError(error.message, { cause: error })
    throw error
  }
}

/** @returns undefined for a batch that cannot be looked into */
async function maxTimestamp(
  data: Buffer,
  metadata: MessageMetadata,
  appendTimeMs: number | undefined,
): Promise<number | undefined> {
  if (metadata.messagesInBatch !== undefined && metadata.encryption !== undefined) return undefined
  let maxTimestampMs = -1
  try {
    await walkTimestamps(data, appendTimeMs, (_batchIndex, timestampMs) => {
      maxTimestampMs = Math.max(maxTimestampMs, timestampMs)
      return true
    })
    return maxTimestampMs
  } catch (error) {
    if (error instanceof MalformedError) return undefined
    throw error
  }
}
