import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TopicInfo } from '../../topics/types.js'
import { produce } from '../messages/00-produce.js'
import { fetch } from '../messages/01-fetch.js'
import { errorName } from '../wire/errors.js'
import { magicAt } from '../wire/record-batch.js'
import type { RequestToWrite, ResponseToRead } from '../wire/schema.js'
import { batchOf, FakeBroker, FakeConnection } from './fake-broker.js'

type Asked = {
  partition?: number
  fetchOffset?: bigint
  partitionMaxBytes?: number
  currentLeaderEpoch?: number
}
type Limits = Partial<Omit<RequestToWrite<typeof fetch>, 'topics'>>

const requestOf = (topics: readonly (readonly [TopicInfo | string, Asked[]])[], limits: Limits = {}) => ({
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 1_000_000,
  ...limits,
  topics: topics.map(([topic, partitions]) => ({
    topic: typeof topic === 'string' ? topic : topic.name.local,
    topicId: typeof topic === 'string' ? topic : topic.topicId,
    partitions: partitions.map((each) => ({
      partition: 0,
      fetchOffset: 0n,
      partitionMaxBytes: 100_000,
      ...each,
    })),
  })),
})

const partitionsOf = (answer: ResponseToRead<typeof fetch>) =>
  answer.responses.flatMap((topic) => topic.partitions)
const errorsOf = (answer: ResponseToRead<typeof fetch>) =>
  partitionsOf(answer).map((each) => errorName(each.errorCode))
const sizesOf = (answer: ResponseToRead<typeof fetch>) =>
  partitionsOf(answer).map((each) => each.records?.length ?? 0)

async function append(
  broker: FakeBroker,
  topic: TopicInfo,
  value: string,
  index = 0,
  fields: { readonly codec?: number } = {},
): Promise<number> {
  const batch = await batchOf([value], fields)
  const partitionData = [{ index, records: [batch] }]
  await broker.ask(
    produce,
    9,
    { acks: 1, timeoutMs: 0, topicData: [{ name: topic.name.local, partitionData }] },
    new FakeConnection(),
  )
  return batch.length
}

