/** The names that conversion keeps for itself. README.md in this folder tells the rules that they belong to. */

/** Message property: all headers of a Kafka record, in order, when its properties alone cannot say them. */
export const headersProperty = 'kop.headers'
/** Batch property: what Kafka knows of a batch and Pulsar does not. Its presence says that Kafka wrote the entry. */
export const kafkaBatchProperty = 'kop.batch'
/** Batch property: `kafka` when the payload is a Kafka batch as it came. */
export const entryFormatProperty = 'entry.format'

/** Kafka header: the bytes of a Pulsar message's schema version. */
export const schemaVersionHeader = 'kop.schema-version'
/** Kafka header: the value is ciphertext; JSON of what is needed to decrypt it. */
export const encryptedHeader = 'kop.encrypted'
/** Kafka header: why an entry could not be converted. */
export const unconvertibleHeader = 'kop.unconvertible'

/** Pulsar's marker type of an entry that holds a Kafka control batch. Any marker type keeps an entry from clients. */
export const kafkaControlMarkerType = 9001
