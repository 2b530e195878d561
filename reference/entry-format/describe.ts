import { readWholeBatch } from '../kafka/wire/record-batch.js'
import { readHeadersAndPayload } from '../pulsar/wire/entry-checksum.js'
import type { Chunk, MessageMetadata } from '../pulsar/wire/message-metadata.js'
import { originOf } from './origin.js'
import type { EntryFormatName } from './types.js'

/** What brokers must know of an entry without converting it. */
export interface EntryDescription {
  readonly writtenBy: 'kafka' | 'pulsar'
  /** `kafka` only for a Kafka batch stored as it came. */
  readonly format: EntryFormatName
  /** Whether the payload is a batch; its size is then `messageCount`, else 1. */
  readonly isBatch: boolean
  readonly messageCount: number
  /** A marker of either system: never sent to clients as a message. */
  readonly isMarker: boolean
  readonly isEncrypted: boolean
  /** A piece of a message too large for one entry. */
  readonly chunk: Chunk | undefined
  /** When a message is to be delivered, if not at once (Pulsar's delayed delivery). */
  readonly deliverAtTimeMs: number | undefined
  /** Everything else that its metadata says. */
  readonly metadata: MessageMetadata
}

/** @throws MalformedError when the entry is damaged */
export function describeEntry(entry: { readonly data: Buffer }): EntryDescription {
  const { metadata } = readHeadersAndPayload(entry.data)
  const origin = originOf(metadata)
  return {
    writtenBy: origin.writtenBy,
    format: origin.writtenBy === 'kafka' ? origin.format : 'pulsar',
    isBatch: metadata.messagesInBatch !== undefined,
    messageCount: metadata.messagesInBatch ?? 1,
    isMarker: metadata.markerType !== undefined,
    isEncrypted: metadata.encryption !== undefined,
    chunk: metadata.chunk,
    deliverAtTimeMs: metadata.deliverAtTimeMs,
    metadata,
  }
}

/** The producer's side of a Kafka batch: rebuilds the state of idempotent producers after a restart. */
export interface KafkaProducer {
  /** −1 when the batch is of no idempotent producer. */
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
  readonly isTransactional: boolean
}

const transactionalBit = 0x10

/** @returns undefined for an entry that Pulsar wrote. @throws MalformedError when the entry is damaged */
export function kafkaProducerOf(data: Buffer): KafkaProducer | undefined {
  const { metadata, payloadStart } = readHeadersAndPayload(data)
  const origin = originOf(metadata)
  if (origin.writtenBy === 'pulsar') return undefined
  if (origin.format === 'pulsar') {
    const { producerId, producerEpoch, baseSequence, attributes } = origin.facts
    const isTransactional = (attributes & transactionalBit) !== 0
    const recordCount = metadata.messagesInBatch ?? 1
    return { producerId, producerEpoch, baseSequence, recordCount, isTransactional }
  }
  const batch = readWholeBatch(data.subarray(payloadStart))
  const { producerId, producerEpoch, baseSequence, recordCount, isTransactional } = batch
  return { producerId, producerEpoch, baseSequence, recordCount, isTransactional }
}

/** The producer's side of a Pulsar message or batch: for de-duplication. */
export interface PulsarProducer {
  readonly producerName: string
  readonly sequenceId: bigint
  /** Of the last message of a batch; equals `sequenceId` when the client gives none. */
  readonly highestSequenceId: bigint
}

/** @returns undefined for an entry that Kafka wrote. @throws MalformedError when the entry is damaged */
export function pulsarProducerOf(data: Buffer): PulsarProducer | undefined {
  const { metadata } = readHeadersAndPayload(data)
  if (originOf(metadata).writtenBy === 'kafka') return undefined
  const { producerName, sequenceId, highestSequenceId } = metadata
  const isBatchOfSeveral = highestSequenceId !== undefined && highestSequenceId > sequenceId
  return {
    producerName,
    sequenceId,
    highestSequenceId: isBatchOfSeveral ? highestSequenceId : sequenceId,
  }
}
