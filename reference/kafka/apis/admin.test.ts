import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refuse } from '../../topics/types.js'
import { produce } from '../messages/00-produce.js'
import { listOffsets } from '../messages/02-list-offsets.js'
import { createTopics } from '../messages/19-create-topics.js'
import { deleteTopics } from '../messages/20-delete-topics.js'
import { deleteRecords } from '../messages/21-delete-records.js'
import { initProducerId } from '../messages/22-init-producer-id.js'
import { offsetForLeaderEpoch } from '../messages/23-offset-for-leader-epoch.js'
import { createPartitions } from '../messages/37-create-partitions.js'
import { errorName } from '../wire/errors.js'
import type { RequestToWrite } from '../wire/schema.js'
import { batchOf, FakeBroker } from './fake-broker.js'
import { StoredProducerIds } from './producer-ids.js'

type NewTopic = RequestToWrite<typeof createTopics>['topics'][number]
const newTopic = (name: string, part: Partial<NewTopic> = {}): NewTopic => ({
  name,
  numPartitions: 3,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...part,
})
const names = (answers: readonly { readonly errorCode: number }[]) =>
  answers.map((each) => errorName(each.errorCode))

async function create(broker: FakeBroker, topics: NewTopic[], version = 7, validateOnly = false) {
  return (await broker.ask(createTopics, version, { topics, timeoutMs: 1000, validateOnly })).topics
}

async function fill(broker: FakeBroker, topic: string, timestampsMs: readonly number[]): Promise<void> {
  for (const timestampMs of timestampsMs) {
    const records = [await batchOf(['x', 'y'], {}, timestampMs)]
    const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
    await broker.ask(produce, 9, { acks: 1, timeoutMs: 0, topicData })
  }
}

test('topics are created in every version, with configs and id told where the version can', async () => {
  for (let version = 0; version <= 7; version++) {
    const broker = new FakeBroker()
    const configs = [{ name: 'retention.ms', value: '1000' }]
    const [answer] = await create(broker, [newTopic('t', { configs })], version)
    assert.equal(answer?.errorCode, 0)
    const [topic] = broker.catalog.topics.values()
    assert.deepEqual([topic?.partitions, topic?.configs], [3, { 'retention.ms': '1000' }])
    if (version >= 5) {
      const retention = answer?.configs?.find((config) => config.name === 'retention.ms')
      assert.deepEqual([answer?.numPartitions, retention?.value, retention?.configSource], [3, '1000', 1])
    }
    if (version === 7) assert.equal(answer?.topicId, topic?.topicId)
  }
})

test('each wrong topic is refused by its own error, and none of them made', async () => {
  const broker = new FakeBroker()
  await broker.topic('present')
  const set = (name: string, value: string | null) => ({ configs: [{ name, value }] })
  const assigned = (...assignments: NewTopic['assignments']) => ({
    numPartitions: -1,
    replicationFactor: -1,
    assignments,
  })
  const cases: readonly (readonly [NewTopic, string])[] = [
    [newTopic('present'), 'TOPIC_ALREADY_EXISTS'],
    [newTopic('a b'), 'INVALID_TOPIC_EXCEPTION'],
    [newTopic('t', { numPartitions: 0 }), 'INVALID_PARTITIONS'],
    [newTopic('t', { numPartitions: -2 }), 'INVALID_PARTITIONS'],
    [newTopic('t', { replicationFactor: 2 }), 'INVALID_REPLICATION_FACTOR'],
    [newTopic('t', { replicationFactor: 0 }), 'INVALID_REPLICATION_FACTOR'],
    [newTopic('t', set('no.such.config', '1')), 'INVALID_CONFIG'],
    [newTopic('t', set('retention.ms', 'soon')), 'INVALID_CONFIG'],
    [newTopic('t', set('retention.ms', null)), 'INVALID_CONFIG'],
    [newTopic('t', set('cleanup.policy', 'burn')), 'INVALID_CONFIG'],
    [newTopic('t', { assignments: [{ partitionIndex: 0, brokerIds: [7] }] }), 'INVALID_REQUEST'],
    [newTopic('t', assigned({ partitionIndex: 1, brokerIds: [7] })), 'INVALID_REPLICA_ASSIGNMENT'],
    [newTopic('t', assigned({ partitionIndex: 0, brokerIds: [8] })), 'INVALID_REPLICA_ASSIGNMENT'],
  ]
  for (const [topic, expected] of cases) assert.deepEqual(names(await create(broker, [topic])), [expected])
  assert.deepEqual(names(await create(broker, [newTopic('twice'), newTopic('twice')])), ['INVALID_REQUEST'])
  assert.equal(broker.catalog.topics.size, 1)
})

