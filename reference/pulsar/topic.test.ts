import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { asPartitionIndex } from '../base/brand.js'
import { ManualClock } from '../base/clock.js'
import { StorageError } from '../storage/types.js'
import { accepted, TestTopics, topicName } from '../topics/testing.js'
import { isFailure } from './failure.js'
import { Producer } from './producer.js'
import { PulsarService } from './service.js'
import type { Subscription } from './subscriptions/subscription.js'
import { testContext } from './testing.js'
import { openTopic, type PulsarTopic } from './topic.js'
import { AccessMode } from './wire/commands.js'

const topics = new TestTopics()
const clock = new ManualClock(1_000_000)
let context: ReturnType<typeof testContext>

before(async () => {
  context = testContext(await topics.open({ clock }), clock)
})
after(() => topics.remove())

async function opened(local: string): Promise<PulsarTopic> {
  const info = accepted(await context.catalog.create(topicName(local), { partitions: 1 }))
  const topic = await openTopic(context, info, asPartitionIndex(0))
  if (isFailure(topic)) return assert.fail(topic.message)
  return topic
}

const producer = (name: string, accessMode: number = AccessMode.Shared) =>
  new Producer({
    id: 1,
    name,
    connection: { remoteAddress: '', send: () => {} },
    epoch: 0,
    nameIsUsers: true,
    accessMode,
    connectedSinceMs: 0,
    metadata: {},
  })

const nothing = () => {}
const outcomeOf = (outcome: object | string) =>
  typeof outcome === 'string' ? outcome : Object.values(outcome)[0]
const request = (subscription: string, durable = true) => ({
  subscription,
  durable,
  startMessageId: undefined,
  fromEarliest: true,
  rollbackSeconds: 0,
})

async function subscribed(topic: PulsarTopic, name: string, durable = true): Promise<Subscription> {
  const subscription = await topic.subscription(request(name, durable))
  if (isFailure(subscription)) return assert.fail(subscription.message)
  return subscription
}

/** Makes writes of metadata fail while `task` runs. */
async function whileStoreFails<T>(task: () => Promise<T>): Promise<T> {
  const { metadata } = context
  const { put } = metadata
  metadata.put = async () => {
    throw new StorageError('disk full')
  }
  try {
    return await task()
  } finally {
    metadata.put = put
  }
}

test('of two producers that come at once with one name, one is refused', async () => {
  const topic = await opened('namesakes')
  const outcomes = await Promise.all(
    ['same', 'same'].map((name) => topic.addProducer(producer(name), undefined, nothing, nothing)),
  )
  assert.deepEqual(outcomes.map(outcomeOf), ['ready', 'ProducerBusy'])
})

test('an exclusive producer does not come in beside one that has just come', async () => {
  const topic = await opened('exclusive')
  const outcomes = await Promise.all([
    topic.addProducer(producer('first'), undefined, nothing, nothing),
    topic.addProducer(producer('second', AccessMode.Exclusive), undefined, nothing, nothing),
  ])
  assert.deepEqual(outcomes.map(outcomeOf), ['ready', 'ProducerFenced'])
})

test('a producer whose epoch could not be stored does not keep others out', async () => {
  const topic = await opened('epoch')
  const exclusive = () => topic.addProducer(producer('a', AccessMode.Exclusive), undefined, nothing, nothing)
  await assert.rejects(whileStoreFails(exclusive), StorageError)
  assert.deepEqual(topic.producers, [])
  assert.equal(outcomeOf(await exclusive()), 'ready')
})

test('epochs are forgotten with their topic, and only with theirs', async () => {
  const [gone, stays] = [await opened('epoch-gone'), await opened('epoch-stays')]
  for (const topic of [gone, stays])
    await topic.addProducer(producer('a', AccessMode.Exclusive), undefined, nothing, nothing)
  await new PulsarService(context).forgetTopic(gone.info)
  const left = (await context.metadata.list('')).filter(([name]) => name.includes(gone.info.topicId))
  assert.deepEqual(left, [])
  const again = await openTopic(context, stays.info, asPartitionIndex(0))
  assert.equal(isFailure(again) ? undefined : again.epoch, 0)
})

test('fencing also sends away those that wait, so that one is exclusive in the end', async () => {
  const topic = await opened('fencing')
  const closed: string[] = []
  const admitted: string[] = []
  const add = (name: string, mode: number) =>
    topic.addProducer(
      producer(name, mode),
      undefined,
      () => closed.push(name),
      () => admitted.push(name),
    )
  assert.equal(await add('holder', AccessMode.Exclusive), 'ready')
  assert.equal(await add('waiter', AccessMode.WaitForExclusive), 'waiting')
  assert.equal(await add('fencer', AccessMode.ExclusiveWithFencing), 'ready')
  assert.deepEqual(closed.sort(), ['holder', 'waiter'])
  assert.deepEqual(admitted, [])
  assert.deepEqual(
    topic.producers.map(({ name }) => name),
    ['fencer'],
  )
})

test('who subscribes while the subscription of that name is deleted has a new one, which stays', async () => {
  const topic = await opened('deletion')
  const old = await subscribed(topic, 'name')
  const deletion = topic.deleteSubscription('name')
  const subscription = await subscribed(topic, 'name')
  await deletion
  assert.notEqual(subscription, old)
  assert.deepEqual(topic.log.ledger.cursorNames(), ['name'])
})

test('a seek that could not be stored does not keep consumers out for ever', async () => {
  const topic = await opened('seek')
  const subscription = await subscribed(topic, 'name')
  subscription.cursor.reset = () => Promise.reject(new StorageError('disk full'))
  await assert.rejects(topic.seek(subscription, topic.log.ledger.start), StorageError)
  assert.equal(await subscribed(topic, 'name'), subscription)
})

test('the end of an earlier seek’s time does not drop a reader that a later seek makes reconnect', async () => {
  const topic = await opened('reader')
  const subscription = await subscribed(topic, 'reader', false)
  await topic.seek(subscription, topic.log.ledger.start)
  clock.advance(50_000)
  await topic.seek(subscription, topic.log.ledger.start)
  clock.advance(50_000)
  assert.deepEqual(topic.subscriptions, [subscription])
  clock.advance(10_000)
  assert.deepEqual(topic.subscriptions, [])
})

test('a subscription name that no store can keep is refused', async () => {
  const topic = await opened('names')
  for (const name of ['', 'x'.repeat(601), 'a\u0000b'])
    assert.equal(outcomeOf(await topic.subscription(request(name))), 'NotAllowedError')
})
