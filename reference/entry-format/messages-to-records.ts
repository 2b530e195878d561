import { MalformedError } from '../base/malformed.js'
import { varintBytes, varlongBytes, writeVarint, writeVarlong } from '../base/varint.js'
import { encodeHeaders, type HeadlessBatch, type RecordHeader } from '../kafka/wire/batch-builder.js'
import { batchHeaderBytes } from '../kafka/wire/record-batch.js'
import { SingleMessageCursor, singleMessageBytesMin } from '../pulsar/wire/single-message.js'
import { decodeBase64, decodedBase64Bytes } from './base64.js'
import {
  PropertyLocator,
  plainHeaderBytes,
  restoredHeaders,
  writeLocatedHeaders,
} from './header-properties.js'
import { moveBytes, RewriteBuffer } from './rewrite-buffer.js'
import { type MessageTimes, timestampOf } from './timestamps.js'

export interface MessagesToConvert {
  /** A Pulsar batch's payload, uncompressed. */
  readonly payload: Buffer
  readonly messageCount: number
  readonly times: MessageTimes
  /** Given to every record after its own headers. */
  readonly extraHeaders: readonly RecordHeader[]
}

/** How much a message without properties may grow: two lengths and numbers that Pulsar does not have. */
const usualGrowthBytes = 8

/** Pulsar single messages as Kafka records, by the rules of README.md. @throws MalformedError */
export function messagesToRecords(source: MessagesToConvert): HeadlessBatch {
  const { payload, messageCount } = source
  if (messageCount * singleMessageBytesMin > payload.length)
    throw new MalformedError(`${payload.length} bytes cannot hold ${messageCount} messages`)
  const room = new RewriteBuffer(payload, usualGapBytes(payload.length, messageCount))
  const message = new SingleMessageCursor(room.bytes, room.end - payload.length, room.end)
  const record = new RecordWriter(message, source.extraHeaders)
  let at = batchHeaderBytes
  let recordCount = 0
  let baseTimestampMs = -1
  let maxTimestampMs = -1
  for (let offsetDelta = 0; offsetDelta < messageCount; offsetDelta++) {
    const start = message.position
    message.next()
    if (message.compactedOut) continue
    const timestampMs = timestampOf(message.hasEventTime, message.eventTimeMs, source.times)
    if (recordCount++ === 0) baseTimestampMs = timestampMs
    if (timestampMs > maxTimestampMs) maxTimestampMs = timestampMs
    const timestampDelta = smallInteger(timestampMs - baseTimestampMs)
    let bytes = record.measure(timestampDelta, offsetDelta)
    if (at + bytes > start) {
      const position = room.reopen(at, start, bytes)
      message.rebase(room.bytes, position, room.end)
      message.next()
      bytes = record.measure(timestampDelta, offsetDelta)
    }
    at = record.write(timestampDelta, offsetDelta, at)
  }
  if (!message.atEnd) throw new MalformedError('a batch is longer than its messages')
  return { batch: room.bytes.subarray(0, at), recordCount, baseTimestampMs, maxTimestampMs }
}

/** Kept as a small integer where it is one: arithmetic on those needs no memory. */
function smallInteger(value: number): number {
  const small = value | 0
  return small === value ? small : value
}

/** Bytes of a length or offset, most of which take one or two. */
function lengthBytes(value: number): number {
  if (value < 64) return 1
  return value < 8192 ? 2 : varintBytes(value)
}

/** @returns the position after it */
function writeLength(buffer: Buffer, value: number, position: number): number {
  if (value < 0 || value >= 8192) return writeVarint(buffer, value, position)
  const zigzag = value << 1
  if (value < 64) {
    buffer[position] = zigzag
    return position + 1
  }
  buffer[position] = (zigzag & 0x7f) | 0x80
  buffer[position + 1] = zigzag >>> 7
  return position + 2
}

function usualGapBytes(bytes: number, messageCount: number): number {
  return (
    batchHeaderBytes +
    messageCount * usualGrowthBytes +
    Math.ceil((1.25 * bytes) / Math.max(1, messageCount)) +
    64
  )
}

