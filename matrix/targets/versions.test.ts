import assert from 'node:assert/strict'
import { test } from 'node:test'
import { targetKind } from './index.js'
import { shippedProfile } from './profile.js'
import { compareVersions, versionsOf } from './versions.js'

test('versions have an order: numbers by their value, milestones before their release', () => {
  const sorted = ['4.10.0', '5.0.0', '4.2.4', '5.0.0-M1', '3.9', '4.2.4.1', '5.0.0-M2', '3.9.1']
  const wanted = ['3.9', '3.9.1', '4.2.4', '4.2.4.1', '4.10.0', '5.0.0-M1', '5.0.0-M2', '5.0.0']
  assert.deepEqual(sorted.sort(compareVersions), wanted)
  assert.equal(compareVersions('3.9', '3.9.0'), 0)
})

test('the listed versions are in order, and the default is one of them', () => {
  for (const original of ['kafka', 'pulsar'] as const) {
    const { versions, default: usual } = versionsOf(original)
    assert.deepEqual([...versions].sort(compareVersions), versions)
    assert.ok(versions.includes(usual))
  }
})

test('an original is asked for by name and version, also by one that is not listed', () => {
  assert.equal(targetKind('kafka').name, 'kafka')
  assert.equal(targetKind('kafka@3.0.0').name, 'kafka@3.0.0')
  assert.equal(targetKind('pulsar@5.0.0-M1').name, 'pulsar@5.0.0-M1')
  for (const wrong of ['kafka@', 'kafka@newest', 'pulsar@4.2.4/../..', 'kafka@3.9.1@4']) {
    assert.throws(
      () => targetKind(wrong),
      /^UsageError: .* is no version of (kafka|pulsar); there are \d[^\n]*$/,
    )
  }
  assert.throws(() => targetKind('reference@1'), /^UsageError: reference has one version only/)
})

test('a profile may answer by version', () => {
  assert.ok('PH-3' in shippedProfile('kafka', '4.1.0').answers)
  assert.equal('PH-3' in shippedProfile('kafka', '2.8.2').answers, false)
  assert.equal(shippedProfile('kafka', '3.9.1').answers['ID-3'], 'index')
})
