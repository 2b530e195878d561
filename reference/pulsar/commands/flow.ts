import type { Handler } from '../session.js'

/** FLOW: the client has room for so many more messages. */
export const flow: Handler<'FLOW'> = (session, { consumerId, messagePermits }) => {
  const held = session.consumers.get(consumerId)
  if (messagePermits > 0) held?.subscription.flow(held.consumer, messagePermits)
}
