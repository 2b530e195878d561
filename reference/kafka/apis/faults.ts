import { CoordinatorClosed } from '../../groups/coordinator-options.js'
import { CoordinatorLoading } from '../../groups/loading.js'
import { TooLargeToStore } from '../../groups/offset-store.js'
import { StorageError } from '../../storage/types.js'
import type { ErrorName } from '../wire/errors.js'
import type { Call } from './handler.js'

/** What a client is told when the store or this broker failed under its request; the log says why. */
export function storageFault(error: unknown, call: Call, what: string): ErrorName {
  call.broker.log.error({ err: error, clientId: call.clientId }, what)
  return error instanceof StorageError ? 'KAFKA_STORAGE_ERROR' : 'UNKNOWN_SERVER_ERROR'
}

/**
 * The same for groups: Kafka says of a coordinator whose store fails that it is none, so that clients look anew. A group
 * whose members and assignments are more than one message may be is too big, and its members are told so.
 */
export function coordinatorFault(error: unknown, call: Call, what: string): ErrorName {
  if (error instanceof CoordinatorClosed) return 'COORDINATOR_NOT_AVAILABLE'
  if (error instanceof CoordinatorLoading) return 'COORDINATOR_LOAD_IN_PROGRESS'
  if (error instanceof TooLargeToStore) {
    call.broker.log.warn({ err: error, clientId: call.clientId }, what)
    return 'GROUP_MAX_SIZE_REACHED'
  }
  return storageFault(error, call, what) === 'KAFKA_STORAGE_ERROR'
    ? 'NOT_COORDINATOR'
    : 'UNKNOWN_SERVER_ERROR'
}
