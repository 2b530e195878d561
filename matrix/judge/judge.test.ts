import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Case, judge } from './judge.js'
import { loadKnownFailing, parseKnownFailing } from './known-failing.js'
import { isFatal, type Observation, type ObservedVerdict } from './verdicts.js'

function observed(verdict: ObservedVerdict, more: Partial<Observation> = {}): Observation {
  return {
    cellId: 'kafkajs@2.2.4',
    scenarioId: 'conversion/headers/order#1',
    verdict,
    milliseconds: 5,
    reason: verdict === 'passed' ? null : 'headers differ',
    expected: null,
    seen: verdict === 'failed' ? 'b, a' : null,
    requirementId: null,
    step: null,
    clientLog: null,
    targetLog: null,
    ...more,
  }
}

function caseOf(observations: readonly Observation[], more: Partial<Case> = {}): Case {
  return {
    cellId: 'kafkajs@2.2.4',
    scenarioId: 'conversion/headers/order#1',
    requirementIds: ['MC-3'],
    clients: [{ name: 'kafkajs', version: '2.2.4' }],
    observations,
    ...more,
  }
}

const entryText = (more: string) =>
  `- { ${more}, message: "b, a", owner: ann, until: 2030-06-30, reason: it sorts them }`

function verdictsOf(
  cases: readonly Case[],
  text = '[]',
  today = '2030-01-01',
  kind: 'client' | 'target' = 'client',
) {
  const name = kind === 'client' ? 'kafkajs' : 'reference'
  const entries = parseKnownFailing(text, 'known-failing.yaml', { kind, name })
  return judge({ cases, entries, today, target: { name: 'reference', version: '0.1.0' } })
}

const only = (judgements: ReturnType<typeof verdictsOf>) => {
  const [first] = judgements
  assert.ok(first)
  return `${first.verdict}: ${first.reason}`
}

test('an entry of other targets neither excuses a failure nor is stale', () => {
  const of = (targets: string) => entryText(`scenario: conversion/headers/order, targets: [${targets}]`)
  for (const [targets, failed, passed] of [
    ['kafka', 'failed', 'passed'],
    ['reference', 'known-failing', 'stale-entry'],
  ] as const) {
    assert.equal(verdictsOf([caseOf([observed('failed')])], of(targets))[0]?.verdict, failed)
    assert.equal(verdictsOf([caseOf([observed('passed')])], of(targets))[0]?.verdict, passed)
  }
})

test('without lists the verdict is what was observed', () => {
  for (const verdict of ['passed', 'failed', 'unsupported', 'could-not-run'] as const) {
    assert.equal(verdictsOf([caseOf([observed(verdict)])])[0]?.verdict, verdict)
  }
})

test('a failure that is listed with its message is known, by scenario, outline or requirement', () => {
  const failed = [caseOf([observed('failed')])]
  for (const by of [
    'scenario: "conversion/headers/order#1"',
    'scenario: conversion/headers/order',
    'requirement: MC-3',
    'requirement: MC-3, versions: [2.2.4]',
  ]) {
    assert.equal(
      only(verdictsOf(failed, entryText(by))),
      'known-failing: known, until 2030-06-30 (ann): it sorts them',
    )
  }
  for (const by of [
    'scenario: conversion/headers',
    'requirement: MC-4',
    'requirement: MC-3, versions: ["2.2.3"]',
  ]) {
    assert.equal(only(verdictsOf(failed, entryText(by))), 'failed: headers differ')
  }
})

test('the last day of an entry still counts; the day after, the failure counts and names its owner', () => {
  const failed = [caseOf([observed('failed')])]
  const text = entryText('requirement: MC-3')
  assert.equal(verdictsOf(failed, text, '2030-06-30')[0]?.verdict, 'known-failing')
  assert.match(
    only(verdictsOf(failed, text, '2030-07-01')),
    /^failed: .*knew it until 2030-06-30; owner: ann/,
  )
})

test('another message is another failure', () => {
  const text = entryText('requirement: MC-3')
  const other = [caseOf([observed('failed', { reason: 'no answer', seen: null })])]
  assert.match(only(verdictsOf(other, text)), /^failed: no answer \(.*knows another failure: b, a\)/)
  const pattern = text.replace('"b, a"', '"/^NO an/im"')
  assert.equal(verdictsOf(other, pattern)[0]?.verdict, 'known-failing')
})

