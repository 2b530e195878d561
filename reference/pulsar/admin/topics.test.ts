import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { asPartitionIndex } from '../../base/brand.js'
import { accepted, openPartition, refusedAs, sendOf } from '../../topics/testing.js'
import { TestAdmin, topicPath } from './testing.js'

let admin: TestAdmin
before(async () => {
  admin = await TestAdmin.start()
})
after(() => admin.stop())

test('properties are kept with the topic, whichever partition is named', async () => {
  const body = { partitions: 2, properties: { a: '1' } }
  assert.equal(await admin.status('PUT', `${topicPath('labelled')}/partitions`, body), 204)
  assert.deepEqual(await admin.read(`${topicPath('labelled')}/partitions`), { ...body, deleted: false })
  assert.equal(await admin.status('PUT', `${topicPath('labelled-partition-1')}/properties`, { b: '2' }), 204)
  assert.equal(await admin.status('DELETE', `${topicPath('labelled')}/properties?key=a`), 204)
  assert.deepEqual(await admin.read(`${topicPath('labelled')}/properties`), { b: '2' })
  assert.equal(await admin.status('PUT', `${topicPath('labelled')}/properties`, { b: 2 }), 400)
})

test("a topic's policies go over its namespace's where `applied` is asked for", async () => {
  const path = topicPath('ruled')
  assert.equal(await admin.status('PUT', path), 204)
  await admin.status('POST', '/admin/v2/namespaces/public/default/maxProducersPerTopic', 9)
  assert.equal(await admin.read(`${path}/maxProducers`), undefined)
  assert.equal(await admin.read(`${path}/maxProducers?applied=true`), 9)
  assert.equal(await admin.status('POST', `${path}/maxProducers`, 3), 204)
  assert.equal(await admin.read(`${path}/maxProducers?applied=true`), 3)
  assert.equal(await admin.status('POST', `${path}/messageTTL?messageTTL=20`), 204)
  assert.equal(await admin.read(`${path}/messageTTL`), 20)
  const info = admin.catalog.find({ tenant: 'public', namespace: 'default', local: 'ruled' })
  assert.equal(info?.policies?.messageTtlSeconds, 20)
  assert.equal(await admin.status('DELETE', `${path}/maxProducers`), 204)
  assert.equal(await admin.read(`${path}/maxProducers?applied=true`), 9)
})

test('a terminated topic tells its last id and takes no more; a partitioned one is terminated by partitions', async () => {
  const log = await admin.filled('ended', 2)
  const { ledgerId } = log.ledger.start.position
  const last = { ledgerId, entryId: 1, partitionIndex: 0, batchIndex: -1, batchSize: 0 }
  assert.deepEqual((await admin.call('POST', `${topicPath('ended-partition-0')}/terminate`)).body, last)
  assert.equal(refusedAs(await log.appendPulsar(sendOf('m2', 2))), 'POLICY_VIOLATION')
  assert.equal(await admin.status('POST', `${topicPath('ended')}/terminate`), 405)
  assert.deepEqual((await admin.call('POST', `${topicPath('ended')}/terminate/partitions`)).body, { 0: last })
  const stats = (await admin.read(`${topicPath('ended-partition-0')}/internalStats`)) as { state: string }
  assert.equal(stats.state, 'Terminated')
})

test('truncating leaves nothing, and subscriptions at the end', async () => {
  const log = await admin.filled('cut', 3)
  const path = topicPath('cut-partition-0')
  await admin.status('PUT', `${path}/subscription/s`, { ledgerId: -1, entryId: -1 })
  assert.equal(await admin.status('DELETE', `${topicPath('cut')}/truncate`), 204)
  assert.equal(log.startOffset(), 3n)
  const stats = (await admin.read(`${path}/stats`)) as { subscriptions: { s: { msgBacklog: number } } }
  assert.equal(stats.subscriptions.s.msgBacklog, 0)
  accepted(await log.appendPulsar(sendOf('m3', 3)))
  assert.equal(log.endOffset(), 4n)
})

