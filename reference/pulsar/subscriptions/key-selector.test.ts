import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RingSelector, StickySelector, TurnTaker } from './key-selector.js'
import { testConsumer } from './testing.js'

test('auto-split gives each hash one consumer, and moves only the keys of who comes or goes', () => {
  const ring = new RingSelector()
  const [a, b, c] = ['a', 'b', 'c'].map((name) => testConsumer({ name }).consumer)
  assert.ok(a !== undefined && b !== undefined && c !== undefined)
  ring.add(a)
  ring.add(b)
  const before = Array.from({ length: 65_536 }, (_, hash) => ring.select(hash)?.name)
  ring.add(c)
  const after = Array.from({ length: 65_536 }, (_, hash) => ring.select(hash)?.name)
  assert.ok(after.every((name, hash) => name === before[hash] || name === 'c'))
  for (const name of ['a', 'b', 'c']) assert.ok(after.filter((other) => other === name).length > 10_000)
  ring.remove(c)
  assert.deepEqual(
    Array.from({ length: 65_536 }, (_, hash) => ring.select(hash)?.name),
    before,
  )
})

test('sticky ranges must not overlap', () => {
  const sticky = new StickySelector()
  const holder = testConsumer({ name: 'a', ranges: [{ start: 0, end: 99 }] }).consumer
  assert.equal(sticky.add(holder), undefined)
  assert.match(
    String(sticky.add(testConsumer({ name: 'b', ranges: [{ start: 99, end: 200 }] }).consumer)),
    /conflicts/,
  )
  assert.equal(
    sticky.add(testConsumer({ name: 'c', ranges: [{ start: 100, end: 65_535 }] }).consumer),
    undefined,
  )
  assert.equal(sticky.select(99)?.name, 'a')
  assert.equal(sticky.select(100)?.name, 'c')
})

test('turns go round, best priority first, past those without permits', () => {
  const turns = new TurnTaker()
  const [a, b, low] = [
    testConsumer({ name: 'a', permits: 9 }).consumer,
    testConsumer({ name: 'b', permits: 9 }).consumer,
    testConsumer({ name: 'low', permits: 9, priority: 1 }).consumer,
  ]
  for (const consumer of [low, a, b]) turns.add(consumer)
  assert.deepEqual([turns.next()?.name, turns.next()?.name, turns.next()?.name], ['a', 'b', 'a'])
  a.permits = 0
  b.permits = 0
  assert.equal(turns.next()?.name, 'low')
})
