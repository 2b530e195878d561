import type { JavaServer } from '../targets/java-server.js'
import { startBroker } from './broker.js'
import type { Sample } from './figures.js'
import { type Load, measure } from './measure.js'
import { PerfTools } from './perf-tools.js'
import { type Cell, cellName, schedule } from './plan.js'
import type { CellResult } from './results.js'

export interface RunOptions {
  readonly cells: readonly Cell[]
  readonly rounds: number
  readonly load: Load
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

async function runCell(cell: Cell, { kafka, profileFolder, signal, load }: RunOptions): Promise<Sample> {
  const broker = await startBroker(cell, { kafka, profileFolder, signal })
  try {
    return await measure(broker, new PerfTools(kafka, signal), load)
  } finally {
    await broker.stop()
  }
}

function toldShortly(sample: Sample): string {
  const whole = (value: number | undefined) =>
    (value ?? 0).toLocaleString('en-US', { maximumFractionDigits: 0 })
  return (
    `${whole(sample.startMs)} ms to start, ${whole(sample.producePerSecond)} produced/s, ` +
    `${whole(sample.consumePerSecond)} consumed/s, p50 ${whole(sample.latencyP50Ms)} ms, ` +
    `p99 ${whole(sample.latencyP99Ms)} ms, ${whole(sample.residentMegabytes)} MB`
  )
}

export const oneLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? ''
