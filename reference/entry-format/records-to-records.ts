import { varintBytes, varlongBytes, writeVarint, writeVarlong } from '../base/varint.js'
import { InvalidRecordError } from '../kafka/wire/invalid-record.js'
import { batchHeaderBytes, isTimestamp } from '../kafka/wire/record-batch.js'
import { RecordCursor } from '../kafka/wire/record-cursor.js'
import type { RecordRange } from './records-to-messages.js'

/** Checks every record as if it were converted. @returns the largest timestamp, −1 when there is none */
export function checkRecords(range: RecordRange): number {
  const { records, recordCount, baseTimestampMs, appendTimeMs } = range
  const record = new RecordCursor(records, 0, records.length, range.firstOffsetDelta)
  let maxTimestampMs = -1
  for (let index = 0; index < recordCount; index++) {
    record.next()
    const timestampMs = appendTimeMs ?? baseTimestampMs + record.timestampDelta
    if (!isTimestamp(timestampMs)) throw new InvalidRecordError('a timestamp is out of bounds')
    if (timestampMs > maxTimestampMs) maxTimestampMs = timestampMs
  }
  if (!record.atEnd) throw new InvalidRecordError('more bytes than records')
  return maxTimestampMs
}

/** Cuts a batch's records into ranges of at most `recordsMax`, as one when they fit. Lengths are checked, contents not. */
export function splitRecords(range: RecordRange, recordsMax: number): readonly RecordRange[] {
  if (range.recordCount <= recordsMax) return [range]
  const { records, recordCount } = range
  const cursor = new RecordCursor(records, 0, records.length, 0)
  const ranges: RecordRange[] = []
  for (let first = 0; first < recordCount; first += recordsMax) {
    const start = cursor.position
    const count = Math.min(recordsMax, recordCount - first)
    for (let index = 0; index < count; index++) cursor.skip()
    ranges.push({
      ...range,
      records: records.subarray(start, cursor.position),
      recordCount: count,
      firstOffsetDelta: range.firstOffsetDelta + first,
    })
  }
  if (!cursor.atEnd) throw new InvalidRecordError('more bytes than records')
  return ranges
}

/** What attributes, timestamp and offset of a record can take beyond what they took, and its length. */
const growthBytesMax = 32

/** The range as a batch of its own, offsets from 0: the first 61 bytes are left for its header. */
export function renumberedRecords(range: RecordRange): Buffer {
  const { records, recordCount } = range
  const record = new RecordCursor(records, 0, records.length, range.firstOffsetDelta)
  const batch = Buffer.allocUnsafe(batchHeaderBytes + records.length + recordCount * growthBytesMax)
  let at = batchHeaderBytes
  for (let offsetDelta = 0; offsetDelta < recordCount; offsetDelta++) {
    record.next()
    const restBytes = record.position - record.restStart
    const bytes = 1 + varlongBytes(record.timestampDelta) + varintBytes(offsetDelta) + restBytes
    at = writeVarint(batch, bytes, at)
    batch[at++] = 0
    at = writeVarlong(batch, record.timestampDelta, at)
    at = writeVarint(batch, offsetDelta, at)
    at += records.copy(batch, at, record.restStart, record.position)
  }
  return batch.subarray(0, at)
}
