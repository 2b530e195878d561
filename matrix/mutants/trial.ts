import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReadyClient } from '../clients/types.js'
import type { Observation } from '../judge/verdicts.js'
import type { Cell } from '../plan/cells.js'
import { jobOf } from '../run/job.js'
import type { Job } from '../run/messages.js'
import { runInTurn } from '../run/pool.js'
import { removeFolder } from '../targets/places.js'
import type { Target, TargetKind } from '../targets/types.js'
import type { CaughtBy } from './caught-by.js'
import { Evidence, type Judged } from './judge.js'
import { dearestFirst, type Try, triesFor } from './tries.js'
import type { Variant } from './variants.js'

export interface TrialInput {
  readonly variants: readonly Variant[]
  readonly cells: readonly Cell<ReadyClient>[]
  readonly caughtBy: CaughtBy
  readonly kind: TargetKind
  /** A running instance that is right, for all workers. */
  readonly right: Target
  readonly runId: string
  readonly seed: number
  readonly parallel: number
  readonly signal: AbortSignal
  /** Each variant once, as it is judged. */
  readonly onJudged: (judged: Judged) => void
  /** A scenario that fails on the right broker too. */
  readonly onFailsOnRight: (observed: Observation) => void
}

/** A variant may make every scenario wait: none may wait for long. */
const SCENARIO_TIMEOUT_MS = 30_000

/**
 * Judges all variants, `parallel` at a time. Each worker goes from variant to variant and keeps the clients' processes; a
 * variant's own broker is a new process. What fails there is run against the right broker next, by the same worker and
 * clients, unless it has passed there before: neither the scenario nor what an earlier variant left in a client can be
 * what failed. Ends early, with what is under way untold, when the signal aborts.
 */
export async function tryVariants(input: TrialInput): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'kop-conformance-mutants-'))
  const waiting = [...dearestFirst(input.variants, input.cells, input.caughtBy)]
  const passes = new Set<string>()
  const stop = new AbortController()
  const signal = AbortSignal.any([input.signal, stop.signal])
  const lanes = Array.from({ length: Math.min(input.parallel, waiting.length) }, async (_, index) => {
    const lane = new Lane({ ...input, signal, runId: `${input.runId}-${index}` }, waiting, passes)
    try {
      await runInTurn(lane.jobs(), {
        scenarioTimeoutMs: SCENARIO_TIMEOUT_MS,
        signal,
        workerEnv: { TMPDIR: scratch },
        onObserved: (observation) => lane.take(observation),
      })
    } catch (error) {
      const isFirst = !signal.aborted
      stop.abort()
      if (isFirst) throw error
    }
  })
  const ends = await Promise.allSettled(lanes)
  await removeFolder(scratch).catch(() => {})
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

/** The variants that one worker goes through. */
class Lane {
  readonly #input: TrialInput
  readonly #waiting: Variant[]
  readonly #passes: Set<string>
  #observed: Observation | null = null
  #jobs = 0

  /** @param waiting variants that no lane has taken; `passes`: cases that the right broker is known to pass */
  constructor(input: TrialInput, waiting: Variant[], passes: Set<string>) {
    this.#input = input
    this.#waiting = waiting
    this.#passes = passes
  }

  take(observation: Observation): void {
    this.#observed = observation
  }

  /** What the worker is to run next, which depends on what it has observed. */
  async *jobs(): AsyncGenerator<Job, void, void> {
    const { signal, onJudged } = this.#input
    for (let variant = this.#waiting.shift(); variant !== undefined; variant = this.#waiting.shift()) {
      const started = performance.now()
      const evidence = new Evidence(variant)
      const problem = yield* this.#against(variant, evidence)
      if (signal.aborted) return
      onJudged(evidence.verdict(problem, Math.round(performance.now() - started)))
    }
  }

  /** @returns why the variant could not be run, or null */
  async *#against(variant: Variant, evidence: Evidence): AsyncGenerator<Job, string | null, void> {
    const { kind, signal } = this.#input
    const environment = environmentOf(variant)
    let target: Target
    try {
      target = await kind.start({ signal, environment })
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
    try {
      for (const each of triesFor(variant, this.#input.cells, this.#input.caughtBy)) {
        if (evidence.lacks(each.scenario)) yield* this.#tryOne(each, target, environment, evidence)
        if (signal.aborted) break
      }
      return null
    } finally {
      await target.kill()
      await target.stop()
    }
  }

  async *#tryOne(
    each: Try<ReadyClient>,
    target: Target,
    environment: Environment,
    evidence: Evidence,
  ): AsyncGenerator<Job, void, void> {
    yield this.#job(each, target, environment)
    const observed = this.#takeObserved()
    if (observed === null) return
    const isFailed = observed.verdict === 'failed'
    const passesOnRight = isFailed && (yield* this.#passesOnRight(each))
    if (!this.#input.signal.aborted) evidence.add(each.scenario, observed, passesOnRight)
  }

  async *#passesOnRight(each: Try<ReadyClient>): AsyncGenerator<Job, boolean, void> {
    const title = `${each.scenario.id} @ ${each.cell.id}`
    if (this.#passes.has(title)) return true
    yield this.#job(each, this.#input.right, environmentOf(null))
    const observed = this.#takeObserved()
    if (observed?.verdict === 'passed') this.#passes.add(title)
    else if (observed !== null) this.#input.onFailsOnRight(observed)
    return observed?.verdict === 'passed'
  }

  #job({ cell, scenario }: Try<ReadyClient>, target: Target, environment: Environment): Job {
    this.#jobs++
    const runId = `${this.#input.runId}-${this.#jobs.toString(36)}`
    const job = jobOf({ cell, scenarios: [scenario] }, target, runId, {
      settings: {},
      seed: this.#input.seed,
    })
    return { ...job, environment }
  }

  /** null: the run was aborted meanwhile. */
  #takeObserved(): Observation | null {
    const observed = this.#observed
    this.#observed = null
    return observed
  }
}

type Environment = Readonly<Record<string, string>>

/** What the variants' program reads which of them it is. */
function environmentOf(variant: Variant | null): Environment {
  return { KOP_CONFORMANCE_MUTANT: variant?.name ?? '' }
}
