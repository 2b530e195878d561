import Table from 'cli-table3'
import { loadClients } from '../clients/index.js'
import { byKind, type CellPlan, type ClientTitle, planCells, sparedLine } from '../plan/cells.js'
import { powersFor } from '../plan/clients.js'
import { chosenClients, type SelectionOptions, selectScenarios } from './selected.js'
import { endpointsOf, type TargetOptions } from './target-choice.js'

export interface PlanOptions extends SelectionOptions, TargetOptions {
  readonly pairs: 'cover' | 'all'
  readonly json?: boolean
}

/** What `run` with these options would run, as far as it can be told without installing or starting anything. */
export async function plan(options: PlanOptions): Promise<string> {
  const { selected } = await selectScenarios(options)
  const clients = chosenClients(options.clients, loadClients())
  const titles = clients.map(({ spec: { name, kind }, version }) => ({ name, kind, version }))
  const cells = planCells<ClientTitle>({
    ...byKind(titles, ({ kind }) => kind),
    scenarios: selected,
    pairs: options.pairs,
    powers: powersFor(options.clients, options.pairs),
    endpoints: endpointsOf(options),
  })
  return options.json ? JSON.stringify(toJson(cells), null, 2) : toText(cells)
}

function toJson({ cells, leftOut, sparedCases }: CellPlan) {
  const ids = (scenarios: readonly { id: string }[]) => scenarios.map(({ id }) => id)
  return {
    cells: cells.map((cell) => ({ ...cell, scenarios: ids(cell.scenarios) })),
    leftOut: leftOut.map(({ reason, scenarios }) => ({ reason, scenarios: ids(scenarios) })),
    sparedCases,
  }
}

function toText({ cells, leftOut, sparedCases }: CellPlan): string {
  const table = new Table({
    head: ['cell', 'worlds', 'scenarios'],
    colAligns: ['left', 'left', 'right'],
    style: { head: [], border: [], compact: true },
  })
  for (const { id, worlds, scenarios } of cells) table.push([id, worlds, scenarios.length])
  const total = cells.reduce((cases, { scenarios }) => cases + scenarios.length, 0)
  return [
    table.toString(),
    ...leftOut.map(({ reason, scenarios }) => `${scenarios.length} scenarios left out: ${reason}`),
    ...(sparedCases > 0 ? [sparedLine(sparedCases)] : []),
    `${total} cases in ${cells.length} cells`,
  ].join('\n')
}