test('compaction and offloading, which are not offered, are refused and told as never run', async () => {
  await openPartition(admin.catalog, 'plain')
  const path = topicPath('plain-partition-0')
  assert.equal(await admin.status('PUT', `${path}/compaction`), 405)
  assert.deepEqual(await admin.read(`${path}/compaction`), { status: 'NOT_RUN', lastError: '' })
  assert.equal(await admin.status('PUT', `${path}/offload`, { ledgerId: 0, entryId: 0 }), 412)
})

test('stats of all partitions are added up by subscription', async () => {
  await admin.status('PUT', `${topicPath('summed')}/partitions`, 2)
  await admin.status('PUT', `${topicPath('summed')}/subscription/s`, { ledgerId: -1, entryId: -1 })
  for (const partition of [0, 1]) {
    const log = await openPartition(admin.catalog, 'summed', partition)
    for (let at = 0; at <= partition; at++) accepted(await log.appendPulsar(sendOf(`m${at}`, at)))
  }
  const stats = (await admin.read(`${topicPath('summed')}/partitioned-stats`)) as {
    msgInCounter: number
    backlogQuotaLimitSize: number
    subscriptions: { s: { msgBacklog: number } }
    partitions: object
  }
  assert.equal(stats.msgInCounter, 3)
  assert.equal(stats.subscriptions.s.msgBacklog, 3)
  assert.equal(stats.backlogQuotaLimitSize, -1)
  assert.equal(Object.keys(stats.partitions).length, 2)
})

test('a topic has no more subscriptions than its policy allows, until the policy is gone', async () => {
  const path = topicPath('bounded')
  assert.equal(await admin.status('PUT', path), 204)
  assert.equal(await admin.status('POST', `${path}/maxSubscriptionsPerTopic`, 1), 204)
  assert.equal(await admin.status('PUT', `${path}/subscription/a`), 204)
  assert.equal(await admin.status('PUT', `${path}/subscription/b`), 409)
  assert.equal(await admin.status('DELETE', `${path}/maxSubscriptionsPerTopic`), 204)
  assert.equal(await admin.status('PUT', `${path}/subscription/b`), 204)
})

test("the broker's own topics are neither terminated, truncated, compacted nor configured, and hold their namespace", async () => {
  const { catalog } = admin
  const base = '/admin/v2/namespaces/public/held'
  assert.equal(await admin.status('PUT', base), 204)
  const name = { tenant: 'public', namespace: 'held', local: '__own' }
  accepted(await catalog.create(name, { partitions: 1, internal: true }))
  const beside = '/admin/v2/persistent/public/held/a-topic'
  assert.equal(await admin.status('PUT', beside), 204)
  const topic = '/admin/v2/persistent/public/held/__own'
  const log = accepted(await catalog.partition(catalog.find(name) ?? assert.fail(), asPartitionIndex(0)))
  accepted(await log.appendPulsar(sendOf('kept', 0)))
  assert.equal(await admin.status('POST', `${topic}-partition-0/terminate`), 412)
  assert.equal(await admin.status('POST', `${topic}/terminate/partitions`), 412)
  assert.equal(await admin.status('DELETE', `${topic}/truncate`), 412)
  assert.equal(await admin.status('DELETE', `${topic}-partition-0/truncate`), 412)
  assert.equal(await admin.status('PUT', `${topic}/compaction`), 412)
  assert.equal(
    refusedAs(await catalog.setConfigs(name, { 'max.message.bytes': '1' })),
    'INVALID_TOPIC_EXCEPTION',
  )
  assert.equal(await admin.status('DELETE', `${base}?force=true`), 412)
  assert.equal(await admin.status('GET', `${beside}/stats`), 200, 'nothing of the namespace has gone')
  accepted(await log.appendPulsar(sendOf('more', 1)))
  assert.equal(log.ledger.end.index - log.ledger.start.index, 2)
})
