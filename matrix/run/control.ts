import type { ClientSpec, ReadyClient } from '../clients/types.js'
import {
  blameOf,
  type ControlTry,
  controlVersion,
  isSuiteError,
  type Original,
  originalOf,
  targets,
} from '../judge/blame.js'
import type { Observation } from '../judge/verdicts.js'
import { type Cell, clientsOf, idOf, titleOf } from '../plan/cells.js'
import { cutIntoChunks } from '../plan/chunks.js'
import type { ChosenClient } from '../plan/clients.js'
import type { Scenario } from '../plan/scenarios.js'
import type { Target } from '../targets/types.js'
import { type BlamedCase, caseKey, type Failure } from './blamed.js'
import type { ControlOptions } from './control-options.js'
import type { RunInput } from './input.js'
import { jobOf } from './job.js'
import { runJobs } from './pool.js'

export interface BlameInput
  extends Pick<
    RunInput,
    'clients' | 'jobs' | 'seed' | 'scenarioTimeoutMs' | 'signal' | 'provision' | 'events'
  > {
  readonly control: ControlOptions
  readonly ready: readonly ReadyClient[]
  /** What the failures were seen on. */
  readonly target: Target
  readonly observed: readonly Observation[]
  readonly runId: string
  /** Where workers put their data. */
  readonly scratch: string
}

/** So many other clients are tried before the suite itself is blamed. */
const OTHERS_MAX = 2

/**
 * Runs failed cases again on the originals, with the same clients and, where those fail too, with others. Every failure
 * gets a blame: one that could not be decided counts as the target's, and says why. Ends early when the signal aborts.
 */
export async function decideBlame(
  failures: readonly Failure[],
  input: BlameInput,
): Promise<ReadonlyMap<string, BlamedCase>> {
  const decided = new Map<string, BlamedCase>()
  const groups = new Map<string, { original: Original; version: string | null; failures: Failure[] }>()
  for (const failure of failures) {
    const original = originalOf(failure.scenario)
    const key = keyOf(failure)
    if (isSuiteError(failure.reason)) {
      decided.set(key, { blame: 'suite', reason: 'its steps are wrong', client: null, control: null })
    } else if (typeof original !== 'string') {
      decided.set(key, undecided(`no control could judge: ${original.none}`))
    } else {
      const version = versionFor(failure.cell, original, input.clients)
      const name = `${original}@${version}`
      const group = groups.get(name) ?? { original, version, failures: [] }
      group.failures.push(failure)
      groups.set(name, group)
    }
  }
  if (groups.size === 0) return decided
  const waiting = [...groups.values()].flatMap((group) => group.failures)
  const why = await reasonNotToAsk(input)
  if (why !== null) {
    input.events.onLine(
      `${wasNotDecided(waiting.length)}: ${why}; what is not decided counts as the target's`,
    )
    for (const failure of waiting) decided.set(keyOf(failure), undecided(`not decided: ${why}`))
    return decided
  }
  const signal = AbortSignal.any([input.signal, AbortSignal.timeout(input.control.timeoutMs)])
  for (const { original, version, failures: own } of groups.values()) {
    const bounded = { ...input, signal }
    for (const [key, blamed] of await askOne(original, version, own, bounded, input.signal)) {
      decided.set(key, blamed)
    }
  }
  return decided
}

async function reasonNotToAsk({ control, signal }: BlameInput): Promise<string | null> {
  if (signal.aborted) return 'the run was interrupted'
  if (control.mode === 'never') return '--control never'
  return control.missing()
}

const wasNotDecided = (failures: number) =>
  `whose ${failures === 1 ? 'the failure is' : `the ${failures} failures are`} was not decided`
const undecided = (reason: string): BlamedCase => ({ ...targets(reason), control: null })
const keyOf = ({ cell, scenario }: Failure): string => caseKey(cell.id, scenario.id)

/** The oldest need among the clients of the original's protocol. */
function versionFor(
  cell: Cell<ReadyClient>,
  original: Original,
  clients: readonly ChosenClient[],
): string | null {
  const own = original === 'kafka' ? [cell.kafka, cell.kafkaAdmin] : [cell.pulsar, cell.pulsarAdmin]
  const needs = own
    .filter((client) => client !== null)
    .map(({ name, version }) => {
      const choice = clients.find(({ spec }) => spec.name === name)
      return choice === undefined ? null : controlVersion(choice.spec, version)
    })
  return needs.find((need) => need !== null) ?? null
}

