import { varintBytes, varlongBytes, writeVarint, writeVarlong } from '../../base/varint.js'
import { attributesOf, batchHeaderBytes, type NewBatchHeader, writeBatchHeader } from './record-batch.js'
import { compressRecords } from './record-compression.js'

export type RecordHeader = readonly [name: string, value: Buffer | null]

/** What records cannot tell of their batch. */
export interface NewBatch
  extends Partial<
    Pick<NewBatchHeader, 'baseOffset' | 'leaderEpoch' | 'producerId' | 'producerEpoch' | 'baseSequence'>
  > {
  /** The records are compressed by it. */
  readonly codec?: number
  readonly isLogAppendTime?: boolean
  readonly isTransactional?: boolean
  readonly isControl?: boolean
}

/** A batch that lacks its header: 61 bytes are left for it. */
export interface HeadlessBatch {
  readonly batch: Buffer
  /** Offsets that no record has are not counted. */
  readonly recordCount: number
  readonly baseTimestampMs: number
  readonly maxTimestampMs: number
}

const firstBytes = 4000

/** Lays out the records of one v2 batch, one after the other. */
export class BatchBuilder {
  #buffer: Buffer
  #position = batchHeaderBytes
  #count = 0
  #baseTimestampMs = -1
  #maxTimestampMs = -1

  /** @param bytesExpected of the records; more will fit */
  constructor(bytesExpected = firstBytes) {
    this.#buffer = Buffer.allocUnsafe(batchHeaderBytes + bytesExpected)
  }

  get recordCount(): number {
    return this.#count
  }

  /** @param timestampMs −1 for none; the first record's becomes the batch's base. */
  add(
    timestampMs: number,
    key: Buffer | null,
    value: Buffer | null,
    headers: readonly RecordHeader[] = [],
  ): void {
    if (this.#count === 0) this.#baseTimestampMs = timestampMs
    this.#maxTimestampMs = Math.max(this.#maxTimestampMs, timestampMs)
    const timestampDelta = timestampMs - this.#baseTimestampMs
    const encodedHeaders = encodeHeaders(headers)
    const length =
      1 +
      varlongBytes(timestampDelta) +
      varintBytes(this.#count) +
      fieldBytes(key) +
      fieldBytes(value) +
      varintBytes(headers.length) +
      encodedHeaders.length
    this.#reserve(length + 5)
    this.#varint(length)
    this.#buffer[this.#position++] = 0
    this.#position = writeVarlong(this.#buffer, timestampDelta, this.#position)
    this.#varint(this.#count)
    this.#field(key)
    this.#field(value)
    this.#varint(headers.length)
    this.#position += encodedHeaders.copy(this.#buffer, this.#position)
    this.#count++
  }

  /** The records so far; the header is yet to be written. */
  headless(): HeadlessBatch {
    return {
      batch: this.#buffer.subarray(0, this.#position),
      recordCount: this.#count,
      baseTimestampMs: this.#baseTimestampMs,
      maxTimestampMs: this.#maxTimestampMs,
    }
  }

  /** The batch, its checksum right. Counts and timestamps come from the records. */
  async finish(fields: NewBatch = {}): Promise<Buffer> {
    const { batch: plain, ...measured } = this.headless()
    const batch = await withCompressedRecords(plain, fields.codec ?? 0)
    writeBatchHeader(batch, {
      baseOffset: 0n,
      leaderEpoch: -1,
      producerId: -1n,
      producerEpoch: -1,
      baseSequence: -1,
      ...fields,
      ...measured,
      attributes: attributesOf(fields),
      lastOffsetDelta: this.#count - 1,
    })
    return batch
  }

  #field(bytes: Buffer | null): void {
    this.#varint(bytes === null ? -1 : bytes.length)
    if (bytes !== null) this.#position += bytes.copy(this.#buffer, this.#position)
  }

  #varint(value: number): void {
    this.#position = writeVarint(this.#buffer, value, this.#position)
  }

  #reserve(bytes: number): void {
    const needed = this.#position + bytes
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(grown, 0, 0, this.#position)
    this.#buffer = grown
  }
}

const fieldBytes = (bytes: Buffer | null): number =>
  bytes === null ? 1 : varintBytes(bytes.length) + bytes.length

/** Headers, encoded, without their count. */
export function encodeHeaders(headers: readonly RecordHeader[]): Buffer {
  if (headers.length === 0) return noHeaders
  const pieces: Buffer[] = []
  for (const [name, value] of headers) {
    const nameBytes = Buffer.from(name)
    const lengths = Buffer.allocUnsafe(10)
    const afterName = writeVarint(lengths, nameBytes.length, 0)
    const afterValue = writeVarint(lengths, value === null ? -1 : value.length, afterName)
    pieces.push(lengths.subarray(0, afterName), nameBytes, lengths.subarray(afterName, afterValue))
    if (value !== null) pieces.push(value)
  }
  return Buffer.concat(pieces)
}

const noHeaders = Buffer.alloc(0)

/** A headless batch with its records compressed; the same when the codec is 0, none. */
export async function withCompressedRecords(batch: Buffer, codec: number): Promise<Buffer> {
  if (codec === 0) return batch
  const records = await compressRecords(codec, batch.subarray(batchHeaderBytes))
  return Buffer.concat([batch.subarray(0, batchHeaderBytes), records])
}
