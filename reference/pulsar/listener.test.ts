import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { asPartitionIndex } from '../base/brand.js'
import { ManualClock } from '../base/clock.js'
import { framePulsar } from '../entry-format/test-kit.js'
import { TestTopics } from '../topics/testing.js'
import { type RunningListener, startPulsarListener } from './listener.js'
import { serviceOf } from './service.js'
import { testContext } from './testing.js'
import { type CommandBody, type CommandName, ServerError } from './wire/commands.js'
import { encodeFrame, encodeFrameWithRest, type Frame, FrameSplitter } from './wire/frames.js'

const topics = new TestTopics()
const clock = new ManualClock(1_000_000)
let context: ReturnType<typeof testContext>
let listener: RunningListener

before(async () => {
  context = testContext(await topics.open({ clock }), clock)
  listener = await startPulsarListener(context, { host: '127.0.0.1', port: 0 })
})
after(async () => {
  await listener.close()
  await topics.remove()
})

/** A client that sends commands and waits for answers, in order. */
class TestClient {
  readonly socket: Socket
  readonly #splitter = new FrameSplitter(10_000_000)
  readonly #arrived: Frame[] = []
  #wake: () => void = () => {}

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('error', () => {})
    this.socket.on('close', () => this.#wake())
    this.socket.on('data', (chunk) => {
      this.#splitter.push(chunk)
      for (let frame = this.#splitter.next(); frame !== null; frame = this.#splitter.next())
        this.#arrived.push(frame)
      this.#wake()
    })
  }

  send<Name extends CommandName>(name: Name, body: CommandBody<Name>, rest: Buffer[] = []): void {
    for (const piece of encodeFrameWithRest(name, body, rest)) this.socket.write(piece)
  }

  async next(): Promise<Frame> {
    for (;;) {
      const frame = this.#arrived.shift()
      if (frame !== undefined) return frame
      if (this.socket.destroyed) throw new Error('the connection was closed')
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async expect<Name extends CommandName>(name: Name): Promise<CommandBody<Name>> {
    const { command } = await this.next()
    assert.equal(command.name, name)
    return ('body' in command ? command.body : {}) as CommandBody<Name>
  }
}

async function connected(): Promise<TestClient> {
  const client = new TestClient(listener.port)
  client.send('CONNECT', {
    clientVersion: 'test',
    protocolVersion: 21,
    featureFlags: { supportsBrokerEntryMetadata: true },
  })
  const answer = await client.expect('CONNECTED')
  assert.equal(answer.maxMessageSize, 100_000)
  return client
}

async function producing(topic: string): Promise<TestClient> {
  const client = await connected()
  client.send('PRODUCER', { topic, producerId: 1, requestId: 1n, producerName: `p-${topic}` })
  await client.expect('PRODUCER_SUCCESS')
  return client
}

const message = (sequenceId: number, text = 'x') =>
  framePulsar({ producerName: 'p', sequenceId, publishTime: 1 }, Buffer.from(text))

test('lookup names the listener that was asked; an unknown namespace is an answer, not a hang', async () => {
  const client = await connected()
  client.send('LOOKUP', { topic: 'persistent://public/default/a', requestId: 7n })
  const found = await client.expect('LOOKUP_RESPONSE')
  assert.equal(found.brokerServiceUrl, `pulsar://127.0.0.1:${listener.port}`)
  client.send('PARTITIONED_METADATA', { topic: 'persistent://no/where/a', requestId: 8n })
  assert.equal((await client.expect('PARTITIONED_METADATA_RESPONSE')).error, ServerError.TopicNotFound)
  client.socket.destroy()
})

test('asking with auto-creation off creates nothing', async () => {
  const client = await connected()
  const topic = 'persistent://public/default/not-created'
  client.send('PARTITIONED_METADATA', { topic, requestId: 1n, metadataAutoCreationEnabled: false })
  assert.equal((await client.expect('PARTITIONED_METADATA_RESPONSE')).error, ServerError.TopicNotFound)
  assert.equal(
    context.catalog.find({ tenant: 'public', namespace: 'default', local: 'not-created' }),
    undefined,
  )
  client.socket.destroy()
})

test('a message is acknowledged, and reaches a consumer byte for byte with its index before it', async () => {
  const topic = 'persistent://public/default/bytes'
  const client = await producing(topic)
  const sent = message(0, 'payload')
  client.send('SEND', { producerId: 1, sequenceId: 0n }, [sent])
  const receipt = await client.expect('SEND_RECEIPT')
  client.send('SUBSCRIBE', {
    topic,
    subscription: 's',
    subType: 0,
    consumerId: 2,
    requestId: 2n,
    initialPosition: 1,
  })
  await client.expect('SUCCESS')
  client.send('FLOW', { consumerId: 2, messagePermits: 10 })
  const { command, rest } = await client.next()
  assert.equal(command.name, 'MESSAGE')
  assert.equal(rest.readUInt16BE(0), 0x0e02)
  assert.deepEqual(rest.subarray(6 + rest.readUInt32BE(2)), sent)
  if (command.name === 'MESSAGE') assert.equal(command.body.messageId.entryId, receipt.messageId?.entryId)
  client.socket.destroy()
})

test('a wrong checksum and a marker are refused, in order, and the producer goes on', async () => {
  const client = await producing('persistent://public/default/refused')
  const damaged = Buffer.from(message(1))
  damaged.writeUInt8((damaged.at(-1) ?? 0) ^ 1, damaged.length - 1)
  client.send('SEND', { producerId: 1, sequenceId: 0n }, [message(0)])
  client.send('SEND', { producerId: 1, sequenceId: 1n }, [damaged])
  client.send('SEND', { producerId: 1, sequenceId: 2n, marker: true }, [message(2)])
  client.send('SEND', { producerId: 1, sequenceId: 3n }, [message(3)])
  assert.equal((await client.expect('SEND_RECEIPT')).sequenceId, 0n)
  assert.equal((await client.expect('SEND_ERROR')).error, ServerError.ChecksumError)
  assert.equal((await client.expect('SEND_ERROR')).error, ServerError.NotAllowedError)
  assert.equal((await client.expect('SEND_RECEIPT')).sequenceId, 3n)
  client.socket.destroy()
})

test('a producer name is taken until its connection is gone', async () => {
  const topic = 'persistent://public/default/names'
  const first = await producing(topic)
  const second = await connected()
  const request = { topic, producerId: 1, requestId: 1n, producerName: `p-${topic}` }
  second.send('PRODUCER', request)
  assert.equal((await second.expect('ERROR')).error, ServerError.ProducerBusy)
  first.send('CLOSE_PRODUCER', { producerId: 1, requestId: 9n })
  await first.expect('SUCCESS')
  second.send('PRODUCER', request)
  assert.equal((await second.expect('PRODUCER_SUCCESS')).producerName, `p-${topic}`)
  first.socket.destroy()
  second.socket.destroy()
})

test('what a client opened while it went away is given up', async () => {
  const topic = 'persistent://public/default/hasty'
  const hasty = await connected()
  hasty.send('PRODUCER', { topic, producerId: 1, requestId: 1n, producerName: 'p' })
  hasty.send('SUBSCRIBE', { topic, subscription: 's', subType: 0, consumerId: 2, requestId: 2n })
  hasty.socket.end()
  hasty.socket.resume()
  await once(hasty.socket, 'close')
  const next = await connected()
  next.send('SUBSCRIBE', { topic, subscription: 's', subType: 0, consumerId: 2, requestId: 2n })
  await next.expect('SUCCESS')
  next.send('PRODUCER', { topic, producerId: 1, requestId: 1n, producerName: 'p' })
  await next.expect('PRODUCER_SUCCESS')
  next.socket.destroy()
})

test('a reader leaves no trace', async () => {
  const topic = 'persistent://public/default/traceless'
  const client = await producing(topic)
  client.send('SEND', { producerId: 1, sequenceId: 0n }, [message(0)])
  await client.expect('SEND_RECEIPT')
  client.send('SUBSCRIBE', {
    topic,
    subscription: 'reader-1',
    subType: 0,
    consumerId: 2,
    requestId: 2n,
    durable: false,
    startMessageId: { ledgerId: -1, entryId: -1 },
  })
  await client.expect('SUCCESS')
  client.send('FLOW', { consumerId: 2, messagePermits: 1 })
  await client.expect('MESSAGE')
  client.send('CLOSE_CONSUMER', { consumerId: 2, requestId: 3n })
  await client.expect('SUCCESS')
  const info = context.catalog.find({ tenant: 'public', namespace: 'default', local: 'traceless' })
  assert.ok(info !== undefined)
  const log = await context.catalog.partition(info, asPartitionIndex(0))
  assert.ok('ledger' in log)
  assert.deepEqual(log.ledger.cursorNames(), [])
  client.socket.destroy()
})

test('transactions are refused by an answer', async () => {
  const client = await connected()
  client.send('NEW_TXN', { requestId: 5n })
  const refused = await client.expect('NEW_TXN_RESPONSE')
  assert.equal(refused.requestId, 5n)
  assert.equal(refused.error, ServerError.NotAllowedError)
  client.socket.destroy()
})

test('a malformed frame ends that connection only, with a logged reason', async () => {
  const [good, bad] = [await connected(), await connected()]
  context.warnings.length = 0
  bad.socket.write(Buffer.from('7fffffff00000000', 'hex'))
  await once(bad.socket, 'close')
  assert.match(JSON.stringify(context.warnings), /a frame of 2147483647 bytes/)
  good.send('PING', {})
  await good.expect('PONG')
  good.socket.destroy()
})

test('a command before CONNECT ends the connection', async () => {
  const client = new TestClient(listener.port)
  client.socket.write(encodeFrame('PING', {}))
  await once(client.socket, 'close')
})

test('a silent client is asked, and dropped when it does not answer', async () => {
  const client = await connected()
  clock.advance(30_000)
  clock.advance(30_000)
  await client.expect('PING')
  clock.advance(30_000)
  await once(client.socket, 'close')
})

test('a client that reads nothing is not sent everything', async () => {
  const topic = 'persistent://public/default/slow'
  const client = await producing(topic)
  for (let sequence = 0; sequence < 400; sequence++)
    client.send('SEND', { producerId: 1, sequenceId: BigInt(sequence) }, [
      message(sequence, 'y'.repeat(90_000)),
    ])
  for (let sequence = 0; sequence < 400; sequence++) await client.expect('SEND_RECEIPT')
  const slow = await connected()
  slow.send('SUBSCRIBE', {
    topic,
    subscription: 's',
    subType: 0,
    consumerId: 2,
    requestId: 2n,
    initialPosition: 1,
  })
  await slow.expect('SUCCESS')
  slow.socket.pause()
  slow.send('FLOW', { consumerId: 2, messagePermits: 1_000 })
  const opened = await serviceOf(context).open(topic, { create: false })
  assert.ok('subscriptions' in opened)
  const given = () => opened.subscriptions[0]?.consumers[0]?.bytesOut ?? 0
  const roundTrip = async () => {
    client.send('PING', {})
    await client.expect('PONG')
  }
  // Another client's round trips give the slow one's dispatcher time to send all that it will.
  while (given() === 0) await roundTrip()
  for (let round = 0; round < 50; round++) await roundTrip()
  assert.ok(given() < 20_000_000, `${given()} bytes given to a client that does not read`)
  slow.socket.resume()
  for (let count = 0; count < 400; count++) await slow.expect('MESSAGE')
  client.socket.destroy()
  slow.socket.destroy()
})
