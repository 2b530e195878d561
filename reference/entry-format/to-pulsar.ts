import { attributesWithoutCodec, readWholeBatch } from '../kafka/wire/record-batch.js'
import { recordsOf } from '../kafka/wire/record-cursor.js'
import { readHeadersAndPayload } from '../pulsar/wire/entry-checksum.js'
import { kafkaToPulsar } from './kafka-to-pulsar.js'
import { originOf } from './origin.js'
import type { ToPulsar } from './types.js'

/**
 * An entry as Pulsar clients read it. What Pulsar wrote goes out byte for byte (register MC-4); what Kafka wrote looks the
 * same whichever format stored it.
 * @throws MalformedError when the entry is damaged
 */
export const toPulsar: ToPulsar = async (entry) => {
  const { metadata, payloadStart } = readHeadersAndPayload(entry.data)
  const asStored = {
    headersAndPayload: [entry.data],
    messageCount: entry.messageCount,
    isMarker: metadata.markerType !== undefined,
  }
  const origin = originOf(metadata)
  if (asStored.isMarker || origin.writtenBy === 'pulsar' || origin.format === 'pulsar') return asStored
  const header = readWholeBatch(entry.data.subarray(payloadStart))
  const range = {
    records: await recordsOf(header),
    recordCount: header.recordCount,
    firstOffsetDelta: 0,
    baseTimestampMs: header.baseTimestampMs,
    appendTimeMs: header.isLogAppendTime ? header.maxTimestampMs : undefined,
  }
  const facts = { ...header, attributes: attributesWithoutCodec(header.attributes) }
  const { data } = await kafkaToPulsar(range, header.codec, facts, metadata.publishTimeMs)
  return { headersAndPayload: data, messageCount: entry.messageCount, isMarker: false }
}
