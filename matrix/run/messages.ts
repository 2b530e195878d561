import type { WorldParameters } from '../../steps/parameters.js'
import type { Observation } from '../judge/verdicts.js'

/** A scenario as a worker needs it: its id, and its place in the features. */
export interface PlacedScenario {
  readonly id: string
  readonly feature: string
  readonly line: number
}

/** A driver, by its client's title, or targets of the worker's own; and what starting it costs beside the others. */
export interface Start {
  readonly name: string
  readonly cost: number
}

/** What a worker is to run at one go. */
export interface Job {
  readonly cellId: string
  readonly parameters: WorldParameters
  readonly scenarios: readonly PlacedScenario[]
  /** Variables under which the worker starts targets of its own: those of other variables are stopped. */
  readonly environment?: Readonly<Record<string, string>>
  /** What the job starts and the worker keeps for later jobs. */
  readonly starts?: readonly Start[]
  /** What it may take, in milliseconds of a worker. */
  readonly cost?: number
}

export type ToWorker = { readonly type: 'job'; readonly job: Job } | { readonly type: 'end' }

export type FromWorker =
  /** The step definitions are loaded. */
  | { readonly type: 'ready' }
  /** They cannot be loaded: no worker will fare better. */
  | { readonly type: 'unusable'; readonly reason: string }
  | { readonly type: 'started'; readonly scenarioId: string }
  | { readonly type: 'observed'; readonly observation: Observation }
  | { readonly type: 'done' }
