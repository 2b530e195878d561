import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { loadRegister } from '../plan/register.js'
import { loadScenarios } from '../plan/scenarios.js'
import type { Results } from '../report/results.js'
import { terminalReport } from '../report/terminal.js'
import { writeReports } from '../report/write.js'
import { mergeRecords } from '../run/merge.js'
import { readRecord } from '../run/record.js'
import { UsageError } from '../usage-error.js'
import { EXIT } from './exit.js'

export interface ReportOptions {
  readonly merge: readonly string[]
  readonly out: string
  readonly json?: boolean
}

/** Writes the report of a run from the records of its shards. */
export async function reportCommand(options: ReportOptions): Promise<number> {
  const records = options.merge.map((folder) => readRecord(folder, 'report --merge'))
  const register = loadRegister()
  const results = mergeRecords(records, register, await loadScenarios(register))
  const folder = resolve(options.out)
  if (options.merge.some((each) => resolve(each) === folder)) {
    throw new UsageError(`--out ${options.out}: holds one of the shards; give another folder`)
  }
  mkdirSync(folder, { recursive: true })
  writeReports(results, folder)
  printReport(results, options)
  return exitCodeOf(results)
}

/** The last of `run` and `report`: what the results are, and where. */
export function printReport(
  results: Results,
  { out, json = false }: { readonly out: string; readonly json?: boolean },
): void {
  if (json) {
    const { summary, partial, missing, planned, seed, plan } = results
    const told = { out: resolve(out), plan, partial, missing, planned, seed, summary }
    process.stdout.write(`${JSON.stringify(told, null, 2)}\n`)
    return
  }
  const color = process.stdout.isTTY && process.env.NO_COLOR === undefined
  process.stdout.write(`${terminalReport(results, { color })}\n`)
  for (const line of results.missing) process.stdout.write(`missing: ${line}\n`)
  process.stdout.write(`report: ${join(out, 'index.html')}\n`)
}

export function exitCodeOf(results: Pick<Results, 'partial' | 'results' | 'summary'>): number {
  if (results.partial) return EXIT.interrupted
  if (results.results.length === 0) return EXIT.nothingRun
  return results.summary.fatal > 0 ? EXIT.failed : EXIT.passed
}
