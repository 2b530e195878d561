import { fail } from '../failure.js'
import type { Handler } from '../session.js'

/** UNSUBSCRIBE: removes the subscription. Refused while others use it, of Pulsar's or of Kafka's side. */
export const unsubscribe: Handler<'UNSUBSCRIBE'> = async (session, { consumerId, requestId, force }) => {
  const held = session.consumers.get(consumerId)
  if (held === undefined)
    return session.sendError(requestId, fail('ConsumerNotFound', `Consumer ${consumerId} is not connected`))
  const { topic, subscription, consumer } = held
  if (subscription.consumers.length > 1 && force !== true)
    return session.sendError(requestId, fail('ConsumerBusy', 'Subscription has other active consumers'))
  if ((topic.groupOf(subscription)?.members ?? 0) > 0 && force !== true)
    return session.sendError(
      requestId,
      fail('ConsumerBusy', 'Subscription is a Kafka group with active members'),
    )
  session.consumers.delete(consumerId)
  await topic.removeConsumer(consumer)
  topic.closeConsumers(subscription)
  await topic.deleteSubscription(subscription.name)
  session.send('SUCCESS', { requestId })
}
