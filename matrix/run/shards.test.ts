import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseKnownFailing } from '../judge/known-failing.js'
import type { Results } from '../report/results.js'
import { UsageError } from '../usage-error.js'
import type { RunInput } from './input.js'
import { mergeRecords } from './merge.js'
import { RECORD_FILE, type ReadRecord, readRecord } from './record.js'
import { run } from './runner.js'
import { inputFor } from './small-suite.js'

const FEATURE = `
Feature: A suite in small
  @MC-3 @kafka
  Scenario Outline: Passes <nth>
    Given a step that passes with kafkajs
    Examples:
      | nth |
      | a   |
      | b   |
      | c   |
  @MC-3 @kafka
  Scenario Outline: Chooses <nth>
    Given a choice of <nth>
    Examples:
      | nth |
      | a   |
      | b   |
      | c   |
  @MC-3 @kafka @pulsar
  Scenario Outline: Cannot <nth>
    Given a step that cannot
    Examples:
      | nth |
      | a   |
      | b   |
  @PH-8 @kafka
  Scenario Outline: Known <client>
    Given a step that fails with <client> only
    Examples:
      | client  |
      | kafkajs |
      | other   |
      | nobody  |
  @MC-3 @kafka
  Scenario: Fails
    Given a step that fails
`
/** One that some cells still fail by, one that nothing fails by any more, one of another message. */
const LISTS = `
- { requirement: PH-8, message: headers differ, owner: ann, until: 2030-06-30, reason: it sorts them }
- { scenario: "small/small/known-client#3", message: x, owner: ann, until: 2030-06-30, reason: it did }
- { scenario: small/small/fails, message: another, owner: ann, until: 2030-06-30, reason: it does }
`

async function smallInput(more: Partial<RunInput> = {}, feature = FEATURE) {
  const input = await inputFor(feature, { jobs: 2, ...more })
  const [kafkajs, , pulsar, raw] = input.clients
  assert.ok(kafkajs && pulsar && raw)
  const other = { ...kafkajs, spec: { ...kafkajs.spec, name: 'other' } }
  const knownFailing = parseKnownFailing(LISTS, 'k.yaml', { kind: 'target', name: 'fake' })
  return { ...input, clients: [kafkajs, other, pulsar, raw], knownFailing }
}

const newFolder = () => mkdtempSync(join(tmpdir(), 'kop-record-'))

async function recorded(
  input: RunInput,
  folder = newFolder(),
): Promise<{ folder: string; results: Results }> {
  mkdirSync(folder, { recursive: true })
  const onRecord = (line: object) => appendFileSync(join(folder, RECORD_FILE), `${JSON.stringify(line)}\n`)
  const results = await run({ ...input, events: { ...input.events, onRecord } })
  assert.ok(results)
  return { folder, results }
}

/** All that two runs of one plan have in common. */
function sameOf(results: Results) {
  const { cells, notRun, leftOut, requirements, summary, planned, partial, missing, plan, seed, target } =
    results
  const cases = results.results.map(({ milliseconds: _, clientLog: __, targetLog: ___, ...same }) => same)
  return {
    cells,
    notRun,
    leftOut,
    requirements,
    summary,
    planned,
    partial,
    missing,
    plan,
    seed,
    target,
    cases,
  }
}

async function inShards(input: RunInput, count: number): Promise<string[]> {
  const folders: string[] = []
  for (let index = 1; index <= count; index++) {
    const { folder, results } = await recorded({ ...input, jobs: 1, shard: { index, count } })
    assert.equal(results.plan.shard, `${index}/${count}`)
    assert.equal(
      results.summary.verdicts['stale-entry'],
      0,
      'a shard does not see enough to call an entry stale',
    )
    folders.push(folder)
  }
  return folders
}

test('a plan in four shards, merged, is what it is in one run: verdict by verdict, and choice by choice', async () => {
  const input = await smallInput()
  const whole = await recorded(input)
  const { verdicts } = whole.results.summary
  assert.ok(verdicts['stale-entry'] > 0 && verdicts['known-failing'] > 0 && verdicts.unsupported > 0)
  const chosen = whole.results.results
    .map(({ reason }) => reason)
    .filter((reason) => reason?.startsWith('chose'))
  assert.equal(new Set(chosen).size, 6)
  const folders = await inShards(input, 4)
  const records = folders.map((folder) => readRecord(folder, '--merge'))
  assert.ok(records.every(({ observed }) => observed.length > 0 && observed.length < whole.results.planned))
  const merged = mergeRecords(records, input.register, input.suite)
  assert.deepEqual(sameOf(merged), sameOf(whole.results))
  assert.deepEqual(sameOf(mergeRecords(records.toReversed(), input.register, input.suite)), sameOf(merged))
})

