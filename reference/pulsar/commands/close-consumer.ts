import type { Handler } from '../session.js'

/** CLOSE_CONSUMER: its unacknowledged messages go to the others. */
export const closeConsumer: Handler<'CLOSE_CONSUMER'> = async (session, { consumerId, requestId }) => {
  const held = session.consumers.get(consumerId)
  session.consumers.delete(consumerId)
  await held?.topic.removeConsumer(held.consumer)
  session.send('SUCCESS', { requestId })
}
