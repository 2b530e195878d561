import type { ReadyClient } from '../clients/types.js'
import type { ControlTry } from '../judge/blame.js'
import type { KnownFailing } from '../judge/known-failing.js'
import type { Observation } from '../judge/verdicts.js'
import { planCells } from '../plan/cells.js'
import { loadRegister, type Register } from '../plan/register.js'
import type { Scenario, ToolKind, Worlds } from '../plan/scenarios.js'
import { type BlamedCase, caseKey, type Failure } from '../run/blamed.js'
import { buildResults, failuresOf } from '../run/build-results.js'
import type { Power } from '../targets/types.js'
import type { NotRun, Results } from './results.js'

/** Results of a run that never was, over the real register: what reports are tested and designed with. */

export interface SyntheticOptions {
  /** Text that stands wherever a name, reason or value comes from outside. */
  readonly hostile?: string
  readonly aborted?: boolean
  /** Every case passes, and every client can be had. */
  readonly allPassed?: boolean
}

export function syntheticResults(options: SyntheticOptions = {}): Results {
  const register = loadRegister()
  const suite = syntheticScenarios(register, options.hostile ?? '')
  const kafka = [client('kafkajs', '2.2.4', 'kafka'), client('confluent-kafka', '2.16.1', 'kafka')]
  const pulsar = [
    client('pulsar-client-python', '3.13.0', 'pulsar'),
    client(`pulsar-client-java${options.hostile ?? ''}`, '4.2.4', 'pulsar'),
  ]
  const raw = client('raw', '1.35.0', 'raw')
  const endpoints = {
    kafka: '127.0.0.1:9092',
    pulsar: 'pulsar://127.0.0.1:6650',
    admin: 'http://127.0.0.1:8080',
  }
  const pulsarAdmin = [client('pulsar-client-tools', '4.2.4', 'pulsar-admin')]
  const kafkaAdmin = [client('kafka-tools', '4.1.0', 'kafka-admin')]
  const clients = { kafka, pulsar, raw, pulsarAdmin, kafkaAdmin }
  const plan = planCells({ ...clients, scenarios: suite, pairs: 'cover', endpoints })
  const abort = new AbortController()
  if (options.aborted) abort.abort()
  const all = plan.cells.flatMap((cell) =>
    cell.scenarios.map((scenario, index) => observed(cell.id, scenario, index, options)),
  )
  const notRun = options.allPassed ? [] : [missingCompiler(options.hostile ?? '')]
  const gathered = {
    register,
    suite,
    rounds: 1,
    seed: 4711,
    settings: { entryFormat: 'kafka' },
    knownFailing: knownFailing(),
    targetChoice: { kind: 'reference', settings: 'entryFormat=kafka' },
    signal: abort.signal,
    plan,
    observed: options.aborted ? all.slice(0, all.length / 3) : all,
    target: {
      kind: 'reference',
      version: `0.1.0${options.hostile ?? ''}`,
      profile: {
        name: 'reference',
        description: 'The reference broker',
        answers: { 'ID-3': 'index' },
        declines: {},
      },
      endpoints,
      powers: new Set<Power>(['restart', 'kill']),
    },
    runId: 'kct-synthetic',
    started: new Date(Date.now() - 38_400),
    notRun,
  }
  const blames = new Map(
    failuresOf(gathered).map((failure) => [
      caseKey(failure.cell.id, failure.scenario.id),
      blamed(failure, options.hostile ?? ''),
    ]),
  )
  return buildResults({ ...gathered, blames })
}

/** MC-3's failures are kafkajs's, PH-8's the suite's, all others the target's. */
function blamed({ cell, scenario, reason }: Failure, hostile: string): BlamedCase {
  const alike = { cellId: `${cell.id}${hostile}`, verdict: 'failed' as const, reason }
  const same = { ...alike, replaced: null }
  const other = { ...alike, cellId: 'confluent-kafka@2.16.1', replaced: 'kafkajs@2.2.4' }
  const control = (tries: readonly ControlTry[]) => ({ kind: 'kafka', version: '4.1.0', tries })
  const title = 'Apache Kafka 4.1.0'
  const [id] = scenario.requirementIds
  if (id === 'MC-3') {
    const tries = [same, { ...other, verdict: 'passed' as const, reason: null }]
    const told = `${title} fails with it too (${reason}), and passes with confluent-kafka@2.16.1`
    return { blame: 'client', client: 'kafkajs@2.2.4', reason: told, control: control(tries) }
  }
  if (id === 'PH-8') {
    const told = `${title} fails with it too (${reason}), and with confluent-kafka@2.16.1`
    return { blame: 'suite', client: null, reason: told, control: control([same, other]) }
  }
  if (cell.worlds === 'both') {
    const told = 'no control could judge: no original speaks both protocols'
    return { blame: 'target', client: null, reason: told, control: null }
  }
  const passes = control([{ ...same, verdict: 'passed', reason: null }])
  return { blame: 'target', client: null, reason: `${title} passes with the same client`, control: passes }
}

