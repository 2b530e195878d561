import { MalformedError } from '../../base/malformed.js'
import { PairPositions } from '../../base/pair-positions.js'
import { isText } from '../../base/text.js'
import { InvalidRecordError } from './invalid-record.js'
import { batchField, type RecordBatch } from './record-batch.js'
import { decompressRecords } from './record-compression.js'

/**
 * Walks the records of a v2 batch (uncompressed), checking each wholly, without making an object a record. After `next()`
 * the fields tell where in `buffer` the current record's parts are; a start of −1 is null. A record is
 *
 *     length | attributes (1) | timestamp delta | offset delta | key | value | header count | headers
 *
 * with zigzag varints as lengths and numbers.
 */
export class RecordCursor {
  buffer: Buffer
  position: number
  timestampDelta = 0
  offsetDelta = 0
  /** Just after the timestamp delta and the offset delta: the rest of the record is the same in any batch. */
  restStart = 0
  keyStart = -1
  keyEnd = -1
  valueStart = -1
  valueEnd = -1
  readonly headers = new PairPositions()
  #limit: number
  #expectedDelta: number
  readonly #isAnyDelta: boolean

  /** @param firstOffsetDelta the one that the first record must have, each next one then one more; −1: any will do */
  constructor(buffer: Buffer, position: number, limit: number, firstOffsetDelta: number) {
    this.buffer = buffer
    this.position = position
    this.#limit = limit
    this.#expectedDelta = firstOffsetDelta
    this.#isAnyDelta = firstOffsetDelta < 0
  }

  get atEnd(): boolean {
    return this.position === this.#limit
  }

  /** Goes back to before the current record, in another buffer that holds the same bytes from `position` on. */
  rebase(buffer: Buffer, position: number, limit: number): void {
    this.buffer = buffer
    this.position = position
    this.#limit = limit
    this.#expectedDelta--
  }

  /** @throws InvalidRecordError when the record is broken in any way */
  next(): void {
    const limit = this.#limit
    const length = this.#varint(limit)
    const end = this.position + length
    if (length < 1 || end > limit) throw new InvalidRecordError('a record runs beyond its batch')
    this.position++
    this.timestampDelta = this.#varlong(end)
    const offsetDelta = this.#varint(end)
    this.offsetDelta = offsetDelta
    if (offsetDelta !== this.#expectedDelta++ && !this.#isAnyDelta)
      throw new InvalidRecordError('offsets of records do not follow one another')
    this.restStart = this.position
    this.#readKeyAndValue(end)
    this.#readHeaders(end)
    if (this.position !== end) throw new InvalidRecordError('a record is longer than its fields')
  }

  /** Steps over the current record without looking inside. */
  skip(): void {
    const length = this.#varint(this.#limit)
    if (length < 1 || this.position + length > this.#limit)
      throw new InvalidRecordError('a record runs beyond its batch')
    this.position += length
  }

  #readKeyAndValue(end: number): void {
    const keyBytes = this.#varint(end)
    this.keyStart = keyBytes < 0 ? -1 : this.position
    this.keyEnd = keyBytes < 0 ? -1 : this.#advance(keyBytes, end)
    if (keyBytes < -1) throw new InvalidRecordError('a key of negative length')
    const valueBytes = this.#varint(end)
    this.valueStart = valueBytes < 0 ? -1 : this.position
    this.valueEnd = valueBytes < 0 ? -1 : this.#advance(valueBytes, end)
    if (valueBytes < -1) throw new InvalidRecordError('a value of negative length')
  }

  #readHeaders(end: number): void {
    const count = this.#varint(end)
    this.headers.clear()
    if (count === 0) return
    if (count < 0 || count > end - this.position) throw new InvalidRecordError('a wrong number of headers')
    for (let index = 0; index < count; index++) this.#readHeader(end)
  }

  #readHeader(end: number): void {
    const nameBytes = this.#varint(end)
    const nameStart = this.position
    if (nameBytes < 0) throw new InvalidRecordError('a header without a name')
    const nameEnd = this.#advance(nameBytes, end)
    if (!isText(this.buffer, nameStart, nameEnd))
      throw new InvalidRecordError('a header name that is not UTF-8')
    const valueBytes = this.#varint(end)
    if (valueBytes < -1) throw new InvalidRecordError('a header value of negative length')
    if (valueBytes < 0) this.headers.add(nameStart, nameEnd, -1, -1)
    else {
      const valueStart = this.position
      this.headers.add(nameStart, nameEnd, valueStart, this.#advance(valueBytes, end))
    }
  }

  #advance(bytes: number, end: number): number {
    const position = this.position + bytes
    if (position > end) throw new InvalidRecordError('a field runs beyond its record')
    this.position = position
    return position
  }

  #varint(end: number): number {
    const position = this.position
    if (position >= end) throw new InvalidRecordError('a varint runs beyond its record')
    const first = this.buffer[position] ?? 0
    if (first < 0x80) {
      this.position = position + 1
      return (first >>> 1) ^ -(first & 1)
    }
    return this.#longVarint(end)
  }

  #longVarint(end: number): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.position >= end) break
      const byte = this.buffer[this.position++] ?? 0
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    throw new InvalidRecordError('a varint runs beyond its record')
  }

  #varlong(end: number): number {
    const first = this.buffer[this.position] ?? 0
    if (first < 0x80 && this.position < end) {
      this.position++
      return (first >>> 1) ^ -(first & 1)
    }
    let value = 0
    let scale = 1
    for (let count = 0; count < 8; count++) {
      if (this.position >= end) break
      const byte = this.buffer[this.position++] ?? 0
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      scale *= 128
    }
    throw new InvalidRecordError('a timestamp is out of bounds')
  }
}

/** What a batch may grow to, unless the caller says otherwise: far beyond any message size limit in use. */
export const uncompressedBytesMaxDefault = 128 * 1024 * 1024

/** A batch's records, uncompressed. @throws InvalidRecordError when they are not what the codec says, or too many */
export async function recordsOf(
  { bytes, codec }: Pick<RecordBatch, 'bytes' | 'codec'>,
  uncompressedBytesMax = uncompressedBytesMaxDefault,
): Promise<Buffer> {
  try {
    return await decompressRecords(codec, bytes.subarray(batchField.records), uncompressedBytesMax)
  } catch (error) {
    if (error instanceof MalformedError) throw new InvalidRecordError(error.message, { cause: error })
    throw error
  }
}

/** A cursor over a batch's records, whatever offsets they have. @throws InvalidRecordError */
export async function openRecords(
  batch: Pick<RecordBatch, 'bytes' | 'codec'>,
  uncompressedBytesMax?: number,
): Promise<RecordCursor> {
  const records = await recordsOf(batch, uncompressedBytesMax)
  return new RecordCursor(records, 0, records.length, -1)
}
