import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { asPartitionIndex } from '../base/brand.js'
import { ManualClock } from '../base/clock.js'
import { accepted, batchOf, openPartition, refusedAs, TestTopics, topicName } from './testing.js'

let scene: TestTopics
beforeEach(() => {
  scene = new TestTopics()
})
afterEach(() => scene.remove())

const orders = topicName('orders')

test('topics, namespaces and configs are there again after a restart, with their ids', async () => {
  const before = await scene.open({ namespaces: [['acme', 'shop']] })
  const created = accepted(await before.create(orders, { partitions: 3, configs: { 'retention.ms': '100' } }))
  assert.match(created.topicId, /^[-\w]{22}$/)
  await before.create({ tenant: 'acme', namespace: 'shop', local: 'plain' }, { partitions: 0 })
  const after = await scene.open()
  assert.deepEqual(after.find(orders), created)
  assert.deepEqual(after.findById(created.topicId), created)
  assert.deepEqual(after.tenants.listTenants(), ['acme', 'public'])
  assert.deepEqual(after.tenants.listNamespaces('public'), ['default', 'kafka'])
  assert.deepEqual(
    after.list('acme', 'shop').map(({ name }) => name.local),
    ['plain'],
  )
  const plain = after.list('acme', 'shop')[0]
  assert.ok(plain)
  assert.equal(
    accepted(await after.partition(plain, asPartitionIndex(0))).pulsarName,
    'persistent://acme/shop/plain',
  )
})

test('what cannot be created is refused by its own name', async () => {
  const topics = await scene.open()
  await topics.create(orders, { partitions: 2 })
  const create = async (local: string, partitions: number, configs = {}) =>
    refusedAs(await topics.create(topicName(local), { partitions, configs }))
  assert.equal(await create('orders', 1), 'TOPIC_ALREADY_EXISTS')
  assert.equal(await create('a', -1), 'INVALID_PARTITIONS')
  assert.equal(await create('a', 10_001), 'INVALID_PARTITIONS')
  assert.equal(await create('a', 1, { 'retention.ms': 'soon' }), 'INVALID_CONFIG')
  assert.equal(await create('orders-partition-1', 0), 'INVALID_TOPIC_EXCEPTION')
  assert.equal(await create('bills-partition-1', 0), 'accepted')
  assert.equal(await create('bills', 2), 'TOPIC_ALREADY_EXISTS')
  const nowhere = await topics.create(
    { tenant: 'public', namespace: 'nowhere', local: 'a' },
    { partitions: 1 },
  )
  assert.equal(refusedAs(nowhere), 'INVALID_TOPIC_EXCEPTION')
  const [first, second] = await Promise.all([create('twice', 1), create('twice', 1)])
  assert.deepEqual([first, second], ['accepted', 'TOPIC_ALREADY_EXISTS'])
})

test('partitions are raised, never lowered, and the logs there stay', async () => {
  const topics = await scene.open()
  const log = await openPartition(topics, 'orders')
  await log.appendKafka(await batchOf(['a']))
  assert.equal(
    refusedAs(await topics.partition(accepted(await topics.setPartitions(orders, 3)), asPartitionIndex(3))),
    'UNKNOWN_TOPIC_OR_PARTITION',
  )
  assert.equal(await openPartition(topics, 'orders', 0), log)
  assert.equal((await openPartition(topics, 'orders', 2)).endOffset(), 0n)
  assert.equal(refusedAs(await topics.setPartitions(orders, 2)), 'INVALID_PARTITIONS')
  await topics.create(topicName('plain'), { partitions: 0 })
  assert.equal(refusedAs(await topics.setPartitions(topicName('plain'), 2)), 'INVALID_PARTITIONS')
})

