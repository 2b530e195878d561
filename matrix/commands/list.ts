import Table from 'cli-table3'
import type { Scenario } from '../plan/scenarios.js'
import { type ScenarioOptions, selectScenarios } from './selected.js'

export interface ListOptions extends ScenarioOptions {
  readonly json?: boolean
}

/** Every scenario of the suite, or those selected. */
export async function list(options: ListOptions): Promise<string> {
  const { selected: scenarios } = await selectScenarios(options)
  if (options.json) return JSON.stringify(scenarios.map(toJson), null, 2)
  const table = new Table({
    head: ['scenario', 'requirements', 'level', 'worlds', 'needs'],
    style: { head: [], border: [], compact: true },
  })
  for (const scenario of scenarios) {
    const { id, requirementIds, level, worlds, tools, powers } = scenario
    const needs = [...tools, ...powers].join(' ')
    table.push([id, requirementIds.join(' '), level, worlds, needs])
  }
  const shown = new Set(scenarios.flatMap(({ requirementIds }) => requirementIds)).size
  return `${table.toString()}\n${scenarios.length} scenarios of ${shown} requirements`
}

function toJson(scenario: Scenario) {
  const { id, name, chapter, folder, requirementIds, level } = scenario
  const { worlds, raw, tools, powers, feature, line } = scenario
  return { id, name, chapter, folder, requirementIds, level, worlds, raw, tools, powers, feature, line }
}
