#!/usr/bin/env node
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command, CommanderError } from 'commander'
import { EXIT } from '../commands/exit.js'
import { collect, positiveInteger, seed } from '../commands/options.js'
import { loadRegister } from '../plan/register.js'
import { loadScenarios } from '../plan/scenarios.js'
import { suiteVersion } from '../root.js'
import { NothingRun, UsageError } from '../usage-error.js'
import { caseOf, Evidence, type Judged, type Passes } from './judge.js'
import { mutantTable } from './report.js'
import { runSuite } from './suite-run.js'
import { loadVariants, type Variant } from './variants.js'

/*
 * npm run mutants: tests the suite itself. Each wrong variant of the reference must fail a scenario of every requirement
 * that it breaks, in a case that the right reference, started in the same way, passes. Exit codes: 0 all are caught, 1 one
 * survived, 2 wrong usage or a run could not be made, 130 interrupted.
 */

interface Options {
  readonly only?: readonly string[]
  readonly out: string
  readonly clients: string
  readonly parallel: number
  readonly seed: number
}

const program = new Command('npm run mutants --')
  .description('run the suite against wrong variants of the reference, and say which it does not catch')
  .option('--only <variants>', 'names of variants (default: all)', collect)
  .option('--out <folder>', 'where mutants.json and the runs’ reports go', 'report/mutants')
  .option(
    '--clients <names>',
    'one of each world and kind of tool is enough',
    'confluent-kafka,pulsar-client-python,kafka-tools,pulsar-admin-go',
  )
  .option('--parallel <count>', 'variants run at the same time', positiveInteger, 2)
  .option('--seed <number>', 'of every random choice', seed, 1)
  .exitOverride()

const say = (text: string) => process.stderr.write(`${text}\n`)

async function mutants(options: Options, signal: AbortSignal): Promise<number> {
  const variants = await loadVariants(options.only ?? [])
  const scenarios = await loadScenarios(loadRegister())
  const requirementsOf = new Map(scenarios.map(({ id, requirementIds }) => [id, requirementIds]))
  const out = resolve(options.out)
  const started = performance.now()
  const passes = await passesOfRight(variants, options, out, signal)
  const judged: Judged[] = []
  const waiting = [...variants]
  const work = async () => {
    for (let variant = waiting.shift(); variant !== undefined && !signal.aborted; variant = waiting.shift()) {
      const result = await judge(variant, new Evidence(variant, passes, requirementsOf), options, out, signal)
      if (signal.aborted) return
      judged.push(result)
      say(`${result.verdict.padEnd(8)} ${result.name} (${judged.length} of ${variants.length})`)
    }
  }
  await Promise.all(Array.from({ length: options.parallel }, work))
  if (signal.aborted) return EXIT.interrupted
  return finish(judged, out, Math.round(performance.now() - started), options)
}

/** What the right broker passes, by the same program and the same clients. */
async function passesOfRight(
  variants: readonly Variant[],
  { clients, seed, parallel }: Options,
  out: string,
  signal: AbortSignal,
): Promise<Passes> {
  const requirementIds = [...new Set(variants.flatMap(({ breaks }) => breaks))]
  say(`the right reference: scenarios of ${requirementIds.length} requirements`)
  const passes = new Set<string>()
  const failed: string[] = []
  const problem = await runSuite({
    ...{ variant: null, requirementIds, clients, seed, jobs: parallel, out: join(out, 'right'), signal },
    onObserved(observed) {
      if (observed.verdict === 'passed') passes.add(caseOf(observed))
      if (observed.verdict === 'failed') failed.push(caseOf(observed))
      return false
    },
  })
  if (problem !== null) throw new NothingRun(`the right reference could not be run: ${problem}`)
  for (const each of failed) say(`  does not count, for it fails on the right reference too: ${each}`)
  return passes
}

async function judge(
  variant: Variant,
  evidence: Evidence,
  { clients, seed }: Options,
  out: string,
  signal: AbortSignal,
): Promise<Judged> {
  const started = performance.now()
  const problem = await runSuite({
    ...{ variant: variant.name, requirementIds: variant.breaks, clients, seed, jobs: 1, signal },
    out: join(out, variant.name),
    onObserved: (observed) => evidence.add(observed),
  })
  return evidence.verdict(problem, Math.round(performance.now() - started))
}

function finish(
  judged: readonly Judged[],
  out: string,
  milliseconds: number,
  { clients, seed }: Options,
): number {
  const caught = judged.filter(({ verdict }) => verdict === 'caught').length
  const score = { caught, of: judged.length, percent: Math.round((1000 * caught) / judged.length) / 10 }
  mkdirSync(out, { recursive: true })
  const file = join(out, 'mutants.json')
  const report = { schemaVersion: 1, suiteVersion, clients, seed, milliseconds, score, mutants: judged }
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
  process.stdout.write(`${mutantTable(judged)}\n`)
  process.stdout.write(
    `mutation score: ${caught} of ${judged.length} variants caught (${score.percent} %) in ${Math.round(milliseconds / 1000)} s\n${file}\n`,
  )
  if (judged.some(({ verdict }) => verdict === 'could-not-run')) return EXIT.nothingRun
  return caught === judged.length ? EXIT.passed : EXIT.failed
}

const interrupted = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupted.abort())

try {
  program.parse(process.argv)
  process.exitCode = await mutants(program.opts<Options & Record<string, unknown>>(), interrupted.signal)
} catch (error) {
  const isUsage = error instanceof CommanderError
  if (!isUsage) say(`mutants: ${error instanceof Error ? error.message : String(error)}`)
  if (!isUsage && !(error instanceof UsageError || error instanceof NothingRun) && error instanceof Error)
    say(error.stack ?? '')
  process.exitCode = isUsage && error.exitCode === 0 ? 0 : EXIT.nothingRun
}
