import { committedMutants } from './committed.js'
import { compactionMutants } from './compaction.js'
import { consumeMutants } from './consume.js'
import { groupMutants } from './groups.js'
import { managedGroupMutants } from './managed-groups.js'
import type { Mutant } from './mutant.js'
import { nextGenerationMutants } from './next-generation.js'
import { offsetMutants } from './offsets.js'
import { produceMutants } from './produce.js'
import { protocolMutants } from './protocol.js'
import { pulsarMutants } from './pulsar.js'
import { recordMutants } from './records.js'
import { subscriptionMutants } from './subscriptions.js'
import { tenantMutants } from './tenants.js'
import { topicMutants } from './topics.js'

export type { Mutant } from './mutant.js'

/** All wrong variants of the reference, chapter by chapter. */
export const mutants: readonly Mutant[] = [
  ...protocolMutants,
  ...topicMutants,
  ...recordMutants,
  ...offsetMutants,
  ...produceMutants,
  ...consumeMutants,
  ...compactionMutants,
  ...pulsarMutants,
  ...groupMutants,
  ...committedMutants,
  ...managedGroupMutants,
  ...nextGenerationMutants,
  ...subscriptionMutants,
  ...tenantMutants,
]
