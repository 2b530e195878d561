import { MalformedError } from '../../base/malformed.js'

/** A batch whose records do not hold what its header says, or cannot be kept as they are. Kafka: INVALID_RECORD. */
export class InvalidRecordError extends MalformedError {}
