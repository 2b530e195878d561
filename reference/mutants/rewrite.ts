import { asOffset } from '../base/brand.js'
import type { PartReplacements } from '../broker.js'
import type { KafkaBatch } from '../entry-format/types.js'
import { BatchBuilder, type RecordHeader } from '../kafka/wire/batch-builder.js'
import {
  batchField,
  isRecordsRefusal,
  type RecordBatch,
  readBatch,
  splitBatches,
} from '../kafka/wire/record-batch.js'
import { openRecords, type RecordCursor } from '../kafka/wire/record-cursor.js'
import { isRefusal, type KafkaAppended, type KafkaFetched, type PartitionLog } from '../topics/types.js'
import { type Changes, kafkaLogs } from './seams.js'

/** One record, taken out of its batch. */
export interface LooseRecord {
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

export type ChangeRecords = (records: readonly LooseRecord[]) => readonly LooseRecord[]

/** The records of a batch, one object each: a test's way, not the broker's. */
export async function looseRecords(batch: RecordBatch): Promise<readonly LooseRecord[]> {
  const cursor = await openRecords(batch)
  const records: LooseRecord[] = []
  for (let left = batch.recordCount; left > 0; left--) {
    cursor.next()
    records.push({
      timestampMs: batch.baseTimestampMs + cursor.timestampDelta,
      key: field(cursor, cursor.keyStart, cursor.keyEnd),
      value: field(cursor, cursor.valueStart, cursor.valueEnd),
      headers: headersOf(cursor),
    })
  }
  return records
}

const field = ({ buffer }: RecordCursor, start: number, end: number): Buffer | null =>
  start < 0 ? null : buffer.subarray(start, end)

function headersOf(cursor: RecordCursor): readonly RecordHeader[] {
  const { buffer, headers } = cursor
  return Array.from({ length: headers.count }, (_, at) => [
    buffer.toString('utf8', headers.nameStart(at), headers.nameEnd(at)),
    field(cursor, headers.valueStart(at), headers.valueEnd(at)),
  ])
}

/** A batch of other records under the same header, its checksum right. */
export async function rebuilt(
  batch: RecordBatch,
  records: readonly LooseRecord[],
  baseOffset = batch.bytes.readBigInt64BE(batchField.baseOffset),
): Promise<Buffer> {
  const builder = new BatchBuilder()
  for (const { timestampMs, key, value, headers } of records) builder.add(timestampMs, key, value, headers)
  const { codec, producerId, producerEpoch, baseSequence, isLogAppendTime, isTransactional } = batch
  const leaderEpoch = batch.bytes.readInt32BE(batchField.leaderEpoch)
  const kept = { codec, producerId, producerEpoch, baseSequence, isLogAppendTime, isTransactional }
  return builder.finish({ ...kept, baseOffset, leaderEpoch })
}

async function rewritten(bytes: Buffer, change: ChangeRecords): Promise<Buffer> {
  const batch = readBatch(bytes)
  return batch.isControl ? bytes : rebuilt(batch, change(await looseRecords(batch)))
}

/** The records of every batch that Kafka producers send are changed before they are stored. */
export const produced = (change: ChangeRecords): PartReplacements =>
  kafkaLogs((log) => changedAppends(log, change))

export const changedAppends = (
  log: PartitionLog,
  change: ChangeRecords,
): Pick<PartitionLog, 'appendKafka'> => ({
  appendKafka: inOrder(async (batch) => {
    const bytes = await rewritten(batch.bytes, change)
    return () => log.appendKafka(readBatch(bytes))
  }),
})

/** Appends that take a while to prepare, begun in the order in which they came. */
function inOrder(
  prepare: (batch: KafkaBatch) => Promise<() => ReturnType<PartitionLog['appendKafka']>>,
): PartitionLog['appendKafka'] {
  let turn: Promise<unknown> = Promise.resolve()
  return (batch) => {
    const prepared = prepare(batch)
    const begun = turn.then(async () => ({ outcome: (await prepared)() }))
    turn = begun
    return begun.then(({ outcome }) => outcome)
  }
}

/** Changes the whole batches that a fetch answers, each to none, one or several. */
export const fetchedBatches = (
  change: (batch: Buffer, log: PartitionLog) => readonly Buffer[] | Promise<readonly Buffer[]>,
): PartReplacements =>
  kafkaLogs((log) => ({
    fetchKafka: async (offset, limits) => {
      const fetched = await log.fetchKafka(offset, limits)
      return isRefusal(fetched) ? fetched : changedBatches(fetched, (batch) => change(batch, log))
    },
  }))

export async function changedBatches(
  fetched: KafkaFetched,
  change: (batch: Buffer) => readonly Buffer[] | Promise<readonly Buffer[]>,
): Promise<KafkaFetched> {
  const batches = splitBatches(Buffer.concat(fetched.records))
  if (isRecordsRefusal(batches)) throw new Error(batches.message)
  const records = (await Promise.all(batches.map(change))).flat()
  return { ...fetched, records, bytes: records.reduce((sum, { length }) => sum + length, 0) }
}

/** The records that Kafka consumers fetch are changed. */
export const fetched = (change: ChangeRecords): PartReplacements =>
  fetchedBatches(async (batch) => [await rewritten(batch, change)])

/** As `fetched`, but only for what a Pulsar producer wrote while this broker runs. */
export const fetchedFromPulsar = (change: ChangeRecords): PartReplacements =>
  kafkaLogs((log) => {
    const ofKafka = new Set<bigint>()
    const changes: Changes<PartitionLog> = {
      async appendKafka(batch) {
        const outcome = await log.appendKafka(batch)
        if (!isRefusal(outcome)) ofKafka.add(outcome.baseOffset)
        return outcome
      },
      async fetchKafka(offset, limits) {
        const answer = await log.fetchKafka(offset, limits)
        if (isRefusal(answer)) return answer
        return changedBatches(answer, async (batch) => [
          ofKafka.has(batch.readBigInt64BE(batchField.baseOffset)) ? batch : await rewritten(batch, change),
        ])
      },
    }
    return changes
  })

/** Changes each record by itself. */
export const each =
  (change: (record: LooseRecord) => LooseRecord): ChangeRecords =>
  (records) =>
    records.map(change)

/** What a producer is told when nothing, or something else, was stored. */
export const acknowledged = (log: PartitionLog, baseOffset: bigint): KafkaAppended => ({
  baseOffset: asOffset(baseOffset),
  logAppendTimeMs: -1n,
  logStartOffset: log.startOffset(),
  duplicate: false,
})
