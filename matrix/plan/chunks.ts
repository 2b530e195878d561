import type { Cell, ClientTitle } from './cells.js'
import { type CostOf, guessedCost } from './costs.js'
import type { Scenario } from './scenarios.js'

/** A piece of a cell that one worker runs without a pause. */
export interface Chunk<Client extends ClientTitle = ClientTitle> {
  readonly cell: Cell<Client>
  readonly scenarios: readonly Scenario[]
}

/** A chunk costs a Cucumber run of its own: less than this is not worth one. */
const COST_MIN_MS = 2_000
const CHUNKS_A_WORKER = 8

/**
 * Cuts cells into chunks so that `jobs` workers end at about the same time: none dearer than an eighth of a worker's
 * share, and the dearest first. A cell's scenarios that need a power stand together: a worker starts what they need
 * once for many of them.
 */
export function cutIntoChunks<Client extends ClientTitle>(
  cells: readonly Cell<Client>[],
  jobs: number,
  costOf: CostOf = guessedCost,
): Chunk<Client>[] {
  const total = cells.reduce((sum, cell) => sum + costSum(cell.scenarios, costOf), 0)
  const costMax = Math.max(COST_MIN_MS, total / (jobs * CHUNKS_A_WORKER))
  const chunks = cells.flatMap((cell) => cutCell(cell, costMax, costOf))
  const costs = new Map(chunks.map((chunk) => [chunk, costSum(chunk.scenarios, costOf)]))
  return chunks.sort((a, b) => (costs.get(b) ?? 0) - (costs.get(a) ?? 0))
}

export function costSum(scenarios: readonly Scenario[], costOf: CostOf): number {
  return scenarios.reduce((sum, scenario) => sum + costOf(scenario), 0)
}

/** Those with powers apart from the others, each in the order of the suite, in pieces of about `costMax` ms. */
export function cutCell<Client extends ClientTitle>(
  cell: Cell<Client>,
  costMax: number,
  costOf: CostOf,
): Chunk<Client>[] {
  const withPowers = cell.scenarios.filter(({ powers }) => powers.length > 0)
  const others = cell.scenarios.filter(({ powers }) => powers.length === 0)
  return [withPowers, others]
    .flatMap((scenarios) => evenPieces(scenarios, costMax, costOf))
    .map((scenarios) => ({ cell, scenarios }))
}

/** As few pieces as cost no more than about `costMax`, in order, of about the same cost. */
function evenPieces(scenarios: readonly Scenario[], costMax: number, costOf: CostOf): Scenario[][] {
  const total = costSum(scenarios, costOf)
  const share = total / Math.max(1, Math.ceil(total / costMax))
  const pieces: Scenario[][] = []
  let cost = 0
  for (const scenario of scenarios) {
    const own = costOf(scenario)
    const piece = Math.min(Math.floor((cost + own / 2) / share), Math.ceil(total / costMax) - 1)
    pieces[piece] = [...(pieces[piece] ?? []), scenario]
    cost += own
  }
  // A scenario dearer than a share leaves pieces without any.
  return pieces.filter((piece) => piece !== undefined)
}