/** Asks one original about its failures. */
async function askOne(
  original: Original,
  version: string | null,
  failures: readonly Failure[],
  input: BlameInput,
  interrupted: AbortSignal,
): Promise<Map<string, BlamedCase>> {
  const own = isControl(input.target, original, version)
  const title = own
    ? titleOfTarget(input.target.kind, input.target.version)
    : titleOfTarget(original, version ?? '')
  const all = (reason: string) => new Map(failures.map((failure) => [keyOf(failure), undecided(reason)]))
  let control = input.target
  if (!own) {
    try {
      const onProgress = (line: string) => input.events.onLine(line)
      control = await input.control.kindOf(original, version).start({ signal: input.signal, onProgress })
    } catch (error) {
      const why = input.signal.aborted ? timeWords(input, interrupted) : messageOf(error)
      input.events.onLine(`${wasNotDecided(failures.length)}: ${title}: ${why}`)
      return all(`not decided: ${title} could not be asked: ${why}`)
    }
  }
  try {
    return await new Asking(control, own, version, failures, input, interrupted).run()
  } finally {
    if (!own) await control.stop().catch(() => {})
  }
}

/** Whether the target is the original that would be the control. */
function isControl(target: Target, original: Original, version: string | null): boolean {
  const [kind] = target.kind.split('@')
  return kind === original && (version === null || version === target.version)
}

