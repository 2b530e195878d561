import type { Spread } from './cells.js'
import { loadCosts } from './costs.js'
import type { Breadth } from './covering.js'

/*
 * The plans by name. Each is a choice of clients, and of how widely scenarios are spread over them (covering.ts tells how):
 *
 *  - quick: the clients that install in seconds. Every scenario once, with the clients in turn, and every client in every
 *    requirement; what takes longer than `QUICK_MS_MAX` is left to `rest`, but for the cheapest of a requirement.
 *  - rest: what quick leaves, with the same clients, once. The two together are every scenario.
 *  - standard: every client in its newest version. What is cheap runs with each Kafka client and each Pulsar client, and in
 *    all pairs of them together; the rest with one in turn, and so that each client meets every requirement.
 *  - full: standard, more of it called cheap, and every older version, which meets every outline with one of its examples.
 *  - named: what `--clients` lists by name, and all that it can run.
 */

export const planNames = ['quick', 'standard', 'full', 'rest'] as const
export type PlanName = (typeof planNames)[number] | 'named'

export interface Preset {
  readonly name: PlanName
  /** As `--clients` has them. */
  readonly clients: string
  /** null: every scenario with every combination of its clients. */
  readonly breadth: Breadth | null
  /** Scenarios left out by what they cost, unless they are named by --only. */
  readonly leaves: 'dear' | 'cheap' | null
}

/** What quick leaves to rest. */
export const QUICK_MS_MAX = 200

const quickBreadth: Breadth = { cheap: 'one', cheapMsMax: 500, newest: ['requirement'], older: [] }
const standardBreadth: Breadth = {
  cheap: 'each',
  cheapMsMax: 100,
  newest: ['outline', 'requirement'],
  older: ['requirement'],
}

const presets: Readonly<Record<(typeof planNames)[number], Preset>> = {
  quick: { name: 'quick', clients: 'quick', breadth: quickBreadth, leaves: 'dear' },
  rest: { name: 'rest', clients: 'quick', breadth: { ...quickBreadth, newest: [] }, leaves: 'cheap' },
  standard: { name: 'standard', clients: 'all', breadth: standardBreadth, leaves: null },
  full: {
    name: 'full',
    clients: 'every',
    breadth: { ...standardBreadth, cheapMsMax: 200, older: ['outline', 'requirement'] },
    leaves: null,
  },
}

/**
 * The plan that `--plan` and `--clients` mean together: `--clients` alone chooses the preset of that name, or all that the
 * named clients can run; beside `--plan` it only says which clients the plan is spread over.
 */
export function presetFor(plan: (typeof planNames)[number] | undefined, clients: string | undefined): Preset {
  if (plan !== undefined) return { ...presets[plan], ...(clients !== undefined && { clients }) }
  if (clients === undefined) return presets.quick
  const named = Object.values(presets).find((preset) => preset.name !== 'rest' && preset.clients === clients)
  return named ?? { name: 'named', clients, breadth: null, leaves: null }
}

/** `isNamed`: the scenarios are named one by one, and none is left out for what it costs. */
export function spreadOf(preset: Preset, pairs: 'cover' | 'all', isNamed: boolean): Required<Spread> {
  const { breadth, leaves } = preset
  const leave = leaves === null || isNamed ? null : { which: leaves, msMax: QUICK_MS_MAX }
  return { pairs, breadth, leave, costOf: loadCosts() }
}
