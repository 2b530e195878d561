import type { Cell, ClientTitle } from './cells.js'
import type { Scenario } from './scenarios.js'

/** A piece of a cell that one worker runs without a pause. */
export interface Chunk<Client extends ClientTitle = ClientTitle> {
  readonly cell: Cell<Client>
  readonly scenarios: readonly Scenario[]
  /** 1-based, with `--repeat`. */
  readonly round: number
}

/** A chunk costs a Cucumber run of its own: less than this is not worth one. */
const COST_MIN = 12
const CHUNKS_A_WORKER = 8
/** A scenario that starts a target of its own takes about as long as so many others. */
const POWER_COST = 8

/**
 * Cuts cells into chunks so that `jobs` workers end at about the same time: none dearer than an eighth of a worker's
 * share, and the dearest first. A cell's scenarios that need a power stand together: a worker starts what they need
 * once for all of them.
 */
export function cutIntoChunks<Client extends ClientTitle>(
  cells: readonly Cell<Client>[],
  jobs: number,
  rounds = 1,
): Chunk<Client>[] {
  const total = cells.reduce((sum, cell) => sum + costOf(cell.scenarios), 0) * rounds
  const costMax = Math.max(COST_MIN, Math.ceil(total / (jobs * CHUNKS_A_WORKER)))
  const chunks = Array.from({ length: rounds }, (_, round) =>
    cells.flatMap((cell) => cutCell(cell, costMax, round + 1)),
  ).flat()
  return chunks.sort((a, b) => a.round - b.round || costOf(b.scenarios) - costOf(a.scenarios))
}

export function costOf(scenarios: readonly Scenario[]): number {
  return scenarios.reduce((sum, { powers }) => sum + (powers.length > 0 ? POWER_COST : 1), 0)
}

function cutCell<Client extends ClientTitle>(
  cell: Cell<Client>,
  costMax: number,
  round: number,
): Chunk<Client>[] {
  const withPowers = cell.scenarios.filter(({ powers }) => powers.length > 0)
  const others = cell.scenarios.filter(({ powers }) => powers.length === 0)
  const pieces = [...(withPowers.length > 0 ? [withPowers] : []), ...evenPieces(others, costMax)]
  return pieces.map((scenarios) => ({ cell, round, scenarios }))
}

function evenPieces(scenarios: readonly Scenario[], lengthMax: number): (readonly Scenario[])[] {
  const count = Math.ceil(scenarios.length / lengthMax)
  const length = Math.ceil(scenarios.length / Math.max(1, count))
  return Array.from({ length: count }, (_, index) =>
    scenarios.slice(index * length, (index + 1) * length),
  ).filter((piece) => piece.length > 0)
}
