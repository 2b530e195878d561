import { StorageError } from '../../storage/types.js'
import { type Failure, fail } from '../failure.js'
import type { Handler, HeldConsumer } from '../session.js'
import { AckType, type CommandBody, ServerError } from '../wire/commands.js'

/** ACK: individual or cumulative, of entries or of messages in them (PIP-54). Answered only when asked to. */
export const ack: Handler<'ACK'> = (session, body) => {
  const held = session.consumers.get(body.consumerId)
  const done = held === undefined ? Promise.resolve(unknownConsumer(body)) : acknowledge(held, body)
  done
    .catch((error): Failure => {
      session.service.context.log.error({ err: error }, 'an acknowledgement failed')
      const message = error instanceof Error ? error.message : String(error)
      return fail(error instanceof StorageError ? 'PersistenceError' : 'UnknownError', message)
    })
    .then((refused) => {
      if (body.requestId === undefined) return
      session.send('ACK_RESPONSE', {
        consumerId: body.consumerId,
        requestId: body.requestId,
        error: refused && ServerError[refused.failed],
        message: refused?.message,
      })
    })
}

const unknownConsumer = (body: CommandBody<'ACK'>): Failure =>
  fail('ConsumerNotFound', `Consumer ${body.consumerId} is not connected`)

async function acknowledge(held: HeldConsumer, body: CommandBody<'ACK'>): Promise<Failure | undefined> {
  if (body.txnidMostBits !== undefined || body.txnidLeastBits !== undefined)
    return fail('NotAllowedError', 'Transactions are not supported')
  const ids = body.messageIds ?? []
  if (body.ackType === AckType.Individual) {
    await held.subscription.acknowledge(held.consumer, ids)
    return undefined
  }
  const last = ids[0]
  return last === undefined ? undefined : held.subscription.acknowledgeUpTo(last)
}
