import type { JavaServer } from '../targets/java-server.js'
import { startBroker } from './broker.js'
import { figureNames, figureSpec, type Sample } from './figures.js'
import { type Load, measure } from './measure.js'
import { type CommitLoad, measureCommits } from './measure-commits.js'
import { PerfTools } from './perf-tools.js'
import { type Cell, cellName, schedule } from './plan.js'
import type { CellResult } from './results.js'

export interface RunOptions {
  readonly cells: readonly Cell[]
  readonly rounds: number
  /** Null: this part is left out. */
  readonly load: Load | null
  readonly commitLoad: CommitLoad | null
  readonly kafka: JavaServer
  readonly profileFolder?: string | undefined
  readonly signal: AbortSignal
  onStep(step: { number: number; steps: number; round: number; cell: string }): void
  onSample(told: string): void
}

/**
 * Runs every cell once a round, one broker at a time, each started anew. What fails is noted and the rest goes on; when
 * the signal fires it ends with what there is.
 */
export async function runBench(options: RunOptions): Promise<CellResult[]> {
  const results = options.cells.map((cell): CellResult => ({ cell, samples: [], failures: [] }))
  const steps = schedule(options.cells, options.rounds)
  for (const [index, { round, cell }] of steps.entries()) {
    if (options.signal.aborted) break
    options.onStep({ number: index + 1, steps: steps.length, round: round + 1, cell: cellName(cell) })
    const result = results.find((candidate) => candidate.cell === cell)
    try {
      const sample = await runCell(cell, options)
      result?.samples.push(sample)
      options.onSample(toldShortly(sample))
    } catch (error) {
      if (options.signal.aborted) break
      const reason = oneLine(error)
      result?.failures.push(reason)
      options.onSample(`failed: ${reason}`)
    }
  }
  return results
}

async function runCell(
  cell: Cell,
  { kafka, profileFolder, signal, load, commitLoad }: RunOptions,
): Promise<Sample> {
  const broker = await startBroker(cell, { kafka, profileFolder, signal })
  try {
    const tools = new PerfTools(kafka, signal)
    const records = load === null ? { startMs: broker.startMs } : await measure(broker, tools, load)
    const commits = commitLoad === null ? {} : await measureCommits(broker, tools, commitLoad)
    return { ...records, ...commits }
  } finally {
    await broker.stop()
  }
}

function toldShortly(sample: Sample): string {
  return figureNames
    .flatMap((name) => {
      const value = sample[name]
      const { title, unit, decimals } = figureSpec(name)
      return value === undefined
        ? []
        : [`${title} ${value.toLocaleString('en-US', { maximumFractionDigits: decimals })} ${unit}`]
    })
    .join(', ')
}

export const oneLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? ''
