import { MalformedError } from '../../base/malformed.js'
import {
  type MessageOf,
  MessageType,
  optional,
  optionalMessage,
  Reader,
  repeated,
  repeatedMessage,
  required,
  requiredMessage,
  Writer,
} from './protobuf.js'

/**
 * Pulsar's commands, one table each. In the envelope (BaseCommand) field 1 is the type, and the command itself is the
 * field whose number equals its type, so that one number a command says it all. Of the transaction commands only what
 * an answer needs is listed: the reference refuses them.
 */

/** The newest protocol version that these tables speak (Pulsar 4.x). */
export const PROTOCOL_VERSION = 21

export const ServerError = {
  UnknownError: 0,
  MetadataError: 1,
  PersistenceError: 2,
  AuthenticationError: 3,
  AuthorizationError: 4,
  ConsumerBusy: 5,
  ServiceNotReady: 6,
  ChecksumError: 9,
  UnsupportedVersionError: 10,
  TopicNotFound: 11,
  SubscriptionNotFound: 12,
  ConsumerNotFound: 13,
  TooManyRequests: 14,
  TopicTerminatedError: 15,
  ProducerBusy: 16,
  InvalidTopicName: 17,
  IncompatibleSchema: 18,
  ConsumerAssignError: 19,
  TransactionCoordinatorNotFound: 20,
  InvalidTxnStatus: 21,
  NotAllowedError: 22,
  ProducerFenced: 25,
} as const
export type ServerErrorName = keyof typeof ServerError

export const SubscriptionType = { Exclusive: 0, Shared: 1, Failover: 2, Key_Shared: 3 } as const
export type SubscriptionTypeName = keyof typeof SubscriptionType
export const InitialPosition = { Latest: 0, Earliest: 1 } as const
export const AckType = { Individual: 0, Cumulative: 1 } as const
export const LookupResult = { Redirect: 0, Connect: 1, Failed: 2 } as const
export const PartitionMetadataResult = { Success: 0, Failed: 1 } as const
export const KeySharedMode = { AutoSplit: 0, Sticky: 1 } as const
export const AccessMode = { Shared: 0, Exclusive: 1, WaitForExclusive: 2, ExclusiveWithFencing: 3 } as const
export const TopicsMode = { Persistent: 0, NonPersistent: 1, All: 2 } as const

const keyValue = new MessageType({ key: required(1, 'string'), value: required(2, 'string') })

const schema = new MessageType({
  name: required(1, 'string'),
  schemaData: required(3, 'bytes'),
  type: required(4, 'int32'),
  properties: repeatedMessage(5, keyValue),
})
export type SchemaData = MessageOf<SchemaFields>
type SchemaFields = typeof schema extends MessageType<infer F> ? F : never

const chunkMessageId = new MessageType({ ledgerId: required(1, 'long'), entryId: required(2, 'long') })

const messageId = new MessageType({
  ledgerId: required(1, 'long'),
  entryId: required(2, 'long'),
  partition: optional(3, 'int32'),
  batchIndex: optional(4, 'int32'),
  /** Bits of the messages that are NOT acknowledged. */
  ackSet: repeated(5, 'int64'),
  batchSize: optional(6, 'int32'),
  firstChunkMessageId: optionalMessage(7, chunkMessageId),
})
export type MessageIdData = typeof messageId extends MessageType<infer F> ? MessageOf<F> : never

const featureFlags = new MessageType({
  supportsAuthRefresh: optional(1, 'bool'),
  supportsBrokerEntryMetadata: optional(2, 'bool'),
  supportsPartialProducer: optional(3, 'bool'),
  supportsTopicWatchers: optional(4, 'bool'),
  supportsGetPartitionedMetadataWithoutAutoCreation: optional(5, 'bool'),
})

const authData = new MessageType({ authMethodName: optional(1, 'string'), authData: optional(2, 'bytes') })

