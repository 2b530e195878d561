import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { ClientSpec } from '../clients/types.js'
import { parseRegister } from '../plan/register.js'
import { loadScenarios } from '../plan/scenarios.js'
import { packageRoot } from '../root.js'
import type { Target, TargetKind } from '../targets/types.js'
import type { RunInput } from './input.js'
import { run, TargetUnavailable } from './runner.js'

const register = parseRegister(
  `
- { id: MC-3, chapter: MC, level: MUST, statement: Nothing is lost. }
- { id: PH-8, chapter: PH, level: SHOULD, statement: Idle connections end. }
`,
  'requirements.yaml',
)

const FEATURE = `
Feature: A suite in small
  @MC-3 @kafka
  Scenario: It passes
    Given a step that passes with kafkajs
  @MC-3 @kafka
  Scenario: It fails
    Given a step that fails
  @MC-3 @kafka
  Scenario: It cannot
    Given a step that cannot
  @MC-3 @kafka
  Scenario: It crashes
    Given a step that crashes
  @MC-3 @kafka
  Scenario: Nobody wrote it
    Given something unheard of
  @PH-8 @kafka @pulsar
  Scenario Outline: Both <worlds>
    Given a step that passes with <client>
    Examples:
      | worlds | client  |
      | one    | kafkajs |
      | two    | nobody  |
`

const STEPS = `
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { Given } from '@cucumber/cucumber'
Given('a step that passes with {word}', function (name) { assert.equal(this.parameters.kafka.name, name) })
Given('a step that fails', function () {
  this.attach(JSON.stringify({ expected: 'a', seen: 'b' }), 'application/vnd.kop-conformance.failure+json')
  throw new Error('a is b')
})
Given('a step that cannot', function () {
  this.attach(JSON.stringify({ verdict: 'unsupported', reason: 'no such thing' }), 'application/vnd.kop-conformance.verdict+json')
  return 'skipped'
})
Given('a step that crashes', () => process.kill(process.pid, 'SIGKILL'))
Given('a step that leaves a file', () => { const file = tmpdir() + '/left'; writeFileSync(file, ''); throw new Error(file) })
Given('a step that hangs', { timeout: -1 }, () => new Promise(() => {}))
`

/** A suite of its own in a temporary folder; workers find it by the environment. */
function suiteFolder(feature: string): string {
  const root = mkdtempSync(join(tmpdir(), 'kop-run-'))
  mkdirSync(join(root, 'features', 'small'), { recursive: true })
  mkdirSync(join(root, 'dist', 'steps'), { recursive: true })
  writeFileSync(join(root, 'features', 'small', 'small.feature'), feature)
  writeFileSync(join(root, 'dist', 'steps', 'small.js'), STEPS)
  writeFileSync(join(root, 'dist', 'steps', 'small.test.js'), 'throw new Error("tests are not steps")')
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  symlinkSync(join(packageRoot, 'node_modules'), join(root, 'node_modules'))
  process.env.KOP_CONFORMANCE_ROOT = root
  return root
}

interface Stops {
  count: number
}

function fakeTarget(stops: Stops): TargetKind {
  const profile = { name: 'fake', description: '', answers: {}, declines: {} }
  const powers = new Set<never>()
  const nothing = async () => {}
  const target: Target = {
    kind: 'fake',
    version: '1.0',
    endpoints: { kafka: '127.0.0.1:1', pulsar: 'pulsar://127.0.0.1:2' },
    profile,
    powers,
    dataDir: '',
    async stop() {
      stops.count += 1
    },
    restart: nothing,
    kill: nothing,
    start: nothing,
    rollOver: nothing,
    failStore: nothing,
    logTail: async () => 'the target’s last words',
  }
  return { name: 'fake', powers, profile, start: async () => target }
}

const spec = (name: string, kind: ClientSpec['kind'], quick = true): ClientSpec => ({
  name,
  kind,
  language: 'node',
  package: name,
  versions: ['1'],
  quick,
  folder: '',
})

async function inputFor(feature: string, more: Partial<RunInput> = {}): Promise<RunInput & { stops: Stops }> {
  const suite = await loadScenarios(register, undefined, suiteFolder(feature))
  const stops = { count: 0 }
  return {
    register,
    suite,
    selected: suite,
    clients: [
      spec('kafkajs', 'kafka'),
      spec('broken', 'kafka'),
      spec('pulsar', 'pulsar'),
      spec('raw', 'raw'),
    ].map((each) => ({ spec: each, version: '1', named: false })),
    targetKind: fakeTarget(stops),
    targetChoice: { kind: 'reference' },
    settings: {},
    knownFailing: [],
    spread: { pairs: 'cover' },
    jobs: 1,
    rounds: 1,
    seed: 3,
    scenarioTimeoutMs: 30_000,
    signal: new AbortController().signal,
    provision: async ({ name, kind }, version) =>
      name === 'broken'
        ? { name, version, kind, reason: 'no compiler', remedy: 'install one' }
        : { name, version, kind, command: ['true'], env: {} },
    sweep: async () => [],
    hasToolchain: async () => true,
    events: { onLine() {}, onTarget() {}, onPlanned() {}, onObserved() {} },
    stops,
    ...more,
  }
}