function client(name: string, version: string, kind: ReadyClient['kind']): ReadyClient {
  return { name, version, kind, command: ['true'], env: {} }
}

/** Chapters whose second scenarios are managed by tools. */
const toolsOf: Record<string, readonly ToolKind[]> = { GC: ['kafka-admin'], PT: ['pulsar-admin'] }

/** Two scenarios of each requirement that has no reason to come later. */
function syntheticScenarios(register: Register, hostile: string): Scenario[] {
  const worlds: readonly Worlds[] = ['both', 'kafka', 'pulsar', 'both', 'raw']
  return register.requirements
    .filter(({ later }) => later === undefined)
    .flatMap(({ id, chapter, level, statement }, index) =>
      [1, 2].map((number): Scenario => {
        const world = worlds[(index + number) % worlds.length] ?? 'both'
        return {
          id: `${chapter.toLowerCase()}/${id.toLowerCase()}/case#${number}`,
          name: `${statement.split(/[,.;:]/)[0]}, ${number === 1 ? 'once' : 'again'}${hostile}`,
          featureName: `Feature of ${id}`,
          rule: statement,
          feature: `features/${chapter.toLowerCase()}/${id.toLowerCase()}.feature`,
          line: number * 10,
          firstLine: number * 10,
          lastLine: number * 10 + 5,
          folder: chapter.toLowerCase(),
          chapter,
          requirementIds: [id],
          level,
          worlds: world,
          raw: world === 'raw',
          tools: number === 1 ? [] : (toolsOf[chapter] ?? []),
          powers: [],
          slow: false,
        }
      }),
    )
}

function observed(
  cellId: string,
  scenario: Scenario,
  index: number,
  { allPassed = false, hostile = '' }: SyntheticOptions,
): Observation {
  const passed: Observation = {
    cellId,
    scenarioId: scenario.id,
    verdict: 'passed',
    milliseconds: 20 + ((index * 37) % 400),
    reason: null,
    expected: null,
    seen: null,
    requirementId: null,
    step: null,
    clientLog: null,
    targetLog: null,
  }
  if (allPassed) return passed
  const [id] = scenario.requirementIds
  if (id === 'ID-5' || (id === 'MC-3' && cellId.includes('kafkajs')) || id === 'PH-8') {
    return { ...passed, verdict: 'failed', ...failure(index, hostile) }
  }
  if (id === 'MC-10') return { ...passed, verdict: 'failed', reason: 'the timestamp is lost', seen: '-1' }
  if (id === 'MC-17') return { ...passed, verdict: 'unsupported', reason: 'kafkajs has no delayed messages' }
  if (id === 'PR-3')
    return { ...passed, verdict: 'could-not-run', reason: 'the worker process ended by signal SIGSEGV' }
  return passed
}

function failure(index: number, hostile: string): Partial<Observation> {
  return {
    reason: `the record at offset ${100 + index} is another${hostile}`,
    expected: `offset ${100 + index}: key "k3", value "v3", headers [a=1, a=2]${hostile}`,
    seen: `offset ${101 + index}: key "k4", value "v4", headers [a=1]${hostile}`,
    step: `seeking to any of them delivers exactly that record first${hostile}`,
    clientLog: `[Consumer] fetch from offset ${100 + index}\n[Consumer] got 3 records${hostile}`,
    targetLog: `{"level":30,"msg":"fetch","offset":${100 + index}}${hostile}`,
  }
}

/** One that holds, and one that is out of date. */
function knownFailing(): KnownFailing[] {
  const subject = { kind: 'target', name: 'reference' } as const
  const more = { subject, owner: 'storage', until: '2999-12-31' }
  return [
    {
      ...more,
      requirement: 'MC-10',
      message: 'timestamp is lost',
      reason: 'see the plan',
      origin: 'k.yaml: entry 1',
    },
    {
      ...more,
      requirement: 'CO-2',
      message: 'starts late',
      reason: 'see the plan',
      origin: 'k.yaml: entry 2',
    },
  ]
}

function missingCompiler(hostile: string): NotRun {
  return {
    name: 'node-rdkafka',
    version: '3.6.1',
    kind: 'kafka',
    reason: `no C++ compiler${hostile}`,
    remedy: 'install g++ and make (Debian: apt-get install build-essential)',
    required: false,
  }
}
