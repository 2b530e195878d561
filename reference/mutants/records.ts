import { isUtf8 } from 'node:buffer'
import type { PartReplacements } from '../broker.js'
import { encryptedHeader, schemaVersionHeader, unconvertibleHeader } from '../entry-format/reserved-names.js'
import type { RecordHeader } from '../kafka/wire/batch-builder.js'
import { batchField, readBatch } from '../kafka/wire/record-batch.js'
import { isRefusal } from '../topics/types.js'
import type { Mutant } from './mutant.js'
import {
  type ChangeRecords,
  changedAppends,
  changedBatches,
  each,
  fetched,
  fetchedBatches,
  fetchedFromPulsar,
  looseRecords,
  produced,
} from './rewrite.js'
import { kafkaCatalog, kafkaLogs } from './seams.js'

const headers = (change: (headers: readonly RecordHeader[]) => readonly RecordHeader[]): ChangeRecords =>
  each((record) => ({ ...record, headers: change(record.headers) }))

const headerValues = (change: (value: Buffer | null) => Buffer | null): ChangeRecords =>
  headers((all) => all.map(([name, value]) => [name, change(value)] as const))

const withoutHeader = (reserved: string): ChangeRecords =>
  headers((all) => all.filter(([name]) => name !== reserved))

const isEmpty = (bytes: Buffer | null) => bytes?.length === 0
const empty = Buffer.alloc(0)

/** Of the headers of one name only the last. */
const lastOfEachName = (all: readonly RecordHeader[]) =>
  all.filter(([name], at) => !all.slice(at + 1).some(([later]) => later === name))

const withoutTimestampType = ({ 'message.timestamp.type': _, ...rest }: Readonly<Record<string, string>>) =>
  rest

const hasHeader = async (batch: Buffer, name: string) =>
  (await looseRecords(readBatch(batch))).some((record) => record.headers.some(([each]) => each === name))

/** Kafka's consumers are given what its producers sent, for as long as the broker remembers; another thing is stored. */
const storedOtherwise = (change: ChangeRecords): PartReplacements =>
  kafkaLogs((log) => {
    const sent = new Map<bigint, Buffer>()
    const { appendKafka } = changedAppends(log, change)
    return {
      appendKafka: async (batch) => {
        const bytes = Buffer.from(batch.bytes)
        const outcome = await appendKafka(batch)
        if (isRefusal(outcome)) return outcome
        bytes.writeBigInt64BE(outcome.baseOffset, batchField.baseOffset)
        sent.set(outcome.baseOffset, bytes)
        return outcome
      },
      fetchKafka: async (offset, limits) => {
        const answer = await log.fetchKafka(offset, limits)
        if (isRefusal(answer)) return answer
        return changedBatches(answer, (batch) => [
          sent.get(batch.readBigInt64BE(batchField.baseOffset)) ?? batch,
        ])
      },
    }
  })