function titleOfTarget(kind: string, version: string): string {
  const names: Record<string, string> = { kafka: 'Apache Kafka', pulsar: 'Apache Pulsar' }
  return `${names[kind.split('@')[0] ?? ''] ?? kind} ${version}`.trimEnd()
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function timeWords({ control }: BlameInput, interrupted: AbortSignal): string {
  if (interrupted.aborted) return 'the run was interrupted'
  return `the controls were not done within ${control.timeoutMs / 1000} s; --control-timeout gives them longer`
}

interface Planned {
  readonly cell: Cell<ReadyClient>
  readonly scenario: Scenario
}

/** The failures that one control is asked about. */
class Asking {
  readonly #control: Target
  /** The target itself is the control. */
  readonly #isTarget: boolean
  readonly #version: string | null
  readonly #failures: readonly Failure[]
  readonly #input: BlameInput
  readonly #interrupted: AbortSignal
  /** What was seen on the control, by case. */
  readonly #seen = new Map<string, Observation[]>()
  #jobs = 0

  constructor(
    control: Target,
    isTarget: boolean,
    version: string | null,
    failures: readonly Failure[],
    input: BlameInput,
    interrupted: AbortSignal,
  ) {
    this.#control = control
    this.#isTarget = isTarget
    this.#version = version
    this.#failures = failures
    this.#input = input
    this.#interrupted = interrupted
  }

  async run(): Promise<Map<string, BlamedCase>> {
    if (this.#isTarget) for (const observation of this.#input.observed) this.#keep(observation)
    else await this.#runCases(this.#failures, 'run again')
    const doubtful = this.#failures.filter(
      ({ cell, scenario }) => this.#isTarget || this.#verdictsOf(cell.id, scenario.id).includes('failed'),
    )
    const others = doubtful.length === 0 ? [] : await this.#others(doubtful)
    const compared = new Map(
      doubtful.map((failure) => [keyOf(failure), this.#alternatives(failure, others)] as const),
    )
    const again: Planned[] = this.#isTarget ? [] : [...doubtful]
    const more = [...compared.values()].flat().filter(({ cell, scenario }) => !this.#has(cell, scenario))
    await this.#runCases([...again, ...unique(more)], 'run with other clients')
    return new Map(
      this.#failures.map((failure) => [
        keyOf(failure),
        this.#blame(failure, compared.get(keyOf(failure)) ?? []),
      ]),
    )
  }

  #blame(failure: Failure, compared: readonly Alternative[]): BlamedCase {
    const same = this.#isTarget ? [] : this.#triesOf(failure, null)
    const tries = [...same, ...compared.flatMap((each) => this.#triesOf(each, each.replaced))]
    const { kind, version } = this.#control
    const control = { kind, version, tries }
    if (tries.length === 0 && !this.#isTarget) {
      const why = this.#input.signal.aborted
        ? timeWords(this.#input, this.#interrupted)
        : 'it was not run there'
      return { ...targets(`not decided: ${why}`), control: null }
    }
    const evidence = {
      control: titleOfTarget(kind, version),
      tries,
      targetIsControl: this.#isTarget,
      isOwn: clientsOf(failure.cell).length === 0,
    }
    return { ...blameOf(evidence), control }
  }

  #triesOf({ cell, scenario }: Planned, replaced: string | null): ControlTry[] {
    const seen = this.#seen.get(caseKey(cell.id, scenario.id)) ?? []
    return seen.map(({ verdict, reason }) => ({ cellId: cell.id, verdict, reason, replaced }))
  }

  #keep(observation: Observation): void {
    const key = caseKey(observation.cellId, observation.scenarioId)
    this.#seen.set(key, [...(this.#seen.get(key) ?? []), observation])
  }

  #has(cell: Cell, scenario: Scenario): boolean {
    return this.#seen.has(caseKey(cell.id, scenario.id))
  }

  #verdictsOf(cellId: string, scenarioId: string): string[] {
    return (this.#seen.get(caseKey(cellId, scenarioId)) ?? []).map(({ verdict }) => verdict)
  }

  /** Ready clients to put in another's place: those of the plan first. */
  async #others(doubtful: readonly Failure[]): Promise<readonly ReadyClient[]> {
    const { ready, clients, control, provision, signal, events } = this.#input
    const specs = new Map<string, ClientSpec>(
      [...control.toCompare, ...clients].map(({ spec }) => [spec.name, spec]),
    )
    const fits = ({ name, version }: ReadyClient) => {
      const spec = specs.get(name)
      return spec === undefined || controlVersion(spec, version) === this.#version
    }
    const kinds = new Set(doubtful.flatMap(({ cell }) => clientsOf(cell).map(({ kind }) => kind)))
    const missing = [...kinds].flatMap((kind) => {
      const names = new Set(ready.filter((client) => client.kind === kind).map(({ name }) => name))
      const lacking = OTHERS_MAX + 1 - names.size
      const more = control.toCompare.filter(({ spec }) => spec.kind === kind && !names.has(spec.name))
      return more.slice(0, Math.max(0, lacking))
    })
    const onProgress = (line: string) => events.onLine(line)
    const more = await Promise.all(
      missing.map(({ spec, version }) =>
        provision(spec, version, { onProgress, signal }).catch((error: unknown) => {
          if (signal.aborted) return { reason: 'interrupted' }
          throw error
        }),
      ),
    )
    return [...ready, ...more.flatMap((each) => ('command' in each ? [each] : []))].filter(fits)
  }

  /** The failed cell with another client in a client's place, at most two in all; what was seen already comes first. */
  #alternatives({ cell, scenario }: Failure, others: readonly ReadyClient[]): Alternative[] {
    const all = sides.flatMap((side): Alternative[] => {
      const client = cell[side]
      if (client === null) return []
      const names = new Set([client.name])
      return others
        .filter(({ kind, name }) => kind === client.kind && !names.has(name) && names.add(name).size > 0)
        .map((other) => ({ cell: withClient(cell, side, other), scenario, replaced: titleOf(client) }))
    })
    const isKnown = ({ cell: other }: Alternative) => this.#has(other, scenario)
    return [...all.filter(isKnown), ...all.filter((each) => !isKnown(each))].slice(0, OTHERS_MAX)
  }

  async #runCases(cases: readonly Planned[], what: string): Promise<void> {
    if (cases.length === 0 || this.#input.signal.aborted) return
    const { events, jobs, scenarioTimeoutMs, signal, scratch, runId, seed } = this.#input
    const { kind, version } = this.#control
    events.onControl?.(`${titleOfTarget(kind, version)}: ${casesWord(cases.length)} ${what}`, cases.length)
    const chunks = cutIntoChunks(cellsOf(cases), jobs)
    const work = chunks.map((chunk) => {
      this.#jobs += 1
      const id = `${runId}-c${this.#jobs.toString(36)}`
      return jobOf(chunk, this.#control, id, { settings: {}, seed })
    })
    await runJobs(work, {
      jobs,
      scenarioTimeoutMs,
      signal,
      workerEnv: { TMPDIR: scratch },
      onObserved: (observation) => {
        this.#keep(observation)
        events.onControlObserved?.(observation)
      },
    })
  }
}

const sides = ['kafka', 'pulsar', 'kafkaAdmin', 'pulsarAdmin'] as const

interface Alternative extends Planned {
  /** Title of the client that another one stands for. */
  readonly replaced: string
}

function withClient(
  cell: Cell<ReadyClient>,
  side: (typeof sides)[number],
  client: ReadyClient,
): Cell<ReadyClient> {
  const changed = { ...cell, [side]: client, scenarios: [] }
  return { ...changed, id: idOf(cell.worlds, changed) }
}

const casesWord = (count: number) => `${count} failed ${count === 1 ? 'case' : 'cases'}`

function unique(cases: readonly Planned[]): Planned[] {
  return [...new Map(cases.map((each) => [caseKey(each.cell.id, each.scenario.id), each])).values()]
}

/** Cases put together by their cells, each with the scenarios wanted. */
function cellsOf(cases: readonly Planned[]): Cell<ReadyClient>[] {
  const cells = new Map<string, Cell<ReadyClient>>()
  for (const { cell, scenario } of cases) {
    const scenarios = cells.get(cell.id)?.scenarios ?? []
    cells.set(cell.id, { ...cell, scenarios: [...scenarios, scenario] })
  }
  return [...cells.values()]
}
