// Driver of node-rdkafka (matrix/driver/messages.ts). What the library cannot express is answered `unsupported`:
// header values that are null, not text, or hold a NUL; a timestamp of 0, which librdkafka takes for "now"; offsets
// beyond 2^53, which it gives as numbers; configs of topics, deletion of records, and the error of a topic in metadata.
// It gives a null header value that others sent as an empty one.
import { randomUUID } from 'node:crypto'
import { DriverError, fromBase64, requirePackage, serve, toBase64, Unsupported } from '../lib/driver.mjs'
import {
  AUTHENTICATION,
  FAILURES,
  hasNewerProtocol,
  meantBy,
  nameOfCode,
  UNREACHABLE,
} from '../lib/librdkafka.mjs'
import { deferred } from '../lib/waiting.mjs'
import { groupOps } from './members.mjs'
import { securitySettings } from './security.mjs'

const { AdminClient, CODES, features, KafkaConsumer, librdkafkaVersion, Producer } =
  requirePackage('node-rdkafka')
const { err2str } = requirePackage('node-rdkafka/librdkafka')
const { version } = requirePackage('node-rdkafka/package.json')

const TIMEOUT_MS = 10_000
const MESSAGE_BYTES_MAX = 100_000_000
/** A call of consume() holds a thread of Node's pool: it is let go now and then. */
const CONSUME_MS_MAX = 200
const CONSUME_RECORDS_MAX = 10_000
const ACKS = { 0: 0, 1: 1, all: -1 }

let settings = {}
let admin = null
let inquirer = null
const producers = new Map()
const consumers = new Map()
const running = new Set()
/** The token that a client is given before it connects; null where there is none. */
let token = null
/** Rejected as soon as a broker refused who we are: librdkafka goes on trying, and its calls time out. */
let access = newAccess()
const groups = groupOps({
  ...{ connectedConsumer, consumeSome, called, close, toOffset, toReceived },
  has: {
    incrementalAssign: typeof KafkaConsumer.prototype.incrementalAssign === 'function',
    newerProtocol: hasNewerProtocol(librdkafkaVersion),
  },
  isFailure: (error) => FAILURES.test(nameOf(error)),
})

