import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { ManualClock } from '../base/clock.js'
import type { Log } from '../base/log.js'
import type { ConnectionContext, ConnectionOptions, RequestMeasure } from './connection.js'
import { apiVersions, deleteGroups, heartbeat, metadata, produce } from './messages/index.js'
import { type KafkaListener, startKafkaListener } from './server.js'
import { FrameReader } from './wire/frame-reader.js'
import { type DecodedRequest, decodeResponse, encodeRequest } from './wire/frames.js'
import type { Api, RequestOf, RequestToWrite, ResponseOf } from './wire/schema.js'

interface Call {
  readonly request: DecodedRequest
  readonly connection: ConnectionContext
  answer(body: ResponseOf<Api> | null): void
  fail(error: Error): void
}

/** A listener whose requests wait until the test answers them. */
class Bench {
  readonly calls: Call[] = []
  readonly logged: { message: string; details: object }[] = []
  readonly measures: RequestMeasure[] = []
  readonly clock = new ManualClock(1_000)
  #awaited: { count: number; wake: () => void } | undefined
  #loggedWake: (() => void) | undefined
  listener: KafkaListener | undefined

  async start(t: TestContext, options: Partial<ConnectionOptions> = {}): Promise<this> {
    const served = [apiVersions, heartbeat, metadata, produce, deleteGroups]
    this.listener = await startKafkaListener({
      host: '127.0.0.1',
      port: 0,
      listener: 'test',
      clock: this.clock,
      log: this.#log(),
      frameBytesMax: 4_000_000,
      idleMs: 60_000,
      find: (key) => {
        const api = served.find((each) => each.key === key)
        return api === undefined ? undefined : { api, versions: [1, api.versions[1] - 1] }
      },
      apiVersionsRefusal: () => ({ errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 1, maxVersion: 3 }] }),
      dispatch: (request, connection) => this.#hold(request, connection),
      onRequest: (measure) => this.measures.push(measure),
      ...options,
    })
    t.after(async () => {
      const stopped = this.listener?.stop(0)
      this.clock.advance(1)
      await stopped
    })
    return this
  }

  /** Resolves when so many requests have been dispatched in all. */
  async called(count: number): Promise<void> {
    while (this.calls.length < count)
      await new Promise<void>((wake) => {
        this.#awaited = { count, wake }
      })
  }

  async loggedLine(): Promise<string> {
    if (this.logged.length === 0)
      await new Promise<void>((wake) => {
        this.#loggedWake = wake
      })
    return JSON.stringify(this.logged[0])
  }

  connect(t: TestContext): Client {
    const client = new Client(connect(this.listener?.port ?? 0, '127.0.0.1'))
    t.after(() => client.socket.destroy())
    return client
  }

  #hold(request: DecodedRequest, connection: ConnectionContext): Promise<ResponseOf<Api> | null> {
    return new Promise((answer, fail) => {
      this.calls.push({ request, connection, answer, fail })
      if (this.#awaited !== undefined && this.calls.length >= this.#awaited.count) this.#awaited.wake()
    })
  }

  #log(): Log {
    const write = (details: object, message: string) => {
      this.logged.push({ message, details })
      this.#loggedWake?.()
    }
    return { debug: () => {}, info: write, warn: write, error: write }
  }
}

class Client {
  readonly socket: Socket
  readonly frames: Buffer[] = []
  readonly closed: Promise<unknown>
  #wake: (() => void) | undefined

  constructor(socket: Socket) {
    this.socket = socket
    const reader = new FrameReader(100_000_000)
    this.closed = once(socket, 'close')
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      reader.push(chunk)
      for (let frame = reader.next(); frame !== null; frame = reader.next()) this.frames.push(frame)
      this.#wake?.()
    })
  }

  send<A extends Api>(api: A, apiVersion: number, correlationId: number, body: RequestToWrite<A>): void {
    const pieces = encodeRequest(api, { apiVersion, correlationId, clientId: 'c' }, body)
    this.socket.write(Buffer.concat(pieces))
  }

  async received(count: number): Promise<readonly number[]> {
    while (this.frames.length < count)
      await new Promise<void>((wake) => {
        this.#wake = wake
      })
    return this.frames.map((frame) => frame.readInt32BE(0))
  }
}

