import { varintBytes, varlongBytes, writeVarint, writeVarlong } from '../../base/varint.js'
import { frameBatch, type NewBatch } from './record-batch.js'
import { compressRecords } from './record-compression.js'

export type RecordHeader = readonly [name: string, value: Buffer | null]

const firstBytes = 4096

/** Lays out the records of one v2 batch, one after the other. */
export class BatchBuilder {
  #buffer = Buffer.allocUnsafe(firstBytes)
  #position = 0
  #count = 0
  #baseTimestampMs = 0
  #maxTimestampMs = -1

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
    const length =
      1 +
      varlongBytes(timestampDelta) +
      varintBytes(this.#count) +
      fieldBytes(key) +
      fieldBytes(value) +
      headersBytes(headers)
    this.#reserve(length + 5)
    this.#varint(length)
    this.#buffer[this.#position++] = 0
    this.#position = writeVarlong(this.#buffer, timestampDelta, this.#position)
    this.#varint(this.#count)
    this.#field(key)
    this.#field(value)
    this.#headers(headers)
    this.#count++
  }

  /**
   * The batch, its checksum right, in pieces. Counts and timestamps come from the records.
   * @param fields the rest of the header; with `codec`, the records are compressed.
   */
  async finish(
    fields: Omit<NewBatch, 'recordCount' | 'baseTimestampMs' | 'maxTimestampMs'> = {},
  ): Promise<readonly Buffer[]> {
    const records = await compressRecords(fields.codec ?? 0, this.#buffer.subarray(0, this.#position))
    const measured = {
      recordCount: this.#count,
      baseTimestampMs: BigInt(this.#baseTimestampMs),
      maxTimestampMs: BigInt(this.#maxTimestampMs),
    }
    return frameBatch({ ...fields, ...measured }, [records])
  }

  #headers(headers: readonly RecordHeader[]): void {
    this.#varint(headers.length)
    for (const [name, value] of headers) {
      const nameBytes = Buffer.byteLength(name)
      this.#varint(nameBytes)
      this.#position += this.#buffer.write(name, this.#position)
      this.#field(value)
    }
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

function headersBytes(headers: readonly RecordHeader[]): number {
  let bytes = varintBytes(headers.length)
  for (const [name, value] of headers) {
    const nameBytes = Buffer.byteLength(name)
    bytes += varintBytes(nameBytes) + nameBytes + fieldBytes(value)
  }
  return bytes
}
