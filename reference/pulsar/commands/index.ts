import type { Handler } from '../session.js'
import type { CommandName } from '../wire/commands.js'
import { ack } from './ack.js'
import { authResponse } from './auth-response.js'
import { closeConsumer } from './close-consumer.js'
import { closeProducer } from './close-producer.js'
import { connect } from './connect.js'
import { consumerStats } from './consumer-stats.js'
import { flow } from './flow.js'
import { getLastMessageId } from './get-last-message-id.js'
import { getOrCreateSchema } from './get-or-create-schema.js'
import { getSchema } from './get-schema.js'
import { getTopicsOfNamespace } from './get-topics-of-namespace.js'
import { lookup } from './lookup.js'
import { partitionedMetadata } from './partitioned-metadata.js'
import { ping, pong } from './ping.js'
import { producer } from './producer.js'
import { redeliverUnacknowledgedMessages } from './redeliver-unacknowledged-messages.js'
import { seek } from './seek.js'
import { send } from './send.js'
import { subscribe } from './subscribe.js'
import { unsubscribe } from './unsubscribe.js'
import {
  addPartitionToTxn,
  addSubscriptionToTxn,
  endTxn,
  newTxn,
  tcClientConnect,
  watchTopicList,
} from './unsupported.js'

/** Every command that clients may send, and who answers it. */
export const handlers: { readonly [Name in CommandName]?: Handler<Name> } = {
  CONNECT: connect,
  AUTH_RESPONSE: authResponse,
  PING: ping,
  PONG: pong,
  PARTITIONED_METADATA: partitionedMetadata,
  LOOKUP: lookup,
  PRODUCER: producer,
  SEND: send,
  CLOSE_PRODUCER: closeProducer,
  SUBSCRIBE: subscribe,
  FLOW: flow,
  ACK: ack,
  REDELIVER_UNACKNOWLEDGED_MESSAGES: redeliverUnacknowledgedMessages,
  UNSUBSCRIBE: unsubscribe,
  CLOSE_CONSUMER: closeConsumer,
  SEEK: seek,
  GET_LAST_MESSAGE_ID: getLastMessageId,
  GET_TOPICS_OF_NAMESPACE: getTopicsOfNamespace,
  GET_SCHEMA: getSchema,
  GET_OR_CREATE_SCHEMA: getOrCreateSchema,
  CONSUMER_STATS: consumerStats,
  NEW_TXN: newTxn,
  ADD_PARTITION_TO_TXN: addPartitionToTxn,
  ADD_SUBSCRIPTION_TO_TXN: addSubscriptionToTxn,
  END_TXN: endTxn,
  TC_CLIENT_CONNECT_REQUEST: tcClientConnect,
  WATCH_TOPIC_LIST: watchTopicList,
}