test('a run observes, judges and reports every case, whatever scenarios do', async () => {
  const input = await inputFor(FEATURE)
  const results = await run(input)
  assert.ok(results)
  assert.deepEqual(
    results.results
      .slice(0, -1)
      .map(({ cellId, name, verdict, reason, fatal }) =>
        [cellId, name, verdict, reason, fatal ? 'fatal' : ''].join(' | '),
      ),
    [
      'kafkajs@1 | It passes | passed |  | ',
      'kafkajs@1 | It fails | failed | a is b | fatal',
      'kafkajs@1 | It cannot | unsupported | no such thing | ',
      'kafkajs@1 | It crashes | could-not-run | the worker process ended by signal SIGKILL | fatal',
      'kafkajs@1 | Nobody wrote it | failed | suite error: the step “something unheard of” has no definition | fatal',
      'kafkajs@1 × pulsar@1 | Both one | passed |  | ',
    ],
  )
  const should = results.results.at(-1)
  assert.deepEqual([should?.name, should?.verdict, should?.fatal], ['Both two', 'failed', false])
  const failed = results.results[1]
  assert.deepEqual(
    [failed?.expected, failed?.seen, failed?.step, failed?.targetLog],
    ['a', 'b', 'a step that fails', 'the target’s last words'],
  )
  assert.equal(
    failed?.repeat,
    'npx kop-conformance run --only small/small/it-fails --clients kafkajs@1 --seed 3',
  )
  assert.deepEqual(
    results.notRun.map(({ name, required }) => [name, required]),
    [['broken', true]],
  )
  assert.equal(results.summary.fatal, 4)
  assert.equal(results.partial, false)
  assert.equal(input.stops.count, 1)
})

test('an interrupt while a scenario hangs leaves a valid partial result, at once', async () => {
  const abort = new AbortController()
  const feature = `
Feature: Interrupts
  @MC-3 @kafka
  Scenario: It passes
    Given a step that passes with kafkajs
  @MC-3 @kafka
  Scenario: It hangs
    Given a step that hangs
`
  const events: RunInput['events'] = {
    onLine() {},
    onTarget() {},
    onPlanned() {},
    onObserved: () => abort.abort(),
  }
  const input = await inputFor(feature, { signal: abort.signal, events })
  const results = await run(input)
  assert.equal(results?.partial, true)
  assert.deepEqual(
    results?.results.map(({ name, verdict }) => [name, verdict]),
    [['It passes', 'passed']],
  )
  assert.equal(results?.planned, 2)
  assert.equal(input.stops.count, 1)
})

test('what an interrupted run has made on a target that outlives it is deleted, and what stays is told', async () => {
  const abort = new AbortController()
  const lines: string[] = []
  const order: string[] = []
  let runId = ''
  const events: RunInput['events'] = {
    onLine: (line) => lines.push(line),
    onTarget: (_, id) => {
      runId = id
    },
    onPlanned() {},
    onObserved: () => abort.abort(),
  }
  const input = await inputFor(FEATURE, { signal: abort.signal, events })
  const sweep: RunInput['sweep'] = async (given) => {
    order.push(`${given.runId} by ${given.raw?.name}, stops ${input.stops.count}`)
    return ['topic x']
  }
  await run({ ...input, sweep, targetKind: { ...input.targetKind, outlivesRun: true } })
  assert.deepEqual(order, [`${runId} by raw, stops 0`])
  assert.ok(lines.includes('left on the target: topic x'))
  const own = await inputFor(
    'Feature: F\n  @MC-3 @kafka\n  Scenario: It passes\n    Given a step that fails\n',
  )
  await run({ ...own, sweep })
  assert.equal(order.length, 1, 'a target of the run itself ends with it')
})

test('what workers leave in the temporary folder goes with the run', async () => {
  const feature =
    'Feature: Leaves\n  @MC-3 @kafka\n  Scenario: It leaves\n    Given a step that leaves a file\n'
  const results = await run(await inputFor(feature))
  const left = results?.results[0]?.reason ?? ''
  assert.match(left, /kop-conformance-run-\w+\/left$/)
  assert.equal(existsSync(dirname(left)), false)
})

test('a scenario that hangs is failed at the time-out', async () => {
  const feature = 'Feature: Hangs\n  @MC-3 @kafka\n  Scenario: It hangs\n    Given a step that hangs\n'
  const results = await run(await inputFor(feature, { scenarioTimeoutMs: 300 }))
  assert.deepEqual(
    results?.results.map(({ verdict, reason }) => [verdict, reason]),
    [['failed', 'did not end within 0.3 s']],
  )
})

test('a target that cannot be started ends the run with its reason', async () => {
  const input = await inputFor(FEATURE)
  const start = async () => {
    throw new Error('no port is free')
  }
  await assert.rejects(
    run({ ...input, targetKind: { ...input.targetKind, start } }),
    (error: Error) =>
      error instanceof TargetUnavailable && /fake cannot be used: no port is free/.test(error.message),
  )
})
