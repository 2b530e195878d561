import { randomInt } from 'node:crypto'
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { loadClients, provisionClient } from '../clients/index.js'
import { provisionProved } from '../clients/proving.js'
import { type KnownFailing, loadKnownFailing } from '../judge/known-failing.js'
import { type CellPlan, countCases, sparedLine } from '../plan/cells.js'
import type { ChosenClient } from '../plan/clients.js'
import type { OutsideClient } from '../plan/repeat.js'
import { type Shard, shardTitle } from '../plan/shards.js'
import type { Results } from '../report/results.js'
import { removeReports, writeReports } from '../report/write.js'
import { packageRoot } from '../root.js'
import { progressFor } from '../run/progress.js'
import { RECORD_FILE, type ReadRecord, type RecordLine, readRecord } from '../run/record.js'
import { run as runSuite } from '../run/runner.js'
import { sweep } from '../sweep/sweep.js'
import type { TargetKind } from '../targets/types.js'
import { UsageError } from '../usage-error.js'
import { type ControlCommandOptions, controlOptions, whyNoControl } from './control.js'
import { EXIT } from './exit.js'
import { checkReachable } from './reachable.js'
import { exitCodeOf, printReport } from './report.js'
import { choosePlan, type SelectionOptions, selectScenarios } from './selected.js'
import { provisionServed } from './served.js'
import { chooseTarget, endpointsOf, type TargetOptions } from './target-choice.js'
import { missingTools } from './toolchains.js'

export interface RunCommandOptions extends SelectionOptions, TargetOptions, ControlCommandOptions {
  readonly shard?: Shard
  readonly resume?: string
  readonly jobs?: number
  readonly repeat: number
  readonly seed?: number
  readonly out: string
  readonly timeout: number
  readonly knownFailing?: string
  /** Lets drivers judge that nothing has proved. */
  readonly unproven?: boolean
  readonly json?: boolean
}

/**
 * Runs the suite, writes the reports and answers the exit code. `given`: the names of those options that the command line
 * had; with `--resume` all others are those of the run that it goes on with.
 */
