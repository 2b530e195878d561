import { isText } from '../base/text.js'
import { InvalidRecordError } from '../kafka/wire/invalid-record.js'
import { isTimestamp } from '../kafka/wire/record-batch.js'
import { RecordCursor } from '../kafka/wire/record-cursor.js'
import { putVarint } from '../pulsar/wire/field-cursor.js'
import { singleMessageFields } from '../pulsar/wire/single-message.js'
import { base64Bytes, encodeBase64 } from './base64.js'
import { headersArePlain, reservedProperties, writePlainHeaders } from './header-properties.js'
import { moveBytes, RewriteBuffer } from './rewrite-buffer.js'

/** Some records of one batch, uncompressed. */
export interface RecordRange {
  /** These records and nothing else. */
  readonly records: Buffer
  readonly recordCount: number
  /** The offset delta that the first of them has. */
  readonly firstOffsetDelta: number
  readonly baseTimestampMs: number
  /** The broker's time, when it stands in place of the records' own. */
  readonly appendTimeMs?: number | undefined
}

export interface SingleMessages {
  /** A Pulsar batch's payload, uncompressed. */
  readonly payload: Buffer
  /** −1 when no record has a timestamp. */
  readonly maxTimestampMs: number
}

const sizeBytes = 4
const keyTag = (singleMessageFields.partitionKey << 3) | 2
const payloadSizeTag = singleMessageFields.payloadSize << 3
const eventTimeTag = singleMessageFields.eventTime << 3
const keyIsBase64Tag = singleMessageFields.partitionKeyIsBase64 << 3
const nullValueTag = singleMessageFields.nullValue << 3
const nullKeyTag = singleMessageFields.nullPartitionKey << 3
/** What a single message's metadata takes beside key, value and headers, at most. */
const fixedBytesMax = 48
/** Tags and lengths of a property beyond those of a header, at most. */
const propertyGrowthBytesMax = 20
/** How much a record without headers usually grows. */
const usualGrowthBytes = 12
const noHeaders = Buffer.alloc(0)

/** Kafka records as Pulsar single messages, by the rules of README.md. @throws InvalidRecordError */
export function recordsToMessages(range: RecordRange): SingleMessages {
  const { records, recordCount, baseTimestampMs, appendTimeMs } = range
  if (recordCount > records.length) throw new InvalidRecordError('more records than bytes')
  const room = new RewriteBuffer(records, usualGapBytes(records.length, recordCount))
  const record = new RecordCursor(room.bytes, room.end - records.length, room.end, range.firstOffsetDelta)
  let at = 0
  let maxTimestampMs = -1
  for (let index = 0; index < recordCount; index++) {
    const start = record.position
    record.next()
    let reserved = reservedOf(record)
    const neededBytes = messageBytesMax(record, start, reserved)
    if (at + neededBytes > start) {
      const position = room.reopen(at, start, neededBytes)
      record.rebase(room.bytes, position, room.end)
      record.next()
      reserved = reservedOf(record)
    }
    const timestampMs = appendTimeMs ?? baseTimestampMs + record.timestampDelta
    if (!isTimestamp(timestampMs)) throw new InvalidRecordError('a timestamp is out of bounds')
    if (timestampMs > maxTimestampMs) maxTimestampMs = timestampMs
    at = writeMessage(record, room.bytes, at, timestampMs, reserved)
  }
  if (!record.atEnd) throw new InvalidRecordError('more bytes than records')
  return { payload: room.bytes.subarray(0, at), maxTimestampMs }
}

/** Enough for records of about one size; others make the buffer reopen once or twice. */
function usualGapBytes(bytes: number, recordCount: number): number {
  return recordCount * usualGrowthBytes + Math.ceil((1.5 * bytes) / recordCount) + 128
}

/** The encoded properties of a record whose headers are not plain. */
function reservedOf(record: RecordCursor): Buffer {
  return record.headers.count === 0 || headersArePlain(record) ? noHeaders : reservedProperties(record)
}

function messageBytesMax(record: RecordCursor, start: number, reserved: Buffer): number {
  const recordBytes = record.position - start
  const keyBytes = base64Bytes(record.keyEnd - record.keyStart)
  const propertyBytes = record.headers.count * propertyGrowthBytesMax + reserved.length
  return fixedBytesMax + recordBytes + keyBytes + propertyBytes
}

/** @returns the position after the message */
function writeMessage(
  record: RecordCursor,
  target: Buffer,
  position: number,
  timestampMs: number,
  reserved: Buffer,
): number {
  const metadataStart = position + sizeBytes
  const { keyStart, keyEnd, valueStart, valueEnd } = record
  let at = metadataStart
  if (reserved.length > 0) at += reserved.copy(target, at)
  else if (record.headers.count > 0) at = writePlainHeaders(record, target, at)
  const keyIsText = keyStart < 0 || isText(target, keyStart, keyEnd)
  if (keyStart >= 0) at = writeKey(target, keyStart, keyEnd, keyIsText, at)
  target[at++] = payloadSizeTag
  at = putVarint(target, valueEnd - valueStart, at)
  if (timestampMs !== -1) {
    target[at++] = eventTimeTag
    at = putVarint(target, timestampMs, at)
  }
  if (!keyIsText) at = writeFlag(target, keyIsBase64Tag, at)
  if (valueStart < 0) at = writeFlag(target, nullValueTag, at)
  if (keyStart < 0) at = writeFlag(target, nullKeyTag, at)
  writeSize(target, at - metadataStart, position)
  return moveBytes(target, valueStart, valueEnd, at)
}

function writeKey(target: Buffer, start: number, end: number, isText: boolean, position: number): number {
  target[position] = keyTag
  const length = end - start
  if (isText) return moveBytes(target, start, end, putVarint(target, length, position + 1))
  return encodeBase64(target, start, end, target, putVarint(target, base64Bytes(length), position + 1))
}

function writeFlag(target: Buffer, tag: number, position: number): number {
  target[position] = tag
  target[position + 1] = 1
  return position + 2
}

function writeSize(target: Buffer, size: number, position: number): void {
  target[position] = size >>> 24
  target[position + 1] = size >>> 16
  target[position + 2] = size >>> 8
  target[position + 3] = size
}
