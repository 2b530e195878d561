import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { LineSplitter, LogTail } from '../driver/lines.js'
import type { Observation } from '../judge/verdicts.js'
import { NothingRun } from '../usage-error.js'
import { takeJob } from './affinity.js'
import type { FromWorker, Job, PlacedScenario, ToWorker } from './messages.js'

export interface PoolOptions {
  readonly jobs: number
  /** A scenario that takes longer is failed, and its worker replaced. */
  readonly scenarioTimeoutMs: number
  readonly onObserved: (observation: Observation) => void
  readonly signal: AbortSignal
  /** The worker's program; tests give another. */
  readonly workerFile?: string
  readonly workerEnv?: Readonly<Record<string, string>>
}

/** The step definitions cannot be loaded: nothing can be run. */
export class UnusableSuite extends NothingRun {}

const WORKER_FILE = fileURLToPath(new URL('./worker.js', import.meta.url))
/** A worker that ends this often without having begun a scenario will not begin it. */
const STARTS_MAX = 2
const START_TIMEOUT_MS = 60_000
/** For closing what the worker kept: drivers and targets have shorter times of their own. */
const END_TIMEOUT_MS = 15_000

/**
 * Runs all jobs in worker processes and tells each scenario's observation exactly once. A scenario that takes its worker
 * down or does not end costs its own case only: the rest of its job goes to a new worker. Ends early, with what is
 * under way killed and untold, when the signal aborts.
 * @throws UnusableSuite
 */
export async function runJobs(jobs: readonly Job[], options: PoolOptions): Promise<void> {
  const queue = jobs.filter((job) => job.scenarios.length > 0)
  const lanes = Math.min(options.jobs, queue.length)
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  try {
    const kept = Array.from({ length: lanes }, () => new Set<string>())
    await Promise.all(
      kept.map((own) => {
        const others = kept.filter((other) => other !== own)
        return runLane(takeJobs(queue, own, others), own, { ...options, signal })
      }),
    )
  } catch (error) {
    stop.abort()
    throw error
  }
}

/**
 * Runs jobs one after another in a single worker; each is asked for when the one before has been told of, and may depend
 * on it. Scenarios are told, and the run ends early, as with `runJobs`.
 * @throws UnusableSuite
 */
export function runInTurn(jobs: AsyncIterable<Job>, options: LaneOptions): Promise<void> {
  return runLane(jobs, new Set(), options)
}

/** What is taken counts as started from then on, before another lane chooses. */
function* takeJobs(queue: Job[], kept: Set<string>, keptByOthers: readonly Set<string>[]): Iterable<Job> {
  for (;;) {
    const job = takeJob(queue, kept, keptByOthers)
    if (job === undefined) return
    for (const { name } of job.starts ?? []) kept.add(name)
    yield job
  }
}

type LaneOptions = Omit<PoolOptions, 'jobs'>

/** One worker at a time, replaced when it ended, until there are no more jobs. `kept`: what its worker has started. */
async function runLane(
  jobs: Iterable<Job> | AsyncIterable<Job>,
  kept: Set<string>,
  options: LaneOptions,
): Promise<void> {
  let worker: Worker | null = null
  try {
    for await (const job of jobs) {
      if (options.signal.aborted) break
      const next = await runJob(job, worker, options)
      if (next !== worker && worker !== null) kept.clear()
      for (const { name } of job.starts ?? []) kept.add(name)
      worker = next
    }
  } finally {
    worker?.end()
    await worker?.ended
  }
}

/** Answers the worker if it lives on. */
async function runJob(job: Job, first: Worker | null, options: LaneOptions): Promise<Worker | null> {
  let worker = first
  let left = job.scenarios
  let startsLeft = STARTS_MAX
  while (left.length > 0 && !options.signal.aborted) {
    worker ??= new Worker(options)
    const outcome = await worker.run({ ...job, scenarios: left })
    if (outcome.wholly) {
      tellMissing(job, outcome.left, 'the runner passed over it', options)
      return worker
    }
    worker = null
    if (options.signal.aborted) return null
    startsLeft = outcome.left.length < left.length ? STARTS_MAX : startsLeft - 1
    left = outcome.left
    if (startsLeft === 0) {
      tellMissing(job, left, outcome.reason, options)
      left = []
    }
  }
  return worker
}

function tellMissing(
  job: Job,
  scenarios: readonly PlacedScenario[],
  reason: string,
  { onObserved }: LaneOptions,
): void {
  for (const { id } of scenarios) onObserved(blank(job.cellId, id, 'could-not-run', reason))
}

interface JobOutcome {
  /** The worker told of all that it did, and can take another job. */
  readonly wholly: boolean
  readonly left: readonly PlacedScenario[]
  readonly reason: string
}

