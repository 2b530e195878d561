import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ManualClock } from '../../base/clock.js'
import { metadata } from '../../kafka/messages/03-metadata.js'
import { offsetCommit } from '../../kafka/messages/08-offset-commit.js'
import { offsetFetch } from '../../kafka/messages/09-offset-fetch.js'
import { findCoordinator } from '../../kafka/messages/10-find-coordinator.js'
import { errorName } from '../../kafka/wire/errors.js'
import { ServerError } from '../../pulsar/wire/commands.js'
import { BrokerProcess, type KafkaClient, scratchFolder } from '../../testing.js'
import { GroupCoordinator } from '../coordinator.js'
import { CoordinatorLoading, LoadingCoordinator } from '../loading.js'
import { MemoryGroupStore } from '../testing.js'
import { decodeKey } from './record-format.js'

const folder = scratchFolder()
after(() => {
  BrokerProcess.killAll()
  folder.remove()
})
const launch = (name: string, flags: Readonly<Record<string, string>> = {}) =>
  BrokerProcess.start({
    flags: { 'data-directory': `${folder.path}/${name}`, 'log-level': 'warn', ...flags },
  })

async function commit(client: KafkaClient, groupId: string, offset: number, committedMetadata = '') {
  const partitions = [{ partitionIndex: 0, committedOffset: BigInt(offset), committedMetadata }]
  const answer = await client.call(offsetCommit, 7, {
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [{ name: 't', partitions }],
  })
  return errorName(answer.topics[0]?.partitions[0]?.errorCode ?? -1)
}

async function committed(client: KafkaClient, groupId: string): Promise<bigint | undefined> {
  const { groups } = await client.call(offsetFetch, 8, {
    groups: [{ groupId, topics: [{ name: 't', partitionIndexes: [0] }] }],
    requireStable: true,
  })
  return groups[0]?.topics[0]?.partitions[0]?.committedOffset
}

test('GC-3: commits that were acknowledged before a kill are all there afterwards', async () => {
  const broker = await launch('killed')
  const setUp = await broker.kafka()
  await setUp.createTopic('t')
  const acknowledged = new Map<string, number>()
  const client = async (groupId: string) => {
    const connection = await broker.kafka()
    for (let offset = 1; broker.isAlive; offset++) {
      if ((await commit(connection, groupId, offset)) === 'NONE') acknowledged.set(groupId, offset)
      if (offset === 50 && groupId === 'group-0') await broker.stop('SIGKILL')
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: 8 }, (_, at) => client(`group-${at}`)))
  assert.ok(
    ended.some(({ status }) => status === 'rejected'),
    'the kill came in the middle',
  )
  const again = await launch('killed')
  const reader = await again.kafka()
  for (const [groupId, offset] of acknowledged) {
    const found = (await committed(reader, groupId)) ?? -1n
    // One more may have been under way.
    assert.ok(found === BigInt(offset) || found === BigInt(offset + 1), `${groupId}: ${found} for ${offset}`)
  }
  assert.equal(acknowledged.size, 8)
  assert.equal(await again.stop(), 0)
})

test('GC-4, MT-11: clients of both kinds may read the offsets topic, and not write to it', async () => {
  const broker = await launch('read', {
    'offsets-topic-num-partitions': '1',
    'offset-metadata-max-size': '3',
  })
  const client = await broker.kafka()
  await client.createTopic('t')
  assert.equal(await commit(client, 'g', 7, 'abc'), 'NONE')
  assert.equal(await commit(client, 'g', 8, 'abcd'), 'OFFSET_METADATA_TOO_LARGE')
  const name = 'persistent://public/kafka/__offsets'
  const { topics } = await client.call(metadata, 5, { topics: [{ name }], allowAutoTopicCreation: false })
  assert.deepEqual([topics[0]?.isInternal, topics[0]?.partitions.length], [true, 1])
  assert.equal((await client.readAll(name)).length, 1)
  const { errorCode } = await client.produce(name, [Buffer.from('x')])
  assert.equal(errorName(errorCode), 'INVALID_TOPIC_EXCEPTION')

  const pulsar = await broker.pulsar()
  const topic = `${name}-partition-0`
  pulsar.send('PRODUCER', { topic, producerId: 1, requestId: 1n })
  assert.equal((await pulsar.expect('ERROR')).error, ServerError.NotAllowedError)
  pulsar.send('SUBSCRIBE', {
    topic,
    subscription: 'reader',
    subType: 0,
    consumerId: 1,
    requestId: 2n,
    durable: false,
    startMessageId: { ledgerId: 0, entryId: 0 },
  })
  await pulsar.expect('SUCCESS')
  pulsar.send('FLOW', { consumerId: 1, messagePermits: 10 })
  const message = await pulsar.message()
  const key = Buffer.concat([Buffer.from([0, 1, 0, 16]), Buffer.from('public/default/g')])
  assert.ok(message.includes(key), 'the record’s key, as Kafka has it')
  const whole = message.subarray(
    message.indexOf(key),
    message.indexOf(key) + key.length + 2 + 'persistent://public/default/t'.length + 4,
  )
  assert.deepEqual(decodeKey(whole), {
    type: 'offset',
    group: 'public/default/g',
    topic: 'persistent://public/default/t',
    partition: 0,
  })
  assert.equal(await broker.stop(), 0)
})

