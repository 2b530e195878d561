import { crc32c } from '../../base/crc32c.js'
import type { ErrorName } from './errors.js'
import { InvalidRecordError } from './invalid-record.js'

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
const magicV2 = 2
/** What comes before the part that `batchLength` counts. */
const uncountedBytes = 12
const codecMask = 0x07
const logAppendTimeBit = 0x08
const transactionalBit = 0x10
const controlBit = 0x20
const zstdCodec = 4
/** The last that Kafka knows. */
const codecMax = zstdCodec

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

/** What the header of a v2 batch says: entry-format's `KafkaBatch`, and more. */
export interface RecordBatch {
  /** The whole batch from its base offset on. */
  readonly bytes: Buffer
  readonly recordCount: number
  readonly baseTimestampMs: number
  readonly maxTimestampMs: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly attributes: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly isLogAppendTime: boolean
  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly codec: number
}

/** Timestamps further from the epoch than this cannot be kept: about 71,000 years. */
const timestampMsMax = 2 ** 51

export const isTimestamp = (timestampMs: number): boolean =>
  timestampMs > -timestampMsMax && timestampMs < timestampMsMax

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
 * Those of whole batches, in pieces, that come before the first compressed with zstd: consumers that fetch below v10 cannot
 * read on, and are told UNSUPPORTED_COMPRESSION_TYPE when they get there (KIP-110).
 */
export function beforeZstd(pieces: readonly Buffer[]): readonly Buffer[] {
  const [first] = pieces
  const whole = pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces)
  const batches = splitBatches(whole)
  if (isRecordsRefusal(batches)) return pieces
  const zstdAt = batches.findIndex((bytes) => readBatch(bytes).codec === zstdCodec)
  return zstdAt < 0 ? pieces : batches.slice(0, zstdAt)
}

/**
 * Validates the header and checksum of one whole v2 batch that a producer sent. Records are not looked at: whoever converts
 * them does so.
 * @returns CORRUPT_MESSAGE for wrong lengths, magic or checksum, INVALID_RECORD for fields that contradict one another.
 */
export function checkBatch(bytes: Buffer): RecordBatch | RecordsRefusal {
  const misshapen = checkShape(bytes)
  if (misshapen !== undefined) return misshapen
  if (bytes.readUInt32BE(batchField.checksum) !== crc32c(bytes.subarray(batchField.attributes)))
    return refuseRecords('CORRUPT_MESSAGE', 'The batch does not match its checksum; send it again.')
  const batch = readBatch(bytes)
  const { codec, producerId, baseSequence } = batch
  if (codec > codecMax)
    return refuseRecords('CORRUPT_MESSAGE', `The batch names compression ${codec}, which does not exist.`)
  if (producerId >= 0n && baseSequence < 0)
    return refuseRecords('INVALID_RECORD', `A producer's batch has the sequence number ${baseSequence}.`)
  return contradiction(batch) ?? batch
}

/**
 * Reads the header of one whole v2 batch with offsets 0 … count − 1. Does not look at the checksum.
 * @throws InvalidRecordError for anything else
 */
export function readWholeBatch(bytes: Buffer): RecordBatch {
  const misshapen = checkShape(bytes)
  if (misshapen !== undefined) throw new InvalidRecordError(misshapen.message)
  const batch = readBatch(bytes)
  const contradicting = contradiction(batch)
  if (contradicting !== undefined) throw new InvalidRecordError(contradicting.message)
  return batch
}

function checkShape(bytes: Buffer): RecordsRefusal | undefined {
  if (bytes.length < batchHeaderBytes || batchEnd(bytes, 0) !== bytes.length)
    return refuseRecords('CORRUPT_MESSAGE', 'The batch is not as long as its header says.')
  if (magicAt(bytes, 0) !== magicV2)
    return refuseRecords('CORRUPT_MESSAGE', `The batch has magic ${magicAt(bytes, 0)}, where 2 is expected.`)
  return undefined
}

function contradiction(batch: RecordBatch): RecordsRefusal | undefined {
  const { bytes, recordCount, baseTimestampMs, maxTimestampMs } = batch
  const lastOffsetDelta = bytes.readInt32BE(batchField.lastOffsetDelta)
  if (recordCount < 1 || lastOffsetDelta !== recordCount - 1)
    return refuseRecords(
      'INVALID_RECORD',
      `The batch has ${recordCount} records and last offset delta ${lastOffsetDelta}.`,
    )
  if (!isTimestamp(baseTimestampMs) || !isTimestamp(maxTimestampMs))
    return refuseRecords('INVALID_RECORD', 'A timestamp of the batch is out of bounds.')
  return undefined
}

