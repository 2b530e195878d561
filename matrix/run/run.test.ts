import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import type { RunInput } from './input.js'
import { run, TargetUnavailable } from './runner.js'
import { inputFor } from './small-suite.js'

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

test('only clients of what the target will speak are made ready', async () => {
  const asked: string[] = []
  const input = await inputFor(FEATURE, { endpoints: { kafka: '' } })
  const provision: RunInput['provision'] = (spec, version, options) => {
    asked.push(spec.name)
    return input.provision(spec, version, options)
  }
  await run({ ...input, provision })
  assert.deepEqual(asked, ['kafkajs', 'broken'])
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
