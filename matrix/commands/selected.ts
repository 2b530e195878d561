import { loadOutsideClients } from '../clients/outside.js'
import type { ClientSpec } from '../clients/types.js'
import type { Spread } from '../plan/cells.js'
import { type ChosenClient, chooseClients } from '../plan/clients.js'
import { type PlanName, type planNames, presetFor, spreadOf } from '../plan/presets.js'
import { loadRegister, type Register } from '../plan/register.js'
import { loadScenarios, type Scenario, withTags } from '../plan/scenarios.js'
import { select } from '../plan/selection.js'
import { UsageError } from '../usage-error.js'

export interface ScenarioOptions {
  readonly chapter?: readonly string[]
  readonly only?: readonly string[]
  readonly level?: readonly string[]
  readonly tag?: string
}

export interface SelectionOptions extends ScenarioOptions {
  readonly plan?: (typeof planNames)[number]
  readonly clients?: string
  /** Folders of clients outside of the package. */
  readonly client?: readonly string[]
  readonly pairs: 'cover' | 'all'
}

export interface SelectedScenarios {
  readonly register: Register
  readonly suite: readonly Scenario[]
  readonly selected: readonly Scenario[]
}

/** @throws UsageError when nothing is selected */
export async function selectScenarios(options: ScenarioOptions): Promise<SelectedScenarios> {
  const register = loadRegister()
  const suite = await loadScenarios(register)
  if (suite.length === 0) throw new UsageError('the suite has no feature files: install the package again')
  const { chapter: chapters = [], only = [], level: levels = [], tag } = options
  const named = select(suite, { chapters, only, levels }, register)
  const selected = tag === undefined ? named : await withTags(named, tag)
  if (selected.length === 0) {
    throw new UsageError(
      '--only, --chapter, --level and --tag together select no scenario; see: kop-conformance list',
    )
  }
  return { register, suite, selected }
}

export interface ChosenPlan {
  readonly name: PlanName
  readonly clients: readonly ChosenClient[]
  readonly spread: Required<Spread>
}

/** What `--plan`, `--clients` and `--pairs` mean together. */
export function choosePlan(options: SelectionOptions, specs: readonly ClientSpec[]): ChosenPlan {
  const preset = presetFor(options.plan, options.clients)
  const spread = spreadOf(preset, options.pairs, options.only !== undefined)
  const outside = loadOutsideClients(options.client ?? [], specs)
  const clients = withOutside(chosenClients(preset.clients, [...specs, ...outside]), outside)
  return { name: preset.name, clients, spread }
}

/** A client of `--client` is in the plan, at its newest version where `--clients` names none of it. */
function withOutside(chosen: readonly ChosenClient[], outside: readonly ClientSpec[]): ChosenClient[] {
  const own = new Map(
    outside.map((spec) => [spec, { spec, version: spec.versions.at(-1) ?? '', named: true }]),
  )
  const named = chosen.map((choice) => (own.has(choice.spec) ? { ...choice, named: true } : choice))
  const rest = [...own.values()].filter(({ spec }) => chosen.every((choice) => choice.spec !== spec))
  return [...named, ...rest]
}

/** The clients that `--clients` names, and the raw one beside them: it is the suite's own, and of no vendor. */
export function chosenClients(text: string, specs: readonly ClientSpec[]): ChosenClient[] {
  const chosen = chooseClients(text, specs)
  if (chosen.some(({ spec }) => spec.kind === 'raw')) return chosen
  const raw = specs.find((spec) => spec.kind === 'raw')
  if (raw === undefined) return chosen
  return [...chosen, { spec: raw, version: raw.versions.at(-1) ?? '', named: false }]
}
