import type { Cell, ClientTitle } from '../plan/cells.js'
import type { Scenario } from '../plan/scenarios.js'
import type { CaughtBy } from './caught-by.js'
import type { Variant } from './variants.js'

/** A scenario to run against a variant, with these clients. */
export interface Try<Client extends ClientTitle> {
  readonly cell: Cell<Client>
  readonly scenario: Scenario
}

/** What a scenario costs beside a plain one: a target of its own takes a start, one tagged `@slow` seconds. */
const COST = { power: 8, tool: 4, slow: 30 }

/** All scenarios of what the variant breaks: first what caught it last time, then the cheap before the dear. */
export function triesFor<Client extends ClientTitle>(
  variant: Pick<Variant, 'name' | 'breaks'>,
  cells: readonly Cell<Client>[],
  caughtBy: CaughtBy,
): readonly Try<Client>[] {
  const before = new Set(Object.values(caughtBy[variant.name] ?? {}))
  const priceOf = ({ scenario }: Try<Client>) => (before.has(scenario.id) ? 0 : costOf(scenario))
  const isOfVariant = ({ requirementIds }: Scenario) =>
    variant.breaks.some((id) => requirementIds.includes(id))
  return cells
    .flatMap((cell) => cell.scenarios.filter(isOfVariant).map((scenario) => ({ cell, scenario })))
    .toSorted((a, b) => priceOf(a) - priceOf(b))
}

/** Those that begin with a dear scenario first: workers then end at about the same time. */
export function dearestFirst<Client extends ClientTitle>(
  variants: readonly Variant[],
  cells: readonly Cell<Client>[],
  caughtBy: CaughtBy,
): readonly Variant[] {
  const costs = new Map(
    variants.map((variant) => {
      const first = triesFor(variant, cells, caughtBy)[0]
      return [variant.name, first === undefined ? 0 : costOf(first.scenario)]
    }),
  )
  return variants.toSorted((a, b) => (costs.get(b.name) ?? 0) - (costs.get(a.name) ?? 0))
}

function costOf({ powers, tools, slow }: Scenario): number {
  return (
    1 + (powers.length > 0 ? COST.power : 0) + (tools.length > 0 ? COST.tool : 0) + (slow ? COST.slow : 0)
  )
}
