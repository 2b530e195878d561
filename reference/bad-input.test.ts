import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { crc32c } from './base/crc32c.js'
import { framePulsar, seeded, testBatch } from './entry-format/test-kit.js'
import { findApi } from './kafka/apis/index.js'
import { produce } from './kafka/messages/00-produce.js'
import { decodeRequest, decodeRequestHeader, encodeRequest } from './kafka/wire/frames.js'
import { batchField } from './kafka/wire/record-batch.js'
import { SampleValues } from './kafka/wire/sample-values.js'
import type { RequestToWrite } from './kafka/wire/schema.js'
import type { CommandBody, CommandName } from './pulsar/wire/commands.js'
import { encodeFrameWithRest, FrameSplitter } from './pulsar/wire/frames.js'
import { BrokerProcess, scratchFolder } from './testing.js'

/*
 * 100,000 frames that nobody should send: noise, and valid frames of every request and command with bits flipped, pieces
 * cut out, or too much at their end. A frame that ends its connection is the last one sent there, so that each is looked at.
 */

const seed = 20_261_122
const framesEach = 50_000
const connectionsAtATime = 48
const framesAConnectionMax = 40
/** How long a connection may keep a request waiting before the test goes on without it. */
const patienceMs = 150
const residentMegabytesMax = 600

const folder = scratchFolder()
after(() => {
  BrokerProcess.killAll()
  folder.remove()
})

