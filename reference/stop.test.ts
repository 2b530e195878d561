import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { joinGroup } from './kafka/messages/11-join-group.js'
import { BrokerProcess, scratchFolder } from './testing.js'

const folder = scratchFolder()
after(() => {
  BrokerProcess.killAll()
  folder.remove()
})

/** @returns what the process ended with, and after how long; kills it when it does not end by itself. */
async function stopped(broker: BrokerProcess): Promise<{ code: number | null; afterMs: number }> {
  const startedMs = performance.now()
  const giveUp = setTimeout(() => broker.stop('SIGKILL'), 10_000)
  const code = await broker.stop('SIGTERM')
  clearTimeout(giveUp)
  return { code, afterMs: performance.now() - startedMs }
}

test('a member that waits for others is answered, and does not hold up the end', async () => {
  const flags = { 'data-directory': `${folder.path}/join`, 'group-initial-rebalance-delay-ms': '60000' }
  const broker = await BrokerProcess.start({ flags })
  const client = await broker.kafka()
  const joining = client.call(joinGroup, 3, {
    groupId: 'group',
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 60_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(4) }],
  })
  // The broker has taken it up when it answers another connection's request sent later.
  await (await broker.kafka()).createTopic('later')
  const { code, afterMs } = await stopped(broker)
  assert.equal(code, 0)
  assert.ok(afterMs < 1_000, `it took ${afterMs} ms`)
  assert.equal((await joining).errorCode, 15)
})

test('a Pulsar consumer that does not read what it asked for holds up the end for a bounded time', async () => {
  const broker = await BrokerProcess.start({ flags: { 'data-directory': `${folder.path}/slow` } })
  const kafka = await broker.kafka()
  await kafka.createTopic('large')
  // More than the buffers of both ends of a socket hold.
  for (let count = 0; count < 16; count++) await kafka.produce('large', [Buffer.alloc(1_000_000, count)])
  const pulsar = await broker.pulsar()
  pulsar.send('SUBSCRIBE', {
    topic: 'persistent://public/default/large-partition-0',
    subscription: 'slow',
    subType: 0,
    consumerId: 1,
    requestId: 1n,
    initialPosition: 1,
  })
  assert.equal((await pulsar.next()).name, 'SUCCESS')
  pulsar.send('FLOW', { consumerId: 1, messagePermits: 1000 })
  await once(pulsar.socket, 'data')
  pulsar.socket.pause()
  // Whatever was sent before this answer stands in buffers now.
  await kafka.produce('large', [Buffer.from('after')])
  const { code, afterMs } = await stopped(broker)
  assert.equal(code, 0)
  assert.ok(afterMs < 2_000, `it took ${afterMs} ms`)
})
