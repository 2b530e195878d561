import type { Cell, ClientTitle } from './cells.js'
import type { Scenario } from './scenarios.js'

/** A piece of a cell that one worker runs without a pause. */
export interface Chunk<Client extends ClientTitle = ClientTitle> {
  readonly cell: Cell<Client>
  readonly scenarios: readonly Scenario[]
  /** 1-based, with `--repeat`. */
  readonly round: number
}

/** Starting a chunk costs its drivers' start: fewer scenarios than this are not worth one. */
const SCENARIOS_MIN = 8
const CHUNKS_A_WORKER = 3

/**
 * Cuts cells into chunks so that `jobs` workers end at about the same time: none longer than a third of a worker's
 * share, and the longest first.
 */
export function cutIntoChunks<Client extends ClientTitle>(
  cells: readonly Cell<Client>[],
  jobs: number,
  rounds = 1,
): Chunk<Client>[] {
  const total = cells.reduce((sum, cell) => sum + cell.scenarios.length, 0) * rounds
  const lengthMax = Math.max(SCENARIOS_MIN, Math.ceil(total / (jobs * CHUNKS_A_WORKER)))
  const chunks = Array.from({ length: rounds }, (_, round) =>
    cells.flatMap((cell) => cutCell(cell, lengthMax, round + 1)),
  ).flat()
  return chunks.sort((a, b) => a.round - b.round || b.scenarios.length - a.scenarios.length)
}

function cutCell<Client extends ClientTitle>(
  cell: Cell<Client>,
  lengthMax: number,
  round: number,
): Chunk<Client>[] {
  const count = Math.max(1, Math.ceil(cell.scenarios.length / lengthMax))
  const length = Math.ceil(cell.scenarios.length / count)
  return Array.from({ length: count }, (_, index) => ({
    cell,
    round,
    scenarios: cell.scenarios.slice(index * length, (index + 1) * length),
  })).filter(({ scenarios }) => scenarios.length > 0)
}
