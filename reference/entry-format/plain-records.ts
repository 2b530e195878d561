import { BatchBuilder, type HeadlessBatch, type RecordHeader } from '../kafka/wire/batch-builder.js'

/** A record as an object: for entries of one message, and for those that need words instead of conversion. */
export interface PlainRecord {
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

const fixedBytesMax = 128

/** Records with offset deltas from 0. At least one. */
export function encodePlainRecords(records: readonly PlainRecord[]): HeadlessBatch {
  const [first] = records
  const builder = new BatchBuilder(fixedBytesMax + (first?.key?.length ?? 0) + (first?.value?.length ?? 0))
  for (const { timestampMs, key, value, headers } of records) builder.add(timestampMs, key, value, headers)
  return builder.headless()
}