test('−1 stands for the defaults, also before v4; checking only makes nothing; an assignment counts', async () => {
  const broker = new FakeBroker()
  const defaults = newTopic('t', { numPartitions: -1, replicationFactor: -1 })
  assert.deepEqual(names(await create(broker, [{ ...defaults, name: 'old' }], 3)), ['NONE'])
  const [checked] = await create(broker, [defaults], 7, true)
  assert.deepEqual([checked?.errorCode, checked?.numPartitions, broker.catalog.topics.size], [0, 2, 1])
  const assignments = [1, 0].map((partitionIndex) => ({ partitionIndex, brokerIds: [7] }))
  const [assigned] = await create(broker, [{ ...defaults, assignments }])
  assert.deepEqual([assigned?.errorCode, assigned?.numPartitions], [0, 2])
})

test('topics are deleted by name and by id, with their commits', async () => {
  const broker = new FakeBroker()
  const byId = await broker.topic('id')
  await broker.topic('name')
  await broker.topic('__system', { internal: true })
  await broker.coordinator.commit(
    'public/default/g',
    { memberId: '', groupInstanceId: null, generationId: -1 },
    [
      {
        topic: 'persistent://public/default/id',
        topicId: byId.topicId,
        partition: 0,
        offset: 1n,
        leaderEpoch: -1,
        metadata: '',
        commitTimestampMs: 0,
      },
    ],
  )
  const unknown = Buffer.alloc(16, 9).toString('base64url')
  const old = await broker.ask(deleteTopics, 5, { topicNames: ['name', 'gone'], timeoutMs: 0 })
  assert.deepEqual(names(old.responses), ['NONE', 'UNKNOWN_TOPIC_OR_PARTITION'])
  const topics = [
    { topicId: byId.topicId },
    { topicId: unknown },
    { name: '__system', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' },
    { name: 'x', topicId: unknown },
  ]
  const { responses } = await broker.ask(deleteTopics, 6, { topics, timeoutMs: 0 })
  assert.deepEqual(names(responses), ['NONE', 'UNKNOWN_TOPIC_ID', 'INVALID_REQUEST', 'INVALID_REQUEST'])
  assert.equal(responses[0]?.name, 'id')
  assert.deepEqual([...broker.catalog.topics.keys()], ['persistent://public/default/__system'])
  assert.deepEqual(await broker.coordinator.allCommitted('g'), [])
})

test('MT-9: partitions are added and never taken', async () => {
  const broker = new FakeBroker()
  await broker.topic('t', { partitions: 2 })
  const raise = async (count: number, validateOnly = false, name = 't') => {
    const topics = [{ name, count, assignments: null }]
    return names((await broker.ask(createPartitions, 3, { topics, timeoutMs: 0, validateOnly })).results)[0]
  }
  assert.equal(await raise(2), 'INVALID_PARTITIONS')
  assert.equal(await raise(1), 'INVALID_PARTITIONS')
  assert.equal(await raise(4, false, 'gone'), 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.equal(await raise(4, true), 'NONE')
  assert.equal([...broker.catalog.topics.values()][0]?.partitions, 2)
  assert.equal(await raise(4), 'NONE')
  assert.equal([...broker.catalog.topics.values()][0]?.partitions, 4)
})

test('records are deleted up to an offset, −1 up to the end', async () => {
  const broker = new FakeBroker()
  await broker.topic('t')
  await fill(broker, 't', [1, 2, 3])
  const remove = async (offset: bigint) => {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, offset }] }]
    const answer = await broker.ask(deleteRecords, 2, { topics, timeoutMs: 0 })
    const [partition] = answer.topics[0]?.partitions ?? []
    return [errorName(partition?.errorCode ?? -1), partition?.lowWatermark]
  }
  assert.deepEqual(await remove(2n), ['NONE', 2n])
  assert.deepEqual(await remove(7n), ['OFFSET_OUT_OF_RANGE', -1n])
  assert.deepEqual(await remove(-1n), ['NONE', 6n])
})

