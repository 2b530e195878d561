import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acknowledgedIndexes, ackSetOf, firstUnacknowledged } from './ack-set.js'

test('bits that are set are messages not acknowledged', () => {
  assert.deepEqual(ackSetOf(4, new Set([0, 2])), [0b1010n])
  assert.deepEqual(ackSetOf(65, new Set([0])), [-2n, 1n])
})

test('what an ack set says is read back, also with trailing words left out', () => {
  const done = new Set([0, 63, 64, 99])
  assert.deepEqual(acknowledgedIndexes(ackSetOf(100, done), 100), [...done])
  assert.deepEqual(acknowledgedIndexes([1n], 66).length, 65)
})

test('the first message that is open', () => {
  assert.equal(firstUnacknowledged(ackSetOf(100, new Set(Array.from({ length: 70 }, (_, i) => i)))), 70)
  assert.equal(firstUnacknowledged([0n]), undefined)
})
