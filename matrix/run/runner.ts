import { randomBytes } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClientSpec, ReadyClient } from '../clients/types.js'
import type { Observation } from '../judge/verdicts.js'
import { type Cell, countCases, unspokenBy } from '../plan/cells.js'
import { costSum, cutIntoChunks } from '../plan/chunks.js'
import type { ChosenClient } from '../plan/clients.js'
import { guessedCost } from '../plan/costs.js'
import type { Scenario } from '../plan/scenarios.js'
import type { NotRun, Results } from '../report/results.js'
import { removeFolder } from '../targets/places.js'
import { withoutSecrets } from '../targets/secrets.js'
import type { Target } from '../targets/types.js'
import { NothingRun } from '../usage-error.js'
import { buildResults, failuresOf } from './build-results.js'
import { decideBlame } from './control.js'
import type { RunInput } from './input.js'
import { jobOf } from './job.js'
import { leftToRun, partOf, planFor, plannedOf } from './planned.js'
import { runJobs } from './pool.js'

/** The target could not be started or reached: nothing can be run. */
export class TargetUnavailable extends NothingRun {}

/** How long an orderly stop of the target may take after an interrupt. */
const STOP_AFTER_INTERRUPT_MS = 1_200
const SWEEP_WITHIN_MS = 60_000
const SWEEP_AFTER_INTERRUPT_MS = 10_000

/**
 * Starts the target, makes the clients ready, runs all cells and judges. Resolves also when interrupted, with what was
 * observed until then and `partial`; null when interrupted before there was a target.
 * @throws TargetUnavailable, UnusableSuite
 */
export async function run(input: RunInput): Promise<Results | null> {
  const started = new Date()
  const runId = `kct-${Date.now().toString(36)}${randomBytes(2).toString('hex')}`
  const [target, clients] = await prepare(input)
  if (target === null) return null
  // Where workers put the data of targets of their own: a worker that is killed leaves it behind.
  const scratch = await mkdtemp(join(tmpdir(), 'kop-conformance-run-'))
  try {
    input.events.onTarget(target, runId)
    const whole = planFor(input, target, clients.ready)
    const planned = plannedOf(input, whole, { target, runId, started, notRun: clients.notRun })
    const plan = partOf(whole, input)
    const left = leftToRun(plan.cells, input)
    input.events.onPlanned(
      plan,
      left.reduce((sum, cells) => sum + countCases(cells), 0),
    )
    const seen = await observe(input, left, { target, runId, scratch })
    const observed = [...(input.resumed?.observed ?? []), ...seen]
    const planDigest = planned.plan.digest
    const gathered = { ...input, plan, planDigest, observed, target, runId, started, notRun: clients.notRun }
    const { control } = input
    const { ready } = clients
    const asked = control && { ...input, control, ready, target, observed, runId, scratch }
    const blames = asked && (await decideBlame(failuresOf(gathered), asked))
    if (blames !== undefined) input.events.onRecord?.({ type: 'blamed', blames: [...blames] })
    const results = buildResults({ ...gathered, ...(blames && { blames }) })
    const { endedAt, partial } = results
    input.events.onRecord?.({ type: 'ended', endedAt, partial })
    return results
  } finally {
    await sweepTarget(input, target, runId, clients.ready)
    await Promise.all([stopTarget(target, input.signal), briefly(removeFolder(scratch), input.signal)])
  }
}

interface Prepared {
  readonly ready: readonly ReadyClient[]
  readonly notRun: readonly NotRun[]
}

async function prepare(input: RunInput): Promise<readonly [Target | null, Prepared]> {
  const [target, clients] = await Promise.allSettled([startTarget(input), provisionAll(input)])
  if (target.status === 'rejected') throw target.reason
  if (clients.status === 'fulfilled') return [target.value, clients.value]
  if (target.value !== null) await stopTarget(target.value, input.signal)
  if (input.signal.aborted) return [null, { ready: [], notRun: [] }]
  throw clients.reason
}

async function startTarget({ targetKind, settings, signal, events }: RunInput): Promise<Target | null> {
  try {
    return await targetKind.start({ settings, signal, onProgress: (line) => events.onLine(line) })
  } catch (error) {
    if (signal.aborted) return null
    const reason = error instanceof Error ? error.message : String(error)
    throw new TargetUnavailable(`the target ${targetKind.name} cannot be used: ${reason}`)
  }
}

