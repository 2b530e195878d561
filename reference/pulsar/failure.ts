import type { Refusal, RefusalName } from '../topics/types.js'
import type { ServerErrorName } from './wire/commands.js'

/** A refusal in Pulsar's words: an error of the protocol and a sentence for the client. */
export interface Failure {
  readonly failed: ServerErrorName
  readonly message: string
}

export const fail = (failed: ServerErrorName, message: string): Failure => ({ failed, message })
export const isFailure = (value: object): value is Failure => 'failed' in value

const SERVER_ERRORS: Readonly<Record<RefusalName, ServerErrorName>> = {
  CORRUPT_MESSAGE: 'ChecksumError',
  MESSAGE_TOO_LARGE: 'NotAllowedError',
  INVALID_RECORD: 'NotAllowedError',
  OFFSET_OUT_OF_RANGE: 'NotAllowedError',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'NotAllowedError',
  DUPLICATE_SEQUENCE_NUMBER: 'NotAllowedError',
  INVALID_PRODUCER_EPOCH: 'ProducerFenced',
  UNKNOWN_PRODUCER_ID: 'NotAllowedError',
  KAFKA_STORAGE_ERROR: 'PersistenceError',
  NOT_LEADER_OR_FOLLOWER: 'ServiceNotReady',
  UNKNOWN_TOPIC_OR_PARTITION: 'TopicNotFound',
  TOPIC_ALREADY_EXISTS: 'NotAllowedError',
  INVALID_TOPIC_EXCEPTION: 'InvalidTopicName',
  INVALID_PARTITIONS: 'NotAllowedError',
  INVALID_CONFIG: 'NotAllowedError',
  POLICY_VIOLATION: 'NotAllowedError',
  TOPIC_AUTHORIZATION_FAILED: 'AuthorizationError',
}

/** What the topics refused, as Pulsar says it. */
export const asFailure = (refusal: Refusal): Failure => fail(SERVER_ERRORS[refusal.refused], refusal.message)
