import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ManualClock } from '../../base/clock.js'
import { testBatch } from '../../entry-format/test-kit.js'
import { accepted, openPartition, sendOf, TestTopics } from '../../topics/testing.js'
import type { PartitionLog } from '../../topics/types.js'
import type { MessageIdData } from '../wire/commands.js'
import { readHeadersAndPayload } from '../wire/entry-checksum.js'
import { SingleMessageCursor } from '../wire/single-message.js'
import { ackSetOf } from './ack-set.js'
import type { Consumer } from './consumer.js'
import { Subscription } from './subscription.js'
import { type Received, testConsumer } from './testing.js'

const topics = new TestTopics()
const clock = new ManualClock(1_000)
let made = 0
before(() => topics.open({ clock }))
after(() => topics.remove())

const silent = { debug() {}, info() {}, warn() {}, error() {} }

async function subscribed(
  entryFormat: 'pulsar' | 'kafka' = 'pulsar',
): Promise<{ log: PartitionLog; subscription: Subscription }> {
  const catalog = await topics.open({ clock, entryFormat })
  const log = await openPartition(catalog, `topic-${made++}`)
  const cursor = await log.ledger.openCursor('s', log.ledger.start.position)
  const subscription = new Subscription({ name: 's', cursor, log, clock, logger: silent, partitioned: false })
  return { log, subscription }
}

let sequence = 0
async function publish(log: PartitionLog, ...texts: string[]): Promise<void> {
  for (const text of texts) accepted(await log.appendPulsar(sendOf(text, sequence++)))
}

/** One Kafka batch of many keys. */
const publishBatch = async (log: PartitionLog, keys: readonly string[]): Promise<void> => {
  const records = keys.map((key, at) => ({
    timestampMs: 1,
    key: Buffer.from(key),
    value: Buffer.from(`${key}${at}`),
    headers: [],
  }))
  accepted(await log.appendKafka(await testBatch(records, {})))
}

function payloads({ rest, message }: Received): string[] {
  const { metadata, payloadStart } = readHeadersAndPayload(rest)
  if (metadata.messagesInBatch === undefined) return [rest.subarray(payloadStart).toString()]
  const cursor = new SingleMessageCursor(rest, payloadStart)
  const texts: string[] = []
  for (let index = 0; index < metadata.messagesInBatch; index++) {
    cursor.next()
    const word = message.ackSet?.[0]
    if (word === undefined || ((word >> BigInt(index)) & 1n) === 1n)
      texts.push(rest.subarray(cursor.payloadStart, cursor.position).toString())
  }
  return texts
}

const idOf = ({ message }: Received, extra: object = {}): MessageIdData => ({
  ...message.messageId,
  ...extra,
})
const idsOf = (received: readonly Received[]) => received.map((one) => idOf(one))

/** Gives permits and waits for so many messages. */
async function flow(
  subscription: Subscription,
  test: { consumer: Consumer; receivedAtLeast(count: number): Promise<void> },
  permits: number,
  expected: number,
): Promise<void> {
  subscription.flow(test.consumer, permits)
  await test.receivedAtLeast(expected)
}

test('permits bound what is sent, and new entries wake the consumer', async () => {
  const { log, subscription } = await subscribed()
  const one = testConsumer({ name: 'one', type: 'Exclusive' })
  subscription.add(one.consumer)
  await publish(log, 'a', 'b', 'c')
  await flow(subscription, one, 2, 2)
  assert.deepEqual(one.received.flatMap(payloads), ['a', 'b'])
  assert.equal(one.consumer.permits, 0)
  await flow(subscription, one, 5, 3)
  await publish(log, 'd')
  await one.receivedAtLeast(4)
  assert.deepEqual(one.received.flatMap(payloads), ['a', 'b', 'c', 'd'])
})

test('an exclusive subscription refuses a second consumer, and another type', async () => {
  const { subscription } = await subscribed()
  subscription.add(testConsumer({ name: 'one', type: 'Exclusive' }).consumer)
  const second = subscription.add(testConsumer({ name: 'two', type: 'Exclusive' }).consumer)
  assert.equal(second?.failed, 'ConsumerBusy')
  assert.equal(subscription.add(testConsumer({ name: 'three' }).consumer)?.failed, 'ConsumerBusy')
})

test('failover: the best priority is active; the next goes on from what was acknowledged', async () => {
  const { log, subscription } = await subscribed()
  const low = testConsumer({ name: 'low', type: 'Failover', priority: 1, permits: 10 })
  const high = testConsumer({ name: 'high', type: 'Failover', priority: 0, permits: 10 })
  subscription.add(low.consumer)
  subscription.add(high.consumer)
  assert.deepEqual(low.activity, [true, false])
  assert.deepEqual(high.activity, [true])
  await publish(log, 'a', 'b')
  await high.receivedAtLeast(2)
  await subscription.acknowledge(high.consumer, idsOf(high.received.slice(0, 1)))
  subscription.remove(high.consumer)
  await low.receivedAtLeast(1)
  assert.deepEqual(low.received.flatMap(payloads), ['b'])
})