/** Reads the header of a batch that is known to be right. */
export function readBatch(bytes: Buffer): RecordBatch {
  const attributes = bytes.readInt16BE(batchField.attributes)
  return {
    bytes,
    recordCount: bytes.readInt32BE(batchField.recordCount),
    baseTimestampMs: Number(bytes.readBigInt64BE(batchField.baseTimestamp)),
    maxTimestampMs: Number(bytes.readBigInt64BE(batchField.maxTimestamp)),
    producerId: bytes.readBigInt64BE(batchField.producerId),
    producerEpoch: bytes.readInt16BE(batchField.producerEpoch),
    baseSequence: bytes.readInt32BE(batchField.baseSequence),
    attributes,
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

export interface NewBatchHeader {
  readonly baseOffset: bigint
  readonly leaderEpoch: number
  readonly attributes: number
  /** One less than the offsets that the batch covers, whether or not each has a record. */
  readonly lastOffsetDelta: number
  readonly baseTimestampMs: number
  readonly maxTimestampMs: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/** Writes the header into the first 61 bytes of `batch`, whose records already stand behind them. */
export function writeBatchHeader(batch: Buffer, header: NewBatchHeader): void {
  setBaseOffset(batch, header.baseOffset, header.leaderEpoch)
  batch.writeInt32BE(batch.length - uncountedBytes, batchField.batchLength)
  batch[batchField.magic] = magicV2
  batch.writeInt16BE(header.attributes, batchField.attributes)
  batch.writeInt32BE(header.lastOffsetDelta, batchField.lastOffsetDelta)
  batch.writeBigInt64BE(BigInt(header.baseTimestampMs), batchField.baseTimestamp)
  batch.writeBigInt64BE(BigInt(header.maxTimestampMs), batchField.maxTimestamp)
  batch.writeBigInt64BE(header.producerId, batchField.producerId)
  batch.writeInt16BE(header.producerEpoch, batchField.producerEpoch)
  batch.writeInt32BE(header.baseSequence, batchField.baseSequence)
  batch.writeInt32BE(header.recordCount, batchField.recordCount)
  batch.writeUInt32BE(crc32c(batch.subarray(batchField.attributes)), batchField.checksum)
}

/** The batch at other offsets, its records neither copied nor checked, and itself left as it is. */
export function atOffset(batch: Buffer, baseOffset: bigint, leaderEpoch: number): readonly Buffer[] {
  const head = Buffer.from(batch.subarray(0, batchField.magic))
  setBaseOffset(head, baseOffset, leaderEpoch)
  return [head, batch.subarray(batchField.magic)]
}

/** A copy of the batch with the broker's time in place of the client's (Kafka's LogAppendTime). */
export function withAppendTime(batch: Buffer, appendTimeMs: number): Buffer {
  const copy = Buffer.from(batch)
  copy.writeInt16BE(withLogAppendTime(copy.readInt16BE(batchField.attributes)), batchField.attributes)
  copy.writeBigInt64BE(BigInt(appendTimeMs), batchField.maxTimestamp)
  copy.writeUInt32BE(crc32c(copy.subarray(batchField.attributes)), batchField.checksum)
  return copy
}

/** The batch attributes without the codec: what is true of the records however they are packed. */
export const attributesWithoutCodec = (attributes: number): number => attributes & ~codecMask

/** Attributes of a batch that carries the broker's time. */
export const withLogAppendTime = (attributes: number): number => attributes | logAppendTimeBit

export const attributesOf = (fields: {
  readonly codec?: number
  readonly isLogAppendTime?: boolean
  readonly isTransactional?: boolean
  readonly isControl?: boolean
}): number =>
  (fields.codec ?? 0) |
  (fields.isLogAppendTime === true ? logAppendTimeBit : 0) |
  (fields.isTransactional === true ? transactionalBit : 0) |
  (fields.isControl === true ? controlBit : 0)

/** The sequence number `count` after `sequence`; they start again at 0 after 2³¹ − 1. −1, no sequence, stays. */
export function sequenceAfter(sequence: number, count: number): number {
  return sequence < 0 ? sequence : (sequence + count) % 2 ** 31
}
