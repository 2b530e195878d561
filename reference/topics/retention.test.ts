import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ManualClock } from '../base/clock.js'
import type { StoredTopics } from './catalog.js'
import { retentionOf } from './retention.js'
import { accepted, batchOf, openPartition, TestTopics, topicName } from './testing.js'
import type { PartitionLog } from './types.js'

const scene = new TestTopics()
after(() => scene.remove())

const dayMs = 86_400_000
const clock = new ManualClock(1_000 * dayMs)
const hourMs = 3_600_000

/** Ten entries of two messages, of about a kilobyte, an hour apart; the last an hour old. */
async function filled(): Promise<{ topics: StoredTopics; log: PartitionLog }> {
  const topics = await scene.open({ clock, retentionCheckMs: 1000 * dayMs })
  await topics.delete(topicName('orders'))
  const log = await openPartition(topics, 'orders')
  for (let at = 0; at < 10; at++) {
    accepted(await log.appendKafka(await batchOf([`${at}`, 'x'.repeat(1000)], undefined, clock.nowMs())))
    clock.advance(hourMs)
  }
  return { topics, log }
}

async function subscribed(log: PartitionLog, name: string, at: bigint) {
  const point = await log.pointOfOffset(at as ReturnType<PartitionLog['startOffset']>)
  assert.ok(point)
  const cursor = await log.ledger.openCursor(name, point.position)
  await cursor.reset(point.position, point.batchIndex)
  return cursor
}

const retain = (timeMinutes: number, sizeMb: number) => ({ retention: { timeMinutes, sizeMb } })

test('what the slowest subscription has not consumed is kept whatever its age, and no more', async () => {
  const { topics, log } = await filled()
  await topics.setConfigs(topicName('orders'), { 'retention.ms': String(2.5 * hourMs) })
  const slow = await subscribed(log, 'slow', 7n)
  await subscribed(log, 'quick', 20n)
  await topics.enforceRetention()
  assert.equal(log.startOffset(), 6n)
  await slow.reset(log.ledger.end.position)
  await topics.enforceRetention()
  assert.equal(log.startOffset(), 16n)
})

test('when the slowest subscription is deleted, what it held goes', async () => {
  const { topics, log } = await filled()
  await topics.setConfigs(topicName('orders'), { 'retention.bytes': '1500' })
  await subscribed(log, 'slow', 0n)
  await topics.enforceRetention()
  assert.equal(log.startOffset(), 0n)
  await log.ledger.deleteCursor('slow')
  await topics.enforceRetention()
  assert.equal(log.startOffset(), 16n)
})

test('records are deleted on demand whatever subscriptions have not consumed', async () => {
  const { log } = await filled()
  const slow = await subscribed(log, 'slow', 3n)
  accepted({ offset: await log.deleteRecords(9n as ReturnType<PartitionLog['startOffset']>) })
  assert.equal(log.startOffset(), 9n)
  assert.deepEqual([slow.position.entryId, slow.batchIndex], [4, 1])
})

test('the namespace’s retention holds where the topic has no config of its own', async () => {
  const { topics, log } = await filled()
  await topics.tenants.updatePolicies('public', 'default', () => retain(150, -1))
  await topics.enforceRetention()
  assert.equal(log.startOffset(), 16n)
  const settings = topics.settingsOf({ configs: {} })
  const both = { configs: { 'retention.ms': '5' } }
  assert.deepEqual(retentionOf({ configs: {} }, settings, retain(2, 3)), {
    retentionMs: 120_000,
    retentionBytes: 3 << 20,
  })
  assert.deepEqual(retentionOf(both, topics.settingsOf(both), retain(2, -1)), {
    retentionMs: 5,
    retentionBytes: -1,
  })
  await topics.tenants.updatePolicies('public', 'default', () => ({}))
})

test('time to live moves subscriptions on, those behind alone, and tells whose they are', async () => {
  const { topics, log } = await filled()
  await topics.tenants.updatePolicies('public', 'default', () => ({
    messageTtlSeconds: 2.5 * 3600,
    ...retain(0, 0),
  }))
  const slow = await subscribed(log, 'slow', 3n)
  await subscribed(log, 'quick', 18n)
  await topics.enforceRetention()
  assert.equal(slow.position.entryId, 8)
  assert.equal(log.startOffset(), 16n)
  const told: unknown[] = []
  topics.expireBy(async (partition, name, to) => {
    told.push([partition.pulsarName, name, to.entryId])
  })
  clock.advance(2 * hourMs)
  await topics.enforceRetention()
  assert.deepEqual(told, [
    ['persistent://public/default/orders-partition-0', 'slow', 10],
    ['persistent://public/default/orders-partition-0', 'quick', 10],
  ])
  await topics.tenants.updatePolicies('public', 'default', () => ({}))
})

test('a backlog over its quota is cut where the quota evicts, and only there', async () => {
  const { topics, log } = await filled()
  const slow = await subscribed(log, 'slow', 0n)
  const quota = { limitBytes: 5_500, limitSeconds: -1 }
  await topics.tenants.updatePolicies('public', 'default', () => ({
    backlogQuotas: { destination_storage: { ...quota, policy: 'producer_exception' } },
  }))
  await topics.enforceRetention()
  assert.equal(slow.position.entryId, 0)
  await topics.tenants.updatePolicies('public', 'default', () => ({
    backlogQuotas: { destination_storage: { ...quota, policy: 'consumer_backlog_eviction' } },
  }))
  await topics.enforceRetention()
  assert.ok(slow.backlogEntries() >= 3 && slow.backlogEntries() <= 5, `${slow.backlogEntries()} entries left`)
  const left = slow.backlogEntries()
  await topics.enforceRetention()
  assert.equal(slow.backlogEntries(), left)
  await topics.tenants.updatePolicies('public', 'default', () => ({
    backlogQuotas: {
      message_age: { limitBytes: -1, limitSeconds: 5400, policy: 'consumer_backlog_eviction' },
    },
  }))
  await topics.enforceRetention()
  assert.equal(slow.backlogEntries(), 1)
  await topics.tenants.updatePolicies('public', 'default', () => ({}))
})