const ops = {
  ...groups.ops,

  async configure({ bootstrap, clientId, security }) {
    const secure = securitySettings(security)
    groups.closeAll()
    for (const consumer of running) close(consumer)
    for (const producer of producers.values())
      producer.then(({ handle }) => handle.disconnect(1, () => {})).catch(() => {})
    inquirer?.then(close).catch(() => {})
    admin?.disconnect()
    running.clear()
    producers.clear()
    consumers.clear()
    inquirer = null
    admin = null
    token = secure.token
    access = newAccess()
    settings = {
      ...secure.settings,
      'bootstrap.servers': bootstrap,
      'client.id': clientId,
      // One that was refused goes on trying for as long as it is there.
      'reconnect.backoff.ms': security?.sasl ? 1000 : 20,
      'reconnect.backoff.max.ms': 1000,
      'topic.metadata.refresh.fast.interval.ms': 20,
      'socket.timeout.ms': 10_000,
      'log.connection.close': false,
    }
  },

  async createTopics({ topics }) {
    const client = await connectedAdmin()
    const create = ({ name, partitions, configs = {} }) =>
      called((done) => {
        const topic = { topic: name, num_partitions: partitions, replication_factor: 1, config: configs }
        client.createTopic(topic, TIMEOUT_MS, done)
      })
    return { topics: await Promise.all(topics.map((topic) => outcome(topic.name, create(topic)))) }
  },

  async deleteTopics({ names }) {
    const client = await connectedAdmin()
    const remove = (name) => called((done) => client.deleteTopic(name, TIMEOUT_MS, done))
    return { topics: await Promise.all(names.map((name) => outcome(name, remove(name)))) }
  },

  async createPartitions({ topic, count }) {
    const client = await connectedAdmin()
    await called((done) => client.createPartitions(topic, count, TIMEOUT_MS, done))
  },

  async deleteRecords() {
    throw new Unsupported('node-rdkafka has no deletion of records')
  },

  async describeConfigs() {
    throw new Unsupported('node-rdkafka does not describe configs')
  },

  async alterConfigs() {
    throw new Unsupported('node-rdkafka does not alter configs')
  },

  async listTopics() {
    const { topics } = await metadataOf({ allTopics: true })
    return { names: topics.map(({ name }) => name) }
  },

  async metadata({ topics }) {
    const answers = await Promise.all(topics.map((topic) => metadataOf({ topic })))
    const brokers = answers[0]?.brokers ?? (await metadataOf({ allTopics: true })).brokers
    return { brokers, topics: answers.map((answer, index) => topicMetadata(topics[index], answer)) }
  },

  async listOffsets({ topic, partition, at }) {
    const consumer = await inquiring()
    if (typeof at === 'string') {
      const { lowOffset, highOffset } = await bounds(topic, partition)
      return { offset: offsetText(at === 'earliest' ? lowOffset : highOffset) }
    }
    const wanted = [{ topic, partition, offset: Number(at.timestamp) }]
    const [found] = await called((done) => consumer.offsetsForTimes(wanted, TIMEOUT_MS, done))
    if (found.error !== undefined) throw found.error
    return { offset: found.offset >= 0 ? offsetText(found.offset) : '-1' }
  },

  async produce(args) {
    const { topic, records, oneBatch = true, timeoutMs = 15_000 } = args
    const messages = records.map(toMessage)
    const producer = await connectedProducer(args)
    const deadline = Date.now() + timeoutMs
    const places = []
    if (oneBatch) places.push(...(await producer.send(topic, messages, deadline)))
    else for (const message of messages) places.push(...(await producer.send(topic, [message], deadline)))
    return { records: places }
  },

  async consume(args) {
    const { topic, partition = 0, from = 'earliest', count, until, reset = 'none', timeoutMs = 15_000 } = args
    const deadline = Date.now() + timeoutMs
    const start = await startOffset(topic, partition, from)
    const end = until === 'end' ? (await bounds(topic, partition)).highOffset : null
    if (start === end) return { records: [] }
    const reader = await openReader({ ...args, partition, start, reset: reset === 'none' ? 'error' : reset })
    try {
      return { records: await reader.take({ count, end, deadline }) }
    } finally {
      reader.close()
    }
  },

  async openConsumer({ consumer, topic, partition = 0, from = 'latest' }) {
    const start = await startOffset(topic, partition, from)
    const reader = await openReader({ topic, partition, start, reset: 'error' })
    await reader.fetching()
    consumers.set(consumer, reader)
  },

  async poll({ consumer, count, timeoutMs = 15_000 }) {
    return { records: await openNamed(consumer).take({ count, end: null, deadline: Date.now() + timeoutMs }) }
  },

  async seek({ consumer, offset }) {
    await openNamed(consumer).seek(toOffset(offset))
  },

  async closeConsumer({ consumer }) {
    consumers.get(consumer)?.close()
    consumers.delete(consumer)
  },

  async consumeInGroup({ group, topic, from = 'earliest', count, timeoutMs = 20_000 }) {
    const deadline = Date.now() + timeoutMs
    const consumer = await connectedConsumer(group, from)
    try {
      consumer.subscribe([topic])
      const messages = []
      while (messages.length < count && Date.now() < deadline) {
        messages.push(...(await consumeSome(consumer, count - messages.length, deadline)))
      }
      const next = new Map(messages.map(({ partition, offset }) => [partition, offset + 1]))
      const positions = [...next].map(([partition, offset]) => ({ topic, partition, offset }))
      if (positions.length > 0) consumer.commitSync(positions)
      return { records: messages.map(toReceived) }
    } finally {
      running.delete(consumer)
      await called((done) => consumer.disconnect(done))
    }
  },

  async committed({ group, topic, partition = 0 }) {
    const consumer = await connectedConsumer(group, 'earliest')
    try {
      const [found] = await called((done) => consumer.committed([{ topic, partition }], TIMEOUT_MS, done))
      return { offset: found?.offset >= 0 ? offsetText(found.offset) : '-1' }
    } finally {
      close(consumer)
    }
  },
}

