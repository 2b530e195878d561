import type { ClientSpec, CouldNotRun, ReadyClient } from '../clients/types.js'
import type { KnownFailing } from '../judge/known-failing.js'
import type { Observation } from '../judge/verdicts.js'
import type { CellPlan, Spread } from '../plan/cells.js'
import type { ChosenClient } from '../plan/clients.js'
import type { Register } from '../plan/register.js'
import type { OutsideClient, TargetChoice } from '../plan/repeat.js'
import type { Scenario } from '../plan/scenarios.js'
import type { Shard } from '../plan/shards.js'
import type { SweepInput } from '../sweep/sweep.js'
import type { Endpoints, Target, TargetKind, TargetSettings } from '../targets/types.js'
import type { ControlOptions } from './control-options.js'
import type { ReadRecord, RecordLine } from './record.js'

/** Everything that a run needs, already checked. */
export interface RunInput {
  readonly register: Register
  /** All of the suite, for the coverage table. */
  readonly suite: readonly Scenario[]
  readonly selected: readonly Scenario[]
  readonly clients: readonly ChosenClient[]
  /** Those of them that `--client` names, for commands that repeat a case. */
  readonly outside?: readonly OutsideClient[]
  readonly targetKind: TargetKind
  readonly targetChoice: TargetChoice
  /** What it will speak, as far as that is known before it is started: only clients for that are made ready. Absent: all. */
  readonly endpoints?: Endpoints
  readonly settings: TargetSettings
  readonly knownFailing: readonly KnownFailing[]
  /** How the scenarios are spread over the clients. */
  readonly spread: Spread
  /** Absent: named by its clients. */
  readonly planName?: string
  /** Only this part of the plan; absent: all. */
  readonly shard?: Shard | null
  /** An interrupted run of the same plan and seed, that this one goes on with. */
  readonly resumed?: ReadRecord | null
  /** Options of the command line, kept in the record. */
  readonly options?: Readonly<Record<string, unknown>>
  readonly jobs: number
  readonly rounds: number
  readonly seed: number
  readonly scenarioTimeoutMs: number
  readonly signal: AbortSignal
  readonly provision: (
    spec: ClientSpec,
    version: string,
    options: { onProgress?: (line: string) => void; signal?: AbortSignal },
  ) => Promise<ReadyClient | CouldNotRun>
  /** For targets that outlive the run. */
  readonly sweep: (input: SweepInput) => Promise<string[]>
  /** Whether a client's toolchain is on this machine: then the quick plan requires the client. */
  readonly hasToolchain: (spec: ClientSpec) => Promise<boolean>
  /** How failures are held against the originals; absent: they count as the target's. */
  readonly control?: ControlOptions
  readonly events: RunEvents
}

export interface RunEvents {
  /** A line of progress beside the scenarios. */
  onLine(line: string): void
  onTarget(target: Target, runId: string): void
  onPlanned(plan: CellPlan<ReadyClient>, cases: number): void
  onObserved(observation: Observation): void
  /** Of results.ndjson. */
  onRecord?(line: RecordLine): void
  /** Failed cases are to be run on an original, or on the target with other clients. */
  onControl?(line: string, cases: number): void
  onControlObserved?(observation: Observation): void
}
