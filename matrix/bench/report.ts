import Table from 'cli-table3'
import { type FigureName, figureNames, figureSpec } from './figures.js'
import type { Machine } from './machine.js'
import { LATENCY_PRODUCER_SETTINGS, type Load, PRODUCER_SETTINGS } from './measure.js'
import type { CommitLoad } from './measure-commits.js'
import { cellName, POLICIES, type Policy } from './plan.js'
import { type CellResult, figuresOf, type Ratios, ratiosOf } from './results.js'
import type { Comparison, Spread } from './statistics.js'

export const RESULTS_VERSION = 1

const POLICY_TITLES: Record<Policy, string> = {
  os: "flushed when the operating system does (Kafka's default)",
  sync: "synced before the acknowledgement (BookKeeper's and the reference's default)",
}

export interface BenchResults {
  readonly startedAt: string
  readonly endedAt: string
  readonly suite: string
  readonly kafka: string
  readonly rounds: number
  /** Whether the run was broken off: then some cells have fewer rounds. */
  readonly partial: boolean
  /** Null: this part was left out. */
  readonly load: Load | null
  readonly commitLoad: CommitLoad | null
  readonly machine: Machine
  readonly results: readonly CellResult[]
}

/** The content of bench.json. */
export function benchJson(bench: BenchResults): object {
  const { results, ...facts } = bench
  return {
    version: RESULTS_VERSION,
    ...facts,
    producerSettings: PRODUCER_SETTINGS,
    latencyProducerSettings: LATENCY_PRODUCER_SETTINGS,
    figures: Object.fromEntries(
      figureNames.map((name) => {
        const { title, unit, better } = figureSpec(name)
        return [name, { title, unit, better }]
      }),
    ),
    cells: results.map((result) => ({
      ...result.cell,
      rounds: result.samples.length,
      failures: result.failures,
      figures: figuresOf(result),
    })),
    ratios: ratiosOf(results),
  }
}

/** The tables for people: one a flush policy, a column a system, each of the reference's with how it stands. */
export function benchTables(results: readonly CellResult[]): string {
  return POLICIES.map((policy) => policyTable(policy, results))
    .filter((text) => text !== '')
    .join('\n\n')
}

function policyTable(policy: Policy, all: readonly CellResult[]): string {
  const results = all.filter(
    ({ cell, samples, failures }) => cell.policy === policy && samples.length + failures.length > 0,
  )
  if (results.length === 0) return ''
  const ratios = ratiosOf(results)
  const table = new Table({
    head: ['', ...results.map(({ cell }) => cell.system)],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', ...results.map(() => 'right' as const)],
  })
  for (const name of figureNames) {
    const cells = results.map((result) => told(name, result, ratios))
    if (cells.some((text) => text !== '–')) {
      const { title, unit } = figureSpec(name)
      table.push([`${title} (${unit})`, ...cells])
    }
  }
  const failures = results.flatMap((result) =>
    result.failures.map((reason) => `${cellName(result.cell)} failed: ${reason}`),
  )
  return [`${policy}: ${POLICY_TITLES[policy]}`, table.toString(), ...failures].join('\n')
}

function told(name: FigureName, result: CellResult, ratios: readonly Ratios[]): string {
  const spread = figuresOf(result)[name]
  if (spread === undefined) return '–'
  const ratio = ratios.find(({ system }) => system === result.cell.system)?.figures[name]
  const lines = [formatSpread(spread, figureSpec(name).decimals)]
  if (ratio !== undefined) lines.push(formatComparison(ratio))
  return lines.join('\n')
}

/** The median and, of several samples, the extremes: `412,000 (390,113–420,501)`. */
export function formatSpread(spread: Spread, decimals: number): string {
  const median = formatNumber(spread.median, decimals)
  if (spread.samples.length === 1) return median
  return `${median} (${formatNumber(spread.min, decimals)}–${formatNumber(spread.max, decimals)})`
}

/** `1.43× ahead`, `0.71× behind`, `even`; above 1 is always the reference's advantage, whatever the figure. */
export function formatComparison({ advantage, standing }: Comparison): string {
  if (standing === 'even') return 'even'
  return advantage === null ? standing : `${formatNumber(advantage, 2)}× ${standing}`
}

const formatNumber = (value: number, decimals: number) =>
  value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })

/** One line for each thing in which the reference is not ahead, the farthest behind first. */
export function behindLines(results: readonly CellResult[]): string[] {
  return ratiosOf(results)
    .flatMap(({ system, policy, figures }) =>
      figureNames.flatMap((name) => {
        const comparison = figures[name]
        if (comparison?.standing !== 'behind') return []
        return [
          {
            order: comparison.advantage ?? 0,
            line: `${cellName({ system, policy })}: ${figureSpec(name).title} ${formatComparison(comparison)}`,
          },
        ]
      }),
    )
    .sort((a, b) => a.order - b.order)
    .map(({ line }) => line)
}
