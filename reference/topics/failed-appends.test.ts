import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../base/clock.js'
import { FailedAppends } from './failed-appends.js'
import { accepted, batchOf, openPartition, refusedAs, TestTopics } from './testing.js'

test('failures are told at once, and then by their number', () => {
  const clock = new ManualClock()
  const told: unknown[] = []
  const keep = (fields: object) => told.push('failed' in fields ? fields.failed : undefined)
  const failures = new FailedAppends('topic', { debug: keep, info: keep, warn: keep, error: keep }, clock)
  for (let count = 0; count < 5; count++) failures.add(new Error('full'))
  clock.advance(10_000)
  failures.add(new Error('full'))
  assert.deepEqual(told, [1, 5])
})

test('a store that fails is told in the log, not only to the producer', async () => {
  const scene = new TestTopics()
  let failing = false
  const failWrites = () => (failing ? new Error('no space left') : undefined)
  const log = await openPartition(await scene.open({}, { failWrites }), 'orders')
  failing = true
  assert.equal(refusedAs(await log.appendKafka(await batchOf(['a']))), 'KAFKA_STORAGE_ERROR')
  failing = false
  accepted(await log.appendKafka(await batchOf(['a'])))
  assert.deepEqual(scene.log.messages, ['appends fail and are refused'])
  await scene.remove()
})