test('shared: in turn; what a closed consumer held goes to the others, counted', async () => {
  const { log, subscription } = await subscribed()
  const [a, b] = [testConsumer({ name: 'a', permits: 10 }), testConsumer({ name: 'b', permits: 10 })]
  subscription.add(a.consumer)
  subscription.add(b.consumer)
  await publish(log, '1', '2', '3', '4')
  await Promise.all([a.receivedAtLeast(2), b.receivedAtLeast(2)])
  await subscription.acknowledge(b.consumer, idsOf(b.received.slice(0, 1)))
  const held = b.received.slice(1).flatMap(payloads)
  subscription.remove(b.consumer)
  await a.receivedAtLeast(3)
  assert.deepEqual(payloads(a.received[2] as Received), held)
  assert.equal(a.received[2]?.message.redeliveryCount, 1)
  assert.equal(a.consumer.unackedMessages, 3)
})

test('shared: a negative acknowledgement brings one entry back', async () => {
  const { log, subscription } = await subscribed()
  const a = testConsumer({ name: 'a', permits: 10 })
  subscription.add(a.consumer)
  await publish(log, '1', '2')
  await a.receivedAtLeast(2)
  subscription.redeliver(a.consumer, [idOf(a.received[0] as Received)])
  await a.receivedAtLeast(3)
  assert.deepEqual(a.received.flatMap(payloads), ['1', '2', '1'])
  await subscription.acknowledge(a.consumer, idsOf(a.received))
  assert.equal(a.consumer.unackedMessages, 0)
  assert.equal(subscription.cursor.backlogEntries(), 0)
})

test('shared: cumulative acknowledgement is refused', async () => {
  const { log, subscription } = await subscribed()
  const a = testConsumer({ name: 'a', permits: 10 })
  subscription.add(a.consumer)
  await publish(log, '1')
  await a.receivedAtLeast(1)
  const refused = await subscription.acknowledgeUpTo(idOf(a.received[0] as Received))
  assert.equal(refused?.failed, 'NotAllowedError')
})

test('a batch acknowledged in part comes back with the rest alone to be seen', async () => {
  const { log, subscription } = await subscribed()
  const a = testConsumer({ name: 'a', permits: 10 })
  subscription.add(a.consumer)
  await publishBatch(log, ['k', 'k', 'k', 'k'])
  await a.receivedAtLeast(1)
  const ackSet = ackSetOf(4, new Set([0, 2]))
  await subscription.acknowledge(a.consumer, [idOf(a.received[0] as Received, { ackSet, batchSize: 4 })])
  assert.equal(a.consumer.unackedMessages, 2)
  subscription.redeliver(a.consumer, [])
  await a.receivedAtLeast(2)
  assert.deepEqual(payloads(a.received[1] as Received), ['k1', 'k3'])
  assert.equal(a.consumer.permits, 10 - 4 - 2)
})

test('delayed messages wait for their time and hold nothing up', async () => {
  const { log, subscription } = await subscribed()
  const a = testConsumer({ name: 'a', permits: 10 })
  subscription.add(a.consumer)
  accepted(await log.appendPulsar(sendOf('later', sequence++, { deliverAtTime: clock.nowMs() + 500 })))
  await publish(log, 'now')
  await a.receivedAtLeast(1)
  assert.deepEqual(a.received.flatMap(payloads), ['now'])
  clock.advance(500)
  await a.receivedAtLeast(2)
  assert.deepEqual(a.received.flatMap(payloads), ['now', 'later'])
})

for (const format of ['pulsar', 'kafka'] as const)
  test(`key_shared: a batch of many keys is parted, stored as ${format}; each key stays at one consumer, in order`, async () => {
    const { log, subscription } = await subscribed(format)
    const members = ['a', 'b', 'c'].map((name) => testConsumer({ name, type: 'Key_Shared', permits: 1_000 }))
    for (const { consumer } of members) subscription.add(consumer)
    const keys = Array.from({ length: 60 }, (_, at) => `key-${at % 20}-`)
    await publishBatch(log, keys)
    await publishBatch(log, keys)
    await Promise.all(members.map((member) => member.receivedAtLeast(2)))
    const seen = members.map(({ received }) => received.flatMap(payloads))
    const all = seen.flat()
    assert.equal(all.length, 120)
    for (const texts of seen) assert.ok(texts.length > 0)
    for (let key = 0; key < 20; key++) {
      const holders = seen.filter((texts) => texts.some((text) => text.startsWith(`key-${key}-`)))
      assert.equal(holders.length, 1)
      const numbers = (holders[0] ?? [])
        .filter((text) => text.startsWith(`key-${key}-`))
        .map((text) => Number(text.split('-')[2]))
      assert.deepEqual(numbers, [key, key + 20, key + 40, key, key + 20, key + 40])
    }
    for (const { consumer, received } of members) await subscription.acknowledge(consumer, idsOf(received))
    assert.equal(subscription.cursor.backlogEntries(), 0)
  })

