import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { batchOf, openPartition, refusedAs, sendOf, TestTopics, topicName } from './testing.js'

let scene: TestTopics
beforeEach(() => {
  scene = new TestTopics()
})
afterEach(() => scene.remove())

test('a terminated partition takes nothing from either side, also after a restart, and keeps what it has', async () => {
  const log = await openPartition(await scene.open(), 'ended')
  const before = log.appendPulsar(sendOf('a', 0))
  await log.terminate()
  assert.equal(refusedAs(await before), 'accepted')
  assert.equal(log.terminated, true)
  const again = await openPartition(await scene.open(), 'ended')
  assert.equal(again.terminated, true)
  assert.equal(refusedAs(await again.appendPulsar(sendOf('b', 1))), 'POLICY_VIOLATION')
  assert.equal(refusedAs(await again.appendKafka(await batchOf(['c']))), 'POLICY_VIOLATION')
  assert.equal(again.endOffset(), 1n)
})

test('terminating wakes who waits at the end; a topic made anew is open', async () => {
  const topics = await scene.open()
  const log = await openPartition(topics, 'ended')
  const woken = new Promise<void>((resolve) => log.onAppend(resolve))
  await log.terminate()
  await woken
  await topics.delete(topicName('ended'))
  const anew = await openPartition(topics, 'ended')
  assert.equal(refusedAs(await anew.appendPulsar(sendOf('a', 0))), 'accepted')
})
