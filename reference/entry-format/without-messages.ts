import { frameHeadersAndPayload, readHeadersAndPayload } from '../pulsar/wire/entry-checksum.js'
import { compressPayload, decompressPayload } from '../pulsar/wire/message-compression.js'
import { withUncompressedBytes } from '../pulsar/wire/message-metadata.js'
import { SingleMessageCursor, singleMessageFields } from '../pulsar/wire/single-message.js'
import type { StoredEntry } from '../storage/types.js'
import { walkTimestamps } from './entry-timestamps.js'
import { toPulsar } from './to-pulsar.js'

/** A single message that is no more: its place in the batch stays. */
const compactedOut = Buffer.from([
  0,
  0,
  0,
  4,
  singleMessageFields.payloadSize << 3,
  0,
  singleMessageFields.compactedOut << 3,
  1,
])

export interface RemainingMessages {
  /** Magic and checksum, metadata, payload. */
  readonly data: Buffer
  /** −1 when none of them has a timestamp. */
  readonly maxTimestampMs: number
}

/**
 * A batch without some of its messages. The others keep their batch indexes, and so their ids and offsets, and the batch
 * its number of messages: what has gone is marked so (Pulsar's `compacted_out`), and Kafka's consumers cross the gap. A
 * batch stored in Kafka's form is from then on stored in Pulsar's, which says the same (register MC-21).
 * @param keeps whether the message at a batch index stays
 * @throws MalformedError when the entry is damaged
 */
export async function withoutMessages(
  entry: StoredEntry,
  keeps: (batchIndex: number) => boolean,
): Promise<RemainingMessages> {
  const view = await toPulsar(entry)
  const whole = Buffer.concat(view.headersAndPayload)
  const { metadata, metadataStart, payloadStart } = readHeadersAndPayload(whole)
  const { compression, uncompressedBytes = 0 } = metadata
  const payload = await decompressPayload(compression, whole.subarray(payloadStart), uncompressedBytes)
  const rest = remaining(payload, entry.messageCount, keeps)
  const framed = frameHeadersAndPayload(
    withUncompressedBytes(whole.subarray(metadataStart, payloadStart), rest.length),
    [await compressPayload(compression, rest)],
  )
  const data = Buffer.concat(framed)
  return { data, maxTimestampMs: await maxTimestamp(entry, whole, data) }
}

function remaining(payload: Buffer, messageCount: number, keeps: (batchIndex: number) => boolean): Buffer {
  const pieces: Buffer[] = []
  const message = new SingleMessageCursor(payload)
  for (let index = 0; index < messageCount; index++) {
    message.next()
    const stays = keeps(index) && !message.compactedOut
    pieces.push(stays ? payload.subarray(message.messageStart, message.position) : compactedOut)
  }
  return Buffer.concat(pieces)
}

/** The entry's own where that is the broker's time, which no message tells. */
async function maxTimestamp(entry: StoredEntry, before: Buffer, after: Buffer): Promise<number> {
  return (await largest(before)) === entry.maxTimestampMs ? largest(after) : entry.maxTimestampMs
}

async function largest(data: Buffer): Promise<number> {
  let maxTimestampMs = -1
  await walkTimestamps(data, undefined, (_batchIndex, timestampMs) => {
    maxTimestampMs = Math.max(maxTimestampMs, timestampMs)
    return true
  })
  return maxTimestampMs
}
