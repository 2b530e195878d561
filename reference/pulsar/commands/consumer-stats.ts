import type { Handler } from '../session.js'
import { ServerError } from '../wire/commands.js'

/** CONSUMER_STATS: how one consumer stands. Left out: rates, which are not measured. */
export const consumerStats: Handler<'CONSUMER_STATS'> = (session, { consumerId, requestId }) => {
  const held = session.consumers.get(consumerId)
  if (held === undefined)
    return session.send('CONSUMER_STATS_RESPONSE', {
      requestId,
      errorCode: ServerError.ConsumerNotFound,
      errorMessage: `Consumer ${consumerId} is not connected`,
    })
  const { consumer, subscription } = held
  session.send('CONSUMER_STATS_RESPONSE', {
    requestId,
    consumerName: consumer.name,
    availablePermits: Math.max(0, consumer.permits),
    unackedMessages: consumer.unackedMessages,
    blockedConsumerOnUnackedMsgs: consumer.isBlocked,
    address: session.remoteAddress,
    connectedSince: new Date(consumer.connectedSinceMs).toISOString(),
    type: consumer.type,
    msgBacklog: subscription.cursor.backlogEntries(),
  })
}