/** Reads one partition by assignment; one call of the library at a time. */
async function openReader({ topic, partition, start, reset, maxPartitionBytes, readCommitted }) {
  const consumer = await connectedConsumer(`node-rdkafka-driver-${randomUUID()}`, reset, {
    'isolation.level': readCommitted ? 'read_committed' : 'read_uncommitted',
    ...(maxPartitionBytes ? { 'max.partition.fetch.bytes': maxPartitionBytes } : {}),
  })
  const received = []
  let position = start
  let atEnd = false
  let closed = false
  let turn = Promise.resolve()
  const inTurn = (run) => {
    turn = turn.then(run, run)
    return turn
  }
  consumer.on('partition.eof', () => {
    atEnd = true
  })
  consumer.assign([{ topic, partition, offset: start }])
  const step = async (wanted, deadline) => {
    const messages = await consumeSome(consumer, wanted, deadline)
    if (messages.length > 0) position = messages.at(-1).offset + 1
    received.push(...messages.map(toReceived))
  }
  return {
    fetching: () =>
      inTurn(async () => {
        const deadline = Date.now() + TIMEOUT_MS
        // The first event, a record or the end of the partition, says that it fetches.
        while (received.length === 0 && !atEnd && Date.now() < deadline)
          await step(1, Math.min(deadline, Date.now() + 20))
      }),
    take: ({ count, end, deadline }) =>
      inTurn(async () => {
        const most = count ?? Number.POSITIVE_INFINITY
        atEnd = false
        while (!closed && received.length < most && Date.now() < deadline) {
          if (end !== null && (position >= end || atEnd)) break
          await step(Math.min(most - received.length, CONSUME_RECORDS_MAX), deadline)
        }
        return received.splice(0, count ?? received.length)
      }),
    seek: (offset) =>
      inTurn(async () => {
        received.length = 0
        position = offset
        await called((done) => consumer.seek({ topic, partition, offset }, TIMEOUT_MS, done))
      }),
    close() {
      closed = true
      close(consumer)
    },
  }
}

async function consumeSome(consumer, wanted, deadline) {
  const left = Math.max(1, Math.min(CONSUME_MS_MAX, deadline - Date.now()))
  consumer.setDefaultConsumeTimeout(left)
  return called((done) => consumer.consume(wanted, done))
}

async function connectedConsumer(group, reset, more = {}) {
  const consumer = new KafkaConsumer(
    {
      ...settings,
      'group.id': group,
      'enable.auto.commit': false,
      'enable.partition.eof': true,
      'fetch.wait.max.ms': 100,
      'fetch.error.backoff.ms': 20,
      'fetch.queue.backoff.ms': 20,
      'check.crcs': true,
      ...more,
    },
    { 'auto.offset.reset': reset },
  )
  await connect(consumer)
  running.add(consumer)
  return consumer
}

async function connect(handle) {
  // Clients of an earlier configuration may be refused still: that is not of this one.
  const { refused, refuse } = access
  handle.on('event.error', (error) => {
    console.error('client:', error.message)
    if (codeOf(error) === AUTHENTICATION) refuse(error.message)
  })
  // While a client connects the library holds its errors back: only the log tells of a refusal at once.
  handle.on('event.log', ({ message }) => {
    console.error('client:', message)
    if (message.includes('SASL authentication error')) refuse(message)
  })
  if (token !== null) handle.setOauthBearerToken(token)
  const connected = called((done) => handle.connect({ allTopics: false, timeout: TIMEOUT_MS }, done))
  connected.catch(() => {})
  try {
    await Promise.race([connected, refused])
  } catch (error) {
    abandon(handle)
    throw error
  }
}

