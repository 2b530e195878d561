import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chaosPlan } from './plan.js'

const options = {
  seed: 7,
  durationMs: 300_000,
  slots: 8,
  visitors: 2,
  sessionTimeoutMs: 6_000,
  brokerKills: 3,
}

test('the same seed gives the same deeds, another seed others', () => {
  assert.deepEqual(chaosPlan(options), chaosPlan(options))
  assert.notDeepEqual(chaosPlan(options), chaosPlan({ ...options, seed: 8 }))
})

test('every kind of deed is there, in the order of time, and none after the end', () => {
  const plan = chaosPlan(options)
  const names = new Set(plan.map(({ name }) => name))
  assert.deepEqual([...names].sort(), ['kill', 'kill-broker', 'leave', 'pause', 'visit'])
  const times = plan.map(({ atMs }) => atMs)
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  )
  assert.ok(times.every((atMs) => atMs < options.durationMs))
  assert.equal(plan.filter(({ name }) => name === 'kill-broker').length, 3)
})

test('a process is met again only when it is back, and half of them are always there', () => {
  const plan = chaosPlan(options).filter(({ slot }) => slot >= 0)
  for (const [index, deed] of plan.entries()) {
    const away = plan.slice(0, index).filter(({ atMs, forMs }) => atMs + forMs > deed.atMs)
    assert.ok(away.every(({ slot }) => slot !== deed.slot))
    const usual = [...away, deed].filter(({ slot, name }) => slot < options.slots && name !== 'visit')
    assert.ok(usual.length <= options.slots / 2, `${usual.length} away at ${deed.atMs}`)
  }
})

test('some pauses outlast a session, some do not; visitors are none of the usual', () => {
  const plan = chaosPlan(options)
  const pauses = plan.filter(({ name }) => name === 'pause').map(({ forMs }) => forMs > 6_000)
  assert.ok(pauses.includes(true) && pauses.includes(false))
  for (const { name, slot } of plan) assert.equal(name === 'visit', slot >= options.slots)
})
