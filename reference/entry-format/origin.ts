import { sequenceAfter } from '../kafka/wire/record-batch.js'
import type { BatchMetadata, MessageMetadata } from '../pulsar/wire/message-metadata.js'
import { entryFormatProperty, kafkaBatchProperty } from './reserved-names.js'

/**
 * Who wrote an entry, and how. Kafka's entries are Pulsar batches with a property on the *batch*, where no Pulsar client
 * writes or reads one; the properties of a message that is not in a batch are its application's own.
 */
export type Origin =
  | { readonly writtenBy: 'pulsar' }
  | { readonly writtenBy: 'kafka'; readonly format: 'kafka' }
  | { readonly writtenBy: 'kafka'; readonly format: 'pulsar'; readonly facts: KafkaFacts }

/** What Kafka knows of a batch and Pulsar does not. */
export interface KafkaFacts {
  /** −1 for none. */
  readonly producerId: bigint
  readonly producerEpoch: number
  /** −1 for none. */
  readonly baseSequence: number
  /** The batch attributes without the codec. */
  readonly attributes: number
}

export const noKafkaFacts: KafkaFacts = {
  producerId: -1n,
  producerEpoch: -1,
  baseSequence: -1,
  attributes: 0,
}

const writtenByPulsar: Origin = { writtenBy: 'pulsar' }
const kafkaFormat: Origin = { writtenBy: 'kafka', format: 'kafka' }

export function originOf(metadata: MessageMetadata): Origin {
  if (metadata.messagesInBatch === undefined) return writtenByPulsar
  for (const [name, value] of metadata.properties) {
    if (name === entryFormatProperty && value === 'kafka') return kafkaFormat
    if (name !== kafkaBatchProperty) continue
    const facts = parseFacts(value)
    if (facts !== undefined) return { writtenBy: 'kafka', format: 'pulsar', facts }
  }
  return writtenByPulsar
}

/** Whether a batch claims, by its own properties, to be Kafka's. */
export function claimsKafka(metadata: MessageMetadata): boolean {
  return originOf(metadata).writtenBy === 'kafka'
}

const factsPattern = /^(-?\d{1,19}):(-?\d{1,5}):(-?\d{1,10}):(\d{1,5})$/

function parseFacts(text: string): KafkaFacts | undefined {
  const match = factsPattern.exec(text)
  if (match === null) return undefined
  const [, producerId = '-1', producerEpoch, baseSequence, attributes] = match
  return {
    producerId: BigInt(producerId),
    producerEpoch: Number(producerEpoch),
    baseSequence: Number(baseSequence),
    attributes: Number(attributes),
  }
}

const factsText = (facts: KafkaFacts): string =>
  `${facts.producerId}:${facts.producerEpoch}:${facts.baseSequence}:${facts.attributes}`

export const kafkaFormatProperties = [[entryFormatProperty, 'kafka']] as const
export const pulsarFormatProperties = (facts: KafkaFacts) => [[kafkaBatchProperty, factsText(facts)]] as const

/** What Pulsar must be told of the producer of a Kafka batch. */
export function producerFields(
  facts: KafkaFacts,
  messageCount: number,
): Pick<BatchMetadata, 'producerName' | 'sequenceId' | 'highestSequenceId'> {
  const producerName = facts.producerId < 0n ? 'kafka' : `kafka-${facts.producerId}`
  if (facts.baseSequence < 0) return { producerName, sequenceId: 0n }
  return {
    producerName,
    sequenceId: BigInt(facts.baseSequence),
    highestSequenceId: BigInt(sequenceAfter(facts.baseSequence, messageCount - 1)),
  }
}
