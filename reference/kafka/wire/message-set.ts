import { crc32 } from '../../base/crc32c.js'
import { MalformedError } from '../../base/malformed.js'
import { BatchBuilder } from './batch-builder.js'
import { batchEnd, batchField, isRecordsRefusal, magicAt, readBatch, splitBatches } from './record-batch.js'
import { decompressRecords, withRightLz4Checksum } from './record-compression.js'
import { openRecords, type RecordCursor, uncompressedBytesMaxDefault } from './record-cursor.js'

/**
 * Message formats 0 and 1, the "message sets" before record batches: a list of
 * `offset int64, size int32, crc int32, magic int8, attributes int8, [timestamp int64, from magic 1 on], key, value`, where
 * key and value are behind an int32 length (−1: null) and the checksum (CRC-32) covers all from the magic on. A compressed
 * message holds another message set as its value: with absolute offsets in magic 0, relative ones in magic 1 (KIP-31).
 * Timestamps: KIP-32.
 */
const at = { crc: 12, magic: 16, attributes: 17, timestamp: 18 } as const
const codecMask = 0x07
const logAppendTimeBit = 0x08
const lz4 = 3
const noTimestamp = -1
/** A message set in a message set in a message set is nobody's work but an attacker's. */
const depthMax = 1

/**
 * Turns a message set into one v2 batch, uncompressed, records in the same order. Messages of magic 0 have no timestamp:
 * theirs becomes −1.
 * @throws MalformedError for anything that is not a whole message set with right checksums.
 */
export async function upConvert(
  messageSet: Buffer,
  uncompressedBytesMax = uncompressedBytesMaxDefault,
): Promise<Buffer> {
  const builder = new BatchBuilder()
  await addMessages(builder, messageSet, undefined, { left: uncompressedBytesMax }, 0)
  if (builder.recordCount === 0) throw new MalformedError('a message set without messages')
  return builder.finish()
}

interface Budget {
  left: number
}

async function addMessages(
  builder: BatchBuilder,
  set: Buffer,
  wrapperTimestampMs: number | undefined,
  budget: Budget,
  depth: number,
): Promise<void> {
  for (let start = 0; start < set.length; ) {
    const end = batchEnd(set, start)
    if (end === undefined) throw new MalformedError('a message set ends in the middle of a message')
    const message = readMessage(set.subarray(start, end))
    if (message.codec === 0)
      builder.add(wrapperTimestampMs ?? message.timestampMs, message.key, message.value)
    else await addCompressed(builder, message, budget, depth)
    start = end
  }
}

async function addCompressed(
  builder: BatchBuilder,
  wrapper: OldMessage,
  budget: Budget,
  depth: number,
): Promise<void> {
  if (depth >= depthMax) throw new MalformedError('a compressed message inside a compressed message')
  if (wrapper.value === null) throw new MalformedError('a compressed message without a value')
  if (wrapper.codec > lz4) throw new MalformedError(`compression ${wrapper.codec} in an old message`)
  const isQuirky = wrapper.magic === 0 && wrapper.codec === lz4
  const value = isQuirky ? withRightLz4Checksum(wrapper.value) : wrapper.value
  const inner = await decompressRecords(wrapper.codec, value, budget.left)
  budget.left -= inner.length
  const timestampMs = wrapper.isLogAppendTime ? wrapper.timestampMs : undefined
  await addMessages(builder, inner, timestampMs, budget, depth + 1)
}

