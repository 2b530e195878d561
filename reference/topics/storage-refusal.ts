import { StorageError } from '../storage/types.js'
import { type Refusal, refuse } from './types.js'

/** What both protocols' clients are told when the store fails. @throws anything else, as it is */
export function storageRefusal(error: unknown): Refusal {
  if (error instanceof StorageError) return refuse('KAFKA_STORAGE_ERROR', error.message)
  throw error
}
