import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Observation, ObservedVerdict } from '../judge/verdicts.js'
import type { Cell, ClientTitle } from '../plan/cells.js'
import type { Scenario } from '../plan/scenarios.js'
import { afterRun } from './caught-by.js'
import { Evidence } from './judge.js'
import { mutantTable } from './report.js'
import { dearestFirst, triesFor } from './tries.js'

const variant = { name: 'wrong', breaks: ['AA-1', 'AA-2'], description: 'It is wrong.' }
const observed = (scenarioId: string, verdict: ObservedVerdict): Observation => ({
  ...{ cellId: 'raw', scenarioId, verdict, milliseconds: 1, reason: verdict === 'passed' ? null : verdict },
  ...{ expected: null, seen: null, requirementId: null, step: null, clientLog: null, targetLog: null },
})
const one = { requirementIds: ['AA-1'] }
const two = { requirementIds: ['AA-2', 'AA-9'] }

test('a variant is caught when every requirement that it breaks has a failed scenario', () => {
  const evidence = new Evidence(variant)
  evidence.add(one, observed('one', 'failed'), true)
  assert.deepEqual([evidence.lacks(one), evidence.lacks(two)], [false, true])
  evidence.add(two, observed('two', 'failed'), true)
  assert.equal(evidence.lacks(two), false)
  assert.equal(evidence.verdict('ended early', 5).verdict, 'caught')
})

test('what fails on the right broker too, or could not be run, catches nothing', () => {
  const evidence = new Evidence(variant)
  evidence.add(one, observed('one', 'failed'), true)
  evidence.add(two, observed('two', 'failed'), false)
  for (const verdict of ['passed', 'unsupported', 'could-not-run'] as const)
    evidence.add(two, observed('two', verdict), true)
  const judged = evidence.verdict(null, 5)
  assert.deepEqual([judged.verdict, judged.missed], ['survived', ['AA-2']])
  assert.match(mutantTable([judged]), /AA-2.*SURVIVED/)
  assert.match(mutantTable([judged]), /AA-1.*one \[raw\]/)
})

test('a variant that nothing could be run against has not survived', () => {
  const of = (problem: string | null, ...verdicts: ObservedVerdict[]) => {
    const evidence = new Evidence(variant)
    for (const verdict of verdicts) evidence.add(one, observed('one', verdict), false)
    const { verdict, reason } = evidence.verdict(problem, 5)
    return `${verdict}: ${reason}`
  }
  assert.equal(of('it did not start'), 'could-not-run: it did not start')
  assert.equal(of(null, 'unsupported'), 'could-not-run: unsupported')
  assert.match(of(null), /^could-not-run: .*no scenario of AA-1, AA-2/)
  assert.equal(of(null, 'unsupported', 'passed'), 'survived: null')
})

const scenario = (id: string, requirementIds: string[], more: Partial<Scenario> = {}) =>
  ({ id, requirementIds, powers: [], tools: [], slow: false, ...more }) as Partial<Scenario> as Scenario
const cells = [
  {
    id: 'raw',
    scenarios: [
      scenario('slow', ['AA-1'], { slow: true }),
      scenario('own', ['AA-1'], { powers: ['restart'] }),
      scenario('plain', ['AA-1']),
      scenario('other', ['AA-3']),
      scenario('second', ['AA-2']),
    ],
  } as Partial<Cell<ClientTitle>> as Cell<ClientTitle>,
]
const idsOf = (caughtBy: Record<string, Record<string, string>>) =>
  triesFor(variant, cells, caughtBy).map(({ scenario }) => scenario.id)

test('what caught a variant is tried first, then cheap scenarios before dear ones', () => {
  assert.deepEqual(idsOf({}), ['plain', 'second', 'own', 'slow'])
  assert.deepEqual(idsOf({ wrong: { 'AA-1': 'slow' } }), ['slow', 'plain', 'second', 'own'])
  assert.deepEqual(idsOf({ wrong: { 'AA-1': 'gone' } }), idsOf({}))
})

test('a variant whose first scenario is dear is begun first', () => {
  const other = { ...variant, name: 'other', breaks: ['AA-3'] }
  const names = (caughtBy: Record<string, Record<string, string>>) =>
    dearestFirst([other, variant], cells, caughtBy).map(({ name }) => name)
  assert.deepEqual(names({}), ['other', 'wrong'])
  assert.deepEqual(names({ wrong: { 'AA-1': 'slow' } }), ['wrong', 'other'])
})

test('what is known of variants that were not run, or not caught, is kept; of those that are gone, dropped', () => {
  const evidence = new Evidence(variant)
  evidence.add(one, observed('one', 'failed'), true)
  const before = {
    wrong: { 'AA-1': 'old', 'AA-2': 'old' },
    kept: { 'AA-5': 'five' },
    gone: { 'AA-6': 'six' },
  }
  assert.deepEqual(afterRun(before, [evidence.verdict(null, 5)], ['wrong', 'new', 'kept']), {
    kept: { 'AA-5': 'five' },
    wrong: { 'AA-1': 'one', 'AA-2': 'old' },
  })
})