interface OldMessage {
  readonly magic: number
  readonly codec: number
  readonly isLogAppendTime: boolean
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

function readMessage(message: Buffer): OldMessage {
  const magic = magicAt(message, 0)
  if (magic !== 0 && magic !== 1) throw new MalformedError(`a message of magic ${magic} in a message set`)
  const keyAt = magic === 0 ? at.timestamp : at.timestamp + 8
  if (message.length < keyAt + 8) throw new MalformedError('a message is cut short')
  if (message.readUInt32BE(at.crc) !== crc32(message.subarray(at.magic)))
    throw new MalformedError('a message does not match its checksum')
  const keyEnd = fieldEnd(message, keyAt)
  const valueEnd = fieldEnd(message, keyEnd)
  if (valueEnd !== message.length) throw new MalformedError('a message is longer than its fields')
  const attributes = message.readInt8(at.attributes)
  return {
    magic,
    codec: attributes & codecMask,
    isLogAppendTime: magic === 1 && (attributes & logAppendTimeBit) !== 0,
    timestampMs: magic === 0 ? noTimestamp : timestampOf(message),
    key: fieldAt(message, keyAt, keyEnd),
    value: fieldAt(message, keyEnd, valueEnd),
  }
}

function timestampOf(message: Buffer): number {
  const timestampMs = Number(message.readBigInt64BE(at.timestamp))
  if (!Number.isSafeInteger(timestampMs)) throw new MalformedError('a timestamp is beyond 53 bits')
  return timestampMs
}

function fieldEnd(message: Buffer, start: number): number {
  if (start + 4 > message.length) throw new MalformedError('a message is cut short')
  const length = message.readInt32BE(start)
  const end = start + 4 + Math.max(0, length)
  if (length < -1 || end > message.length) throw new MalformedError('a field runs beyond its message')
  return end
}

function fieldAt(message: Buffer, start: number, end: number): Buffer | null {
  return message.readInt32BE(start) === -1 ? null : message.subarray(start + 4, end)
}

/**
 * Rewrites v2 batches as a message set, for clients that fetch with a version that knows only format 0 (v0, v1) or 1 (v2, v3).
 * Offsets stay; headers, and timestamps in magic 0, are lost, as in Kafka (KIP-98); control batches are left out. Messages
 * are not compressed.
 * @param batches whole v2 batches, in pieces.
 */
export async function downConvert(batches: readonly Buffer[], magic: 0 | 1): Promise<readonly Buffer[]> {
  const whole = batches.length === 1 && batches[0] !== undefined ? batches[0] : Buffer.concat(batches)
  const split = splitBatches(whole)
  if (isRecordsRefusal(split)) throw new MalformedError(split.message)
  const pieces: Buffer[] = []
  for (const bytes of split) {
    const batch = readBatch(bytes)
    if (batch.isControl) continue
    const baseOffset = bytes.readBigInt64BE(batchField.baseOffset)
    const records = await openRecords(batch)
    for (let left = batch.recordCount; left > 0; left--) {
      records.next()
      const timestampMs = batch.isLogAppendTime
        ? batch.maxTimestampMs
        : batch.baseTimestampMs + records.timestampDelta
      const attributes = batch.isLogAppendTime && magic === 1 ? logAppendTimeBit : 0
      pieces.push(
        oldMessage(records, magic, attributes, baseOffset + BigInt(records.offsetDelta), timestampMs),
      )
    }
  }
  return pieces
}

function oldMessage(
  records: RecordCursor,
  magic: 0 | 1,
  attributes: number,
  offset: bigint,
  timestampMs: number,
): Buffer {
  const keyAt = magic === 0 ? at.timestamp : at.timestamp + 8
  const { buffer, keyStart, keyEnd, valueStart, valueEnd } = records
  const keyBytes = keyEnd - keyStart
  const valueBytes = valueEnd - valueStart
  const message = Buffer.allocUnsafe(keyAt + 8 + keyBytes + valueBytes)
  message.writeBigInt64BE(offset, 0)
  message.writeInt32BE(message.length - at.crc, 8)
  message.writeInt8(magic, at.magic)
  message.writeInt8(attributes, at.attributes)
  if (magic === 1) message.writeBigInt64BE(BigInt(timestampMs), at.timestamp)
  message.writeInt32BE(keyStart < 0 ? -1 : keyBytes, keyAt)
  if (keyBytes > 0) buffer.copy(message, keyAt + 4, keyStart, keyEnd)
  message.writeInt32BE(valueStart < 0 ? -1 : valueBytes, keyAt + 4 + keyBytes)
  if (valueBytes > 0) buffer.copy(message, keyAt + 8 + keyBytes, valueStart, valueEnd)
  message.writeUInt32BE(crc32(message.subarray(at.magic)), at.crc)
  return message
}
