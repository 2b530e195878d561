/** Kafka batch ↔ ledger entry ↔ Pulsar message. README.md in this folder tells the rules. */

export { InvalidRecordError } from '../kafka/wire/invalid-record.js'
export { describeEntry, kafkaProducerOf, pulsarProducerOf } from './describe.js'
export { timestampSearch } from './entry-timestamps.js'
export { fromKafka } from './from-kafka.js'
export { newEntryFromPulsar } from './from-pulsar.js'
export { walkKeys } from './message-keys.js'
export * from './reserved-names.js'
export { toKafka } from './to-kafka.js'
export { toPulsar } from './to-pulsar.js'
export { withoutMessages } from './without-messages.js'