const intRange = new MessageType({ start: required(1, 'int32'), end: required(2, 'int32') })
const keySharedMeta = new MessageType({
  keySharedMode: required(1, 'int32'),
  hashRanges: repeatedMessage(3, intRange),
  allowOutOfOrderDelivery: optional(4, 'bool'),
})

/** PIP-70's prefix of an entry, sent before the headers to clients that can read it. */
export const brokerEntryMetadata = new MessageType({
  brokerTimestampMs: optional(1, 'long'),
  index: optional(2, 'long'),
})

const transactionRequest = new MessageType({ requestId: required(1, 'int64') })
const transactionRefusal = new MessageType({
  requestId: required(1, 'int64'),
  error: optional(4, 'int32'),
  message: optional(5, 'string'),
})

const tables = {
  CONNECT: [
    2,
    new MessageType({
      clientVersion: required(1, 'string'),
      authMethodName: optional(5, 'string'),
      authData: optional(3, 'bytes'),
      protocolVersion: optional(4, 'int32'),
      proxyToBrokerUrl: optional(6, 'string'),
      originalPrincipal: optional(7, 'string'),
      originalAuthData: optional(8, 'string'),
      featureFlags: optionalMessage(10, featureFlags),
    }),
  ],
  CONNECTED: [
    3,
    new MessageType({
      serverVersion: required(1, 'string'),
      protocolVersion: optional(2, 'int32'),
      maxMessageSize: optional(3, 'int32'),
      featureFlags: optionalMessage(4, featureFlags),
    }),
  ],
  SUBSCRIBE: [
    4,
    new MessageType({
      topic: required(1, 'string'),
      subscription: required(2, 'string'),
      subType: required(3, 'int32'),
      consumerId: required(4, 'long'),
      requestId: required(5, 'int64'),
      consumerName: optional(6, 'string'),
      priorityLevel: optional(7, 'int32'),
      durable: optional(8, 'bool'),
      startMessageId: optionalMessage(9, messageId),
      metadata: repeatedMessage(10, keyValue),
      readCompacted: optional(11, 'bool'),
      schema: optionalMessage(12, schema),
      initialPosition: optional(13, 'int32'),
      replicateSubscriptionState: optional(14, 'bool'),
      forceTopicCreation: optional(15, 'bool'),
      startMessageRollbackDurationSec: optional(16, 'long'),
      keySharedMeta: optionalMessage(17, keySharedMeta),
      subscriptionProperties: repeatedMessage(18, keyValue),
      consumerEpoch: optional(19, 'long'),
    }),
  ],
  PRODUCER: [
    5,
    new MessageType({
      topic: required(1, 'string'),
      producerId: required(2, 'long'),
      requestId: required(3, 'int64'),
      producerName: optional(4, 'string'),
      encrypted: optional(5, 'bool'),
      metadata: repeatedMessage(6, keyValue),
      schema: optionalMessage(7, schema),
      epoch: optional(8, 'long'),
      userProvidedProducerName: optional(9, 'bool'),
      producerAccessMode: optional(10, 'int32'),
      topicEpoch: optional(11, 'long'),
      txnEnabled: optional(12, 'bool'),
      initialSubscriptionName: optional(13, 'string'),
    }),
  ],
  SEND: [
    6,
    new MessageType({
      producerId: required(1, 'long'),
      sequenceId: required(2, 'int64'),
      numMessages: optional(3, 'int32'),
      txnidLeastBits: optional(4, 'long'),
      txnidMostBits: optional(5, 'long'),
      highestSequenceId: optional(6, 'int64'),
      isChunk: optional(7, 'bool'),
      marker: optional(8, 'bool'),
    }),
  ],
  SEND_RECEIPT: [
    7,
    new MessageType({
      producerId: required(1, 'long'),
      sequenceId: required(2, 'int64'),
      messageId: optionalMessage(3, messageId),
      highestSequenceId: optional(4, 'int64'),
    }),
  ],
  SEND_ERROR: [
    8,
    new MessageType({
      producerId: required(1, 'long'),
      sequenceId: required(2, 'int64'),
      error: required(3, 'int32'),
      message: required(4, 'string'),
    }),
  ],
  MESSAGE: [
    9,
    new MessageType({
      consumerId: required(1, 'long'),
      messageId: requiredMessage(2, messageId),
      redeliveryCount: optional(3, 'int32'),
      ackSet: repeated(4, 'int64'),
      consumerEpoch: optional(5, 'long'),
    }),
  ],
  ACK: [
    10,
    new MessageType({
      consumerId: required(1, 'long'),
      ackType: required(2, 'int32'),
      messageIds: repeatedMessage(3, messageId),
      validationError: optional(4, 'int32'),
      txnidLeastBits: optional(6, 'long'),
      txnidMostBits: optional(7, 'long'),
      requestId: optional(8, 'int64'),
    }),
  ],
  FLOW: [11, new MessageType({ consumerId: required(1, 'long'), messagePermits: required(2, 'int32') })],
  UNSUBSCRIBE: [
    12,
    new MessageType({
      consumerId: required(1, 'long'),
      requestId: required(2, 'int64'),
      force: optional(3, 'bool'),
    }),
  ],
  SUCCESS: [13, new MessageType({ requestId: required(1, 'int64'), schema: optionalMessage(2, schema) })],
  ERROR: [
    14,
    new MessageType({
      requestId: required(1, 'int64'),
      error: required(2, 'int32'),
      message: required(3, 'string'),
    }),
  ],
  CLOSE_PRODUCER: [15, new MessageType({ producerId: required(1, 'long'), requestId: required(2, 'int64') })],
  CLOSE_CONSUMER: [16, new MessageType({ consumerId: required(1, 'long'), requestId: required(2, 'int64') })],
  PRODUCER_SUCCESS: [
    17,
    new MessageType({
      requestId: required(1, 'int64'),
      producerName: required(2, 'string'),
      lastSequenceId: optional(3, 'int64'),
      schemaVersion: optional(4, 'bytes'),
      topicEpoch: optional(5, 'long'),
      producerReady: optional(6, 'bool'),
    }),
  ],
  PING: [18, new MessageType({})],
  PONG: [19, new MessageType({})],
  REDELIVER_UNACKNOWLEDGED_MESSAGES: [
    20,
    new MessageType({
      consumerId: required(1, 'long'),
      messageIds: repeatedMessage(2, messageId),
      consumerEpoch: optional(3, 'long'),
    }),
  ],
  PARTITIONED_METADATA: [
    21,
    new MessageType({
      topic: required(1, 'string'),
      requestId: required(2, 'int64'),
      metadataAutoCreationEnabled: optional(6, 'bool'),
    }),
  ],
  PARTITIONED_METADATA_RESPONSE: [
    22,
    new MessageType({
      partitions: optional(1, 'int32'),
      requestId: required(2, 'int64'),
      response: optional(3, 'int32'),
      error: optional(4, 'int32'),
      message: optional(5, 'string'),
    }),
  ],
  LOOKUP: [
    23,
    new MessageType({
      topic: required(1, 'string'),
      requestId: required(2, 'int64'),
      authoritative: optional(3, 'bool'),
      advertisedListenerName: optional(7, 'string'),
    }),
  ],
  LOOKUP_RESPONSE: [
    24,
    new MessageType({
      brokerServiceUrl: optional(1, 'string'),
      brokerServiceUrlTls: optional(2, 'string'),
      response: optional(3, 'int32'),
      requestId: required(4, 'int64'),
      authoritative: optional(5, 'bool'),
      error: optional(6, 'int32'),
      message: optional(7, 'string'),
      proxyThroughServiceUrl: optional(8, 'bool'),
    }),
  ],
  CONSUMER_STATS: [25, new MessageType({ requestId: required(1, 'int64'), consumerId: required(4, 'long') })],
  CONSUMER_STATS_RESPONSE: [
    26,
    new MessageType({
      requestId: required(1, 'int64'),
      errorCode: optional(2, 'int32'),
      errorMessage: optional(3, 'string'),
      msgRateOut: optional(4, 'double'),
      msgThroughputOut: optional(5, 'double'),
      msgRateRedeliver: optional(6, 'double'),
      consumerName: optional(7, 'string'),
      availablePermits: optional(8, 'long'),
      unackedMessages: optional(9, 'long'),
      blockedConsumerOnUnackedMsgs: optional(10, 'bool'),
      address: optional(11, 'string'),
      connectedSince: optional(12, 'string'),
      type: optional(13, 'string'),
      msgRateExpired: optional(14, 'double'),
      msgBacklog: optional(15, 'long'),
    }),
  ],
  REACHED_END_OF_TOPIC: [27, new MessageType({ consumerId: required(1, 'long') })],
  SEEK: [
    28,
    new MessageType({
      consumerId: required(1, 'long'),
      requestId: required(2, 'int64'),
      messageId: optionalMessage(3, messageId),
      messagePublishTime: optional(4, 'long'),
    }),
  ],
  GET_LAST_MESSAGE_ID: [
    29,
    new MessageType({ consumerId: required(1, 'long'), requestId: required(2, 'int64') }),
  ],
  GET_LAST_MESSAGE_ID_RESPONSE: [
    30,
    new MessageType({
      lastMessageId: requiredMessage(1, messageId),
      requestId: required(2, 'int64'),
      consumerMarkDeletePosition: optionalMessage(3, messageId),
    }),
  ],
  ACTIVE_CONSUMER_CHANGE: [
    31,
    new MessageType({ consumerId: required(1, 'long'), isActive: optional(2, 'bool') }),
  ],
  GET_TOPICS_OF_NAMESPACE: [
    32,
    new MessageType({
      requestId: required(1, 'int64'),
      namespace: required(2, 'string'),
      mode: optional(3, 'int32'),
      topicsPattern: optional(4, 'string'),
      topicsHash: optional(5, 'string'),
    }),
  ],
  GET_TOPICS_OF_NAMESPACE_RESPONSE: [
    33,
    new MessageType({
      requestId: required(1, 'int64'),
      topics: repeated(2, 'string'),
      filtered: optional(3, 'bool'),
      topicsHash: optional(4, 'string'),
      changed: optional(5, 'bool'),
    }),
  ],
  GET_SCHEMA: [
    34,
    new MessageType({
      requestId: required(1, 'int64'),
      topic: required(2, 'string'),
      schemaVersion: optional(3, 'bytes'),
    }),
  ],
  GET_SCHEMA_RESPONSE: [
    35,
    new MessageType({
      requestId: required(1, 'int64'),
      errorCode: optional(2, 'int32'),
      errorMessage: optional(3, 'string'),
      schema: optionalMessage(4, schema),
      schemaVersion: optional(5, 'bytes'),
    }),
  ],
  AUTH_CHALLENGE: [
    36,
    new MessageType({
      serverVersion: optional(1, 'string'),
      challenge: optionalMessage(2, authData),
      protocolVersion: optional(3, 'int32'),
    }),
  ],
  AUTH_RESPONSE: [
    37,
    new MessageType({
      clientVersion: optional(1, 'string'),
      response: optionalMessage(2, authData),
      protocolVersion: optional(3, 'int32'),
    }),
  ],
  ACK_RESPONSE: [
    38,
    new MessageType({
      consumerId: required(1, 'long'),
      error: optional(4, 'int32'),
      message: optional(5, 'string'),
      requestId: optional(6, 'int64'),
    }),
  ],
  GET_OR_CREATE_SCHEMA: [
    39,
    new MessageType({
      requestId: required(1, 'int64'),
      topic: required(2, 'string'),
      schema: requiredMessage(3, schema),
    }),
  ],
  GET_OR_CREATE_SCHEMA_RESPONSE: [
    40,
    new MessageType({
      requestId: required(1, 'int64'),
      errorCode: optional(2, 'int32'),
      errorMessage: optional(3, 'string'),
      schemaVersion: optional(4, 'bytes'),
    }),
  ],
  NEW_TXN: [50, transactionRequest],
  NEW_TXN_RESPONSE: [51, transactionRefusal],
  ADD_PARTITION_TO_TXN: [52, transactionRequest],
  ADD_PARTITION_TO_TXN_RESPONSE: [53, transactionRefusal],
  ADD_SUBSCRIPTION_TO_TXN: [54, transactionRequest],
  ADD_SUBSCRIPTION_TO_TXN_RESPONSE: [55, transactionRefusal],
  END_TXN: [56, transactionRequest],
  END_TXN_RESPONSE: [57, transactionRefusal],
  TC_CLIENT_CONNECT_REQUEST: [62, transactionRequest],
  TC_CLIENT_CONNECT_RESPONSE: [
    63,
    new MessageType({
      requestId: required(1, 'int64'),
      error: optional(2, 'int32'),
      message: optional(3, 'string'),
    }),
  ],
  WATCH_TOPIC_LIST: [64, transactionRequest],
} as const