test('deleting tells all who use the topic; made again it is empty and has another id', async () => {
  const topics = await scene.open()
  const changes: string[] = []
  topics.onChange((change, topic) => changes.push(`${change} ${topic.name.local}`))
  const log = await openPartition(topics, 'orders')
  const before = topics.find(orders)?.topicId
  await log.appendKafka(await batchOf(['a'], { producerId: 1n, baseSequence: 0 }))
  let closed = 0
  log.onClosed(() => closed++)
  assert.equal(await topics.delete(orders), true)
  assert.equal(closed, 1)
  assert.equal(refusedAs(await log.appendKafka(await batchOf(['b']))), 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.equal(refusedAs(accepted(await topics.create(orders, { partitions: 1 }))), 'accepted')
  const fresh = await openPartition(topics, 'orders')
  assert.equal(fresh.endOffset(), 0n)
  assert.equal(
    accepted(await fresh.appendKafka(await batchOf(['b'], { producerId: 1n, baseSequence: 0 }))).baseOffset,
    0n,
  )
  assert.notEqual(topics.find(orders)?.topicId, before)
  assert.equal(refusedAs(accepted(await topics.setConfigs(orders, {}))), 'accepted')
  assert.deepEqual(changes, ['created orders', 'deleted orders', 'created orders', 'configs orders'])
  const missing = await topics.delete(topicName('missing'))
  assert.ok(missing !== true && refusedAs(missing) === 'UNKNOWN_TOPIC_OR_PARTITION')
})

test('a namespace with topics and a tenant with namespaces are not deleted', async () => {
  const { tenants, ...rest } = await scene.open()
  assert.ok(rest)
  assert.deepEqual(
    [await tenants.createTenant('t'), await tenants.createTenant('t'), await tenants.createTenant('a/b')],
    [true, false, false],
  )
  assert.deepEqual(
    [await tenants.createNamespace('t', 'n'), await tenants.createNamespace('u', 'n')],
    [true, false],
  )
  assert.equal(await tenants.deleteTenant('t'), false)
  const topics = await scene.open()
  await topics.create({ tenant: 't', namespace: 'n', local: 'a' }, { partitions: 1 })
  assert.equal(await topics.tenants.deleteNamespace('t', 'n'), false)
  await topics.delete({ tenant: 't', namespace: 'n', local: 'a' })
  assert.deepEqual(
    [await topics.tenants.deleteNamespace('t', 'n'), await topics.tenants.deleteTenant('t')],
    [true, true],
  )
})

test('retention by time counts records without a timestamp from when they were stored', async () => {
  const clock = new ManualClock(100_000)
  const topics = await scene.open({ clock, retentionCheckMs: 1_000_000 })
  const log = await openPartition(topics, 'orders')
  await topics.setConfigs(orders, { 'retention.ms': '50000' })
  await log.appendKafka(await batchOf(['old'], undefined, 10_000))
  await log.appendKafka(await batchOf(['unstamped'], undefined, -1))
  await topics.enforceRetention()
  assert.deepEqual([log.startOffset(), log.endOffset()], [1n, 2n])
  clock.advance(50_001)
  await topics.enforceRetention()
  assert.deepEqual([log.startOffset(), log.endOffset()], [2n, 2n])
})

test('retention by time and by size drops whole entries from the start, and nothing without it', async () => {
  const clock = new ManualClock(100_000)
  const topics = await scene.open({ clock, retentionCheckMs: 1_000_000 })
  const log = await openPartition(topics, 'orders')
  for (const timestampMs of [10_000, 20_000, 90_000])
    await log.appendKafka(await batchOf(['a', 'b'], undefined, timestampMs))
  await topics.enforceRetention()
  assert.equal(log.startOffset(), 0n)
  await topics.setConfigs(orders, { 'retention.ms': '50000' })
  await topics.enforceRetention()
  assert.equal(log.startOffset(), 4n)
  await topics.setConfigs(orders, { 'retention.bytes': '9000' })
  for (let i = 0; i < 6; i++) await log.appendKafka(await batchOf(['x'.repeat(4000)]))
  await topics.enforceRetention()
  const kept = log.endOffset() - log.startOffset()
  assert.ok(kept >= 2n && kept <= 4n, `${kept} kept`)
  clock.advance(10_000_000)
  await topics.setConfigs(orders, { 'retention.ms': '1' })
  await topics.enforceRetention()
  assert.equal(log.startOffset(), log.endOffset())
  const directory = join(scene.scratch.directory, 'data', 'ledgers')
  await scene.close()
  assert.deepEqual(readdirSync(directory), [])
})
