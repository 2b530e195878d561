import type { Better } from './statistics.js'

interface FigureSpec {
  readonly title: string
  readonly unit: string
  readonly better: Better
  /** Decimals in the table. */
  readonly decimals: number
}

/** All that is measured of a broker, in the order of the table. */
export const FIGURES = {
  startMs: { title: 'time to start', unit: 'ms', better: 'lower', decimals: 0 },
  producePerSecond: { title: 'produce', unit: 'records/s', better: 'higher', decimals: 0 },
  produceCpuSeconds: { title: 'produce: CPU', unit: 's per million', better: 'lower', decimals: 2 },
  consumePerSecond: { title: 'consume', unit: 'records/s', better: 'higher', decimals: 0 },
  consumeCpuSeconds: { title: 'consume: CPU', unit: 's per million', better: 'lower', decimals: 2 },
  latencyP50Ms: { title: 'latency p50 at 1,000/s', unit: 'ms', better: 'lower', decimals: 0 },
  latencyP99Ms: { title: 'latency p99 at 1,000/s', unit: 'ms', better: 'lower', decimals: 0 },
  latencyAverageMs: { title: 'latency mean at 1,000/s', unit: 'ms', better: 'lower', decimals: 2 },
  latencyCpuSeconds: { title: 'CPU at 1,000/s', unit: 's per million', better: 'lower', decimals: 1 },
  commitsPerSecond: { title: 'group commits', unit: 'commits/s', better: 'higher', decimals: 0 },
  commitP50Ms: { title: 'commit p50 at 1,000/s', unit: 'ms', better: 'lower', decimals: 2 },
  commitP99Ms: { title: 'commit p99 at 1,000/s', unit: 'ms', better: 'lower', decimals: 2 },
  commitLoadMs: { title: 'loading the commits at a start', unit: 'ms', better: 'lower', decimals: 0 },
  syncLagMs: { title: 'lag of cursors at 1,000 commits/s', unit: 'ms', better: 'lower', decimals: 0 },
  residentMegabytes: { title: 'resident memory', unit: 'MB', better: 'lower', decimals: 0 },
  anonymousMegabytes: { title: 'of it not file pages', unit: 'MB', better: 'lower', decimals: 0 },
  residentPeakMegabytes: { title: 'resident memory, peak', unit: 'MB', better: 'lower', decimals: 0 },
} as const satisfies Record<string, FigureSpec>

export type FigureName = keyof typeof FIGURES
export const figureNames = Object.keys(FIGURES) as FigureName[]
export const figureSpec = (name: FigureName): FigureSpec => FIGURES[name]

/** One round's figures of one cell. What could not be measured on this machine is absent. */
export type Sample = Readonly<Partial<Record<FigureName, number>>>
