import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compare, spreadOf } from './statistics.js'

test('the median of an odd count is the middle one, whatever the order', () => {
  const spread = spreadOf([30, 10, 20])
  assert.deepEqual(spread, { median: 20, min: 10, max: 30, samples: [30, 10, 20] })
})

test('the median of an even count lies between the two in the middle', () => {
  assert.equal(spreadOf([4, 1, 100, 2])?.median, 3)
})

test('numbers are ordered as numbers', () => {
  assert.equal(spreadOf([9, 100, 20])?.median, 20)
})

test('of no sample there is no spread', () => {
  assert.equal(spreadOf([]), null)
})

test('more is ahead where higher is better, and the ratio is reference ÷ Kafka', () => {
  assert.deepEqual(compare(200, 300, 'higher'), { ratio: 1.5, advantage: 1.5, standing: 'ahead' })
  assert.deepEqual(compare(400, 300, 'higher'), { ratio: 0.75, advantage: 0.75, standing: 'behind' })
})

test('less is ahead where lower is better, and the advantage turns the ratio round', () => {
  assert.deepEqual(compare(4, 2, 'lower'), { ratio: 0.5, advantage: 2, standing: 'ahead' })
  assert.deepEqual(compare(2, 4, 'lower'), { ratio: 2, advantage: 0.5, standing: 'behind' })
})

test('within two per cent is a draw', () => {
  assert.equal(compare(1000, 1019, 'higher').standing, 'even')
  assert.equal(compare(1000, 1030, 'higher').standing, 'ahead')
  assert.equal(compare(1000, 1030, 'lower').standing, 'behind')
})

test('a latency below a millisecond divides nothing, but still compares', () => {
  assert.deepEqual(compare(0, 0, 'lower'), { ratio: null, advantage: null, standing: 'even' })
  assert.deepEqual(compare(0, 1, 'lower'), { ratio: null, advantage: null, standing: 'behind' })
  assert.deepEqual(compare(1, 0, 'lower'), { ratio: 0, advantage: null, standing: 'ahead' })
})
