import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ClientSpec } from '../clients/types.js'
import { parseRegister } from '../plan/register.js'
import { loadScenarios } from '../plan/scenarios.js'
import { packageRoot } from '../root.js'
import type { Target, TargetKind } from '../targets/types.js'
import type { RunInput } from './input.js'

/*
 * For tests of runs: a suite of a few scenarios whose steps do what they say, clients that are never started, and a target
 * that is none. The workers are real.
 */

export const register = parseRegister(
  `
- { id: MC-3, chapter: MC, level: MUST, statement: Nothing is lost. }
- { id: PH-8, chapter: PH, level: SHOULD, statement: Idle connections end. }
`,
  'requirements.yaml',
)

/** The address of one of the real steps' modules, as a program's text has it. */
function moduleOf(name: string): string {
  return JSON.stringify(pathToFileURL(join(packageRoot, 'dist', 'steps', `${name}.js`)).href)
}

const STEPS = `
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { Given } from '@cucumber/cucumber'
import { driverOf } from ${moduleOf('drivers')}
import { Random } from ${moduleOf('random')}
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
Given('a choice of {word}', function (name) {
  throw new Error('chose ' + new Random(this.parameters.seed, name).text(6) + ' with ' + this.parameters.kafka.name)
})
Given('a step that passes the first time, told by {word}', function (name) {
  const file = process.env.KOP_CONFORMANCE_ROOT + '/' + name
  if (existsSync(file)) throw new Error('it was here before')
  writeFileSync(file, '')
})
Given('a step that fails with {word} only', function (name) {
  if (this.parameters.kafka.name === name) throw new Error('headers differ')
})
Given('a step that fails on the {word}', function (kind) {
  if (this.parameters.target.kind === kind) throw new Error('lost on the ' + kind)
})
Given('the client does {word}', { timeout: -1 }, async function (op) {
  const driver = await driverOf(this.parameters.kafka)
  await driver.call(op, {}, { timeoutMs: op === 'hang' ? 500 : 30_000 })
})
Given('a step that hangs', { timeout: -1 }, () => new Promise(() => {}))
`

/** A suite of its own in a temporary folder; workers find it by the environment. */
function suiteFolder(feature: string): string {
  const root = mkdtempSync(join(tmpdir(), 'kop-run-'))
  mkdirSync(join(root, 'features', 'small'), { recursive: true })
  mkdirSync(join(root, 'dist', 'steps'), { recursive: true })
  writeFileSync(join(root, 'features', 'small', 'small.feature'), feature)
  writeFileSync(join(root, 'dist', 'steps', 'small.js'), STEPS)
  writeFileSync(join(root, 'dist', 'steps', 'lifetime.js'), `export * from ${moduleOf('lifetime')}`)
  writeFileSync(join(root, 'dist', 'steps', 'small.test.js'), 'throw new Error("tests are not steps")')
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  symlinkSync(join(packageRoot, 'node_modules'), join(root, 'node_modules'))
  process.env.KOP_CONFORMANCE_ROOT = root
  return root
}

/** How often the target was stopped. */
export interface Stops {
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

export async function inputFor(
  feature: string,
  more: Partial<RunInput> = {},
): Promise<RunInput & { stops: Stops }> {
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
