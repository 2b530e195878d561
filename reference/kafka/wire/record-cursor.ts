import { MalformedError } from '../../base/malformed.js'
import { VarintCursor } from '../../base/varint.js'
import { batchField, type RecordBatch, type RecordsRefusal, refuseRecords } from './record-batch.js'
import { decompressRecords } from './record-compression.js'

/**
 * Walks the records of a v2 batch by byte positions: `next()` moves on, the fields say where the parts of the current
 * record lie in `buffer`. Nothing is allocated for a record.
 */
export class RecordCursor {
  readonly buffer: Buffer
  /** Where the current record begins, its length included, and where it ends. */
  start = 0
  end = 0
  attributes = 0
  timestampDelta = 0
  offsetDelta = 0
  keyStart = 0
  /** −1: no key. */
  keyLength = -1
  valueStart = 0
  /** −1: no value (a tombstone). */
  valueLength = -1
  /** Where the first header begins, after their count. */
  headersStart = 0
  headerCount = 0

  readonly #varints: VarintCursor
  #left: number

  /** @param buffer records, uncompressed. @param start where the first one begins in it. */
  constructor(buffer: Buffer, start: number, recordCount: number) {
    this.buffer = buffer
    this.#varints = new VarintCursor(buffer, start)
    this.#left = recordCount
    this.end = start
  }

  /** @returns false after the last record. @throws MalformedError when a record does not fit its lengths. */
  next(): boolean {
    if (this.#left === 0) return false
    this.#left--
    const varints = this.#varints
    varints.end = this.buffer.length
    this.start = varints.position
    const length = varints.signed()
    this.end = varints.position + length
    if (length < 0 || this.end > this.buffer.length)
      throw new MalformedError('a record runs beyond its batch')
    varints.end = this.end
    this.#fields(varints)
    if (varints.position !== this.end) throw new MalformedError('a record is longer than its fields')
    return true
  }

  /** @throws MalformedError when bytes follow the last record. */
  expectEnd(): void {
    if (this.end !== this.buffer.length) throw new MalformedError('bytes follow the last record')
  }

  #fields(varints: VarintCursor): void {
    this.attributes = varints.unsigned()
    this.timestampDelta = varints.signedLong()
    this.offsetDelta = varints.signed()
    this.keyLength = varints.signed()
    this.keyStart = skip(varints, this.keyLength)
    this.valueLength = varints.signed()
    this.valueStart = skip(varints, this.valueLength)
    this.headerCount = varints.signed()
    if (this.headerCount < 0) throw new MalformedError(`${this.headerCount} headers`)
    this.headersStart = varints.position
    for (let left = this.headerCount; left > 0; left--) skipHeader(varints)
  }
}

function skipHeader(varints: VarintCursor): void {
  const nameLength = varints.signed()
  if (nameLength < 0) throw new MalformedError('a header without a name')
  skip(varints, nameLength)
  skip(varints, varints.signed())
}

/** @returns where the skipped bytes begin. */
function skip(varints: VarintCursor, length: number): number {
  const start = varints.position
  if (length < -1 || start + length > varints.end) throw new MalformedError('a field runs beyond its record')
  if (length > 0) varints.position = start + length
  return start
}

/** What a batch may grow to, unless the caller says otherwise: far beyond any message size limit in use. */
export const uncompressedBytesMaxDefault = 128 * 1024 * 1024

/** @returns a cursor over a batch's records, decompressed when they must be. @throws MalformedError */
export async function openRecords(
  batch: Pick<RecordBatch, 'bytes' | 'codec' | 'recordCount'>,
  uncompressedBytesMax = uncompressedBytesMaxDefault,
): Promise<RecordCursor> {
  if (batch.codec === 0) return new RecordCursor(batch.bytes, batchField.records, batch.recordCount)
  const compressed = batch.bytes.subarray(batchField.records)
  const records = await decompressRecords(batch.codec, compressed, uncompressedBytesMax)
  return new RecordCursor(records, 0, batch.recordCount)
}

/**
 * Looks at every record of a batch whose header is right: lengths, and offsets that count 0, 1, 2 …
 * @returns INVALID_RECORD, or undefined when there is nothing to say against it.
 */
export async function checkRecords(
  batch: RecordBatch,
  uncompressedBytesMax?: number,
): Promise<RecordsRefusal | undefined> {
  try {
    const records = await openRecords(batch, uncompressedBytesMax)
    for (let expected = 0; records.next(); expected++)
      if (records.offsetDelta !== expected)
        return refuseRecords(
          'INVALID_RECORD',
          `Record ${expected} has the offset delta ${records.offsetDelta}.`,
        )
    records.expectEnd()
    return undefined
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return refuseRecords('INVALID_RECORD', `The batch's records cannot be read: ${error.message}.`)
  }
}
