import type { ReadyClient } from '../clients/types.js'
import type { Blamed, ControlTry } from '../judge/blame.js'
import type { Cell } from '../plan/cells.js'
import type { Scenario } from '../plan/scenarios.js'

/** What tells a case from all others of its run. */
export const caseKey = (cellId: string, scenarioId: string): string => `${cellId} ${scenarioId}`

/** A case that failed, or did not always pass. */
export interface Failure {
  readonly cell: Cell<ReadyClient>
  readonly scenario: Scenario
  readonly reason: string | null
}

export interface BlamedCase extends Blamed {
  readonly control: ControlSeen | null
}

/** The original that was asked, and what it showed. */
export interface ControlSeen {
  readonly kind: string
  readonly version: string
  readonly tries: readonly ControlTry[]
}
