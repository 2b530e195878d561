import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Broker, startBroker } from './broker.js'
import { parseConfig } from './config.js'
import { framePulsar } from './entry-format/test-kit.js'
import { errorCode } from './kafka/wire/errors.js'
import { ServerError } from './pulsar/wire/commands.js'
import { BrokerProcess, KafkaClient, PulsarClient, scratchFolder } from './testing.js'

const folder = scratchFolder()
after(() => {
  BrokerProcess.killAll()
  folder.remove()
})

const storageError = errorCode('KAFKA_STORAGE_ERROR')
/** What any file of a store may have in these tests, in blocks of 512 bytes: a new one needs about half of it. */
const fileBlocksMax = 800

const valueAt = (index: number, bytes: number) => Buffer.alloc(bytes, `${index}.`)

/**
 * Produces batches until the store refuses one, some more than once.
 * @returns the values that were acknowledged, in order.
 */
async function produceUntilFull(
  client: KafkaClient,
  topic: string,
  bytes: number,
): Promise<readonly Buffer[]> {
  const acknowledged: Buffer[] = []
  let refusals = 0
  for (let batch = 0; refusals < 3; batch++) {
    assert.ok(batch < 10_000, 'the store never fills')
    const values = Array.from({ length: 4 }, (_, at) => valueAt(batch * 4 + at, bytes))
    const { errorCode: code, baseOffset } = await client.produce(topic, values)
    if (code === 0) {
      assert.equal(baseOffset, BigInt(acknowledged.length), 'an acknowledged batch follows the one before')
      acknowledged.push(...values)
    } else {
      assert.equal(code, storageError)
      refusals++
    }
  }
  return acknowledged
}

for (const [how, bytes] of [
  ['small records', 400],
  ['large records', 20_000],
] as const) {
  for (const sync of ['true', 'false']) {
    test(`a full disk refuses ${how} and keeps what was acknowledged (journalSyncData=${sync})`, async () => {
      const flags = { 'data-directory': `${folder.path}/full-${bytes}-${sync}`, 'journal-sync-data': sync }
      const full = await BrokerProcess.start({ flags, fileBlocksMax })
      const client = await full.kafka()
      await client.createTopic('t')
      const acknowledged = await produceUntilFull(client, 't', bytes)
      assert.ok(acknowledged.length > 0, 'something was stored before the disk was full')
      assert.deepEqual(await client.readAll('t'), acknowledged, 'reading goes on, and shows nothing else')
      await full.stop('SIGKILL')

      const roomy = await BrokerProcess.start({ flags })
      const reader = await roomy.kafka()
      assert.deepEqual(await reader.readAll('t'), acknowledged, 'a restart shows the same')
      const { errorCode: code, baseOffset } = await reader.produce('t', [Buffer.from('room again')])
      assert.deepEqual([code, baseOffset], [0, BigInt(acknowledged.length)])
      assert.equal(await roomy.stop(), 0)
    })
  }
}

/** A broker in this process whose store fails when told to. */
async function failingBroker(directory: string): Promise<{ broker: Broker; fail(failing: boolean): void }> {
  let failing = false
  const config = parseConfig({
    kafkaListeners: 'PLAINTEXT://127.0.0.1:0',
    brokerServicePort: '0',
    webServicePort: '0',
    dataDirectory: directory,
    logLevel: 'silent',
  })
  const failWrites = () => (failing ? new Error('no space left on device') : undefined)
  const broker = await startBroker(config, { failWrites })
  return {
    broker,
    fail: (value) => {
      failing = value
    },
  }
}

test('a store that fails for a while is an error to producers of both kinds, and works again without a restart', async (context) => {
  const { broker, fail } = await failingBroker(`${folder.path}/for-a-while`)
  context.after(() => broker.stop())
  const kafkaPort = Number(broker.endpoints.kafka.split(':')[1])
  const client = await KafkaClient.connect('127.0.0.1', kafkaPort)
  await client.createTopic('t')
  await client.produce('t', [Buffer.from('before')])
  const pulsar = await pulsarProducer(broker, 'persistent://public/default/t-partition-0')

  fail(true)
  for (const bytes of [10, 20_000])
    assert.equal((await client.produce('t', [Buffer.alloc(bytes)])).errorCode, storageError)
  assert.equal(await pulsar.send('lost'), ServerError.PersistenceError)
  await assert.rejects(client.createTopic('other'), /error/)
  assert.deepEqual((await client.readAll('t')).map(String), ['before'])

  fail(false)
  assert.equal((await client.produce('t', [Buffer.from('after')])).baseOffset, 1n)
  assert.equal(await pulsar.send('and pulsar'), 'stored')
  await client.createTopic('other')
  assert.deepEqual((await client.readAll('t')).map(String), ['before', 'after', 'and pulsar'])
  client.socket.destroy()
  pulsar.close()
})

interface PulsarProducer {
  /** @returns `stored`, or the error's number. */
  send(text: string): Promise<'stored' | number>
  close(): void
}

async function pulsarProducer(broker: Broker, topic: string): Promise<PulsarProducer> {
  const port = Number(new URL(broker.endpoints.pulsar).port)
  const client = await PulsarClient.connect('127.0.0.1', port)
  client.send('CONNECT', { clientVersion: 'test', protocolVersion: 21 })
  await client.expect('CONNECTED')
  client.send('PRODUCER', { topic, producerId: 1, requestId: 1n })
  const { producerName } = await client.expect('PRODUCER_SUCCESS')
  let sequenceId = 0
  return {
    send: async (text) => {
      const rest = framePulsar({ producerName, sequenceId, publishTime: Date.now() }, Buffer.from(text))
      client.send('SEND', { producerId: 1, sequenceId: BigInt(sequenceId++), numMessages: 1 }, [rest])
      const answer = await client.next()
      if (answer.name === 'SEND_RECEIPT') return 'stored'
      assert.equal(answer.name, 'SEND_ERROR')
      return answer.name === 'SEND_ERROR' ? answer.body.error : -1
    },
    close: () => client.socket.destroy(),
  }
}