/** It may be connected half: some of these the library refuses to end. */
function abandon(handle) {
  try {
    handle.disconnect(() => {})
  } catch (error) {
    console.error('while closing:', error)
  }
}

function newAccess() {
  const { promise, reject } = deferred()
  const it = { refusal: null, refused: promise, refuse }
  function refuse(message) {
    it.refusal ??= new DriverError('SASL_AUTHENTICATION_FAILED', message)
    reject(it.refusal)
  }
  return it
}

function close(consumer, done = () => {}) {
  running.delete(consumer)
  consumer.disconnect(done)
}

/** A consumer for questions: its metadata requests ask for no creation, a producer's do. */
function inquiring() {
  if (inquirer === null) {
    const connecting = connectedConsumer(`node-rdkafka-driver-${randomUUID()}`, 'error')
    inquirer = connecting
    connecting.catch(() => {
      if (inquirer === connecting) inquirer = null
    })
  }
  return inquirer
}

async function metadataOf(options) {
  const consumer = await inquiring()
  return called((done) => consumer.getMetadata({ ...options, timeout: TIMEOUT_MS }, done))
}

function topicMetadata(name, { topics }) {
  const found = topics.find((topic) => topic.name === name)
  if (!found || found.partitions.length === 0)
    throw new Unsupported('node-rdkafka drops the error of a topic in metadata')
  const partitions = found.partitions.map(({ id, leader }) => ({ index: id, leader }))
  return { name, partitions: partitions.sort((a, b) => a.index - b.index) }
}

async function bounds(topic, partition) {
  const consumer = await inquiring()
  return called((done) => consumer.queryWatermarkOffsets(topic, partition, TIMEOUT_MS, done))
}

async function startOffset(topic, partition, from) {
  if (typeof from === 'object') return toOffset(from.offset)
  const { lowOffset, highOffset } = await bounds(topic, partition)
  return from === 'earliest' ? lowOffset : highOffset
}

function openNamed(consumer) {
  const reader = consumers.get(consumer)
  if (!reader) throw new DriverError('NoSuchConsumer', `no consumer ${consumer} is open`)
  return reader
}

/** The admin client tells of no refusal: the inquirer does, when it connects. */
async function connectedAdmin() {
  if (settings['sasl.mechanism'] !== undefined) await inquiring()
  admin ??= token === null ? AdminClient.create(settings) : AdminClient.create(settings, token)
  return admin
}

/** A producer whose deliveries are told apart by their opaque. */
async function createProducer(args) {
  const { acks = 'all', compression = 'none', idempotent = false, timeoutMs = 15_000 } = args
  if (compression !== 'none' && !features.includes(compression))
    throw new Unsupported(`this node-rdkafka was built without ${compression}`)
  const handle = new Producer(
    {
      ...settings,
      dr_cb: true,
      'enable.idempotence': idempotent,
      'compression.codec': compression,
      // A batch is closed by flush(), not by time.
      'linger.ms': 1000,
      'batch.num.messages': 1_000_000,
      // The broker's limit is what counts.
      'message.max.bytes': MESSAGE_BYTES_MAX,
      'topic.metadata.propagation.max.ms': 3000,
      'retry.backoff.ms': 20,
    },
    { 'request.required.acks': ACKS[acks], 'message.timeout.ms': timeoutMs },
  )
  handle.on('delivery-report', (error, report) => report?.opaque?.(error, report))
  await connect(handle)
  return { handle, send: (topic, messages, deadline) => sendAll(handle, topic, messages, deadline) }
}

