import { crc32c } from '../base/crc32c.js'
import { MalformedError } from '../base/malformed.js'
import {
  batchField as at,
  batchHeaderBytes,
  setBaseOffset,
  setLogAppendTime,
} from '../kafka/wire/record-batch.js'
import { decompressRecords } from '../kafka/wire/record-compression.js'
import { uncompressedBytesMaxDefault } from '../kafka/wire/record-cursor.js'
import { InvalidRecordError } from './invalid-record.js'

const magicV2 = 2
/** What comes before the part that `batchLength` counts. */
const uncountedBytes = 12
const codecBits = 0x07
const logAppendTimeBit = 0x08
const controlBit = 0x20

/** Timestamps further from the epoch than this cannot be kept: about 71,000 years. */
const timestampMsMax = 2 ** 51

export interface BatchHeader {
  readonly attributes: number
  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly codec: number
  readonly isLogAppendTime: boolean
  readonly isControl: boolean
  readonly baseTimestampMs: number
  readonly maxTimestampMs: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/** @throws InvalidRecordError unless the bytes are one whole v2 batch with offsets 0 … count − 1. Does not look at the checksum. */
export function readBatchHeader(batch: Buffer): BatchHeader {
  if (batch.length < batchHeaderBytes) throw new InvalidRecordError('a batch ends before its records')
  if (batch[at.magic] !== magicV2) throw new InvalidRecordError(`a batch of magic ${batch[at.magic]}`)
  if (batch.readInt32BE(at.batchLength) !== batch.length - uncountedBytes)
    throw new InvalidRecordError('a batch is not as long as it says')
  const attributes = batch.readInt16BE(at.attributes)
  const recordCount = batch.readInt32BE(at.recordCount)
  if (recordCount < 1) throw new InvalidRecordError('a batch without records')
  if (batch.readInt32BE(at.lastOffsetDelta) !== recordCount - 1)
    throw new InvalidRecordError('a batch whose offsets do not match its records')
  return {
    attributes,
    codec: attributes & codecBits,
    isLogAppendTime: (attributes & logAppendTimeBit) !== 0,
    isControl: (attributes & controlBit) !== 0,
    baseTimestampMs: readTimestamp(batch, at.baseTimestamp),
    maxTimestampMs: readTimestamp(batch, at.maxTimestamp),
    producerId: batch.readBigInt64BE(at.producerId),
    producerEpoch: batch.readInt16BE(at.producerEpoch),
    baseSequence: batch.readInt32BE(at.baseSequence),
    recordCount,
  }
}

function readTimestamp(batch: Buffer, position: number): number {
  const timestampMs = Number(batch.readBigInt64BE(position))
  if (!isTimestamp(timestampMs)) throw new InvalidRecordError('a timestamp is out of bounds')
  return timestampMs
}

export const isTimestamp = (timestampMs: number): boolean =>
  timestampMs > -timestampMsMax && timestampMs < timestampMsMax

/** The batch attributes without the codec: what is true of the records however they are packed. */
export const attributesWithoutCodec = (attributes: number): number => attributes & ~codecBits

/** Attributes of a batch that carries the broker's time. */
export const withLogAppendTime = (attributes: number): number => attributes | logAppendTimeBit

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
  batch.writeInt32BE(batch.length - uncountedBytes, at.batchLength)
  batch[at.magic] = magicV2
  batch.writeInt16BE(header.attributes, at.attributes)
  batch.writeInt32BE(header.lastOffsetDelta, at.lastOffsetDelta)
  batch.writeBigInt64BE(BigInt(header.baseTimestampMs), at.baseTimestamp)
  batch.writeBigInt64BE(BigInt(header.maxTimestampMs), at.maxTimestamp)
  batch.writeBigInt64BE(header.producerId, at.producerId)
  batch.writeInt16BE(header.producerEpoch, at.producerEpoch)
  batch.writeInt32BE(header.baseSequence, at.baseSequence)
  batch.writeInt32BE(header.recordCount, at.recordCount)
  batch.writeUInt32BE(crc32c(batch.subarray(at.attributes)), at.checksum)
}

/** The batch at other offsets, its records neither copied nor checked. */
export function atOffset(batch: Buffer, baseOffset: bigint, leaderEpoch: number): readonly Buffer[] {
  const head = Buffer.from(batch.subarray(0, at.magic))
  setBaseOffset(head, baseOffset, leaderEpoch)
  return [head, batch.subarray(at.magic)]
}

/** A copy of the batch with the broker's time in place of the client's (Kafka's LogAppendTime). */
export function withAppendTime(batch: Buffer, appendTimeMs: number): Buffer {
  const copy = Buffer.from(batch)
  setLogAppendTime(copy, BigInt(appendTimeMs))
  return copy
}

/** The sequence number `count` after `sequence`; they start again at 0 after 2³¹ − 1. −1, no sequence, stays. */
export function sequenceAfter(sequence: number, count: number): number {
  return sequence < 0 ? sequence : (sequence + count) % 2 ** 31
}

/** A batch's records, uncompressed. @throws InvalidRecordError when they are not what the codec says */
export async function batchRecords(batch: Buffer, codec: number): Promise<Buffer> {
  try {
    return await decompressRecords(codec, batch.subarray(batchHeaderBytes), uncompressedBytesMaxDefault)
  } catch (error) {
    if (error instanceof MalformedError) throw new InvalidRecordError(error.message, { cause: error })
    throw error
  }
}
