/** Kafka batch ↔ ledger entry ↔ Pulsar message. README.md in this folder tells the rules. */
export {
  describeEntry,
  type EntryDescription,
  type KafkaProducer,
  kafkaProducerOf,
  type PulsarProducer,
  pulsarProducerOf,
} from './describe.js'
export { type TimestampFound, timestampSearch } from './entry-timestamps.js'
export { fromKafka } from './from-kafka.js'
export { type FromPulsarOptions, newEntryFromPulsar } from './from-pulsar.js'
export { InvalidRecordError } from './invalid-record.js'
export * from './reserved-names.js'
export { toKafka } from './to-kafka.js'
export { toPulsar } from './to-pulsar.js'
