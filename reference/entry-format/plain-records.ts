import { unsignedVarintBytes, varintBytes, varlongBytes, writeVarint, writeVarlong } from '../base/varint.js'
import { batchHeaderBytes } from '../kafka/wire/record-batch.js'
import { encodeHeaders, type Header } from './header-properties.js'
import type { ConvertedRecords } from './messages-to-records.js'

/** A record as an object: for entries of one message, and for those that need words instead of conversion. */
export interface PlainRecord {
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly Header[]
}

/** Records with offset deltas from 0 as a batch that lacks its header. At least one. */
export function encodePlainRecords(records: readonly PlainRecord[]): ConvertedRecords {
  const baseTimestampMs = records[0]?.timestampMs ?? -1
  const pieces: Buffer[] = [Buffer.allocUnsafe(batchHeaderBytes)]
  let maxTimestampMs = -1
  for (const [offsetDelta, record] of records.entries()) {
    maxTimestampMs = Math.max(maxTimestampMs, record.timestampMs)
    pieces.push(encodeRecord(record, record.timestampMs - baseTimestampMs, offsetDelta))
  }
  return { batch: Buffer.concat(pieces), recordCount: records.length, baseTimestampMs, maxTimestampMs }
}

function encodeRecord(record: PlainRecord, timestampDelta: number, offsetDelta: number): Buffer {
  const headers = encodeHeaders(record.headers)
  const bodyBytes =
    1 +
    varlongBytes(timestampDelta) +
    varintBytes(offsetDelta) +
    nullableBytes(record.key) +
    nullableBytes(record.value) +
    varintBytes(record.headers.length) +
    headers.length
  const output = Buffer.allocUnsafe(unsignedVarintBytes(bodyBytes * 2) + bodyBytes)
  let at = writeVarint(output, bodyBytes, 0)
  output[at++] = 0
  at = writeVarlong(output, timestampDelta, at)
  at = writeVarint(output, offsetDelta, at)
  at = writeNullable(output, record.key, at)
  at = writeNullable(output, record.value, at)
  at = writeVarint(output, record.headers.length, at)
  headers.copy(output, at)
  return output
}

const nullableBytes = (bytes: Buffer | null): number =>
  bytes === null ? 1 : varintBytes(bytes.length) + bytes.length

function writeNullable(output: Buffer, bytes: Buffer | null, position: number): number {
  if (bytes === null) return writeVarint(output, -1, position)
  const at = writeVarint(output, bytes.length, position)
  return at + bytes.copy(output, at)
}