type Tables = typeof tables
export type CommandName = keyof Tables
export type CommandBody<Name extends CommandName> =
  Tables[Name][1] extends MessageType<infer Fields> ? MessageOf<Fields> : never
/** A decoded command: its name and its own fields. */
export type Command = {
  [Name in CommandName]: { readonly name: Name; readonly body: CommandBody<Name> }
}[CommandName]

interface ErasedType {
  readFields(reader: Reader, end: number): object
  writeFields(writer: Writer, value: object): void
}

const byNumber: (readonly [name: CommandName, type: ErasedType] | undefined)[] = []
for (const [name, [number, type]] of Object.entries(tables)) byNumber[number] = [name as CommandName, type]

/** A command whose type these tables do not know: a newer client's. */
export interface UnknownCommand {
  readonly name: 'UNKNOWN'
  readonly type: number
}

/** @throws MalformedError when the bytes are no envelope with the command that it announces. */
export function decodeCommand(buffer: Buffer, start: number, end: number): Command | UnknownCommand {
  const reader = new Reader(buffer, start, end)
  let type: number | undefined
  let bodyStart = -1
  let bodyEnd = -1
  let bodyType = -1
  while (reader.position < end) {
    reader.varint()
    const id = reader.low >>> 3
    const wireType = reader.low & 7
    if (id === 1 && wireType === 0) {
      reader.varint()
      type = reader.low
    } else if (wireType === 2) {
      const fieldEnd = reader.lengthEnd()
      if (type === undefined || id === type) {
        bodyType = id
        bodyStart = reader.position
        bodyEnd = fieldEnd
      }
      reader.position = fieldEnd
    } else reader.skip(wireType)
  }
  if (type === undefined) throw new MalformedError('a command without its type')
  const known = byNumber[type]
  if (known === undefined) return { name: 'UNKNOWN', type }
  // An empty command (PING) may be left out of its envelope.
  const present = bodyType === type
  const body = present
    ? known[1].readFields(new Reader(buffer, bodyStart, bodyEnd), bodyEnd)
    : known[1].readFields(new Reader(buffer, end, end), end)
  return { name: known[0], body } as Command
}

/** The command in its envelope, without frame sizes. */
export function encodeCommand<Name extends CommandName>(name: Name, body: CommandBody<Name>): Buffer {
  const [number, type] = tables[name] as readonly [number, ErasedType]
  const writer = new Writer()
  writer.varint(8, 0)
  writer.varint(number, 0)
  writer.varint((number << 3) | 2, 0)
  writer.nested(() => type.writeFields(writer, body as object))
  return writer.finish()
}
