import type { Cell, ClientTitle } from './cells.js'
import { costSum, cutCell } from './chunks.js'
import type { CostOf } from './costs.js'

/** One of several runs that share a plan. */
export interface Shard {
  /** From 1. */
  readonly index: number
  readonly count: number
}

export const shardTitle = ({ index, count }: Shard): string => `${index}/${count}`

const PIECES_A_SHARD = 6

/**
 * The part of a plan that a shard runs. All shards of a plan together are the plan, each case once; their costs are about
 * the same. It depends on the plan and the count alone: each shard finds its own without knowing of the others.
 */
export function shardOf<Client extends ClientTitle>(
  cells: readonly Cell<Client>[],
  shard: Shard,
  costOf: CostOf,
): Cell<Client>[] {
  const total = cells.reduce((sum, cell) => sum + costSum(cell.scenarios, costOf), 0)
  const pieces = cells
    .flatMap((cell) => cutCell(cell, total / (shard.count * PIECES_A_SHARD), costOf))
    .map((piece) => ({ ...piece, cost: costSum(piece.scenarios, costOf) }))
    .sort((a, b) => b.cost - a.cost)
  const loads = Array.from({ length: shard.count }, () => 0)
  const own = new Set<string>()
  for (const { cell, scenarios, cost } of pieces) {
    const lightest = loads.indexOf(Math.min(...loads))
    loads[lightest] = (loads[lightest] ?? 0) + cost
    if (lightest !== shard.index - 1) continue
    for (const { id } of scenarios) own.add(`${cell.id} ${id}`)
  }
  return cells
    .map((cell) => ({ ...cell, scenarios: cell.scenarios.filter(({ id }) => own.has(`${cell.id} ${id}`)) }))
    .filter(({ scenarios }) => scenarios.length > 0)
}