const beat = { groupId: 'g', generationId: 1, memberId: 'm' }
const produced = (name: string, size = 1) => ({
  acks: 1,
  timeoutMs: 1,
  topicData: [{ name, partitionData: [{ index: 0, records: [Buffer.alloc(size, 1)] }] }],
})
const topicOf = ({ request }: Call): string =>
  (request.body as RequestOf<typeof produce>).topicData[0]?.name ?? ''

test('Produce requests start in order, overlap, and are answered in order', async (t) => {
  const bench = await new Bench().start(t)
  const client = bench.connect(t)
  for (const id of [1, 2, 3]) client.send(produce, 3, id, produced(`t${id}`))
  await bench.called(3)
  assert.deepEqual(bench.calls.map(topicOf), ['t1', 't2', 't3'])
  bench.calls[2]?.answer({ responses: [] })
  bench.calls[1]?.answer({ responses: [] })
  bench.calls[0]?.answer({ responses: [] })
  assert.deepEqual(await client.received(3), [1, 2, 3])
  assert.deepEqual(
    bench.measures.map(({ apiName, apiVersion }) => `${apiName} v${apiVersion}`),
    ['Produce v3', 'Produce v3', 'Produce v3'],
  )
})

test('other requests wait for the one before to take effect', async (t) => {
  const bench = await new Bench().start(t)
  const client = bench.connect(t)
  client.send(heartbeat, 1, 1, beat)
  client.send(heartbeat, 1, 2, beat)
  client.send(produce, 3, 3, produced('t'))
  await bench.called(1)
  for (const expected of [1, 2, 3]) {
    await bench.called(expected)
    assert.equal(bench.calls.length, expected)
    bench.calls[expected - 1]?.answer(expected === 3 ? { responses: [] } : { errorCode: 0 })
    await client.received(expected)
  }
  assert.deepEqual(await client.received(3), [1, 2, 3])
})

test('a request without an answer sends no byte, and does not hold back the next', async (t) => {
  const bench = await new Bench().start(t)
  const client = bench.connect(t)
  client.send(produce, 3, 1, { ...produced('t'), acks: 0 })
  client.send(produce, 3, 2, produced('t'))
  await bench.called(2)
  bench.calls[1]?.answer({ responses: [] })
  bench.calls[0]?.answer(null)
  assert.deepEqual(await client.received(1), [2])
  const { body } = decodeResponse(client.frames[0] ?? Buffer.alloc(0), produce, 3)
  assert.deepEqual(body.responses, [])
})

test('a large Produce frame arrives whole', async (t) => {
  const bench = await new Bench().start(t)
  const client = bench.connect(t)
  client.send(produce, 3, 1, produced('big', 3_000_000))
  await bench.called(1)
  const body = bench.calls[0]?.request.body as RequestOf<typeof produce> | undefined
  const records = body?.topicData[0]?.partitionData[0]?.records
  assert.equal(records?.equals(Buffer.alloc(3_000_000, 1)), true)
})

test('an ApiVersions that is too new is answered in v0 form, and the connection goes on', async (t) => {
  const bench = await new Bench().start(t)
  const client = bench.connect(t)
  client.socket.write(Buffer.from('0000000f001200630000000900016301020304', 'hex'))
  assert.deepEqual(await client.received(1), [9])
  const { body } = decodeResponse(client.frames[0] ?? Buffer.alloc(0), apiVersions, 0)
  assert.equal(body.errorCode, 35)
  assert.deepEqual(body.apiKeys, [{ apiKey: 18, minVersion: 1, maxVersion: 3 }])
  client.send(heartbeat, 1, 10, beat)
  await bench.called(1)
  bench.calls[0]?.answer({ errorCode: 0 })
  assert.deepEqual(await client.received(2), [9, 10])
})

const broken: readonly [string, string, RegExp][] = [
  ['an oversized frame', '7fffffff', /2147483647 bytes/],
  ['a negative length', 'ffffffff', /-1 bytes/],
  ['a frame without a header', '00000002000c', /length/],
  ['an unknown API', '0000000a03e7000000000001ffff', /API 999/],
  ['an unknown version', '0000000a000c006300000001ffff', /Heartbeat v99/],
  ['a body cut short', '0000000c000c000100000001ffff0005', /length 5/],
]
for (const [what, hex, reason] of broken)
  test(`${what} ends that connection with a logged reason, and no other`, async (t) => {
    const bench = await new Bench().start(t)
    const [other, client] = [bench.connect(t), bench.connect(t)]
    client.socket.write(Buffer.from(hex, 'hex'))
    await client.closed
    assert.match(await bench.loggedLine(), reason)
    other.send(heartbeat, 1, 1, beat)
    await bench.called(1)
    bench.calls[0]?.answer({ errorCode: 0 })
    assert.deepEqual(await other.received(1), [1])
  })