test('GC-5: the coordinator is who leads the group’s partition of the offsets topic', async () => {
  const broker = await launch('coordinator')
  const client = await broker.kafka()
  const { coordinators } = await client.call(findCoordinator, 4, {
    keyType: 0,
    coordinatorKeys: ['a', 'b', ''],
  })
  const { topics, brokers } = await client.call(metadata, 5, {
    topics: [{ name: 'public/kafka/__offsets' }],
    allowAutoTopicCreation: false,
  })
  const leader = brokers.find(({ nodeId }) => nodeId === topics[0]?.partitions[0]?.leaderId)
  for (const { nodeId, host, port, errorCode } of coordinators.slice(0, 2))
    assert.deepEqual([errorCode, nodeId, host, port], [0, leader?.nodeId, leader?.host, leader?.port])
  assert.equal(errorName(coordinators[2]?.errorCode ?? 0), 'INVALID_GROUP_ID')
  assert.equal(await broker.stop(), 0)
})

test('offsetsTopicName names the topic, in full or in the metadata namespace', async () => {
  for (const [flags, expected] of [
    [{ 'offsets-topic-name': 'persistent://public/default/mine' }, 'mine'],
    [
      { 'kafka-metadata-namespace': '__kafka', 'offsets-topic-name': '__consumer_offsets' },
      'public/__kafka/__consumer_offsets',
    ],
  ] as const) {
    const broker = await launch(`named-${expected.length}`, flags)
    const client = await broker.kafka()
    const { topics } = await client.call(metadata, 5, {
      topics: [{ name: expected }],
      allowAutoTopicCreation: false,
    })
    assert.deepEqual([topics[0]?.errorCode, topics[0]?.isInternal], [0, true])
    assert.equal(await broker.stop(), 0)
  }
  const refused = await BrokerProcess.launch({
    flags: { 'data-directory': `${folder.path}/bad`, 'offsets-topic-name': 'no good' },
  })
  assert.ok(!(refused instanceof BrokerProcess) && refused.stderr.includes('offsetsTopicName=no good'))
})

test('until groups are loaded, whatever is asked of the coordinator fails by that name; a load that fails is repeated', async () => {
  const clock = new ManualClock()
  const store = new MemoryGroupStore()
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  let finish = (_error?: Error) => {}
  const load = () =>
    new Promise<GroupCoordinator>((resolve, reject) => {
      finish = (error) =>
        error === undefined ? resolve(new GroupCoordinator({ clock, store })) : reject(error)
    })
  const loading = new LoadingCoordinator(load, { clock, log })
  assert.throws(() => loading.coordinator.describe('public/default/g'), CoordinatorLoading)
  finish(new Error('disk'))
  await new Promise((resolve) => setImmediate(resolve))
  clock.advance(1_000)
  await new Promise((resolve) => setImmediate(resolve))
  assert.throws(() => loading.coordinator.allCommitted('public/default/g'), CoordinatorLoading)
  finish()
  await loading.loaded
  assert.equal((await loading.coordinator.describe('public/default/g')).phase, 'Dead')
  loading.close()
})