test('an entry whose scenario passes is stale, but not while another cell still fails by it', () => {
  const text = entryText('requirement: MC-3')
  const passed = caseOf([observed('passed')])
  assert.match(
    only(verdictsOf([passed], text)),
    /^stale-entry: known-failing\.yaml: entry 1 lists it as failing/,
  )
  const failed = caseOf([observed('failed')], { cellId: 'other' })
  assert.deepEqual(
    verdictsOf([passed, failed], text).map(({ verdict }) => verdict),
    ['passed', 'known-failing'],
  )
  assert.equal(verdictsOf([caseOf([observed('unsupported')])], text)[0]?.verdict, 'unsupported')
})

test('an entry of what shows now and then excuses it, and is not stale when it does not', () => {
  const text = entryText('requirement: MC-3, sometimes: true')
  const verdictOf = (verdict: 'passed' | 'failed') =>
    verdictsOf([caseOf([observed(verdict)])], text)[0]?.verdict
  assert.deepEqual([verdictOf('passed'), verdictOf('failed')], ['passed', 'known-failing'])

  const rounds = [observed('passed'), observed('failed')]
  assert.equal(verdictsOf([caseOf(rounds)], text)[0]?.verdict, 'known-failing')
  assert.equal(verdictsOf([caseOf(rounds)], entryText('requirement: MC-3'))[0]?.verdict, 'flaky')
  const other = observed('failed', { reason: 'no answer', seen: null })
  assert.equal(verdictsOf([caseOf([...rounds, other])], text)[0]?.verdict, 'flaky')
})

test('what can show in any scenario shows now and then, and needs no scenario', () => {
  const anywhere = entryText('sometimes: true')
  assert.equal(verdictsOf([caseOf([observed('failed')])], anywhere)[0]?.verdict, 'known-failing')
  assert.throws(
    () => verdictsOf([], entryText('versions: ["2.2.3"]')),
    /name a scenario or a requirement, or/,
  )
})

test("a target's list counts for every client, a client's for its own cells", () => {
  const failed = [caseOf([observed('failed')], { clients: [{ name: 'librdkafka', version: '2' }] })]
  const text = entryText('requirement: MC-3')
  assert.equal(verdictsOf(failed, text)[0]?.verdict, 'failed')
  assert.equal(verdictsOf(failed, text, '2030-01-01', 'target')[0]?.verdict, 'known-failing')
})

test('rounds that disagree are flaky, and say how often', () => {
  const rounds = [observed('passed'), observed('failed'), observed('passed')]
  assert.equal(only(verdictsOf([caseOf(rounds)])), 'flaky: failed in 1 of 3 rounds: headers differ')
  const cannot = [observed('passed'), observed('unsupported', { reason: 'no API' })]
  assert.equal(only(verdictsOf([caseOf(cannot)])), 'flaky: unsupported in 1 of 2 rounds: no API')
  assert.equal(verdictsOf([caseOf([...cannot, observed('could-not-run')])])[0]?.verdict, 'flaky')
  assert.equal(
    verdictsOf([caseOf([observed('passed'), observed('could-not-run')])])[0]?.verdict,
    'could-not-run',
  )
})

test('what only SHOULD be is never fatal, a stale entry always is', () => {
  assert.ok(isFatal('failed', 'MUST'))
  assert.ok(isFatal('failed', 'DECLARED'))
  assert.ok(isFatal('could-not-run', 'MUST'))
  assert.ok(!isFatal('failed', 'SHOULD'))
  assert.ok(isFatal('stale-entry', 'SHOULD'))
  for (const verdict of ['passed', 'unsupported', 'known-failing'] as const)
    assert.ok(!isFatal(verdict, 'MUST'))
})

test('a list is refused when an entry lacks owner or date, or names both or nothing', () => {
  const subject = { kind: 'client', name: 'kafkajs' } as const
  const refuse = (text: string, message: RegExp) =>
    assert.throws(() => parseKnownFailing(text, 'k.yaml', subject), message)
  refuse('- { requirement: MC-3, message: x, until: 2030-01-01, reason: y }', /k\.yaml.*owner/s)
  refuse('- { requirement: MC-3, message: x, owner: a, until: someday, reason: y }', /until/)
  refuse(entryText('requirement: MC-3, scenario: a/b/c'), /either a scenario or a requirement/)
  refuse(entryText('versions: ["1"]'), /set .sometimes: true./)
  assert.deepEqual(parseKnownFailing('', 'k.yaml', subject), [])
  assert.deepEqual(loadKnownFailing('/no/such/file.yaml', subject), [])
})