export async function runCommand(
  asked: RunCommandOptions,
  given: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<number> {
  const resumed = asked.resume === undefined ? null : readRecord(asked.resume, '--resume')
  const options = resumed === null ? asked : resumedOptions(asked, given, resumed)
  const { register, suite, selected } = await selectScenarios(options)
  const { name: planName, clients, spread } = choosePlan(options, loadClients())
  const target = chooseTarget(options)
  await checkReachable(options)
  const control = await controlOptions(options)
  const knownFailing = knownFailingOf(clients, target.kind, options.knownFailing)
  const out = openOut(options.out, resumed !== null)
  const progress = progressFor(process.stderr, process.env.CI !== undefined)
  const note = (line: RecordLine) => out.stream.write(`${JSON.stringify(line)}\n`)
  const seed = options.seed ?? randomInt(0x1_0000_0000)
  progress.line(`seed ${seed}`)
  const { kindOf } = control
  const onLine = (line: string) => progress.line(line)
  const proving = { provision: provisionClient, whyNoControl, kindOf, onLine, signal }
  try {
    const results = await runSuite({
      register,
      suite,
      selected,
      clients,
      outside: outsideOf(clients, options.client ?? []),
      targetKind: target.kind,
      targetChoice: target.choice,
      endpoints: endpointsOf(options),
      settings: target.settings,
      knownFailing,
      spread,
      planName,
      shard: options.shard ?? null,
      resumed,
      options: { ...options, seed },
      jobs: options.jobs ?? availableParallelism() + 1,
      rounds: options.repeat,
      seed,
      scenarioTimeoutMs: options.timeout * 1000,
      signal,
      provision: provisionServed(
        target.kind.name,
        options.unproven ? provisionClient : provisionProved(proving),
      ),
      sweep,
      control,
      hasToolchain: async (spec) => (await missingTools(spec)).length === 0,
      events: {
        onLine: (line) => progress.line(line),
        onTarget({ kind, version, endpoints }) {
          progress.line(`target ${kind} ${version} (${Object.values(endpoints).join(', ')})`)
        },
        onRecord: note,
        onPlanned(plan, cases) {
          for (const line of plannedLines(planName, plan, cases, options)) progress.line(line)
          progress.start(cases)
        },
        onObserved(observation) {
          progress.observed(observation)
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
  printReport(results, options)
  return exitCodeOf(results)
}

function plannedLines(
  name: string,
  plan: CellPlan,
  cases: number,
  { shard, repeat }: RunCommandOptions,
): string[] {
  const of = shard === undefined ? `plan ${name}` : `plan ${name}, shard ${shardTitle(shard)}`
  const times = repeat > 1 ? `, ${repeat} times each` : ''
  const left = cases < countCases(plan.cells) * repeat ? `, ${cases} still to be run` : ''
  return [
    ...plan.leftOut.map(({ reason, scenarios }) => `${scenarios.length} scenarios left out: ${reason}`),
    ...(plan.sparedCases > 0 ? [sparedLine(plan.sparedCases)] : []),
    `${of}: ${countCases(plan.cells)} cases in ${plan.cells.length} cells${times}${left}`,
  ]
}

/** What only concerns how a run goes on, not what it is. */
const freeWhenResumed = ['jobs', 'timeout', 'json', 'resume', 'control', 'controlTimeout']

function resumedOptions(
  asked: RunCommandOptions,
  given: ReadonlySet<string>,
  { folder, planned }: ReadRecord,
): RunCommandOptions {
  if (given.has('out')) throw new UsageError(`--resume ${folder}: goes on in that folder; leave out --out`)
  const own = Object.entries(asked).filter(([name]) => given.has(name) || freeWhenResumed.includes(name))
  return { ...(planned.options as unknown as RunCommandOptions), ...Object.fromEntries(own), out: folder }
}

/** Results go there as they come, so that nothing is lost whatever ends the run. */
function openOut(out: string, goesOn: boolean): { folder: string; stream: WriteStream } {
  const folder = resolve(out)
  try {
    mkdirSync(folder, { recursive: true })
    // Those of a run that is gone on with stay until there are newer ones.
    if (!goesOn) removeReports(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(`--out ${out}: the folder cannot be made (${code}); give one that can be written`)
  }
  const stream = createWriteStream(join(folder, RECORD_FILE), { flags: goesOn ? 'a' : 'w' })
  // A run that was killed may have left half a line.
  if (goesOn) stream.write('\n')
  stream.on('error', (error) => {
    process.stderr.write(`kop-conformance: --out ${out}: ${error.message}\n`)
    process.exit(EXIT.nothingRun)
  })
  return { folder, stream }
}

/** Each client's own list, the target kind's, and the one that the user gives for the target. */
function knownFailingOf(
  clients: readonly ChosenClient[],
  target: TargetKind,
  file: string | undefined,
): KnownFailing[] {
  const specs = new Map(clients.map(({ spec }) => [spec.name, spec]))
  const [family = ''] = target.name.split('@')
  const subject = { kind: 'target', name: family } as const
  return [
    ...[...specs.values()].flatMap(({ name, folder }) =>
      loadKnownFailing(join(folder, 'known-failing.yaml'), { kind: 'client', name }),
    ),
    ...loadKnownFailing(join(packageRoot, 'matrix', 'targets', 'known-failing', `${family}.yaml`), subject),
    ...(target.knownFailing === undefined ? [] : loadNamed(target.knownFailing, subject, 'knownFailing')),
    ...(file === undefined ? [] : loadNamed(file, subject, '--known-failing')),
  ]
}

function loadNamed(file: string, subject: KnownFailing['subject'], option: string): KnownFailing[] {
  const entries = loadKnownFailing(file, subject)
  if (entries.length === 0) throw new UsageError(`${option} ${file}: no such file, or no entry in it`)
  return entries
}
