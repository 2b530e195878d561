import { initProducerId as table } from '../messages/22-init-producer-id.js'
import { errorCode } from '../wire/errors.js'
import { storageFault } from './faults.js'
import { handler } from './handler.js'

/**
 * InitProducerId v0 to v5, for idempotent producers: a new id with epoch 0 each time, also when an old one is named
 * (without a transactional id it cannot be continued; KIP-360).
 *
 * Transactions are left out until their own work. A transactional id gets TRANSACTIONAL_ID_AUTHORIZATION_FAILED: of all
 * codes the one that every client takes as final at once, where COORDINATOR_NOT_AVAILABLE would be retried until a
 * time-out, and UNSUPPORTED_VERSION is taken for a fault of the client's.
 */
export const initProducerId = handler(table, async (request, call) => {
  const refused = (error: Parameters<typeof errorCode>[0]) => ({
    throttleTimeMs: 0,
    errorCode: errorCode(error),
    producerId: -1n,
    producerEpoch: -1,
  })
  if (request.transactionalId === '') return refused('INVALID_REQUEST')
  if (request.transactionalId !== null) return refused('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  try {
    const producerId = await call.broker.producerIds.next()
    return { throttleTimeMs: 0, errorCode: 0, producerId, producerEpoch: 0 }
  } catch (error) {
    return refused(storageFault(error, call, 'producer ids could not be reserved'))
  }
})
