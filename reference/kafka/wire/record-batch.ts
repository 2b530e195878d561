import { crc32c, crc32cOf } from '../../base/crc32c.js'
import type { ErrorName } from './errors.js'

/**
 * Kafka's message format 2, the record batch (KIP-98). 61 bytes, big-endian, come before the records. The checksum
 * (CRC-32C) covers all from the attributes on, so that base offset and leader epoch can be set without touching it.
 */
export const batchField = {
  baseOffset: 0,
  batchLength: 8,
  leaderEpoch: 12,
  magic: 16,
  checksum: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const

export const batchHeaderBytes = 61
/** What comes before the part that `batchLength` counts. */
const uncountedBytes = 12
const codecMask = 0x07
const logAppendTimeBit = 0x08
const transactionalBit = 0x10
const controlBit = 0x20
/** zstd, the last that Kafka knows. */
const codecMax = 4

/** A refusal is a value; the name goes into the partition's error code, the sentence into its error message. */
export interface RecordsRefusal {
  readonly refused: ErrorName & ('CORRUPT_MESSAGE' | 'INVALID_RECORD' | 'UNSUPPORTED_COMPRESSION_TYPE')
  readonly message: string
}

export const refuseRecords = (refused: RecordsRefusal['refused'], message: string): RecordsRefusal => ({
  refused,
  message,
})
export const isRecordsRefusal = (value: object): value is RecordsRefusal => 'refused' in value

/** A validated v2 batch: entry-format's `KafkaBatch`, and what else its header says. */
export interface RecordBatch {
  /** The whole batch from its base offset on; its CRC is right. */
  readonly bytes: Buffer
  readonly recordCount: number
  readonly baseTimestampMs: bigint
  readonly maxTimestampMs: bigint
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly isLogAppendTime: boolean
  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly codec: number
}

/** Where a batch or an old message that starts at `start` ends, by its own account; undefined when that cannot be. */
export function batchEnd(records: Buffer, start: number): number | undefined {
  if (start + uncountedBytes > records.length) return undefined
  const length = records.readInt32BE(start + batchField.batchLength)
  const end = start + uncountedBytes + length
  return length > 0 && end <= records.length ? end : undefined
}

/** Magic byte of the batch or old message at `start`, in the same place in all formats. */
export const magicAt = (records: Buffer, start: number): number | undefined =>
  records[start + batchField.magic]

/**
 * Cuts records into batches, without looking into them: views, no copies.
 * @returns CORRUPT_MESSAGE when the bytes do not end where the last batch does.
 */
export function splitBatches(records: Buffer): readonly Buffer[] | RecordsRefusal {
  const batches: Buffer[] = []
  for (let start = 0; start < records.length; ) {
    const end = batchEnd(records, start)
    if (end === undefined)
      return refuseRecords('CORRUPT_MESSAGE', 'The records end in the middle of a batch; send whole batches.')
    batches.push(records.subarray(start, end))
    start = end
  }
  return batches
}

/**
 * Whether any of these whole batches, in pieces, is compressed with zstd: consumers that fetch below v10 must be told
 * UNSUPPORTED_COMPRESSION_TYPE in their place (KIP-110).
 */
export function includesZstd(pieces: readonly Buffer[]): boolean {
  const batches = splitBatches(Buffer.concat(pieces))
  return !isRecordsRefusal(batches) && batches.some((bytes) => readBatch(bytes).codec === codecMax)
}

/**
 * Validates the header and checksum of one whole v2 batch. Records are not looked at: see `checkRecords`.
 * @returns CORRUPT_MESSAGE for wrong lengths, magic or checksum, INVALID_RECORD for counts that contradict one another.
 */
export function checkBatch(bytes: Buffer): RecordBatch | RecordsRefusal {
  if (bytes.length < batchHeaderBytes || batchEnd(bytes, 0) !== bytes.length)
    return refuseRecords('CORRUPT_MESSAGE', 'The batch is not as long as its header says.')
  if (magicAt(bytes, 0) !== 2)
    return refuseRecords('CORRUPT_MESSAGE', `The batch has magic ${magicAt(bytes, 0)}, where 2 is expected.`)
  if (bytes.readUInt32BE(batchField.checksum) !== crc32c(bytes.subarray(batchField.attributes)))
    return refuseRecords('CORRUPT_MESSAGE', 'The batch does not match its checksum; send it again.')
  const batch = readBatch(bytes)
  if (batch.codec > codecMax)
    return refuseRecords(
      'CORRUPT_MESSAGE',
      `The batch names compression ${batch.codec}, which does not exist.`,
    )
  return contradiction(batch) ?? batch
}

function contradiction({ bytes, recordCount, producerId, baseSequence }: RecordBatch) {
  const lastOffsetDelta = bytes.readInt32BE(batchField.lastOffsetDelta)
  if (recordCount < 1 || lastOffsetDelta !== recordCount - 1)
    return refuseRecords(
      'INVALID_RECORD',
      `The batch has ${recordCount} records and last offset delta ${lastOffsetDelta}.`,
    )
  if (producerId >= 0n && baseSequence < 0)
    return refuseRecords('INVALID_RECORD', `A producer's batch has the sequence number ${baseSequence}.`)
  return undefined
}

/** Reads the header of a batch that is known to be right. */
export function readBatch(bytes: Buffer): RecordBatch {
  const attributes = bytes.readInt16BE(batchField.attributes)
  return {
    bytes,
    recordCount: bytes.readInt32BE(batchField.recordCount),
    baseTimestampMs: bytes.readBigInt64BE(batchField.baseTimestamp),
    maxTimestampMs: bytes.readBigInt64BE(batchField.maxTimestamp),
    producerId: bytes.readBigInt64BE(batchField.producerId),
    producerEpoch: bytes.readInt16BE(batchField.producerEpoch),
    baseSequence: bytes.readInt32BE(batchField.baseSequence),
    isTransactional: (attributes & transactionalBit) !== 0,
    isControl: (attributes & controlBit) !== 0,
    isLogAppendTime: (attributes & logAppendTimeBit) !== 0,
    codec: attributes & codecMask,
  }
}

/** Sets, in place, what precedes the checksum's range: the checksum stays right. */
export function setBaseOffset(batch: Buffer, baseOffset: bigint, leaderEpoch: number): void {
  batch.writeBigInt64BE(baseOffset, batchField.baseOffset)
  batch.writeInt32BE(leaderEpoch, batchField.leaderEpoch)
}

/** Stamps a batch, in place, with the broker's time (LogAppendTime), and computes its checksum anew. */
export function setLogAppendTime(batch: Buffer, appendTimeMs: bigint): void {
  const attributes = batch.readInt16BE(batchField.attributes)
  batch.writeInt16BE(attributes | logAppendTimeBit, batchField.attributes)
  batch.writeBigInt64BE(appendTimeMs, batchField.maxTimestamp)
  batch.writeUInt32BE(crc32c(batch.subarray(batchField.attributes)), batchField.checksum)
}

export interface NewBatch {
  readonly baseOffset?: bigint
  readonly leaderEpoch?: number
  readonly codec?: number
  readonly isLogAppendTime?: boolean
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  readonly recordCount: number
  readonly baseTimestampMs: bigint
  readonly maxTimestampMs: bigint
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly baseSequence?: number
}

/**
 * Puts a header before records that are already laid out (and compressed, when `codec` says so).
 * @returns the batch in pieces, the records as they were given, the checksum right.
 */
export function frameBatch(fields: NewBatch, records: readonly Buffer[]): readonly Buffer[] {
  const header = Buffer.alloc(batchHeaderBytes)
  const recordBytes = records.reduce((sum, piece) => sum + piece.length, 0)
  setBaseOffset(header, fields.baseOffset ?? 0n, fields.leaderEpoch ?? -1)
  header.writeInt32BE(batchHeaderBytes - uncountedBytes + recordBytes, batchField.batchLength)
  header.writeInt8(2, batchField.magic)
  header.writeInt16BE(attributesOf(fields), batchField.attributes)
  header.writeInt32BE(fields.recordCount - 1, batchField.lastOffsetDelta)
  header.writeBigInt64BE(fields.baseTimestampMs, batchField.baseTimestamp)
  header.writeBigInt64BE(fields.maxTimestampMs, batchField.maxTimestamp)
  header.writeBigInt64BE(fields.producerId ?? -1n, batchField.producerId)
  header.writeInt16BE(fields.producerEpoch ?? -1, batchField.producerEpoch)
  header.writeInt32BE(fields.baseSequence ?? -1, batchField.baseSequence)
  header.writeInt32BE(fields.recordCount, batchField.recordCount)
  const checksum = crc32cOf(records, crc32c(header.subarray(batchField.attributes)))
  header.writeUInt32BE(checksum, batchField.checksum)
  return [header, ...records]
}

function attributesOf(fields: NewBatch): number {
  return (
    (fields.codec ?? 0) |
    (fields.isLogAppendTime === true ? logAppendTimeBit : 0) |
    (fields.isTransactional === true ? transactionalBit : 0) |
    (fields.isControl === true ? controlBit : 0)
  )
}