/** Only clients of a world, and tools of a kind, that a selected scenario needs; the raw client also to sweep with. */
async function provisionAll(input: RunInput): Promise<Prepared> {
  const { endpoints } = input
  const possible =
    endpoints === undefined
      ? input.selected
      : input.selected.filter((scenario) => unspokenBy(endpoints, scenario) === null)
  const needed = input.clients.filter(({ spec }) => {
    return isNeeded(spec, possible) || (input.targetKind.outlivesRun && spec.kind === 'raw')
  })
  const outcomes = await Promise.all(needed.map((choice) => provisionOne(choice, input)))
  return {
    ready: outcomes.flatMap((outcome) => ('command' in outcome ? [outcome] : [])),
    notRun: outcomes.flatMap((outcome) => ('command' in outcome ? [] : [outcome])),
  }
}

function isNeeded(spec: ClientSpec, scenarios: readonly Scenario[]): boolean {
  const { kind } = spec
  return scenarios.some(({ worlds, raw, tools }) => {
    if (kind === 'raw') return raw || worlds === 'raw'
    if (kind === 'pulsar-kafka-wrapper') return worlds === 'wrapper'
    if (kind === 'kafka' && worlds === 'wrapper') return true
    if (kind === 'kafka' || kind === 'pulsar') return worlds === kind || worlds === 'both'
    return tools.includes(kind)
  })
}

async function provisionOne(choice: ChosenClient, input: RunInput): Promise<ReadyClient | NotRun> {
  const { spec, version, named } = choice
  const outcome = await input.provision(spec, version, {
    onProgress: (line) => input.events.onLine(line),
    signal: input.signal,
  })
  if ('command' in outcome) return outcome
  const { isTooOld = false, ...notRun } = outcome
  const required = named || (!isTooOld && spec.quick && (await input.hasToolchain(spec)))
  return { ...notRun, required }
}

async function observe(
  input: RunInput,
  left: readonly (readonly Cell<ReadyClient>[])[],
  { target, runId, scratch }: { target: Target; runId: string; scratch: string },
): Promise<Observation[]> {
  const observed: Promise<Observation>[] = []
  const jobs = left
    .flatMap((cells) => cutIntoChunks(cells, input.jobs, input.spread.costOf))
    .map((chunk, index) => {
      const cost = costSum(chunk.scenarios, input.spread.costOf ?? guessedCost)
      // One scenario in two cells draws the same random names: what the run creates is told apart by the job.
      return { ...jobOf(chunk, target, `${runId}-${index.toString(36)}`, input), cost }
    })
  await runJobs(jobs, {
    jobs: input.jobs,
    scenarioTimeoutMs: input.scenarioTimeoutMs,
    signal: input.signal,
    workerEnv: { TMPDIR: scratch },
    onObserved(seen) {
      const observation = withoutSecrets(seen, target.access)
      input.events.onObserved(observation)
      const whole = withTargetLog(observation, target, input.signal)
      observed.push(whole)
      void whole.then((each) => input.events.onRecord?.({ type: 'observed', ...each }))
    },
  })
  return Promise.all(observed)
}

/** A failure keeps what the run's own target logged until then. */
async function withTargetLog(
  observation: Observation,
  target: Target,
  signal: AbortSignal,
): Promise<Observation> {
  if (observation.verdict !== 'failed' || observation.targetLog !== null || signal.aborted) return observation
  const targetLog = await target.logTail().catch(() => '')
  return { ...observation, targetLog: targetLog === '' ? null : targetLog }
}

/** What the run has made on a target that outlives it; what cannot be deleted is told. */
async function sweepTarget(
  input: RunInput,
  target: Target,
  runId: string,
  clients: readonly ReadyClient[],
): Promise<void> {
  if (!input.targetKind.outlivesRun) return
  const raw = clients.find(({ kind }) => kind === 'raw') ?? null
  const timeoutMs = input.signal.aborted ? SWEEP_AFTER_INTERRUPT_MS : SWEEP_WITHIN_MS
  const left = await input.sweep({ target, runId, raw, timeoutMs })
  for (const line of left) input.events.onLine(`left on the target: ${line}`)
}

function stopTarget(target: Target, signal: AbortSignal): Promise<void> {
  return briefly(target.stop(), signal)
}

/** After an interrupt nobody waits long for what is orderly. */
async function briefly(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const done = work.catch(() => {})
  if (!signal.aborted) return done
  let timer: NodeJS.Timeout | undefined
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, STOP_AFTER_INTERRUPT_MS)
  })
  await Promise.race([done, enough])
  clearTimeout(timer)
}