/** Two consumers, each with its part of one batch of thirty keys. */
async function sharedByKey() {
  const { log, subscription } = await subscribed()
  const members = ['a', 'b'].map((name) => testConsumer({ name, type: 'Key_Shared', permits: 1_000 }))
  for (const { consumer } of members) subscription.add(consumer)
  await publishBatch(
    log,
    Array.from({ length: 30 }, (_, at) => `key-${at}-`),
  )
  await Promise.all(members.map((member) => member.receivedAtLeast(1)))
  const [a, b] = members
  assert.ok(a !== undefined && b !== undefined)
  return { subscription, a, b }
}

test('key_shared: part of a part is acknowledged by the client’s own batch indexes', async () => {
  const { subscription, a, b } = await sharedByKey()
  const given = payloads(a.received[0] as Received)
  const ackSet = ackSetOf(given.length, new Set([0]))
  await subscription.acknowledge(a.consumer, [
    idOf(a.received[0] as Received, { ackSet, batchSize: given.length }),
  ])
  await subscription.acknowledge(b.consumer, idsOf(b.received))
  subscription.redeliver(a.consumer, [])
  await a.receivedAtLeast(2)
  assert.deepEqual(payloads(a.received[1] as Received), given.slice(1))
})

test('key_shared: a late acknowledgement of a part given back leaves the others’ part as it is', async () => {
  const { subscription, a, b } = await sharedByKey()
  a.consumer.permits = 0
  subscription.redeliver(a.consumer, [])
  await subscription.acknowledge(a.consumer, idsOf(a.received))
  await subscription.acknowledge(
    a.consumer,
    a.received.map((each) => idOf(each, { ackSet: [], batchSize: payloads(each).length })),
  )
  assert.equal(subscription.cursor.backlogEntries(), 1)
  await subscription.acknowledge(b.consumer, idsOf(b.received))
  subscription.flow(a.consumer, 1_000)
  await a.receivedAtLeast(2)
  assert.deepEqual(payloads(a.received[1] as Received), payloads(a.received[0] as Received))
  await subscription.acknowledge(a.consumer, idsOf(a.received.slice(1)))
  assert.equal(subscription.cursor.backlogEntries(), 0)
})

test('key_shared: a batch that cannot be read goes to one consumer, and holds up nothing', async () => {
  const { log, subscription } = await subscribed()
  const member = testConsumer({ name: 'a', type: 'Key_Shared', permits: 1_000 })
  const damaged = sendOf('no batch', sequence++, { numMessagesInBatch: 3 })
  accepted(await log.appendPulsar({ ...damaged, messageCount: 3 }))
  await publish(log, 'after')
  subscription.add(member.consumer)
  subscription.flow(member.consumer, 1)
  await member.receivedAtLeast(2)
  assert.deepEqual(member.received.slice(1).flatMap(payloads), ['after'])
  await subscription.acknowledge(member.consumer, idsOf(member.received))
  assert.equal(subscription.cursor.backlogEntries(), 0)
})

test('key_shared: a key moves to a newcomer only when its messages are acknowledged', async () => {
  const { log, subscription } = await subscribed()
  const first = testConsumer({ name: 'first', type: 'Key_Shared', permits: 1_000 })
  subscription.add(first.consumer)
  const keys = Array.from({ length: 20 }, (_, at) => `key-${at}-`)
  await publishBatch(log, keys)
  await first.receivedAtLeast(1)
  const second = testConsumer({ name: 'second', type: 'Key_Shared', permits: 1_000 })
  subscription.add(second.consumer)
  await publishBatch(log, keys)
  await first.receivedAtLeast(2)
  assert.equal(second.received.length, 0)
  await subscription.acknowledge(first.consumer, idsOf(first.received.slice(0, 1)))
  await second.receivedAtLeast(1)
  const total = [...first.received.slice(1), ...second.received].flatMap(payloads)
  assert.equal(new Set(total).size, 20)
})

test('a chunked message stays at one shared consumer', async () => {
  const { log, subscription } = await subscribed()
  const members = ['a', 'b'].map((name) => testConsumer({ name, permits: 100 }))
  for (const { consumer } of members) subscription.add(consumer)
  const chunk = (chunkId: number) => ({ uuid: 'u', chunkId, numChunksFromMsg: 3, totalChunkMsgSize: 3 })
  const chunkSequence = sequence++
  for (const chunkId of [0, 1, 2])
    accepted(await log.appendPulsar(sendOf(`piece-${chunkId}`, chunkSequence, chunk(chunkId))))
  await publish(log, 'x')
  await Promise.race([
    Promise.all(members.map((member) => member.receivedAtLeast(1))),
    Promise.all([members[0]?.receivedAtLeast(4)]),
  ])
  const holders = members.filter(({ received }) => received.flatMap(payloads).includes('piece-0'))
  assert.equal(holders.length, 1)
  assert.deepEqual(
    holders[0]?.received.flatMap(payloads).filter((text) => text.startsWith('piece')),
    ['piece-0', 'piece-1', 'piece-2'],
  )
})
