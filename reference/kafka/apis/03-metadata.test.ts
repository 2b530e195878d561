import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metadata } from '../messages/03-metadata.js'
import { describeCluster } from '../messages/60-describe-cluster.js'
import { describeTopicPartitions } from '../messages/75-describe-topic-partitions.js'
import { errorName } from '../wire/errors.js'
import type { ResponseToRead } from '../wire/schema.js'
import { FakeBroker } from './fake-broker.js'
import { zeroTopicId } from './topics.js'

const named = (...names: string[]) => names.map((name) => ({ name }))

test('a missing topic is created with the default partitions, and answered at once', async () => {
  const broker = new FakeBroker()
  const { topics, brokers, clusterId, controllerId } = await broker.ask(metadata, 9, { topics: named('new') })
  assert.deepEqual([errorName(topics[0]?.errorCode ?? -1), topics[0]?.partitions.length], ['NONE', 2])
  assert.deepEqual([brokers[0]?.nodeId, clusterId, controllerId], [7, 'cluster', 7])
  assert.deepEqual(topics[0]?.partitions[1], {
    errorCode: 0,
    partitionIndex: 1,
    leaderId: 7,
    leaderEpoch: 3,
    replicaNodes: [7],
    isrNodes: [7],
    offlineReplicas: [],
  })
})

test('MT-10: with auto-creation off, by the broker or the request, nothing is created', async () => {
  const off = new FakeBroker({ allowAutoTopicCreation: false })
  const on = new FakeBroker()
  for (const [broker, allowAutoTopicCreation] of [
    [off, true],
    [on, false],
  ] as const) {
    const { topics } = await broker.ask(metadata, 9, { topics: named('new'), allowAutoTopicCreation })
    assert.equal(errorName(topics[0]?.errorCode ?? 0), 'UNKNOWN_TOPIC_OR_PARTITION')
    assert.equal(broker.catalog.topics.size, 0)
  }
})

test('MT-7: forbidden names are refused each by itself, and created never', async () => {
  const broker = new FakeBroker()
  const wrong = ['', '.', '..', 'x'.repeat(250), 'a b', 'a/b', 'foo-partition-0']
  const { topics } = await broker.ask(metadata, 9, { topics: named(...wrong, 'right') })
  assert.deepEqual(
    topics.map((topic) => errorName(topic.errorCode)),
    [...wrong.map(() => 'INVALID_TOPIC_EXCEPTION'), 'NONE'],
  )
  assert.equal(broker.catalog.topics.size, 1)
})

test('no topics asked for: all in v0, none from v1 on, where null asks for all', async () => {
  const broker = new FakeBroker()
  await broker.topic('a')
  await broker.topic('b', { partitions: 0 })
  await broker.topic('__hidden', { internal: true })
  await broker.topic('__consumer_offsets')
  const namesOf = async (version: number, topics: ReturnType<typeof named> | null) =>
    (await broker.ask(metadata, version, { topics })).topics.map((topic) => topic.name)
  assert.deepEqual(await namesOf(0, []), ['a', 'b'])
  assert.deepEqual(await namesOf(1, []), [])
  for (let version = 1; version <= 13; version++) assert.deepEqual(await namesOf(version, null), ['a', 'b'])
})

test('MT-11, MT-12: internal topics are marked, a topic without partitions has one', async () => {
  const broker = new FakeBroker()
  await broker.topic('__hidden', { internal: true })
  await broker.topic('__change_events')
  await broker.topic('flat', { partitions: 0 })
  const { topics } = await broker.ask(metadata, 5, { topics: named('__hidden', '__change_events', 'flat') })
  assert.deepEqual(
    topics.map((topic) => topic.isInternal),
    [true, true, false],
  )
  assert.deepEqual(
    topics.map((topic) => topic.partitions.length),
    [1, 1, 1],
  )
})

test('MT-3: a full name is answered as it was asked, with the same topic id', async () => {
  const broker = new FakeBroker()
  await broker.topic('t')
  const full = 'persistent://public/default/t'
  const { topics } = await broker.ask(metadata, 12, { topics: named('t', full, 'public/default/t') })
  assert.deepEqual(
    topics.map((topic) => topic.name),
    ['t', full, 'public/default/t'],
  )
  assert.equal(new Set(topics.map((topic) => topic.topicId)).size, 1)
})

test('topics are found by id, and unknown ids named', async () => {
  const broker = new FakeBroker()
  const { topicId } = await broker.topic('t')
  const unknown = Buffer.alloc(16, 9).toString('base64url')
  const asked = [topicId, unknown].map((id) => ({ topicId: id, name: null }))
  const { topics } = await broker.ask(metadata, 12, { topics: asked })
  assert.deepEqual(
    topics.map((topic) => [topic.name, errorName(topic.errorCode), topic.topicId]),
    [
      ['t', 'NONE', topicId],
      [null, 'UNKNOWN_TOPIC_ID', unknown],
    ],
  )
})

test('TL-6: addresses are those of the listener that was asked', async () => {
  const broker = new FakeBroker()
  const { brokers } = await broker.ask(metadata, 1, { topics: [] })
  assert.deepEqual(
    brokers.map((each) => [each.host, each.port]),
    [['plaintext.example', 9092]],
  )
  const cluster = await broker.ask(describeCluster, 0, { includeClusterAuthorizedOperations: true })
  assert.deepEqual(
    cluster.brokers.map((each) => each.host),
    ['plaintext.example'],
  )
  assert.ok(cluster.clusterAuthorizedOperations > 0)
  const controllers = await broker.ask(describeCluster, 1, {
    includeClusterAuthorizedOperations: false,
    endpointType: 2,
  })
  assert.equal(errorName(controllers.errorCode), 'MISMATCHED_ENDPOINT_TYPE')
})

test('what may be done on a topic is told when asked for, also of one that is not there', async () => {
  const broker = new FakeBroker()
  await broker.topic('t')
  const ask = async (includeTopicAuthorizedOperations: boolean) => {
    const request = {
      topics: named('t', 'none'),
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations,
    }
    return (await broker.ask(metadata, 9, request)).topics.map((topic) => topic.topicAuthorizedOperations)
  }
  const [there, missing] = await ask(true)
  assert.ok(Number(there) > 0 && missing === there, `${there} and ${missing}`)
  assert.deepEqual(await ask(false), [-2147483648, -2147483648])
})

test('partitions are described a page at a time', async () => {
  const broker = new FakeBroker()
  await broker.topic('a', { partitions: 3 })
  await broker.topic('b', { partitions: 2 })
  const seen: string[] = []
  type Page = ResponseToRead<typeof describeTopicPartitions>
  let cursor: Page['nextCursor'] = null
  let pages = 0
  do {
    const page: Page = await broker.ask(describeTopicPartitions, 0, {
      topics: [],
      responsePartitionLimit: 2,
      cursor,
    })
    for (const topic of page.topics) {
      assert.notEqual(topic.topicId, zeroTopicId)
      assert.deepEqual(topic.partitions[0]?.eligibleLeaderReplicas, [])
      seen.push(...topic.partitions.map((partition) => `${topic.name}${partition.partitionIndex}`))
    }
    cursor = page.nextCursor
    pages++
  } while (cursor !== null)
  assert.deepEqual([seen, pages], [['a0', 'a1', 'a2', 'b0', 'b1'], 3])
})