/** Writes the cursor's current message as a record; measured first, because a record starts with its length. */
class RecordWriter {
  readonly #message: SingleMessageCursor
  readonly #extraHeaders: readonly RecordHeader[]
  readonly #extraBytes: Buffer
  readonly #locator = new PropertyLocator()
  readonly #properties = this.#locator.properties
  #keyStart = -1
  /** −1: null. */
  #keyBytes = -1
  #keyIsBase64 = false
  #headerCount = 0
  #headerBytes = 0
  /** Headers that are not simply the message's properties. */
  #restored: Buffer | undefined
  #bodyBytes = 0

  constructor(message: SingleMessageCursor, extraHeaders: readonly RecordHeader[]) {
    this.#message = message
    this.#extraHeaders = extraHeaders
    this.#extraBytes = encodeHeaders(extraHeaders)
  }

  /** @returns the record's bytes with its length */
  measure(timestampDelta: number, offsetDelta: number): number {
    const message = this.#message
    this.#chooseKey()
    this.#chooseHeaders()
    const keyBytes = this.#keyBytes
    const valueBytes = message.nullValue ? -1 : message.position - message.payloadStart
    this.#bodyBytes =
      1 +
      varlongBytes(timestampDelta) +
      lengthBytes(offsetDelta) +
      lengthBytes(keyBytes) +
      Math.max(keyBytes, 0) +
      lengthBytes(valueBytes) +
      Math.max(valueBytes, 0) +
      lengthBytes(this.#headerCount) +
      this.#headerBytes
    return lengthBytes(this.#bodyBytes) + this.#bodyBytes
  }

  /** Ordering key before partition key (register MC-8). */
  #chooseKey(): void {
    const message = this.#message
    this.#keyIsBase64 = false
    if (message.orderingKeyStart >= 0) {
      this.#keyStart = message.orderingKeyStart
      this.#keyBytes = message.orderingKeyEnd - message.orderingKeyStart
    } else if (message.keyStart < 0 || message.nullKey) {
      this.#keyBytes = -1
    } else {
      const decoded = message.keyIsBase64
        ? decodedBase64Bytes(message.buffer, message.keyStart, message.keyEnd)
        : -1
      this.#keyIsBase64 = decoded >= 0
      this.#keyStart = message.keyStart
      this.#keyBytes = decoded >= 0 ? decoded : message.keyEnd - message.keyStart
    }
  }

  #chooseHeaders(): void {
    const message = this.#message
    this.#restored = undefined
    this.#headerCount = this.#extraHeaders.length
    this.#headerBytes = this.#extraBytes.length
    if (message.propertyCount === 0) return
    const { buffer, metadataStart, metadataEnd } = message
    if (this.#locator.locate(buffer, metadataStart, metadataEnd)) {
      const headers = restoredHeaders(buffer, this.#properties)
      this.#restored = encodeHeaders(headers)
      this.#headerCount += headers.length
      this.#headerBytes += this.#restored.length
    } else {
      this.#headerCount += this.#properties.count
      this.#headerBytes += plainHeaderBytes(this.#properties)
    }
  }

  /** @returns the position after the record, which ends before the message starts */
  write(timestampDelta: number, offsetDelta: number, position: number): number {
    const message = this.#message
    const { buffer } = message
    let at = writeLength(buffer, this.#bodyBytes, position)
    buffer[at++] = 0
    at = writeVarlong(buffer, timestampDelta, at)
    at = writeLength(buffer, offsetDelta, at)
    at = writeLength(buffer, this.#keyBytes, at)
    if (this.#keyIsBase64) at = decodeBase64(buffer, this.#keyStart, this.#keyBytes, buffer, at)
    else if (this.#keyBytes > 0) at = moveBytes(buffer, this.#keyStart, this.#keyStart + this.#keyBytes, at)
    if (message.nullValue) at = writeLength(buffer, -1, at)
    else {
      at = writeLength(buffer, message.position - message.payloadStart, at)
      at = moveBytes(buffer, message.payloadStart, message.position, at)
    }
    return this.#writeHeaders(buffer, writeLength(buffer, this.#headerCount, at))
  }

  #writeHeaders(buffer: Buffer, position: number): number {
    let at = position
    if (this.#restored !== undefined) at += this.#restored.copy(buffer, at)
    else if (this.#message.propertyCount > 0) at = writeLocatedHeaders(buffer, this.#properties, at)
    return this.#extraBytes.length === 0 ? at : at + this.#extraBytes.copy(buffer, at)
  }
}