const below = seeded(seed)
const pick = <T>(items: readonly T[]): T => {
  const item = items[below(items.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

/** The frame with something done to it; its length says what is there, mostly. */
function mutated(frame: Buffer): Buffer {
  const body = Buffer.from(frame.subarray(4))
  switch (below(6)) {
    case 0:
      return framed(body.subarray(0, below(body.length + 1)))
    case 1:
      return framed(Buffer.concat([body, noise(1 + below(20))]))
    case 2:
      return framed(noise(1 + below(200)))
    case 3: {
      const at = below(body.length)
      return framed(Buffer.concat([body.subarray(0, at), body.subarray(at + 1 + below(8))]))
    }
    case 4:
      if (below(20) === 0) return withWrongLength(body)
      return framed(flipped(body, 1))
    default:
      return framed(flipped(body, 1 + below(8)))
  }
}

const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => below(256)))

function framed(body: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(4 + body.length)
  frame.writeUInt32BE(body.length, 0)
  body.copy(frame, 4)
  return frame
}

function withWrongLength(body: Buffer): Buffer {
  const frame = framed(body)
  frame.writeUInt32BE(pick([0xffff_ffff, 0x7fff_ffff, 0x8000_0000, 0, 1, 200_000_000]), 0)
  return frame
}

function flipped(body: Buffer, times: number): Buffer {
  if (body.length === 0) return body
  for (let left = times; left > 0; left--) {
    const at = below(body.length)
    body[at] = pick([0, 0xff, 0x7f, 0x80, (body[at] ?? 0) ^ (1 << below(8))])
  }
  return body
}

/* ---- Kafka ---------------------------------------------------------------------------------------------------- */

const samples = new SampleValues(seed)
const keys = Array.from({ length: 100 }, (_, key) => key).filter((key) => findApi(key) !== undefined)

/** Some request of some API in some version, its values within what the tables allow. */
function validKafka(batch: Buffer): Buffer {
  if (below(4) === 0) return produceRequest(batch)
  const found = findApi(pick(keys))
  if (found === undefined) throw new Error('not served')
  const [first, last] = found.versions
  const apiVersion = first + below(last - first + 1)
  const { written } = samples.struct(found.api.request, apiVersion)
  const header = { apiVersion, correlationId: 1, clientId: 'bad' }
  return Buffer.concat(encodeRequest(found.api, header, written as RequestToWrite<typeof found.api>))
}

/** A produce request whose batch is wrong, often with a right checksum, so that it is looked into. */
function produceRequest(batch: Buffer): Buffer {
  const bytes = flipped(Buffer.from(batch), 1 + below(4))
  if (below(4) !== 0) bytes.writeUInt32BE(crc32c(bytes.subarray(batchField.attributes)), batchField.checksum)
  const topicData = [{ name: 'victim', partitionData: [{ index: 0, records: [bytes] }] }]
  const header = { apiVersion: 3 + below(10), correlationId: 1, clientId: 'bad' }
  return Buffer.concat(encodeRequest(produce, header, { acks: pick([-1, 0, 1]), timeoutMs: 100, topicData }))
}

/** Whether the broker cannot but end the connection over it. */
function endsKafka(frame: Buffer): boolean {
  try {
    const body = frame.subarray(4)
    if (frame.readUInt32BE(0) !== body.length) return true
    const { apiKey } = decodeRequestHeader(body)
    const found = findApi(apiKey)
    if (found === undefined) return true
    const { apiVersion } = decodeRequest(body, found.api)
    return apiVersion < found.versions[0] || apiVersion > found.versions[1]
  } catch {
    return true
  }
}

/* ---- Pulsar --------------------------------------------------------------------------------------------------- */

const frameOf = <Name extends CommandName>(
  name: Name,
  body: CommandBody<Name>,
  rest: readonly Buffer[] = [],
) => Buffer.concat(encodeFrameWithRest(name, body, rest))

const hello = frameOf('CONNECT', { clientVersion: 'bad', protocolVersion: 21 })
const topic = 'persistent://public/default/victim-partition-0'
const consumerId = 1
const producerId = 1
const requestId = 7n
const messageId = { ledgerId: 1, entryId: 0 }

const validPulsar: readonly Buffer[] = [
  hello,
  frameOf('PARTITIONED_METADATA', { topic, requestId }),
  frameOf('LOOKUP', { topic, requestId }),
  frameOf('PRODUCER', { topic, producerId, requestId }),
  ...Array.from({ length: 4 }, (_, at) =>
    frameOf('SEND', { producerId, sequenceId: BigInt(at), numMessages: 1 }, [
      framePulsar({ producerName: 'p', sequenceId: at, publishTime: 1 }, Buffer.from('payload')),
    ]),
  ),
  frameOf('SUBSCRIBE', { topic, subscription: 's', subType: 1, consumerId, requestId, durable: false }),
  frameOf('FLOW', { consumerId, messagePermits: 10 }),
  frameOf('ACK', { consumerId, ackType: 0, messageIds: [messageId] }),
  frameOf('SEEK', { consumerId, requestId, messageId }),
  frameOf('REDELIVER_UNACKNOWLEDGED_MESSAGES', { consumerId, messageIds: [messageId] }),
  frameOf('GET_LAST_MESSAGE_ID', { consumerId, requestId }),
  frameOf('GET_TOPICS_OF_NAMESPACE', { namespace: 'public/default', requestId }),
  frameOf('GET_SCHEMA', { topic, requestId }),
  frameOf('UNSUBSCRIBE', { consumerId, requestId }),
  frameOf('CLOSE_CONSUMER', { consumerId, requestId }),
  frameOf('CLOSE_PRODUCER', { producerId, requestId }),
  frameOf('PING', {}),
]

function endsPulsar(frame: Buffer): boolean {
  try {
    const splitter = new FrameSplitter(5_000_000)
    splitter.push(frame)
    const decoded = splitter.next()
    return decoded === null || decoded.bytes !== frame.length || decoded.command.name === 'UNKNOWN'
  } catch {
    return true
  }
}

/* ---- Sending -------------------------------------------------------------------------------------------------- */

/** Sends all at once, and waits until the broker ends the connection, or is done with what it got, or is only waiting. */
async function throwAt(host: string, port: number, bytes: Buffer): Promise<void> {
  const socket = connect(port, host)
  socket.on('error', () => {})
  socket.resume()
  const closed = once(socket, 'close')
  let late: NodeJS.Timeout | undefined
  socket.once('connect', () => {
    socket.end(bytes)
    late = setTimeout(() => socket.destroy(), patienceMs)
  })
  await closed
  clearTimeout(late)
}

interface Aim {
  readonly host: string
  readonly port: number
  readonly first: readonly Buffer[]
  next(): Buffer
  ends(frame: Buffer): boolean
}

async function throwAll({ host, port, first, next, ends }: Aim, frames: number): Promise<void> {
  let left = frames
  const throwSome = async () => {
    while (left > 0) {
      const run = [...first]
      for (let more = true; more && left > 0 && run.length < framesAConnectionMax; left--) {
        const frame = next()
        run.push(frame)
        more = !ends(frame)
      }
      await throwAt(host, port, Buffer.concat(run))
    }
  }
  await Promise.all(Array.from({ length: connectionsAtATime }, throwSome))
}

/** How many requests were answered, wrong values and all, and what memory the broker has. */
async function measures(broker: BrokerProcess): Promise<{ requests: number; megabytes: number }> {
  const text = await (await globalThis.fetch(`${broker.endpoints.admin}/metrics`)).text()
  const counts = text.matchAll(/^kop_request_duration_seconds_count\{protocol="kafka".*\} (\d+)$/gm)
  const requests = [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
  const bytes = Number(/^process_resident_memory_bytes (\d+)$/m.exec(text)?.[1])
  return { requests, megabytes: bytes / 2 ** 20 }
}

/** The values that a Pulsar reader is given from the start. */
async function readByPulsar(broker: BrokerProcess, name: string, count: number): Promise<readonly string[]> {
  const client = await broker.pulsar()
  client.send('SUBSCRIBE', {
    ...{ topic: `persistent://public/default/${name}-partition-0`, subscription: 'check', subType: 0 },
    ...{ consumerId, requestId, durable: false, startMessageId: { ledgerId: -1, entryId: -1 } },
  })
  await client.expect('SUCCESS')
  client.send('FLOW', { consumerId, messagePermits: 1000 })
  const payloads: string[] = []
  for (let left = count; left > 0; left--) payloads.push((await client.message()).toString('latin1'))
  client.socket.destroy()
  return payloads
}

test('100,000 frames of bad input leave the broker serving, its data as it was, its memory bounded', async () => {
  const flags = {
    'data-directory': `${folder.path}/data`,
    'journal-sync-data': 'false',
    'log-level': 'error',
  }
  const broker = await BrokerProcess.start({ flags })
  const good = await broker.kafka()
  for (const name of ['kept', 'victim']) await good.createTopic(name)
  const values = Array.from({ length: 50 }, (_, at) => Buffer.from(`value ${at}`))
  for (const value of values) assert.equal((await good.produce('kept', [value])).errorCode, 0)

  const { hostname, port } = new URL(`kafka://${broker.endpoints.kafka}`)
  const record = { timestampMs: 1_700_000_000_000, key: Buffer.from('k'), value: Buffer.from('v'.repeat(40)) }
  const { bytes } = await testBatch(Array.from({ length: 3 }, () => ({ ...record, headers: [['h', null]] })))
  const atKafka = { next: () => mutatedOrProduce(bytes), ends: endsKafka, first: [] }
  await throwAll({ host: hostname, port: Number(port), ...atKafka }, framesEach)

  const pulsar = new URL(broker.endpoints.pulsar)
  const atPulsar = { next: () => mutated(pick(validPulsar)), ends: endsPulsar, first: [hello] }
  await throwAll({ host: pulsar.hostname, port: Number(pulsar.port), ...atPulsar }, framesEach)

  assert.ok(broker.isAlive, broker.stderr.slice(-2000))
  assert.equal(errorsOf(broker), '', 'what malformed bytes do is a refusal, never an error of the broker')
  const { requests, megabytes } = await measures(broker)
  assert.ok(requests > framesEach / 5, `only ${requests} frames were right enough to be answered`)
  assert.ok(megabytes < residentMegabytesMax, `${Math.round(megabytes)} MiB resident`)
  const after = await broker.kafka()
  assert.deepEqual(await after.readAll('kept'), values)
  assert.equal((await good.produce('kept', [Buffer.from('more')])).baseOffset, BigInt(values.length))
  const payloads = await readByPulsar(broker, 'kept', values.length + 1)
  for (const [at, value] of [...values, 'more'].entries())
    assert.ok(payloads[at]?.includes(String(value)), `message ${at} for Pulsar`)
  assert.equal(await broker.stop(), 0)
})

const mutatedOrProduce = (batch: Buffer): Buffer => {
  const frame = validKafka(batch)
  return below(4) === 0 ? frame : mutated(frame)
}

/** The first error that the broker logged. */
function errorsOf({ stderr }: BrokerProcess): string {
  return (
    stderr
      .split('\n')
      .find((line) => line !== '')
      ?.slice(0, 2000) ?? ''
  )
}
