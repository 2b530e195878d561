import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { WorldParameters } from '../../steps/parameters.js'
import type { Observation } from '../judge/verdicts.js'
import type { Job } from './messages.js'
import { runInTurn, runJobs, UnusableSuite } from './pool.js'

/** A worker whose scenarios do what their ids say. */
const FAKE = `
process.on('disconnect', () => process.exit(0))
if (process.env.FAKE === 'unusable') { process.send({ type: 'unusable', reason: 'no such module' }); }
else if (process.env.FAKE === 'no-start') { console.error('cannot start'); process.exit(7) }
else process.send({ type: 'ready' })
process.on('message', async ({ type, job }) => {
  if (type === 'end') process.exit(0)
  for (const { id } of job.scenarios) {
    if (id.startsWith('missing')) continue
    process.send({ type: 'started', scenarioId: id })
    if (id.startsWith('crash')) { console.error('fell over'); process.exit(9) }
    if (id.startsWith('hang')) await new Promise(() => {})
    process.send({ type: 'observed', observation: { cellId: job.cellId, scenarioId: id, verdict: 'passed', milliseconds: process.pid, reason: null, expected: null, seen: null, requirementId: null, step: null, clientLog: null, targetLog: null } })
  }
  process.send({ type: 'done' })
})
setInterval(() => {}, 1000)
`
const workerFile = join(mkdtempSync(join(tmpdir(), 'kop-pool-')), 'worker.cjs')
writeFileSync(workerFile, FAKE)

const job = (cellId: string, ...ids: string[]): Job => ({
  cellId,
  parameters: {} as WorldParameters,
  scenarios: ids.map((id) => ({ id, feature: 'f', line: 1 })),
})

async function run(
  jobs: readonly Job[],
  more: { env?: Record<string, string>; signal?: AbortSignal; lanes?: number; timeoutMs?: number } = {},
): Promise<Observation[]> {
  const seen: Observation[] = []
  await runJobs(jobs, {
    jobs: more.lanes ?? 1,
    scenarioTimeoutMs: more.timeoutMs ?? 10_000,
    onObserved: (observation) => seen.push(observation),
    signal: more.signal ?? new AbortController().signal,
    workerFile,
    workerEnv: more.env ?? {},
  })
  return seen
}

const lines = (seen: readonly Observation[]) =>
  seen.map(({ cellId, scenarioId, verdict, reason }) =>
    `${cellId} ${scenarioId} ${verdict} ${reason ?? ''}`.trim(),
  )

test('one worker serves job after job', async () => {
  const seen = await run([job('a', '1', '2'), job('b', '3'), job('c')])
  assert.deepEqual(lines(seen), ['a 1 passed', 'a 2 passed', 'b 3 passed'])
  assert.equal(new Set(seen.map(({ milliseconds }) => milliseconds)).size, 1)
})

test('a crash costs its own case, and the rest goes on in a new worker', async () => {
  const seen = await run([job('a', '1', 'crash', '2')])
  assert.deepEqual(lines(seen), [
    'a 1 passed',
    'a crash could-not-run the worker process ended by exit code 9: fell over',
    'a 2 passed',
  ])
})

test('a scenario that does not end is failed, and the rest goes on', async () => {
  const seen = await run([job('a', 'hang', '1')], { timeoutMs: 200 })
  assert.deepEqual(lines(seen), ['a hang failed did not end within 0.2 s', 'a 1 passed'])
})

test('what the runner passed over is told', async () => {
  const seen = await run([job('a', 'missing', '1')])
  assert.deepEqual(lines(seen), ['a 1 passed', 'a missing could-not-run the runner passed over it'])
})

test('workers that cannot start are given up, and their scenarios told', async () => {
  const seen = await run([job('a', '1', '2')], { env: { FAKE: 'no-start' } })
  assert.deepEqual(lines(seen), [
    'a 1 could-not-run no start: the worker process ended by exit code 7: cannot start',
    'a 2 could-not-run no start: the worker process ended by exit code 7: cannot start',
  ])
})

test('a suite that does not load ends the run', async () => {
  await assert.rejects(run([job('a', '1')], { env: { FAKE: 'unusable' } }), UnusableSuite)
})

test('an abort kills what is under way and tells nothing more', async () => {
  const abort = new AbortController()
  const seen: Observation[] = []
  const running = runJobs([job('a', '1', 'hang', '2'), job('b', 'hang')], {
    jobs: 2,
    scenarioTimeoutMs: 60_000,
    onObserved(observation) {
      seen.push(observation)
      abort.abort()
    },
    signal: abort.signal,
    workerFile,
  })
  await running
  assert.deepEqual(lines(seen), ['a 1 passed'])
})

test('a job that is asked for by what was observed before runs in the same worker', async () => {
  const seen: Observation[] = []
  let isClosed = false
  async function* jobs() {
    try {
      yield job('a', '1')
      if (seen.at(-1)?.scenarioId === '1') yield job('b', 'crash')
      if (seen.at(-1)?.verdict === 'could-not-run') yield job('c', '2')
      yield job('d', '3')
    } finally {
      isClosed = true
    }
  }
  const onObserved = (observation: Observation) => void seen.push(observation)
  const signal = new AbortController().signal
  await runInTurn(jobs(), { scenarioTimeoutMs: 10_000, onObserved, signal, workerFile })
  assert.deepEqual(
    seen.map(({ scenarioId, verdict }) => `${scenarioId} ${verdict}`),
    ['1 passed', 'crash could-not-run', '2 passed', '3 passed'],
  )
  assert.equal(seen[2]?.milliseconds, seen[3]?.milliseconds)
  assert.equal(isClosed, true)
})

test('an abort ends what the jobs have open', async () => {
  const abort = new AbortController()
  let isClosed = false
  async function* jobs() {
    try {
      yield job('a', '1', 'hang')
      yield job('b', '2')
    } finally {
      isClosed = true
    }
  }
  const onObserved = () => abort.abort()
  await runInTurn(jobs(), { scenarioTimeoutMs: 10_000, onObserved, signal: abort.signal, workerFile })
  assert.equal(isClosed, true)
})
