import { withCompressedRecords } from '../kafka/wire/batch-builder.js'
import { InvalidRecordError } from '../kafka/wire/invalid-record.js'
import {
  attributesWithoutCodec,
  type RecordBatch,
  readWholeBatch,
  sequenceAfter,
  withAppendTime,
  withLogAppendTime,
  writeBatchHeader,
} from '../kafka/wire/record-batch.js'
import { recordsOf } from '../kafka/wire/record-cursor.js'
import { frameHeadersAndPayload } from '../pulsar/wire/entry-checksum.js'
import { writeBatchMetadata } from '../pulsar/wire/message-metadata.js'
import type { NewEntry } from '../storage/types.js'
import { kafkaToPulsar } from './kafka-to-pulsar.js'
import { type KafkaFacts, kafkaFormatProperties, producerFields } from './origin.js'
import type { RecordRange } from './records-to-messages.js'
import { checkRecords, renumberedRecords, splitRecords } from './records-to-records.js'
import { kafkaControlMarkerType } from './reserved-names.js'
import type { FromKafka, FromKafkaOptions, KafkaBatch } from './types.js'

/**
 * A Kafka batch as entries (document: "Produce Messages"). Every record is checked wholly, in both formats.
 * @throws InvalidRecordError when the records are not what the batch's header says, or cannot be kept
 */
export const fromKafka: FromKafka = async (batch, options) => {
  const header = readWholeBatch(batch.bytes)
  if (header.isLogAppendTime && options.timestampType === 'CreateTime')
    throw new InvalidRecordError('a producer set the broker’s time')
  const appendTimeMs = options.timestampType === 'LogAppendTime' ? options.appendTimeMs : undefined
  const whole: RecordRange = {
    records: await recordsOf(header),
    recordCount: header.recordCount,
    firstOffsetDelta: 0,
    baseTimestampMs: header.baseTimestampMs,
    appendTimeMs,
  }
  if (header.isControl) return [kafkaEntry(batch.bytes, header, whole, options, kafkaControlMarkerType)]
  if (options.format === 'kafka' && whole.recordCount <= options.messagesPerEntryMax)
    return [kafkaEntry(stamped(batch, appendTimeMs), header, whole, options)]
  const ranges = splitRecords(whole, options.messagesPerEntryMax)
  const codec = ranges.length > 1 && options.messagesPerEntryMax === 1 ? 0 : header.codec
  const convert = options.format === 'kafka' ? kafkaPiece : pulsarEntry
  return Promise.all(ranges.map((range) => convert(range, codec, header, options)))
}

function stamped(batch: KafkaBatch, appendTimeMs: number | undefined): Buffer {
  return appendTimeMs === undefined ? batch.bytes : withAppendTime(batch.bytes, appendTimeMs)
}

async function pulsarEntry(
  range: RecordRange,
  codec: number,
  header: RecordBatch,
  options: FromKafkaOptions,
): Promise<NewEntry> {
  const facts = factsOf(header, range)
  const { data, maxTimestampMs } = await kafkaToPulsar(range, codec, facts, options.appendTimeMs)
  return { data, messageCount: range.recordCount, maxTimestampMs }
}

/** A part of a batch that an offset mapping cuts, as a batch of its own. */
async function kafkaPiece(
  range: RecordRange,
  codec: number,
  header: RecordBatch,
  options: FromKafkaOptions,
): Promise<NewEntry> {
  const maxTimestampMs = checkRecords(range)
  const batch = await withCompressedRecords(renumberedRecords(range), codec)
  const facts = factsOf(header, range)
  writeBatchHeader(batch, {
    ...facts,
    baseOffset: 0n,
    leaderEpoch: -1,
    attributes: facts.attributes | codec,
    lastOffsetDelta: range.recordCount - 1,
    baseTimestampMs: range.baseTimestampMs,
    maxTimestampMs,
    recordCount: range.recordCount,
  })
  return kafkaEntry(batch, { ...header, ...facts }, range, options)
}

function kafkaEntry(
  batch: Buffer,
  header: KafkaFacts,
  range: RecordRange,
  options: FromKafkaOptions,
  markerType?: number,
): NewEntry {
  const metadata = writeBatchMetadata({
    publishTimeMs: options.appendTimeMs,
    properties: kafkaFormatProperties,
    compression: 0,
    messagesInBatch: range.recordCount,
    markerType,
    ...producerFields(header, range.recordCount),
  })
  return {
    data: frameHeadersAndPayload(metadata, [batch]),
    messageCount: range.recordCount,
    maxTimestampMs: checkRecords(range),
  }
}

/** The facts of a part of the batch: its sequence numbers go on from those before it. */
function factsOf(header: RecordBatch, range: RecordRange): KafkaFacts {
  const attributes = attributesWithoutCodec(header.attributes)
  return {
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    baseSequence: sequenceAfter(header.baseSequence, range.firstOffsetDelta),
    attributes: range.appendTimeMs === undefined ? attributes : withLogAppendTime(attributes),
  }
}
