import type { Clock } from '../base/clock.js'
import type { Log } from '../base/log.js'
import type { GroupKey } from './group-key.js'
import type { GroupStore } from './group-store.js'
import type { NextGenerationGroups } from './next-generation.js'
import type { GroupStep } from './step.js'
import type { GroupLimits } from './step-state.js'

export interface GroupCoordinatorOptions {
  readonly clock: Clock
  readonly store: GroupStore
  readonly limits?: Partial<GroupLimits>
  /** Tests: other rules than the group protocol's. */
  readonly step?: GroupStep
  /** What makes a new member id unique; by default random. */
  readonly newMemberSuffix?: () => string
  /** Groups of the next-generation protocol, if there are any; they ask for the ids of classic ones here. */
  readonly nextGeneration?: (classic: { isReleased(key: GroupKey): boolean }) => NextGenerationGroups
  /** How long commits of groups without members are kept, and how often that is looked at; kept for good when absent. */
  readonly retention?: { readonly retentionMs: number; readonly checkIntervalMs: number }
  readonly log?: Pick<Log, 'warn'>
}

/** What a request that is answered by a closing coordinator gets: its client looks for the coordinator again. */
export class CoordinatorClosed extends Error {
  override readonly name = 'CoordinatorClosed'
}

/** Kafka's defaults, but for sessions of less than 6 s, so that tests need not wait. */
export const defaultLimits: GroupLimits = {
  groupInitialRebalanceDelayMs: 0,
  groupMembersMax: 10_000,
  sessionTimeoutMsMin: 1_000,
  sessionTimeoutMsMax: 1_800_000,
}
