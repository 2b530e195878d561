import type { ScramMechanism } from '../../security/scram.js'

/** SCRAM mechanisms by their numbers in Kafka's messages (KIP-554); 0 stands for none. */
export const scramTypes: readonly (ScramMechanism | undefined)[] = [
  undefined,
  'SCRAM-SHA-256',
  'SCRAM-SHA-512',
]