test('a handler that throws ends the connection, logged as an error', async (t) => {
  const bench = await new Bench().start(t)
  const client = bench.connect(t)
  client.send(heartbeat, 1, 1, beat)
  await bench.called(1)
  bench.calls[0]?.fail(new Error('no disk'))
  await client.closed
  assert.match(await bench.loggedLine(), /Heartbeat v1 failed/)
})

test('a client that does not read is no longer read from', async (t) => {
  const bench = await new Bench().start(t, { unreadBytesMax: 100_000 })
  const client = bench.connect(t)
  client.socket.pause()
  const host = 'h'.repeat(30_000)
  const brokers = Array.from({ length: 1000 }, (_, nodeId) => ({ nodeId, host, port: 1 }))
  for (const id of [1, 2]) client.send(metadata, 1, id, { topics: [] })
  await bench.called(1)
  bench.calls[0]?.answer({ brokers, topics: [] })
  client.send(metadata, 1, 3, { topics: [] })
  // What would be dispatched by now is: another client's round trip came after it.
  const other = bench.connect(t)
  other.send(heartbeat, 1, 7, beat)
  await bench.called(2)
  assert.equal(bench.calls[1]?.request.api.name, 'Heartbeat')
  bench.calls[1]?.answer({ errorCode: 0 })
  await other.received(1)
  assert.equal(bench.calls.length, 2)
  client.socket.resume()
  await bench.called(3)
  assert.equal(bench.calls[2]?.request.correlationId, 2)
})

test('reading stops while too many requests, or too many bytes, are under way', async (t) => {
  for (const options of [{ requestsMax: 2 }, { requestBytesMax: 1_500 }]) {
    const bench = await new Bench().start(t, options)
    const client = bench.connect(t)
    for (const id of [1, 2, 3]) client.send(produce, 3, id, produced(`t${id}`, 1_000))
    await bench.called(2)
    const other = bench.connect(t)
    other.send(heartbeat, 1, 7, beat)
    await bench.called(3)
    assert.equal(bench.calls[2]?.request.api.name, 'Heartbeat')
    bench.calls[0]?.answer({ responses: [] })
    await bench.called(4)
    assert.equal(bench.calls.map(topicOfProduce).at(-1), 't3')
  }
})

const topicOfProduce = (call: Call): string => (call.request.api === produce ? topicOf(call) : '')

test('an idle connection is closed, one with a request under way is not', async (t) => {
  const bench = await new Bench().start(t, { idleMs: 10_000 })
  const [one, two] = [bench.connect(t), bench.connect(t)]
  one.send(heartbeat, 1, 1, beat)
  two.send(heartbeat, 1, 1, beat)
  await bench.called(2)
  bench.clock.advance(30_000)
  bench.calls[0]?.answer({ errorCode: 0 })
  const answered = await Promise.race([one, two].map((client) => client.received(1).then(() => client)))
  bench.clock.advance(9_000)
  bench.clock.advance(15_000)
  await answered.closed
  assert.match(await bench.loggedLine(), /idle for 10000 ms/)
  assert.equal((answered === one ? two : one).socket.destroyed, false)
  assert.equal(bench.listener?.connectionCount, 1)
})

test('the signal of a connection is aborted when its client goes', async (t) => {
  const bench = await new Bench().start(t)
  const client = bench.connect(t)
  client.send(heartbeat, 1, 1, beat)
  await bench.called(1)
  const signal = bench.calls[0]?.connection.closed
  assert.equal(signal?.aborted, false)
  const aborted = new Promise((resolve) => signal?.addEventListener('abort', resolve))
  client.socket.destroy()
  await aborted
})

test('a listener that stops lets what is under way be answered', async (t) => {
  const bench = await new Bench().start(t)
  const client = bench.connect(t)
  client.send(heartbeat, 1, 1, beat)
  await bench.called(1)
  const stopped = bench.listener?.stop(5_000)
  assert.equal(bench.calls[0]?.connection.closed.aborted, true)
  bench.calls[0]?.answer({ errorCode: 0 })
  assert.deepEqual(await client.received(1), [1])
  await stopped
  assert.equal(bench.listener?.connectionCount, 0)
})
