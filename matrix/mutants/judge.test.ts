import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { followLines } from './follow.js'
import { caseOf, Evidence } from './judge.js'
import { mutantTable } from './report.js'
import type { Observed } from './suite-run.js'

const variant = { name: 'wrong', breaks: ['AA-1', 'AA-2'], description: 'It is wrong.' }
const requirementsOf = new Map([
  ['one', ['AA-1']],
  ['two', ['AA-2', 'AA-9']],
])
const observed = (scenarioId: string, verdict: string): Observed => ({
  ...{ type: 'observed', cellId: 'raw', scenarioId, verdict, reason: null },
})
const passes = new Set(['one', 'two'].map((scenarioId) => caseOf({ scenarioId, cellId: 'raw' })))

test('a variant is caught when every requirement that it breaks has a failed scenario', () => {
  const evidence = new Evidence(variant, passes, requirementsOf)
  assert.equal(evidence.add(observed('one', 'failed')), false)
  assert.equal(evidence.add(observed('two', 'failed')), true)
  assert.equal(evidence.verdict('ended early', 5).verdict, 'caught')
})

test('what does not pass on the right broker, or could not be run, catches nothing', () => {
  const evidence = new Evidence(variant, new Set([caseOf(observed('one', ''))]), requirementsOf)
  assert.equal(evidence.add(observed('one', 'failed')), false)
  assert.equal(evidence.add(observed('two', 'failed')), false)
  for (const verdict of ['passed', 'unsupported', 'could-not-run']) evidence.add(observed('two', verdict))
  const judged = evidence.verdict(null, 5)
  assert.deepEqual([judged.verdict, judged.missed], ['survived', ['AA-2']])
  assert.match(mutantTable([judged]), /AA-2.*SURVIVED/)
  assert.match(mutantTable([judged]), /AA-1.*one \[raw\]/)
})

test('a run that could not be made is no survival', () => {
  const judged = new Evidence(variant, passes, requirementsOf).verdict('no such client', 5)
  assert.deepEqual([judged.verdict, judged.reason], ['could-not-run', 'no such client'])
})

test('lines are handed on whole, whatever pieces they are written in', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kop-follow-'))
  const file = join(folder, 'lines')
  const lines: string[] = []
  const following = followLines(file, (line) => lines.push(line))
  for (const piece of ['{"a":', '"ü"}\n{"b"', ':2}\n', 'cut off']) appendFileSync(file, piece)
  await following.end()
  assert.deepEqual(lines, ['{"a":"ü"}', '{"b":2}'])
  rmSync(folder, { recursive: true })
})
