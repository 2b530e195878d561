import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { packageRoot } from '../root.js'
import type { Scenario } from './scenarios.js'

/*
 * What a scenario costs: milliseconds of a worker, as they were seen in an earlier run and are kept in costs.json. Plans
 * go by them when they leave out or spare what is dear, cut work into even pieces and say how long it may take. Nothing
 * is judged by them. `kop-conformance plan --learn <report folder>` writes them anew.
 */

const costsShape = z.record(z.string(), z.number().nonnegative())
const COSTS_FILE = join(packageRoot, 'matrix', 'plan', 'costs.json')

/** Milliseconds of a scenario, in whatever cell. */
export type CostOf = (scenario: Scenario) => number

/** By the costs that are kept, and a guess for a scenario that is not among them. */
export function loadCosts(file = COSTS_FILE): CostOf {
  const known = existsSync(file) ? costsShape.parse(JSON.parse(readFileSync(file, 'utf8'))) : {}
  return (scenario) => known[scenario.id] ?? guessedCost(scenario)
}

const SLOW_MS = 5_000
const OWN_TARGET_MS = 800
const TOOL_MS = 400
const RAW_MS = 60
const USUAL_MS = 150

/** By its tags alone. */
export function guessedCost({ slow, powers, tools, worlds }: Scenario): number {
  if (slow) return SLOW_MS
  if (powers.length > 0) return OWN_TARGET_MS
  if (tools.length > 0) return TOOL_MS
  return worlds === 'raw' ? RAW_MS : USUAL_MS
}

interface Seen {
  readonly scenarioId: string
  readonly milliseconds: number
}

/** Keeps the median of what each scenario took. Those of `before` that were not seen keep theirs. @returns how many were seen */
export function learnCosts(seen: readonly Seen[], suite: readonly Scenario[], file = COSTS_FILE): number {
  const before = loadCosts(file)
  const byScenario = new Map<string, number[]>()
  for (const { scenarioId, milliseconds } of seen) {
    byScenario.set(scenarioId, [...(byScenario.get(scenarioId) ?? []), milliseconds])
  }
  const costs = suite.map((scenario): [string, number] => {
    const took = byScenario.get(scenario.id)
    return [scenario.id, took === undefined ? before(scenario) : roundCost(median(took))]
  })
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(costs.sort(byId)), null, 2)}\n`)
  return byScenario.size
}

const byId = ([a]: [string, number], [b]: [string, number]) => (a < b ? -1 : 1)

/** Two digits are enough: the next measurement changes few lines. */
function roundCost(milliseconds: number): number {
  return Number(Math.max(10, milliseconds).toPrecision(1 + (milliseconds >= 100 ? 1 : 0)))
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}
