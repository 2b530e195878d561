import type { ReadyClient } from '../matrix/clients/types.js'
import type { Access, Endpoints, Power, Profile, TargetSettings } from '../matrix/targets/types.js'

/** What the runner hands to a cell's Cucumber as `worldParameters`: plain data, all that a scenario knows of its cell. */
export interface WorldParameters {
  /** The clients of this cell. A scenario tagged @kafka uses `kafka`, @pulsar uses `pulsar`, both tags: both. */
  readonly kafka?: ReadyClient
  readonly pulsar?: ReadyClient
  /** Single requests and literal bytes, for scenarios tagged @raw. */
  readonly raw?: ReadyClient
  /** Tools that manage the scenarios tagged @pulsar-admin and @kafka-admin. */
  readonly pulsarAdmin?: ReadyClient
  readonly kafkaAdmin?: ReadyClient
  readonly target: {
    /** Found again by `targetKind(name)` when a scenario needs an instance of its own (powers). */
    readonly kind: string
    readonly version: string
    readonly endpoints: Endpoints
    /** What clients show at its first addresses; absent: nothing. */
    readonly access?: Access
    readonly profile: Profile
    readonly powers: readonly Power[]
    readonly settings: TargetSettings
  }
  /** All names that the run creates begin with it. */
  readonly runId: string
  /** Every random choice of a scenario comes from this and the scenario's id. */
  readonly seed: number
}
