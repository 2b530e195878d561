import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BlameEvidence, blameOf, type ControlTry, controlVersion, originalOf } from './blame.js'
import { knownFailingEntry } from './entry.js'
import { parseKnownFailing } from './known-failing.js'
import type { ObservedVerdict } from './verdicts.js'

const CELL = 'kafkajs@2.2.4'

const same = (verdict: ObservedVerdict, reason: string | null = null): ControlTry => ({
  cellId: CELL,
  verdict,
  reason,
  replaced: null,
})
const other = (cellId: string, verdict: ObservedVerdict): ControlTry => ({
  cellId,
  verdict,
  reason: null,
  replaced: CELL,
})

function blamed(tries: readonly ControlTry[], more: Partial<BlameEvidence> = {}): string {
  const evidence = { control: 'Apache Kafka 4.1.0', targetIsControl: false, isOwn: false, tries, ...more }
  const { blame, client, reason } = blameOf(evidence)
  return `${blame} ${client ?? '-'}: ${reason}`
}

test('what the original passes with the same client is the target’s, also when it passed only once', () => {
  assert.equal(blamed([same('passed')]), 'target -: Apache Kafka 4.1.0 passes with the same client')
  assert.match(blamed([same('failed', 'late'), same('passed')]), /^target -: .*once it failed there: late$/)
})

test('what the original fails with this client and passes with another is the client’s', () => {
  const tries = [
    same('failed', 'lost'),
    same('failed', 'lost'),
    other('a@1', 'failed'),
    other('b@1', 'passed'),
  ]
  assert.equal(
    blamed(tries),
    `client ${CELL}: Apache Kafka 4.1.0 fails with it too (lost), and passes with b@1`,
  )
})

test('what the original fails with every client is the suite’s', () => {
  const tries = [same('failed', 'lost'), other('a@1', 'failed'), other('b@1', 'unsupported')]
  assert.equal(blamed(tries), 'suite -: Apache Kafka 4.1.0 fails with it too (lost), and with a@1')
  assert.match(
    blamed([same('failed', 'lost')], { isOwn: true }),
    /^suite -: .*the client is the suite's own$/,
  )
})

test('without another client the failure is the client’s, with the doubt told and nobody named', () => {
  assert.match(
    blamed([same('failed', 'lost'), other('a@1', 'unsupported')]),
    /^client -: .*no other client could be compared \(a@1: unsupported\)/,
  )
})

test('what the original cannot judge is the target’s, with the reason', () => {
  assert.equal(
    blamed([same('unsupported', 'no power fail-store')]),
    'target -: no control could judge: on Apache Kafka 4.1.0 it is unsupported: no power fail-store',
  )
  assert.match(blamed([]), /^target -: .*was not asked/)
})

test('on a target that is an original itself, other clients decide between client and suite', () => {
  const own = { targetIsControl: true }
  assert.match(blamed([other('a@1', 'passed')], own), /^client kafkajs@2\.2\.4: .*passes with a@1$/)
  assert.match(blamed([other('a@1', 'failed')], own), /^suite -: Apache Kafka 4\.1\.0 fails, and with a@1$/)
})

test('a scenario is held against the original of its world; both worlds have none', () => {
  assert.equal(originalOf({ worlds: 'kafka', tools: [] }), 'kafka')
  assert.equal(originalOf({ worlds: 'raw', tools: [] }), 'kafka')
  assert.equal(originalOf({ worlds: 'pulsar', tools: ['pulsar-admin'] }), 'pulsar')
  assert.equal(originalOf({ worlds: 'tools', tools: ['kafka-admin'] }), 'kafka')
  assert.deepEqual(originalOf({ worlds: 'both', tools: [] }), { none: 'no original speaks both protocols' })
  assert.equal(typeof originalOf({ worlds: 'kafka', tools: ['pulsar-admin'] }), 'object')
})

test('a client’s own version, then the star, says which original serves it', () => {
  const controls = { '0.10.2.2': '3.9.1', '*': '4.1.0' }
  assert.equal(controlVersion({ controls }, '0.10.2.2'), '3.9.1')
  assert.equal(controlVersion({ controls }, '1'), '4.1.0')
  assert.equal(controlVersion({}, '1'), null)
})

test('the entry to paste is one that is accepted, and matches the failure in another run', () => {
  const text = knownFailingEntry({
    scenarioId: 'conversion/headers/order#1',
    client: '@scope@2.2.4',
    reason: 'topic kct-abc-1 at 127.0.0.1:9092 has 3 (not "4") records\nmore',
    today: '2030-01-01',
  })
  const [entry] = parseKnownFailing(text, 'k.yaml', { kind: 'client', name: 'scope' })
  assert.deepEqual(entry?.versions, ['2.2.4'])
  assert.equal(entry?.until, '2030-06-30')
  const [, pattern] = /^\/(.*)\/$/.exec(entry?.message ?? '') ?? []
  assert.match('topic kct-x9-77 at 10.0.0.1:1 has 12 (not "5") records', new RegExp(pattern ?? '^$'))
  assert.doesNotMatch('topic kct-x9-77 was not there', new RegExp(pattern ?? ''))
})
