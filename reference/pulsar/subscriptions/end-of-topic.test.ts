import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { systemClock } from '../../base/clock.js'
import { accepted, openPartition, sendOf, TestTopics } from '../../topics/testing.js'
import { Consumer } from './consumer.js'
import { Subscription } from './subscription.js'

const scene = new TestTopics()
after(() => scene.remove())

test('consumers of a terminated topic are told once, when they have acknowledged its last message', async () => {
  const log = await openPartition(await scene.open(), 'ended')
  const stored = accepted(await log.appendPulsar(sendOf('m0', 0)))
  const cursor = await log.ledger.openCursor('s', log.ledger.start.position)
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const subscription = new Subscription({
    name: 's',
    cursor,
    log,
    clock: systemClock,
    logger,
    partitioned: true,
  })
  const sent: string[] = []
  const consumer = new Consumer({
    id: 7,
    name: 'c',
    type: 'Shared',
    connection: {
      remoteAddress: 'test',
      readsBrokerEntryMetadata: false,
      isWritable: () => true,
      send: (name) => sent.push(name),
      sendMessage: () => undefined,
    },
    priority: 0,
    sticky: undefined,
    partition: 0,
    connectedSinceMs: 0,
    epoch: undefined,
    metadata: {},
  })
  assert.equal(subscription.add(consumer), undefined)
  await log.terminate()
  subscription.flow(consumer, 10)
  const { ledgerId, entryId } = stored.position
  assert.deepEqual(sent, [])
  await subscription.acknowledge(consumer, [{ ledgerId, entryId }])
  subscription.flow(consumer, 10)
  assert.deepEqual(sent, ['REACHED_END_OF_TOPIC'])
  subscription.close()
})