/** What a record says, as it crosses from one side to the other (chapter MC). */
export const recordMutants: readonly Mutant[] = [
  {
    name: 'header-dropped',
    breaks: ['MC-3', 'MC-1'],
    description: 'The last header of a record is not stored.',
    replace: produced(headers((all) => all.slice(0, -1))),
  },
  {
    name: 'header-order-reversed',
    breaks: ['MC-3'],
    description: 'The headers of a record come back in the reverse order.',
    replace: produced(headers((all) => all.toReversed())),
  },
  {
    name: 'repeated-header-names-merged',
    breaks: ['MC-3', 'MC-7'],
    description: 'Of headers that share a name only the last is stored.',
    replace: produced(headers(lastOfEachName)),
  },
  {
    name: 'empty-header-becomes-null',
    breaks: ['MC-3'],
    description: 'A header with an empty value comes back with none.',
    replace: produced(headerValues((value) => (isEmpty(value) ? null : value))),
  },
  {
    name: 'null-header-becomes-empty',
    breaks: ['MC-3', 'MC-7'],
    description: 'A header without a value comes back with an empty one.',
    replace: produced(headerValues((value) => value ?? empty)),
  },
  {
    name: 'null-value-becomes-empty',
    breaks: ['MC-5'],
    description: 'A tombstone is stored as an empty value.',
    replace: produced(each((record) => ({ ...record, value: record.value ?? empty }))),
  },
  {
    name: 'empty-value-becomes-null',
    breaks: ['MC-5', 'MC-3'],
    description: 'An empty value comes back as a tombstone.',
    replace: fetched(each((record) => ({ ...record, value: isEmpty(record.value) ? null : record.value }))),
  },
  {
    name: 'null-key-becomes-empty',
    breaks: ['MC-3'],
    description: 'A record without a key is stored with an empty one.',
    replace: produced(each((record) => ({ ...record, key: record.key ?? empty }))),
  },
  {
    name: 'binary-key-left-base64',
    breaks: ['MC-3', 'MC-6'],
    description: 'A key that is not text reaches Kafka consumers as the base64 in which Pulsar holds it.',
    replace: fetched(
      each((record) => ({
        ...record,
        key:
          record.key === null || isUtf8(record.key) ? record.key : Buffer.from(record.key.toString('base64')),
      })),
    ),
  },
  {
    name: 'timestamp-in-seconds',
    breaks: ['MC-1'],
    description: 'Timestamps are stored in seconds.',
    replace: produced(each((record) => ({ ...record, timestampMs: Math.floor(record.timestampMs / 1000) }))),
  },
  {
    name: 'no-timestamp-becomes-zero',
    breaks: ['MC-10'],
    description: 'The timestamp −1 is stored as 0.',
    replace: produced(each((record) => ({ ...record, timestampMs: Math.max(0, record.timestampMs) }))),
  },
  {
    name: 'zero-timestamp-becomes-none',
    breaks: ['MC-10'],
    description: 'The timestamp 0 is stored as −1.',
    replace: produced(each((record) => ({ ...record, timestampMs: record.timestampMs || -1 }))),
  },
  {
    name: 'log-append-time-ignored',
    breaks: ['MC-12'],
    description: 'The topic config message.timestamp.type is taken and has no effect.',
    replace: kafkaCatalog((catalog) => ({
      create: (name, options) =>
        catalog.create(name, { ...options, configs: withoutTimestampType(options.configs ?? {}) }),
      setConfigs: (name, configs) => catalog.setConfigs(name, withoutTimestampType(configs)),
    })),
  },
  {
    name: 'null-header-lost-in-store',
    breaks: ['MC-3'],
    description: 'A header without a value is stored with an empty one; until a restart memory answers.',
    replace: storedOtherwise(headerValues((value) => value ?? empty)),
  },
  {
    name: 'no-timestamp-lost-in-store',
    breaks: ['MC-10'],
    description: 'The timestamp −1 is stored as 0; until a restart memory answers.',
    replace: storedOtherwise(each((record) => ({ ...record, timestampMs: Math.max(0, record.timestampMs) }))),
  },
  {
    name: 'records-swapped',
    breaks: ['PR-1', 'MC-3'],
    description: 'The last two records of a batch change places.',
    replace: produced((records) => [...records.slice(0, -2), ...records.slice(-2).reverse()]),
  },
  {
    name: 'pulsar-properties-dropped',
    breaks: ['MC-2'],
    description: 'Properties of Pulsar messages do not reach Kafka.',
    replace: fetchedFromPulsar(headers(() => [])),
  },
  {
    name: 'pulsar-keys-dropped',
    breaks: ['MC-2'],
    description: 'Keys of Pulsar messages do not reach Kafka.',
    replace: fetchedFromPulsar(each((record) => ({ ...record, key: null }))),
  },
  {
    name: 'event-time-of-first',
    breaks: ['MC-11', 'MC-2'],
    description: 'All messages of a Pulsar batch reach Kafka with the event time of the first.',
    replace: fetchedFromPulsar((records) =>
      records.map((record) => ({ ...record, timestampMs: records[0]?.timestampMs ?? record.timestampMs })),
    ),
  },
  {
    name: 'encryption-not-told',
    breaks: ['MC-16'],
    description: 'An encrypted message reaches Kafka without a word that its value is ciphertext.',
    replace: fetched(withoutHeader(encryptedHeader)),
  },
  {
    name: 'schema-not-told',
    breaks: ['MC-20'],
    description: 'A message with a schema reaches Kafka without the schema’s identity.',
    replace: fetched(withoutHeader(schemaVersionHeader)),
  },
  {
    name: 'unconvertible-dropped',
    breaks: ['MC-19'],
    description: 'An entry that cannot be converted is left out without a word.',
    replace: fetchedBatches(async (batch) => ((await hasHeader(batch, unconvertibleHeader)) ? [] : [batch])),
  },
]
