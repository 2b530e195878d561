import { fail } from '../failure.js'
import type { Handler } from '../session.js'
import { startPointOf, startPointOfTime } from '../subscriptions/message-ids.js'

/**
 * SEEK: moves the subscription to a message id, in a batch too, or to the first message stored at or after a time. The
 * consumers of the subscription are closed by it, as in Pulsar: clients reconnect by themselves.
 */
export const seek: Handler<'SEEK'> = async (
  session,
  { consumerId, requestId, messageId, messagePublishTime },
) => {
  const held = session.consumers.get(consumerId)
  if (held === undefined)
    return session.sendError(requestId, fail('ConsumerNotFound', `Consumer ${consumerId} is not connected`))
  const { ledger } = held.topic.log
  const point =
    messageId !== undefined
      ? startPointOf(messageId, ledger)
      : await startPointOfTime(ledger, messagePublishTime ?? 0)
  await held.topic.seek(held.subscription, point)
  session.send('SUCCESS', { requestId })
}
