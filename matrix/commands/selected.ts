import type { ClientSpec } from '../clients/types.js'
import { type ChosenClient, chooseClients } from '../plan/clients.js'
import { loadRegister, type Register } from '../plan/register.js'
import { loadScenarios, type Scenario } from '../plan/scenarios.js'
import { select } from '../plan/selection.js'
import { UsageError } from '../usage-error.js'

export interface SelectionOptions {
  readonly clients: string
  readonly chapter?: readonly string[]
  readonly only?: readonly string[]
}

export interface SelectedScenarios {
  readonly register: Register
  readonly suite: readonly Scenario[]
  readonly selected: readonly Scenario[]
}

/** @throws UsageError when nothing is selected */
export async function selectScenarios(options: SelectionOptions): Promise<SelectedScenarios> {
  const register = loadRegister()
  const suite = await loadScenarios(register)
  if (suite.length === 0) throw new UsageError('the suite has no feature files: install the package again')
  const selection = { chapters: options.chapter ?? [], only: options.only ?? [] }
  const selected = select(suite, selection, register)
  if (selected.length === 0) {
    throw new UsageError('--only and --chapter together select no scenario; see: kop-conformance list')
  }
  return { register, suite, selected }
}

/** The clients that `--clients` names, and the raw one beside them: it is the suite's own, and of no vendor. */
export function chosenClients(text: string, specs: readonly ClientSpec[]): ChosenClient[] {
  const chosen = chooseClients(text, specs)
  if (chosen.some(({ spec }) => spec.kind === 'raw')) return chosen
  const raw = specs.find((spec) => spec.kind === 'raw')
  if (raw === undefined) return chosen
  return [...chosen, { spec: raw, version: raw.versions.at(-1) ?? '', named: false }]
}