async function sendAll(handle, topic, messages, deadline) {
  const deliveries = messages.map(
    ({ partition, value, key, timestamp, headers }) =>
      new Promise((resolve, reject) => {
        const delivered = (error, report) => (error ? reject(error) : resolve(placeOf(report)))
        handle.produce(topic, partition, value, key, timestamp, delivered, headers)
      }),
  )
  const all = Promise.all(deliveries)
  all.catch(() => {})
  const late = new Promise((_, reject) => {
    setTimeout(
      () => reject(new DriverError('TIMEOUT', 'no acknowledgement in time')),
      deadline - Date.now(),
    ).unref()
  })
  handle.flush(Math.max(1, deadline - Date.now()), () => handle.poll())
  return Promise.race([all, late])
}

function connectedProducer(args) {
  const name = args.producer ?? 'default'
  if (!producers.has(name)) {
    const created = createProducer(args)
    producers.set(name, created)
    created.catch(() => producers.delete(name))
  }
  return producers.get(name)
}

function placeOf({ partition, offset }) {
  return offset >= 0 ? { partition, offset: offsetText(offset) } : { partition }
}

function toMessage({ partition, key, value, headers = [], timestamp }) {
  if (timestamp === '0') throw new Unsupported('librdkafka takes a timestamp of 0 for the present time')
  return {
    partition: partition ?? null,
    key: withAddress(fromBase64(key)),
    value: withAddress(fromBase64(value)),
    timestamp: timestamp === undefined ? null : Number(timestamp),
    headers: headers.map(([name, bytes]) => ({ [name]: headerText(bytes) })),
  }
}

/** The library takes an empty Buffer without memory of its own for null: give it one that is a slice. */
function withAddress(buffer) {
  return buffer?.length === 0 ? Buffer.alloc(1).subarray(0, 0) : buffer
}

function headerText(base64) {
  if (base64 === null) throw new Unsupported('node-rdkafka cannot send a null header value')
  const bytes = Buffer.from(base64, 'base64')
  const text = bytes.toString('utf8')
  if (!Buffer.from(text).equals(bytes) || text.includes('\0'))
    throw new Unsupported('node-rdkafka sends header values as text without NUL')
  return text
}

function toReceived({ partition, offset, timestamp, key, value, headers = [] }) {
  return {
    partition,
    offset: offsetText(offset),
    timestamp: String(timestamp),
    key: toBase64(key),
    value: toBase64(value),
    headers: headers.flatMap((header) =>
      Object.entries(header).map(([name, bytes]) => [name, toBase64(bytes)]),
    ),
  }
}

function offsetText(offset) {
  if (!Number.isSafeInteger(offset))
    throw new Unsupported('node-rdkafka gives offsets as numbers: beyond 2^53 they are inexact')
  return String(offset)
}

function toOffset(text) {
  const offset = Number(text)
  if (!Number.isSafeInteger(offset))
    throw new Unsupported('node-rdkafka takes offsets as numbers: beyond 2^53 they are inexact')
  return offset
}

async function outcome(name, done) {
  try {
    await done
    return { name }
  } catch (error) {
    return { name, error: nameOf(error) }
  }
}

function called(run) {
  return new Promise((resolve, reject) => run((error, result) => (error ? reject(error) : resolve(result))))
}

/** Errors of deliveries and of topics have lost their code: librdkafka's text for it gives it back. */
const CODE_BY_TEXT = new Map(Object.values(CODES.ERRORS).map((code) => [err2str(code).toLowerCase(), code]))

function codeOf(error) {
  if (error?.code !== undefined && error.code !== -1) return meantBy(error.code, error.message)
  return (
    CODE_BY_TEXT.get(`${error?.origin}: ${error?.message}`) ?? CODE_BY_TEXT.get(error?.message) ?? error?.code
  )
}

function nameOf(error) {
  if (error instanceof DriverError) return error.name
  const code = codeOf(error)
  if (typeof code !== 'number') return error?.name ?? 'Error'
  const name = nameOfCode(code, CODES.ERRORS)
  return access.refusal !== null && UNREACHABLE.includes(name) ? 'SASL_AUTHENTICATION_FAILED' : name
}

serve({ client: 'node-rdkafka', version, kind: 'kafka' }, ops, nameOf)
