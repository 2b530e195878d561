import type { ReadyClient } from '../clients/types.js'
import { byKind, type Cell, type CellPlan, planCells } from '../plan/cells.js'
import { guessedCost } from '../plan/costs.js'
import { shardOf } from '../plan/shards.js'
import type { Target } from '../targets/types.js'
import { UsageError } from '../usage-error.js'
import { caseKey } from './blamed.js'
import type { RunInput } from './input.js'
import { differenceOf, type Planned, plannedLine, suiteMark } from './record.js'

/** The whole plan, of the clients that could be had. */
export function planFor(
  input: RunInput,
  target: Target,
  clients: readonly ReadyClient[],
): CellPlan<ReadyClient> {
  return planCells({
    ...byKind(clients, ({ kind }) => kind),
    scenarios: input.selected,
    ...input.spread,
    endpoints: target.endpoints,
  })
}

/**
 * What the record says of the run before anything is observed.
 * @throws UsageError when the run that it goes on with was another one
 */
export function plannedOf(
  input: RunInput,
  whole: CellPlan<ReadyClient>,
  started: Pick<Planned, 'runId' | 'notRun'> & { readonly target: Target; readonly started: Date },
): Planned {
  const { register, suite, settings, seed, rounds, targetChoice, knownFailing, resumed = null } = input
  const { shard = null, outside = [], planName = 'named', options = {} } = input
  const mark = suiteMark(register, suite)
  const known = { settings, seed, rounds, targetChoice, knownFailing, shard, outside, planName, options }
  const planned = plannedLine({ ...known, ...started, suite: mark }, whole)
  if (resumed === null) {
    input.events.onRecord?.(planned)
    return planned
  }
  const other =
    differenceOf(resumed.planned, planned) ??
    (isSame(resumed.planned.shard, shard) ? null : 'another shard of the plan')
  if (other !== null) throw new UsageError(`--resume ${resumed.folder}: this run is of ${other}`)
  return planned
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

export function partOf(
  whole: CellPlan<ReadyClient>,
  { shard = null, spread }: RunInput,
): CellPlan<ReadyClient> {
  if (shard === null) return whole
  return { ...whole, cells: shardOf(whole.cells, shard, spread.costOf ?? guessedCost) }
}

/** For each round the cells with what is still to be observed: all, unless an earlier run saw some of it. */
export function leftToRun(
  cells: readonly Cell<ReadyClient>[],
  { rounds, resumed = null }: RunInput,
): Cell<ReadyClient>[][] {
  const times = new Map<string, number>()
  for (const { cellId, scenarioId } of resumed?.observed ?? []) {
    const key = caseKey(cellId, scenarioId)
    times.set(key, (times.get(key) ?? 0) + 1)
  }
  return Array.from({ length: rounds }, (_, round) =>
    cells.map((cell) => ({
      ...cell,
      scenarios: cell.scenarios.filter(({ id }) => (times.get(caseKey(cell.id, id)) ?? 0) <= round),
    })),
  )
}
