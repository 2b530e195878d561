import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChosenClient } from '../plan/clients.js'
import type { Target, TargetKind } from '../targets/types.js'
import type { ControlOptions } from './control-options.js'
import type { RunInput } from './input.js'
import { run } from './runner.js'
import { inputFor } from './small-suite.js'

const FEATURE = `
Feature: Blame
  @MC-3 @kafka
  Scenario: The target loses it
    Given a step that fails on the fake
  @MC-3 @kafka
  Scenario: The client loses it
    Given a step that fails with kafkajs only
  @MC-3 @kafka
  Scenario: The suite asks too much
    Given a step that fails
  @MC-3 @kafka
  Scenario: Nobody wrote it
    Given something unheard of
  @MC-3 @kafka @pulsar
  Scenario: Both worlds lose it
    Given a step that fails
`

interface Seen {
  readonly started: string[]
  stops: number
}

function original(kind: string, version: string | null, seen: Seen): TargetKind {
  const profile = { name: kind, description: '', answers: {}, declines: {} }
  const powers = new Set<never>()
  const nothing = async () => {}
  const target: Target = {
    kind,
    version: version ?? '4.1.0',
    endpoints: { kafka: '127.0.0.1:3' },
    profile,
    powers,
    dataDir: '',
    async stop() {
      seen.stops += 1
    },
    restart: nothing,
    kill: nothing,
    start: nothing,
    rollOver: nothing,
    failStore: nothing,
    logTail: async () => '',
  }
  const start = async () => {
    seen.started.push(`${kind} ${version}`)
    return target
  }
  return { name: kind, powers, profile, start }
}

const toCompare: ChosenClient[] = ['second', 'third'].map((name) => ({
  spec: { name, kind: 'kafka', language: 'node', package: name, versions: ['1'], quick: true, folder: '' },
  version: '1',
  named: false,
}))

function controlled(seen: Seen, more: Partial<ControlOptions> = {}): ControlOptions {
  return {
    mode: 'auto',
    timeoutMs: 60_000,
    missing: async () => null,
    kindOf: (kind, version) => original(kind, version, seen),
    toCompare,
    ...more,
  }
}

async function blamesOf(
  more: Partial<ControlOptions> = {},
  input: Partial<RunInput> = {},
  feature = FEATURE,
) {
  const seen: Seen = { started: [], stops: 0 }
  const results = await run(await inputFor(feature, { control: controlled(seen, more), ...input }))
  const told = (results?.results ?? []).map(({ name, blame, blameReason, fatal }) =>
    [name, blame, blameReason, fatal ? 'fatal' : ''].join(' | '),
  )
  return { seen, results, told }
}

test('failures are run again on the original, once started for all, and only the target’s are fatal', async () => {
  const { told, seen, results } = await blamesOf()
  const fails = 'Apache Kafka 4.1.0 fails with it too'
  assert.deepEqual(told, [
    'The target loses it | target | Apache Kafka 4.1.0 passes with the same client | fatal',
    `The client loses it | client | ${fails} (headers differ), and passes with second@1 | `,
    `The suite asks too much | suite | ${fails} (a is b), and with second@1 and third@1 | `,
    'Nobody wrote it | suite | its steps are wrong | ',
    'Both worlds lose it | target | no control could judge: no original speaks both protocols | fatal',
  ])
  assert.deepEqual([seen.started, seen.stops], [['kafka null'], 1])
  assert.deepEqual(results?.summary.blames, { target: 2, client: 1, suite: 2 })
  const client = results?.results[1]
  assert.match(client?.knownFailingEntry ?? '', /scenario: "small\/small\/the-client-loses-it"/)
  assert.deepEqual(
    client?.control?.tries.map(({ cellId, verdict }) => `${cellId} ${verdict}`),
    ['kafkajs@1 failed', 'kafkajs@1 failed', 'second@1 passed', 'third@1 passed'],
  )
})

test('a client too old for the newest original is held against the one that its client.yaml names', async () => {
  const input = await inputFor(FEATURE)
  const clients = input.clients.map((each) => ({
    ...each,
    spec: { ...each.spec, controls: { '*': '3.9.1' } },
  }))
  const { seen } = await blamesOf({}, { clients })
  assert.deepEqual(seen.started, ['kafka 3.9.1'])
})

test('what is not asked, or cannot be asked, counts as the target’s, and says why', async () => {
  const never = await blamesOf({ mode: 'never' })
  assert.match(never.told[1] ?? '', /\| target \| not decided: --control never \| fatal$/)
  assert.deepEqual(never.seen.started, [])
  const without = await blamesOf({ missing: async () => 'no Java' })
  assert.match(without.told[1] ?? '', /\| target \| not decided: no Java \| fatal$/)
  const start = async () => {
    throw new Error('no port is free')
  }
  const seen: Seen = { started: [], stops: 0 }
  const kindOf: ControlOptions['kindOf'] = (kind, version) => ({ ...original(kind, version, seen), start })
  const broken = await blamesOf({ kindOf })
  assert.match(
    broken.told[1] ?? '',
    /\| target \| not decided: Apache Kafka could not be asked: no port is free/,
  )
})

test('an original that is the target itself is asked with other clients only', async () => {
  const seen: Seen = { started: [], stops: 0 }
  const { told } = await blamesOf({}, { targetKind: original('kafka', null, seen) })
  assert.deepEqual(told.slice(0, 3), [
    'The target loses it |  |  | ',
    'The client loses it | client | Apache Kafka 4.1.0 fails, and passes with second@1 | ',
    'The suite asks too much | suite | Apache Kafka 4.1.0 fails, and with second@1 and third@1 | ',
  ])
  assert.deepEqual(seen.started, ['kafka null'], 'as the target, and not again')
})

test('controls that take too long leave the rest undecided', async () => {
  const hangs = 'Feature: Hangs\n  @MC-3 @kafka\n  Scenario: It hangs\n    Given a step that hangs\n'
  const { told, seen } = await blamesOf({ timeoutMs: 1 }, { scenarioTimeoutMs: 300 }, hangs)
  assert.match(told[0] ?? '', /\| target \| not decided: the controls were not done within 0\.001 s/)
  assert.equal(seen.stops, seen.started.length)
})
