import type { Handler } from '../session.js'

/** CLOSE_PRODUCER: its name is free again. */
export const closeProducer: Handler<'CLOSE_PRODUCER'> = (session, { producerId, requestId }) => {
  const held = session.producers.get(producerId)
  session.producers.delete(producerId)
  held?.topic.removeProducer(held.producer)
  session.send('SUCCESS', { requestId })
}
