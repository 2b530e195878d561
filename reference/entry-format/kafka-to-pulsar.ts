import { frameHeadersAndPayload } from '../pulsar/wire/entry-checksum.js'
import { compressionTypes, compressPayload } from '../pulsar/wire/message-compression.js'
import { writeBatchMetadata } from '../pulsar/wire/message-metadata.js'
import { type KafkaFacts, producerFields, pulsarFormatProperties } from './origin.js'
import { type RecordRange, recordsToMessages } from './records-to-messages.js'

/** Kafka's codec numbers as Pulsar's compression types of the same family (register MC-13). */
const pulsarTypeOfCodec = [
  compressionTypes.none,
  compressionTypes.zlib,
  compressionTypes.snappy,
  compressionTypes.lz4,
  compressionTypes.zstd,
] as const

export interface PulsarBatch {
  readonly data: readonly Buffer[]
  readonly maxTimestampMs: number
}

/**
 * Kafka records as one Pulsar batch. The bytes depend on nothing but what is given, so that an entry stored as Kafka's
 * batch is shown to Pulsar clients as it would have been stored under `entryFormat=pulsar`.
 * @param codec Kafka's number of the codec whose family compresses the payload
 */
export async function kafkaToPulsar(
  range: RecordRange,
  codec: number,
  facts: KafkaFacts,
  publishTimeMs: number,
): Promise<PulsarBatch> {
  const { payload, maxTimestampMs } = recordsToMessages(range)
  const compression = pulsarTypeOfCodec[codec] ?? compressionTypes.none
  const metadata = writeBatchMetadata({
    publishTimeMs,
    properties: pulsarFormatProperties(facts),
    compression,
    uncompressedBytes: compression === compressionTypes.none ? undefined : payload.length,
    messagesInBatch: range.recordCount,
    ...producerFields(facts, range.recordCount),
  })
  return {
    data: frameHeadersAndPayload(metadata, [await compressPayload(compression, payload)]),
    maxTimestampMs,
  }
}
