import { randomInt } from 'node:crypto'
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { loadClients, provisionClient } from '../clients/index.js'
import { type KnownFailing, loadKnownFailing } from '../judge/known-failing.js'
import { sparedLine } from '../plan/cells.js'
import type { ChosenClient } from '../plan/clients.js'
import type { OutsideClient } from '../plan/repeat.js'
import type { Results } from '../report/results.js'
import { terminalReport } from '../report/terminal.js'
import { removeReports, writeReports } from '../report/write.js'
import { packageRoot } from '../root.js'
import { progressFor } from '../run/progress.js'
import { run as runSuite } from '../run/runner.js'
import { sweep } from '../sweep/sweep.js'
import { UsageError } from '../usage-error.js'
import { type ControlCommandOptions, controlOptions } from './control.js'
import { EXIT } from './exit.js'
import { checkReachable } from './reachable.js'
import { choosePlan, type SelectionOptions, selectScenarios } from './selected.js'
import { chooseTarget, type TargetOptions } from './target-choice.js'
import { missingTools } from './toolchains.js'

export interface RunCommandOptions extends SelectionOptions, TargetOptions, ControlCommandOptions {
  readonly jobs?: number
  readonly repeat: number
  readonly seed?: number
  readonly out: string
  readonly timeout: number
  readonly knownFailing?: string
  readonly json?: boolean
}

/** Runs the suite, writes the reports and answers the exit code. */
export async function runCommand(options: RunCommandOptions, signal: AbortSignal): Promise<number> {
  const { register, suite, selected } = await selectScenarios(options)
  const { clients, spread } = choosePlan(options, loadClients())
  const target = chooseTarget(options)
  await checkReachable(options)
  const control = await controlOptions(options)
  const knownFailing = knownFailingOf(clients, target.kind.name, options.knownFailing)
  const out = openOut(options.out)
  const progress = progressFor(process.stderr, process.env.CI !== undefined)
  const note = (value: object) => out.stream.write(`${JSON.stringify(value)}\n`)
  const seed = options.seed ?? randomInt(0x1_0000_0000)
  progress.line(`seed ${seed}`)
  try {
    const results = await runSuite({
      register,
      suite,
      selected,
      clients,
      outside: outsideOf(clients, options.client ?? []),
      targetKind: target.kind,
      targetChoice: target.choice,
      settings: target.settings,
      knownFailing,
      spread,
      jobs: options.jobs ?? availableParallelism() + 1,
      rounds: options.repeat,
      seed,
      scenarioTimeoutMs: options.timeout * 1000,
      signal,
      provision: provisionClient,
      sweep,
      control,
      hasToolchain: async (spec) => (await missingTools(spec)).length === 0,
      events: {
        onLine: (line) => progress.line(line),
        onTarget({ kind, version, endpoints }, runId) {
          progress.line(`target ${kind} ${version} (${Object.values(endpoints).join(', ')})`)
          note({ type: 'run', runId, seed, target: { kind, version, endpoints } })
        },
        onPlanned(plan, cases) {
          if (plan.sparedCases > 0) progress.line(sparedLine(plan.sparedCases))
          progress.line(`${cases} cases in ${plan.cells.length} cells`)
          progress.start(cases)
        },
        onObserved(observation) {
          progress.observed(observation)
          note({ type: 'observed', ...observation })
        },
        onControl(line, cases) {
          progress.stop()
          progress.line(line)
          progress.start(cases)
        },
        onControlObserved: (observation) => progress.observed(observation),
      },
    })
    progress.stop()
    return results === null ? EXIT.interrupted : finish(results, out.folder, options)
  } finally {
    progress.stop()
    await new Promise((done) => out.stream.end(done))
  }
}

/** Clients of `--client`, with their folders as they were given. */
function outsideOf(clients: readonly ChosenClient[], folders: readonly string[]): OutsideClient[] {
  return folders.flatMap((folder) => {
    const choice = clients.find(({ spec }) => spec.folder === resolve(folder))
    return choice === undefined ? [] : [{ name: choice.spec.name, folder }]
  })
}

function finish(results: Results, folder: string, options: RunCommandOptions): number {
  writeReports(results, folder)
  if (options.json) {
    const { summary, partial, planned, seed } = results
    process.stdout.write(`${JSON.stringify({ out: folder, partial, planned, seed, summary }, null, 2)}\n`)
  } else {
    const color = process.stdout.isTTY && process.env.NO_COLOR === undefined
    process.stdout.write(`${terminalReport(results, { color })}\n`)
    process.stdout.write(`report: ${join(options.out, 'index.html')}\n`)
  }
  return exitCodeOf(results)
}

export function exitCodeOf(results: Pick<Results, 'partial' | 'results' | 'summary'>): number {
  if (results.partial) return EXIT.interrupted
  if (results.results.length === 0) return EXIT.nothingRun
  return results.summary.fatal > 0 ? EXIT.failed : EXIT.passed
}

/** Results go there as they come, so that nothing is lost whatever ends the run. */
function openOut(out: string): { folder: string; stream: WriteStream } {
  const folder = resolve(out)
  try {
    mkdirSync(folder, { recursive: true })
    removeReports(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(`--out ${out}: the folder cannot be made (${code}); give one that can be written`)
  }
  const stream = createWriteStream(join(folder, 'results.ndjson'))
  stream.on('error', (error) => {
    process.stderr.write(`kop-conformance: --out ${out}: ${error.message}\n`)
    process.exit(EXIT.nothingRun)
  })
  return { folder, stream }
}

/** Each client's own list, the target kind's, and the one that the user gives for the target. */
function knownFailingOf(
  clients: readonly ChosenClient[],
  targetName: string,
  file: string | undefined,
): KnownFailing[] {
  const specs = new Map(clients.map(({ spec }) => [spec.name, spec]))
  const [family = ''] = targetName.split('@')
  const subject = { kind: 'target', name: family } as const
  return [
    ...[...specs.values()].flatMap(({ name, folder }) =>
      loadKnownFailing(join(folder, 'known-failing.yaml'), { kind: 'client', name }),
    ),
    ...loadKnownFailing(join(packageRoot, 'matrix', 'targets', 'known-failing', `${family}.yaml`), subject),
    ...(file === undefined ? [] : loadNamed(file, subject)),
  ]
}

function loadNamed(file: string, subject: KnownFailing['subject']): KnownFailing[] {
  const entries = loadKnownFailing(file, subject)
  if (entries.length === 0) throw new UsageError(`--known-failing ${file}: no such file, or no entry in it`)
  return entries
}
