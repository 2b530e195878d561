import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import Table from 'cli-table3'
import { loadClients } from '../clients/index.js'
import { byKind, type CellPlan, type ClientTitle, countCases, planCells, sparedLine } from '../plan/cells.js'
import { costSum } from '../plan/chunks.js'
import { type CostOf, learnCosts, loadCosts } from '../plan/costs.js'
import { loadRegister } from '../plan/register.js'
import { loadScenarios } from '../plan/scenarios.js'
import { type Shard, shardOf, shardTitle } from '../plan/shards.js'
import type { Results } from '../report/results.js'
import { choosePlan, type SelectionOptions, selectScenarios } from './selected.js'
import { endpointsOf, type TargetOptions } from './target-choice.js'

export interface PlanOptions extends SelectionOptions, TargetOptions {
  readonly shard?: Shard
  readonly learn?: string
  readonly json?: boolean
}

/** What `run` with these options would run, as far as it can be told without installing or starting anything. */
export async function plan(options: PlanOptions): Promise<string> {
  if (options.learn !== undefined) return learn(options.learn)
  const { selected } = await selectScenarios(options)
  const { name, clients, spread } = choosePlan(options, loadClients())
  const titles = clients.map(({ spec: { name, kind }, version }) => ({ name, kind, version }))
  const whole = planCells<ClientTitle>({
    ...byKind(titles, ({ kind }) => kind),
    ...spread,
    scenarios: selected,
    endpoints: endpointsOf(options),
  })
  const { shard } = options
  const cells = shard === undefined ? whole.cells : shardOf(whole.cells, shard, spread.costOf)
  const shown = { ...whole, cells }
  const of = shard === undefined ? name : `${name}, shard ${shardTitle(shard)}`
  return options.json
    ? JSON.stringify(toJson(of, shown, spread.costOf), null, 2)
    : toText(of, shown, spread.costOf)
}

/** Cases beside each other, two cores for three workers: seen of runs of the reference. */
const CASES_AT_ONCE = 1.25

function secondsOf({ cells }: CellPlan, costOf: CostOf): number {
  const cost = cells.reduce((sum, { scenarios }) => sum + costSum(scenarios, costOf), 0)
  return Math.ceil(cost / (1000 * CASES_AT_ONCE * availableParallelism()))
}

function toJson(name: string, plan: CellPlan, costOf: CostOf) {
  const { cells, leftOut, sparedCases } = plan
  const ids = (scenarios: readonly { id: string }[]) => scenarios.map(({ id }) => id)
  return {
    plan: name,
    cases: countCases(cells),
    seconds: secondsOf(plan, costOf),
    cells: cells.map((cell) => ({ ...cell, scenarios: ids(cell.scenarios) })),
    leftOut: leftOut.map(({ reason, scenarios }) => ({ reason, scenarios: ids(scenarios) })),
    sparedCases,
  }
}

function toText(name: string, plan: CellPlan, costOf: CostOf): string {
  const { cells, leftOut, sparedCases } = plan
  const table = new Table({
    head: ['cell', 'worlds', 'scenarios', 'seconds of work'],
    colAligns: ['left', 'left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  })
  for (const { id, worlds, scenarios } of cells) {
    table.push([id, worlds, scenarios.length, (costSum(scenarios, costOf) / 1000).toFixed(1)])
  }
  return [
    table.toString(),
    ...leftOut.map(({ reason, scenarios }) => `${scenarios.length} scenarios left out: ${reason}`),
    ...(sparedCases > 0 ? [sparedLine(sparedCases)] : []),
    `plan ${name}: ${countCases(cells)} cases of ${scenariosOf(plan)} scenarios in ${cells.length} cells; about ${secondsOf(plan, costOf)} s on the reference with all clients in the cache`,
  ].join('\n')
}

function scenariosOf({ cells }: CellPlan): number {
  return new Set(cells.flatMap(({ scenarios }) => scenarios.map(({ id }) => id))).size
}

/** Keeps what the scenarios of a run took, for later plans. */
async function learn(folder: string): Promise<string> {
  const { results } = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as Results
  const suite = await loadScenarios(loadRegister())
  const seen = learnCosts(results, suite)
  const total = costSum(suite, loadCosts())
  return `${seen} of ${suite.length} scenarios learnt; each once is ${Math.round(total / 1000)} s of work`
}
