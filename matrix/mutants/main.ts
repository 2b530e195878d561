#!/usr/bin/env node
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { Command, CommanderError } from 'commander'
import { loadClients, provisionClient } from '../clients/index.js'
import type { ReadyClient } from '../clients/types.js'
import { EXIT } from '../commands/exit.js'
import { collect, positiveInteger, seed } from '../commands/options.js'
import { chosenClients } from '../commands/selected.js'
import { byKind, type Cell, planCells } from '../plan/cells.js'
import { loadRegister } from '../plan/register.js'
import { loadScenarios } from '../plan/scenarios.js'
import { suiteVersion } from '../root.js'
import { targetKind } from '../targets/index.js'
import type { Target } from '../targets/types.js'
import { NothingRun, UsageError } from '../usage-error.js'
import { afterRun, loadCaughtBy, saveCaughtBy } from './caught-by.js'
import type { Judged } from './judge.js'
import { mutantTable } from './report.js'
import { tryVariants } from './trial.js'
import { chosenVariants, loadVariants, type Variant, variantProgram } from './variants.js'

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
  readonly update?: boolean
}

const program = new Command('npm run mutants --')
  .description('run the suite against wrong variants of the reference, and say which it does not catch')
  .option('--only <variants>', 'names of variants (default: all)', collect)
  .option('--out <folder>', 'where mutants.json goes', 'report/mutants')
  .option(
    '--clients <names>',
    'one of each world and kind of tool is enough',
    'confluent-kafka,pulsar-client-python,kafka-tools,pulsar-admin-go,pulsar-kafka-wrapper',
  )
  .option('--parallel <count>', 'variants run at the same time', positiveInteger, availableParallelism() + 1)
  .option('--seed <number>', 'of every random choice', seed, 1)
  .option('--update', 'write down what caught each variant: the next run tries it first')
  .exitOverride()

const say = (text: string) => process.stderr.write(`${text}\n`)

async function mutants(options: Options, signal: AbortSignal): Promise<number> {
  const started = performance.now()
  const all = await loadVariants()
  const variants = chosenVariants(all, options.only ?? [])
  const before = loadCaughtBy()
  // Targets are started by this process and by its workers, which inherit it.
  process.env.KOP_CONFORMANCE_REFERENCE_MAIN = variantProgram
  const clients = await readyClients(options.clients, signal)
  const judged: Judged[] = []
  const kind = targetKind('reference')
  const right = await kind.start({ signal })
  try {
    await tryVariants({
      ...{ variants, caughtBy: before, kind, right, signal, seed: options.seed },
      cells: await cellsFor(variants, clients, right),
      runId: `kct-${Date.now().toString(36)}${randomBytes(2).toString('hex')}`,
      parallel: options.parallel,
      onJudged(result) {
        judged.push(result)
        const seconds = (result.milliseconds / 1000).toFixed(1)
        say(
          `${result.verdict.padEnd(8)} ${result.name} (${judged.length} of ${variants.length}, ${seconds} s)`,
        )
      },
      onFailsOnRight({ scenarioId, cellId, verdict, reason }) {
        say(
          `  counts for nothing, ${verdict} on the right reference too: ${scenarioId} [${cellId}]: ${reason}`,
        )
      },
    })
  } finally {
    await right.kill()
    await right.stop()
  }
  if (signal.aborted) return EXIT.interrupted
  const after = afterRun(
    before,
    judged,
    all.map(({ name }) => name),
  )
  if (options.update) saveCaughtBy(after)
  else if (JSON.stringify(after) !== JSON.stringify(before))
    say('other scenarios than last time caught them: --update writes that down')
  return finish(judged, Math.round(performance.now() - started), options)
}

/** @throws NothingRun when one of them cannot be had */
async function readyClients(names: string, signal: AbortSignal): Promise<readonly ReadyClient[]> {
  const outcomes = await Promise.all(
    chosenClients(names, loadClients()).map(({ spec, version }) =>
      provisionClient(spec, version, { onProgress: say, signal }),
    ),
  )
  return outcomes.map((outcome) => {
    if ('command' in outcome) return outcome
    throw new NothingRun(`${outcome.name}@${outcome.version} could not be run: ${outcome.reason}`)
  })
}

/** Every scenario of what the variants break, with its clients. */
async function cellsFor(
  variants: readonly Variant[],
  clients: readonly ReadyClient[],
  right: Target,
): Promise<readonly Cell<ReadyClient>[]> {
  const broken = new Set(variants.flatMap(({ breaks }) => breaks))
  const suite = await loadScenarios(loadRegister())
  return planCells({
    ...byKind(clients, ({ kind }) => kind),
    scenarios: suite.filter(({ requirementIds }) => requirementIds.some((id) => broken.has(id))),
    pairs: 'cover',
    endpoints: right.endpoints,
  }).cells
}

function finish(judged: readonly Judged[], milliseconds: number, { out, clients, seed }: Options): number {
  const caught = judged.filter(({ verdict }) => verdict === 'caught').length
  const score = { caught, of: judged.length, percent: Math.round((1000 * caught) / judged.length) / 10 }
  mkdirSync(resolve(out), { recursive: true })
  const file = join(resolve(out), 'mutants.json')
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
  const isAborted = interrupted.signal.aborted
  if (!isUsage && !isAborted) say(`mutants: ${error instanceof Error ? error.message : String(error)}`)
  const isExpected = isUsage || isAborted || error instanceof UsageError || error instanceof NothingRun
  if (!isExpected && error instanceof Error) say(error.stack ?? '')
  process.exitCode = isAborted
    ? EXIT.interrupted
    : isUsage && error.exitCode === 0
      ? EXIT.passed
      : EXIT.nothingRun
}