/** Lets everything that can go on without time or events go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

/** Whether a promise is settled, once everything has gone on that can. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  promise.then(
    () => {
      settled = true
    },
    () => {
      settled = true
    },
  )
  await settle()
  return settled
}

test('every version reads what is there, in its own message format', async () => {
  const broker = new FakeBroker()
  const topic = await broker.topic('t')
  await append(broker, topic, 'x')
  for (let version = 0; version <= 17; version++) {
    const answer = await broker.ask(fetch, version, requestOf([[topic, [{}]]]))
    const [partition] = partitionsOf(answer)
    assert.deepEqual([partition?.errorCode, partition?.highWatermark], [0, 1n], `v${version}`)
    const expected = version >= 4 ? 2 : version >= 2 ? 1 : 0
    assert.equal(magicAt(partition?.records ?? Buffer.alloc(17), 0), expected, `v${version}`)
  }
})

test('clients before v10 are told that they cannot read zstd, and get what stands before it (KIP-110)', async () => {
  const broker = new FakeBroker()
  const topic = await broker.topic('t')
  const plainBytes = await append(broker, topic, 'x'.repeat(200))
  await append(broker, topic, 'y'.repeat(200), 0, { codec: 4 })
  for (let version = 0; version <= 17; version++) {
    const answer = await broker.ask(fetch, version, requestOf([[topic, [{ fetchOffset: 1n }]]]))
    const [partition] = partitionsOf(answer)
    const expected = version < 10 ? 'UNSUPPORTED_COMPRESSION_TYPE' : 'NONE'
    assert.equal(errorName(partition?.errorCode ?? -1), expected, `v${version}`)
    assert.equal((partition?.records?.length ?? 0) > 0, version >= 10, `v${version}`)
  }
  const before = await broker.ask(fetch, 9, requestOf([[topic, [{ fetchOffset: 0n }]]]))
  assert.deepEqual([errorsOf(before), sizesOf(before)], [['NONE'], [plainBytes]])
})

test('CO-4: at the end a fetch waits, and is answered at once when data comes', async () => {
  const broker = new FakeBroker()
  const topic = await broker.topic('t')
  const log = await broker.log(topic)
  const waiting = broker.ask(fetch, 12, requestOf([[topic, [{}]]]))
  assert.equal(await isSettled(waiting), false)
  const bytes = await append(broker, topic, 'x')
  assert.deepEqual(sizesOf(await waiting), [bytes])
  assert.equal(log.listeners, 0)
})

test('CO-4: the wait lasts for maxWaitMs and no longer, and leaves nothing behind', async () => {
  const broker = new FakeBroker()
  const topic = await broker.topic('t')
  const waiting = broker.ask(fetch, 12, requestOf([[topic, [{}]]], { maxWaitMs: 500 }))
  await settle()
  broker.clock.advance(499)
  assert.equal(await isSettled(waiting), false)
  broker.clock.advance(1)
  assert.deepEqual(errorsOf(await waiting), ['NONE'])
  assert.equal((await broker.log(topic)).listeners, 0)
})

test('CO-4: minBytes are counted over all partitions', async () => {
  const broker = new FakeBroker()
  const topic = await broker.topic('t', { partitions: 2 })
  const one = (await batchOf(['x'])).length
  const asked: Asked[] = [{ partition: 0 }, { partition: 1 }]
  const waiting = broker.ask(fetch, 12, requestOf([[topic, asked]], { minBytes: 2 * one }))
  await append(broker, topic, 'x', 0)
  assert.equal(await isSettled(waiting), false)
  await append(broker, topic, 'y', 1)
  assert.deepEqual(sizesOf(await waiting), [one, one])
})

test('a waiting fetch ends when its topic is deleted, and when its connection ends', async () => {
  const broker = new FakeBroker()
  const topic = await broker.topic('t')
  const waiting = broker.ask(fetch, 12, requestOf([[topic, [{}]]]))
  await settle()
  await broker.catalog.delete(topic.name)
  assert.deepEqual(errorsOf(await waiting), ['UNKNOWN_TOPIC_OR_PARTITION'])

  const other = await broker.topic('u')
  const connection = new FakeConnection()
  const second = broker.ask(fetch, 12, requestOf([[other, [{}]]]), connection)
  await settle()
  connection.close('gone')
  assert.deepEqual(errorsOf(await second), ['NONE'])
  assert.equal((await broker.log(other)).listeners, 0)
})

test('CO-5: the first batch is whole even beyond both limits; after it both hold', async () => {
  const broker = new FakeBroker()
  const topic = await broker.topic('t', { partitions: 2 })
  const bytes = await append(broker, topic, 'x'.repeat(500), 0)
  await append(broker, topic, 'y'.repeat(500), 0)
  await append(broker, topic, 'z'.repeat(500), 1)
  const asked = (partitionMaxBytes: number): Asked[] =>
    [0, 1].map((partition) => ({ partition, partitionMaxBytes }))
  const ask = async (partitionMaxBytes: number, maxBytes: number) =>
    sizesOf(await broker.ask(fetch, 12, requestOf([[topic, asked(partitionMaxBytes)]], { maxBytes })))
  assert.deepEqual(await ask(10, 10), [bytes, 0])
  assert.deepEqual(await ask(10_000, 2 * bytes), [2 * bytes, 0])
  assert.deepEqual(await ask(bytes, 10_000), [bytes, bytes])
  assert.deepEqual(await ask(10_000, 10_000), [2 * bytes, bytes])
})

test('ID-9: beyond the ends OFFSET_OUT_OF_RANGE, with the ends, and without waiting', async () => {
  const broker = new FakeBroker()
  const topic = await broker.topic('t')
  await append(broker, topic, 'x')
  for (const fetchOffset of [2n, -1n]) {
    const answer = await broker.ask(fetch, 12, requestOf([[topic, [{ fetchOffset }]]]))
    assert.deepEqual(errorsOf(answer), ['OFFSET_OUT_OF_RANGE'])
    assert.equal(partitionsOf(answer)[0]?.highWatermark, 1n)
  }
})

test('CO-6: outside a session every partition is answered, with its own error', async () => {
  const broker = new FakeBroker()
  const topic = await broker.topic('t')
  const asked: Asked[] = [{}, { partition: 9 }, { currentLeaderEpoch: 2 }, { currentLeaderEpoch: 4 }]
  const answer = await broker.ask(
    fetch,
    12,
    requestOf([
      [topic, asked],
      ['gone', [{}]],
    ]),
  )
  assert.deepEqual(errorsOf(answer), [
    'NONE',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'FENCED_LEADER_EPOCH',
    'UNKNOWN_LEADER_EPOCH',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ])
  assert.deepEqual(partitionsOf(answer)[2]?.currentLeader, { leaderId: 7, leaderEpoch: 3 })
  assert.equal(answer.sessionId, 0)
})

test('from v13 topics are named by id, and an unknown id is told', async () => {
  const broker = new FakeBroker()
  const topic = await broker.topic('t')
  await append(broker, topic, 'x')
  const unknown = Buffer.alloc(16, 9).toString('base64url')
  const answer = await broker.ask(
    fetch,
    13,
    requestOf([
      [topic, [{}]],
      [unknown, [{}]],
    ]),
  )
  assert.deepEqual(errorsOf(answer), ['NONE', 'UNKNOWN_TOPIC_ID'])
  assert.deepEqual(
    answer.responses.map((each) => each.topicId),
    [topic.topicId, unknown],
  )
})

test('CO-6: a session answers only what is new, forgets what it is told to, and checks its epochs', async () => {
  const broker = new FakeBroker()
  const topic = await broker.topic('t', { partitions: 2 })
  const both: Asked[] = [{ partition: 0 }, { partition: 1 }]
  const first = await broker.ask(fetch, 12, requestOf([[topic, both]], { sessionEpoch: 0, maxWaitMs: 0 }))
  assert.equal(partitionsOf(first).length, 2)
  assert.notEqual(first.sessionId, 0)
  const { sessionId } = first
  const next = (sessionEpoch: number, limits: Limits = {}) =>
    broker.ask(fetch, 12, requestOf([], { sessionId, sessionEpoch, maxWaitMs: 0, ...limits }))

  assert.deepEqual(partitionsOf(await next(1)), [])
  const bytes = await append(broker, topic, 'x', 1)
  const withData = await next(2)
  assert.deepEqual([withData.sessionId, sizesOf(withData)], [sessionId, [bytes]])
  assert.equal(partitionsOf(withData)[0]?.partitionIndex, 1)

  const skipped = await next(9)
  assert.equal(errorName(skipped.errorCode), 'INVALID_FETCH_SESSION_EPOCH')
  const forgotten = [{ topic: 't', partitions: [1] }]
  assert.deepEqual(partitionsOf(await next(3, { forgottenTopicsData: forgotten })), [])
  const closed = await next(-1)
  assert.equal(closed.sessionId, 0)
  assert.equal(errorName((await next(4)).errorCode), 'FETCH_SESSION_ID_NOT_FOUND')
})

test('an incremental fetch waits for the partitions of its session', async () => {
  const broker = new FakeBroker()
  const topic = await broker.topic('t')
  const first = await broker.ask(fetch, 12, requestOf([[topic, [{}]]], { sessionEpoch: 0, maxWaitMs: 0 }))
  const waiting = broker.ask(fetch, 12, requestOf([], { sessionId: first.sessionId, sessionEpoch: 1 }))
  assert.equal(await isSettled(waiting), false)
  const bytes = await append(broker, topic, 'x')
  assert.deepEqual(sizesOf(await waiting), [bytes])
})