test('what is missing of a merged run is said, and what does not belong together is refused', async () => {
  const input = await smallInput()
  const [first, second] = (await inShards(input, 2)).map((folder) => readRecord(folder, '--merge'))
  assert.ok(first && second)
  const merge = (...records: ReadRecord[]) => mergeRecords(records, input.register, input.suite)
  const lacking = merge(second)
  assert.equal(lacking.partial, true)
  assert.deepEqual(lacking.missing, ['shard 1/2 is not there'])
  assert.equal(lacking.summary.verdicts['stale-entry'], 0)
  const cut = newFolder()
  const lines = readFileSync(join(second.folder, RECORD_FILE), 'utf8').split('\n')
  writeFileSync(join(cut, RECORD_FILE), lines.slice(0, 3).join('\n').slice(0, -9))
  assert.deepEqual(merge(first, readRecord(cut, '--merge')).missing, [`shard 2/2 was interrupted (${cut})`])

  const other = (more: Partial<ReadRecord['planned']>): ReadRecord => ({
    ...second,
    planned: { ...second.planned, ...more },
  })
  const refused = (message: RegExp, ...records: ReadRecord[]) =>
    assert.throws(
      () => merge(...records),
      (error: Error) =>
        error instanceof UsageError && message.test(error.message) && !/\n/.test(error.message),
    )
  refused(/is shard 1\/2, as .* is$/, first, second, first)
  refused(/is of another seed \(4, not 3\) than /, first, other({ seed: 4 }))
  refused(/is of another settings of the target than /, first, other({ settings: { entryFormat: 'kafka' } }))
  const target = { ...second.planned.target, version: '2.0' }
  refused(/is of another target \(fake 2\.0, not fake 1\.0\) than /, first, other({ target }))
  refused(/another number of shards/, first, other({ shard: { index: 2, count: 3 } }))
  const fewer = await recorded({
    ...input,
    clients: input.clients.slice(0, 1),
    shard: { index: 2, count: 2 },
  })
  const ofFewer = readRecord(fewer.folder, '--merge')
  refused(/is of another plan \(without other@1 and \d more\) than /, first, ofFewer)
  assert.throws(
    () => mergeRecords([first, second], input.register, []),
    /is of another state of the features than this one/,
  )
  assert.throws(() => readRecord(newFolder(), '--merge'), /there is no results.ndjson of a run/)
})

test('an interrupted run is gone on with: only what is missing runs, and the report is whole', async () => {
  const input = await smallInput({ rounds: 2, jobs: 1 })
  const whole = await recorded(input)
  const abort = new AbortController()
  let seen = 0
  const onObserved = () => {
    seen += 1
    if (seen === 20) abort.abort()
  }
  const broken = await recorded({ ...input, signal: abort.signal, events: { ...input.events, onObserved } })
  assert.equal(broken.results.partial, true)
  appendFileSync(join(broken.folder, RECORD_FILE), '{"type":"observed","cellId":"kaf')
  appendFileSync(join(broken.folder, RECORD_FILE), '\n')
  const resumed = readRecord(broken.folder, '--resume')
  assert.equal(resumed.observed.length, 20)
  let more = 0
  const countMore = () => {
    more += 1
  }
  const events = { ...input.events, onObserved: countMore }
  const gone = await recorded({ ...input, events, resumed }, broken.folder)
  assert.equal(more, 2 * whole.results.planned - 20)
  assert.deepEqual(sameOf(gone.results), sameOf(whole.results))
  const again = readRecord(broken.folder, '--resume')
  assert.equal(again.ended?.partial, false)
  assert.deepEqual(sameOf(mergeRecords([again], input.register, input.suite)), sameOf(whole.results))
  await assert.rejects(
    recorded({ ...input, seed: 5, resumed: again }),
    (error: Error) =>
      error instanceof UsageError && /--resume .*: this run is of another seed/.test(error.message),
  )
  await assert.rejects(recorded({ ...input, rounds: 1, resumed: again }), /this run is of another/)
  await assert.rejects(recorded({ ...input, shard: { index: 1, count: 2 }, resumed: again }), /another shard/)
})

test('--repeat finds what passes once and fails once, also in shards', async () => {
  const feature = (name: string) => `
Feature: Flips
  @MC-3 @kafka
  Scenario: It flips
    Given a step that passes the first time, told by ${name}
  @MC-3 @kafka @pulsar
  Scenario: It passes
    Given a step that passes with kafkajs
`
  const input = await smallInput({ rounds: 3, jobs: 1 }, feature('one'))
  const clients = input.clients.filter(({ spec }) => spec.name !== 'other')
  const { results } = await recorded({ ...input, clients })
  const told = ({ results: cases }: Results) => cases.map(({ verdict, reason }) => [verdict, reason])
  const expected = [
    ['flaky', 'failed in 2 of 3 rounds: it was here before'],
    ['passed', null],
  ]
  assert.deepEqual(told(results), expected)
  const anew = await smallInput({ rounds: 3, jobs: 1 }, feature('two'))
  const records = (await inShards({ ...anew, clients }, 2)).map((folder) => readRecord(folder, '--merge'))
  assert.deepEqual(told(mergeRecords(records, anew.register, anew.suite)), expected)
})
