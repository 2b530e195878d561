import type { Handler } from '../session.js'

/** REDELIVER_UNACKNOWLEDGED_MESSAGES: negative acknowledgement of the entries named, or of all that are open. */
export const redeliverUnacknowledgedMessages: Handler<'REDELIVER_UNACKNOWLEDGED_MESSAGES'> = (
  session,
  body,
) => {
  const held = session.consumers.get(body.consumerId)
  if (held === undefined) return
  if (body.consumerEpoch !== undefined) held.consumer.epoch = body.consumerEpoch
  held.subscription.redeliver(held.consumer, body.messageIds ?? [])
}