/** One worker process. */
class Worker {
  readonly ended: Promise<void>
  #child: ChildProcess
  #options: LaneOptions
  #log = new LogTail(8 * 1024)
  #isReady = false
  #job: Job | null = null
  #left: PlacedScenario[] = []
  #current: { readonly scenarioId: string; readonly startedMs: number } | null = null
  #timer: NodeJS.Timeout | undefined
  #timedOut = false
  #settle: { resolve(outcome: JobOutcome): void; reject(error: Error): void } | null = null

  constructor(options: LaneOptions) {
    this.#options = options
    this.#child = fork(options.workerFile ?? WORKER_FILE, {
      env: { ...process.env, ...options.workerEnv },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      const lines = new LineSplitter(
        4096,
        (line) => this.#log.add(line),
        (start) => this.#log.add(start),
      )
      stream?.on('data', (chunk: Buffer) => lines.push(chunk))
    }
    this.#child.on('message', (message: FromWorker) => this.#take(message))
    this.#child.on('error', () => {})
    const kill = () => this.#kill()
    options.signal.addEventListener('abort', kill, { once: true })
    const child = this.#child
    const exited = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(code === null ? `signal ${signal}` : `exit code ${code}`))
    })
    // What it told before its end is still in the channel when it exits.
    const silent = new Promise<void>((resolve) => child.once('disconnect', resolve))
    this.ended = Promise.all([exited, silent]).then(([how]) => {
      options.signal.removeEventListener('abort', kill)
      this.#onEnd(how)
    })
    if (options.signal.aborted) kill()
  }

  run(job: Job): Promise<JobOutcome> {
    this.#job = job
    this.#left = [...job.scenarios]
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      if (this.#isReady) this.#send({ type: 'job', job })
      else this.#startTimer(START_TIMEOUT_MS)
    })
  }

  end(): void {
    this.#send({ type: 'end' })
    this.#startTimer(END_TIMEOUT_MS)
  }

  #send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => {})
  }

  #take(message: FromWorker): void {
    if (message.type === 'ready') {
      this.#isReady = true
      clearTimeout(this.#timer)
      if (this.#job !== null) this.#send({ type: 'job', job: this.#job })
    } else if (message.type === 'unusable') {
      this.#settle?.reject(new UnusableSuite(message.reason))
      this.#kill()
    } else if (message.type === 'started') {
      this.#current = { scenarioId: message.scenarioId, startedMs: performance.now() }
      this.#startTimer(this.#options.scenarioTimeoutMs)
    } else if (message.type === 'observed') {
      this.#observe(message.observation)
    } else {
      this.#finish({ wholly: true, left: this.#left, reason: '' })
    }
  }

  #observe(observation: Observation): void {
    clearTimeout(this.#timer)
    this.#current = null
    this.#left = this.#left.filter(({ id }) => id !== observation.scenarioId)
    if (!this.#options.signal.aborted) this.#options.onObserved(observation)
  }

  #startTimer(milliseconds: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timedOut = true
      this.#kill()
    }, milliseconds)
  }

  #kill(): void {
    this.#child.kill('SIGKILL')
  }

  /** The scenario under way is what took the worker down, or did not end. */
  #onEnd(how: string): void {
    clearTimeout(this.#timer)
    if (this.#job === null || this.#settle === null) return
    const lastLine = this.#log.text().trimEnd().split('\n').at(-1) ?? ''
    const reason = `the worker process ended by ${how}${lastLine === '' ? '' : `: ${lastLine}`}`
    if (this.#current !== null && !this.#options.signal.aborted) this.#blameCurrent(this.#current, reason)
    this.#finish({ wholly: false, left: this.#left, reason: this.#isReady ? reason : `no start: ${reason}` })
  }

  #blameCurrent(current: { scenarioId: string; startedMs: number }, reason: string): void {
    const { scenarioTimeoutMs } = this.#options
    const cellId = this.#job?.cellId ?? ''
    const observation = this.#timedOut
      ? blank(cellId, current.scenarioId, 'failed', `did not end within ${scenarioTimeoutMs / 1000} s`)
      : blank(cellId, current.scenarioId, 'could-not-run', reason)
    this.#observe({
      ...observation,
      milliseconds: Math.round(performance.now() - current.startedMs),
      clientLog: this.#log.text() || null,
    })
  }

  #finish(outcome: JobOutcome): void {
    clearTimeout(this.#timer)
    const settle = this.#settle
    this.#job = null
    this.#settle = null
    settle?.resolve(outcome)
  }
}

function blank(
  cellId: string,
  scenarioId: string,
  verdict: Observation['verdict'],
  reason: string,
): Observation {
  return {
    cellId,
    scenarioId,
    verdict,
    milliseconds: 0,
    reason,
    expected: null,
    seen: null,
    requirementId: null,
    step: null,
    clientLog: null,
    targetLog: null,
  }
}
