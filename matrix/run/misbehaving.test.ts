import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunInput } from './input.js'
import { run } from './runner.js'
import { inputFor } from './small-suite.js'

/** A driver that does what an op's name says; a good one answers whatever it is asked. */
const DRIVER = `
if (process.env.SORT === 'mute') setInterval(() => {}, 60_000)
else {
  const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n')
  const flood = (stream, end) => {
    const part = Buffer.alloc(1e6, 'x')
    let left = 100
    const on = () => {
      while (left > 0) { left -= 1; if (!stream.write(part)) return stream.once('drain', on) }
      end()
    }
    on()
  }
  const ops = {
    nothing: (id) => say({ id, result: {} }),
    hang: () => {},
    exit: () => process.exit(4),
    endless: (id) => flood(process.stdout, () => say({ id, result: {} })),
    log: (id) => flood(process.stderr, () => say({ id, result: {} })),
    garbage: () => { process.stdout.write('not json\\n{"half\\n[]\\n'); process.stdout.write('\\n', () => process.exit(5)) },
    unknown: (id) => { say({ id: id + 1000, result: {} }); say({ result: {} }); process.stdout.write('\\n', () => process.exit(6)) },
    neither: (id) => say({ id, outcome: 'good' }),
  }
  say({ ready: { client: 'fake', version: '1', kind: 'kafka' } })
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, op } = JSON.parse(line)
    if (process.env.SORT === 'good') ops.nothing(id)
    else ops[op](id)
  }).on('close', () => process.exit(0))
}
`

async function inputWith(feature: string, sorts: readonly string[], more: Partial<RunInput> = {}) {
  const input = await inputFor(feature, more)
  const [first] = input.clients
  assert.ok(first)
  const clients = sorts.map((name) => ({ ...first, spec: { ...first.spec, name } }))
  const provision: RunInput['provision'] = async ({ name, kind }, version) => ({
    name,
    version,
    kind,
    command: [process.execPath, '-e', DRIVER],
    env: { SORT: name },
  })
  return { ...input, clients, provision }
}

const FEATURE = `
Feature: Whatever a client does
  @MC-3 @kafka
  Scenario Outline: <nth>. It does <what>
    Given the client does <what>
    Examples:
      | nth | what    |
      | 1   | nothing |
      | 2   | hang    |
      | 3   | exit    |
      | 4   | endless |
      | 5   | log     |
      | 6   | garbage |
      | 7   | unknown |
      | 8   | neither |
      | 9   | nothing |
`

test('a client that hangs, falls over, floods or talks nonsense costs its own cases only', async () => {
  const results = await run(await inputWith(FEATURE, ['bad', 'good'], { jobs: 1 }))
  const told = (cellId: string) =>
    results?.results
      .filter((result) => result.cellId === cellId)
      .map(({ name, verdict, reason }) => `${name}: ${verdict} ${reason ?? ''}`.trim())
  assert.deepEqual(
    told('good@1')?.map((line) => line.split(': ')[1]),
    Array.from({ length: 9 }, () => 'passed'),
  )
  const crashed = 'failed DriverCrashed: the driver of bad 1'
  assert.deepEqual(told('bad@1'), [
    '1. It does nothing: passed',
    `2. It does hang: failed DriverTimedOut: the driver of bad 1 did not answer hang within 500 ms`,
    `3. It does exit: ${crashed} ended by exit code 4`,
    `4. It does endless: ${crashed} wrote a line of more than 67108864 bytes`,
    '5. It does log: passed',
    `6. It does garbage: ${crashed} ended by exit code 5; its last log line: []`.replace('code 6', 'code 5'),
    `7. It does unknown: ${crashed} ended by exit code 6; its last log line: {"result":{}}`,
    `8. It does neither: ${crashed} answered neither with neither result nor error`,
    '9. It does nothing: passed',
  ])
})

test('a client that never gets ready is waited for by its own cases only, and not by each of them anew', async () => {
  const feature = `
Feature: Starts
  @MC-3 @kafka
  Scenario Outline: <nth>. It starts
    Given the client does nothing
    Examples:
      | nth |
      | 1   |
      | 2   |
`
  const results = await run(await inputWith(feature, ['mute', 'good'], { jobs: 1, scenarioTimeoutMs: 4000 }))
  assert.deepEqual(
    results?.results.map(({ cellId, verdict, reason }) => [cellId, verdict, reason]),
    [
      ['mute@1', 'failed', 'did not end within 4 s'],
      ['mute@1', 'failed', 'did not end within 4 s'],
      ['good@1', 'passed', null],
      ['good@1', 'passed', null],
    ],
  )
})

test('a client that cannot be started is tried twice', async () => {
  const feature = `
Feature: Starts
  @MC-3 @kafka
  Scenario Outline: <nth>. It starts
    Given the client does nothing
    Examples:
      | nth |
      | 1   |
      | 2   |
      | 3   |
`
  const input = await inputWith(feature, ['broken'])
  const command = [
    process.execPath,
    '-e',
    'console.error("no library, process " + process.pid); process.exit(1)',
  ]
  const provision: RunInput['provision'] = async ({ name, kind }, version) => ({
    name,
    version,
    kind,
    command,
    env: {},
  })
  const results = await run({ ...input, provision })
  const reasons = results?.results.map(({ verdict, reason }) => `${verdict} ${reason}`) ?? []
  assert.equal(reasons.length, 3)
  for (const reason of reasons) {
    assert.match(
      reason,
      /^failed DriverCrashed: the driver of broken 1 ended by exit code 1; .*no library, process \d+$/,
    )
  }
  assert.equal(new Set(reasons).size, 2)
})