test('ID-8: look-up by time gives the first at or after it, with its own time, or −1 without error', async () => {
  const broker = new FakeBroker()
  await broker.topic('t')
  await fill(broker, 't', [100, 300, 200])
  const look = async (timestamp: bigint, version = 9) => {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, timestamp, currentLeaderEpoch: -1 }] }]
    const answer = await broker.ask(listOffsets, version, { replicaId: -1, topics })
    const [found] = answer.topics[0]?.partitions ?? []
    return [errorName(found?.errorCode ?? -1), found?.offset, found?.timestamp]
  }
  assert.deepEqual(await look(-1n), ['NONE', 6n, -1n])
  assert.deepEqual(await look(-2n), ['NONE', 0n, -1n])
  assert.deepEqual(await look(150n), ['NONE', 2n, 300n])
  assert.deepEqual(await look(301n), ['NONE', -1n, -1n])
  assert.deepEqual(await look(-3n), ['NONE', 2n, 300n])
  assert.deepEqual(await look(-3n, 6), ['UNSUPPORTED_VERSION', -1n, -1n])
  assert.deepEqual(await look(-5n), ['NONE', -1n, -1n])
})

test('v0 of ListOffsets answers a list, no longer than asked', async () => {
  const broker = new FakeBroker()
  await broker.topic('t')
  await fill(broker, 't', [100])
  const look = async (timestamp: bigint, maxNumOffsets: number) => {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, timestamp, maxNumOffsets }] }]
    return (await broker.ask(listOffsets, 0, { replicaId: -1, topics })).topics[0]?.partitions[0]
      ?.oldStyleOffsets
  }
  assert.deepEqual(await look(-1n, 1), [2n])
  assert.deepEqual(await look(-1n, 5), [2n, 0n])
  assert.deepEqual(await look(-2n, 1), [0n])
  assert.deepEqual(await look(-1n, 0), [])
})

test('KIP-320: epochs are checked, and an old one ends where the log does', async () => {
  const broker = new FakeBroker()
  await broker.topic('t')
  await fill(broker, 't', [1])
  const ask = async (leaderEpoch: number, currentLeaderEpoch = -1) => {
    const topics = [{ topic: 't', partitions: [{ partition: 0, currentLeaderEpoch, leaderEpoch }] }]
    const [found] = (await broker.ask(offsetForLeaderEpoch, 4, { topics })).topics[0]?.partitions ?? []
    return [errorName(found?.errorCode ?? -1), found?.leaderEpoch, found?.endOffset]
  }
  assert.deepEqual(await ask(3), ['NONE', 3, 2n])
  assert.deepEqual(await ask(1), ['NONE', 1, 2n])
  assert.deepEqual(await ask(4), ['NONE', -1, -1n])
  assert.deepEqual(await ask(3, 2), ['FENCED_LEADER_EPOCH', -1, -1n])
  assert.deepEqual(await ask(3, 4), ['UNKNOWN_LEADER_EPOCH', -1, -1n])
})

test('producer ids are never given out twice, also after a restart', async () => {
  const broker = new FakeBroker()
  const init = (transactionalId: string | null) =>
    broker.ask(initProducerId, 4, { transactionalId, transactionTimeoutMs: 0 })
  const ids = await Promise.all([init(null), init(null), init(null)])
  assert.deepEqual(
    ids.map((each) => [each.producerId, each.producerEpoch]),
    [
      [0n, 0],
      [1n, 0],
      [2n, 0],
    ],
  )
  assert.equal(await new StoredProducerIds(broker.metadata).next(), 1000n)
  assert.equal(errorName((await init('tx')).errorCode), 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  assert.equal(errorName((await init('')).errorCode), 'INVALID_REQUEST')
})

test('a failed reservation of producer ids is told, and the next call tries again', async () => {
  const broker = new FakeBroker()
  broker.metadata.failure = new Error('disk full')
  const init = () => broker.ask(initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 0 })
  assert.equal((await init()).errorCode, -1)
  broker.metadata.failure = null
  assert.deepEqual([(await init()).producerId, broker.errors.length], [0n, 1])
})

test('validateOnly finds what only the catalog knows: a namespace that is not there', async () => {
  const broker = new FakeBroker()
  const refusal = refuse('INVALID_TOPIC_EXCEPTION', 'There is no namespace other/none; create it first.')
  Object.assign(broker.catalog, { refusalToCreate: () => refusal })
  const [answer] = await create(broker, [newTopic('other/none/t')], 7, true)
  assert.equal(errorName(answer?.errorCode ?? 0), 'INVALID_TOPIC_EXCEPTION')
})
