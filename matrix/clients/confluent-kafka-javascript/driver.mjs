// Driver of @confluentinc/kafka-javascript (matrix/driver/messages.ts), by its promisified API, the one that its users are
// told to use. What that API cannot express is answered `unsupported`: partitions added to a topic, configs, header values
// that are null or no text, header names that repeat with others between them; a timestamp of 0; offsets beyond 2^53,
// which it takes as numbers. It reads only as a member of a group, and tells its errors while reading in its log only.
import { randomUUID } from 'node:crypto'
import { DriverError, requirePackage, serve, Unsupported } from '../lib/driver.mjs'
import { AUTHENTICATION, hasNewerProtocol, nameOfCode, UNREACHABLE } from '../lib/librdkafka.mjs'
import { deferred, orAfter } from '../lib/waiting.mjs'
import { commitAndSee, groupOps } from './members.mjs'
import { Reader } from './reader.mjs'
import { placesOf, toMessage, toReceived } from './records.mjs'
import { securitySettings } from './security.mjs'

const { KafkaJS, features, librdkafkaVersion } = requirePackage('@confluentinc/kafka-javascript')
const { version } = requirePackage('@confluentinc/kafka-javascript/package.json')
const { ErrorCodes, Kafka } = KafkaJS

const TIMEOUT_MS = 10_000
const MESSAGE_BYTES_MAX = 100_000_000
const ACKS = { 0: 0, 1: 1, all: -1 }

let settings = null
let admin = null
const producers = new Map()
const consumers = new Map()
/** Ops that are under way. */
const asked = new Set()
/** Everything that is open, named or not: `configure` ends it. */
const running = new Set()
/** Rejected as soon as a broker refused who we are: librdkafka goes on trying, and its calls time out. */
let access = newAccess()
const groups = groupOps({
  connectedAdmin,
  newConsumer,
  nameOf,
  newerProtocol: hasNewerProtocol(librdkafkaVersion),
})

const ops = {
  ...groups.ops,

  async configure({ bootstrap, clientId, security }) {
    groups.closeAll()
    // To end one would block the process for as long as a request waits for a broker that has refused it.
    const unblocked = Promise.allSettled(access.refusal === null ? [] : asked)
    for (const handle of [...running, ...producers.values(), ...(admin ? [admin] : [])])
      unblocked
        .then(() => handle)
        .then((it) => it.disconnect?.() ?? it.close())
        .catch(() => {})
    running.clear()
    producers.clear()
    consumers.clear()
    admin = null
    access = newAccess()
    const secure = securitySettings(security)
    settings = {
      clientId,
      kafkaJS: { brokers: bootstrap.split(','), clientId, ...secure.kafkaJS },
      librdkafka: {
        ...secure.librdkafka,
        // One that was refused goes on trying for as long as it is there.
        'reconnect.backoff.ms': security?.sasl ? 1000 : 20,
        'reconnect.backoff.max.ms': 1000,
        'topic.metadata.refresh.fast.interval.ms': 20,
        'socket.timeout.ms': TIMEOUT_MS,
        'log.connection.close': false,
      },
    }
  },

  async createTopics({ topics }) {
    const client = await connectedAdmin()
    const create = ({ name, partitions, configs = {} }) =>
      client.createTopics({
        topics: [
          { topic: name, numPartitions: partitions, replicationFactor: 1, configEntries: entriesOf(configs) },
        ],
        timeout: TIMEOUT_MS,
      })
    return {
      topics: await Promise.all(
        // The library answers false, without an error, for a topic that exists.
        topics.map((topic) =>
          outcome(topic.name, async () => (await create(topic)) || 'TOPIC_ALREADY_EXISTS'),
        ),
      ),
    }
  },

  async deleteTopics({ names }) {
    const client = await connectedAdmin()
    const remove = (name) => client.deleteTopics({ topics: [name], timeout: TIMEOUT_MS })
    return { topics: await Promise.all(names.map((name) => outcome(name, () => remove(name)))) }
  },

  async createPartitions() {
    throw new Unsupported('the promisified API has no Admin.createPartitions')
  },

  async deleteRecords({ topic, partition, before }) {
    const client = method(await connectedAdmin(), 'deleteTopicRecords')
    const partitions = [{ partition, offset: before }]
    const results = await client.deleteTopicRecords({ topic, partitions, timeout: TIMEOUT_MS })
    const error = results?.find((result) => result.error)?.error
    if (error) throw error
  },

  async describeConfigs() {
    throw new Unsupported('the promisified API has no Admin.describeConfigs')
  },

  async alterConfigs() {
    throw new Unsupported('the promisified API has no Admin.alterConfigs')
  },

  async listTopics() {
    return { names: await (await connectedAdmin()).listTopics({ timeout: TIMEOUT_MS }) }
  },

  async metadata({ topics }) {
    const answers = await Promise.all(topics.map(topicMetadata))
    const brokers = new Map(answers.flatMap(({ nodes }) => nodes).map((node) => [node.id, node]))
    return {
      brokers: [...brokers.values()].map(({ id, host, port }) => ({ id, host, port })),
      topics: answers.map(({ nodes, ...answer }) => answer),
    }
  },

  async listOffsets({ topic, partition, at }) {
    if (typeof at === 'string') {
      const { low, high } = await bounds(topic, partition)
      return { offset: at === 'earliest' ? low : high }
    }
    const client = method(await connectedAdmin(), 'fetchTopicOffsetsByTimestamp')
    const found = await client.fetchTopicOffsetsByTimestamp(topic, Number(at.timestamp))
    const { offset } = partitionOf(found, topic, partition)
    const { high } = await bounds(topic, partition)
    // The library gives the log end in place of the broker's −1; no record has that offset.
    return { offset: BigInt(offset) >= BigInt(high) ? '-1' : offset }
  },

  async produce(args) {
    const { topic, records, oneBatch = true, timeoutMs = 15_000 } = args
    const batches = oneBatch ? [records] : records.map((record) => [record])
    const wanted = batches.map((batch) => batch.map(toMessage))
    const sendAll = async () => {
      const producer = await connectedProducer(args)
      const places = []
      for (const messages of wanted) {
        const sent = producer.send({ topic, messages })
        // A batch is closed by flush(), not by time.
        producer.flush({ timeout: timeoutMs }).catch(() => {})
        places.push(...placesOf(messages, await sent))
      }
      return places
    }
    return { records: await within(timeoutMs, sendAll()) }
  },

  async consume(args) {
    const { topic, partition = 0, from = 'earliest', count, until, reset = 'none', timeoutMs = 15_000 } = args
    const deadline = Date.now() + timeoutMs
    const start = await startOffset(topic, partition, from)
    const end = until === 'end' ? Number((await bounds(topic, partition)).high) : null
    if (start === end) return { records: [] }
    const reader = await openReader({ ...args, partition, start })
    try {
      return { records: await reader.take({ count, end, deadline, failWhenOutOfRange: reset === 'none' }) }
    } finally {
      running.delete(reader)
      reader.close()
    }
  },

  async openConsumer({ consumer, topic, partition = 0, from = 'latest' }) {
    const start = await startOffset(topic, partition, from)
    consumers.set(consumer, await openReader({ topic, partition, start }))
  },

  async poll({ consumer, count, timeoutMs = 15_000 }) {
    const deadline = Date.now() + timeoutMs
    const records = await openNamed(consumer).take({ count, end: null, deadline, failWhenOutOfRange: true })
    return { records }
  },

  async seek({ consumer, offset }) {
    toOffset(offset)
    await openNamed(consumer).seek(offset)
  },

  async closeConsumer({ consumer }) {
    const reader = consumers.get(consumer)
    consumers.delete(consumer)
    running.delete(reader)
    await reader?.close()
  },

  async consumeInGroup({ group, topic, from = 'earliest', count, timeoutMs = 20_000 }) {
    const consumer = newConsumer(group, { 'auto.offset.reset': from })
    await consumer.connect()
    running.add(consumer)
    try {
      await consumer.subscribe({ topics: [topic] })
      const records = await taken(consumer, count, timeoutMs)
      const next = new Map(records.map(({ partition, offset }) => [partition, BigInt(offset) + 1n]))
      const positions = [...next].map(([partition, offset]) => ({ topic, partition, offset: String(offset) }))
      if (positions.length > 0) await commitAndSee(consumer, positions)
      return { records }
    } finally {
      running.delete(consumer)
      await consumer.disconnect()
    }
  },

  async committed({ group, topic, partition = 0 }) {
    const client = await connectedAdmin()
    const answers = await client.fetchOffsets({
      groupId: group,
      topics: [{ topic, partitions: [partition] }],
      timeout: TIMEOUT_MS,
    })
    const found = answers
      .find((answer) => answer.topic === topic)
      ?.partitions.find((one) => one.partition === partition)
    const isThere = found !== undefined && BigInt(found.offset) >= 0n
    return isThere
      ? { offset: found.offset, metadata: found.metadata ?? '' }
      : { offset: '-1', metadata: null }
  },
}

/** Records of a consumer that runs, until there are enough, or the time is over. */
async function taken(consumer, count, timeoutMs) {
  const records = []
  const enough = deferred()
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      if (records.length < count) records.push(toReceived(partition, message))
      if (records.length >= count) enough.resolve()
    },
  })
  const timer = setTimeout(() => enough.resolve(), timeoutMs)
  await enough.promise.finally(() => clearTimeout(timer))
  return records
}

async function openReader({
  topic,
  partition,
  start,
  maxPartitionBytes,
  readCommitted = false,
  reset = 'none',
}) {
  const reader = new Reader({ topic, partition }, start, (more, heard) =>
    newConsumer(
      `${settings.clientId}-driver-${randomUUID()}`,
      {
        'auto.offset.reset': reset === 'none' ? 'error' : reset,
        'isolation.level': readCommitted ? 'read_committed' : 'read_uncommitted',
        ...(maxPartitionBytes ? { 'max.partition.fetch.bytes': maxPartitionBytes } : {}),
        ...more,
      },
      heard,
    ),
  )
  running.add(reader)
  await reader.start()
  return reader
}

/** @param heard told what the library says in its log only */
function newConsumer(group, more = {}, heard = {}) {
  return client(heard).consumer({
    kafkaJS: { groupId: group, autoCommit: false, allowAutoTopicCreation: false },
    'fetch.wait.max.ms': 100,
    'fetch.error.backoff.ms': 20,
    'fetch.queue.backoff.ms': 20,
    'check.crcs': true,
    ...more,
  })
}

function client({ tokenTaken, ...heard } = {}) {
  const kafkaJS = { ...settings.kafkaJS, logger: loggerOf(heard) }
  if (tokenTaken !== undefined) kafkaJS.sasl = tellingOfToken(kafkaJS.sasl, tokenTaken)
  return new Kafka({ kafkaJS, ...settings.librdkafka })
}

/** As `sasl`, but it tells when the library has the token: as soon as the promises behind the provider's are done. */
function tellingOfToken(sasl, tokenTaken) {
  const oauthBearerProvider = async () => {
    setImmediate(tokenTaken)
    return sasl.oauthBearerProvider()
  }
  return { ...sasl, oauthBearerProvider }
}

/** A consumer's errors while it reads are in its log only, as texts of librdkafka. */
function loggerOf({ refused, failed }) {
  const { refuse } = access
  const hear = (message) => {
    console.error(message)
    if (/SASL authentication error/.test(message)) refuse(message)
    if (/offset out of range|no offset to automatically reset/i.test(message)) refused?.()
    const [, text] =
      /^(?:Error: |Consumer encountered error while consuming.*Error details: )(.*)/.exec(message) ?? []
    if (text !== undefined) failed?.(new DriverError(nameOfText(text), text))
  }
  const logger = {
    info: hear,
    error: hear,
    warn: hear,
    debug: () => {},
    namespace: () => logger,
    setLogLevel: () => {},
  }
  return logger
}

function connectedAdmin() {
  if (admin === null) {
    const connecting = connectedToAsk()
    admin = connecting
    connecting.catch(() => {
      if (admin === connecting) admin = null
    })
  }
  return admin
}

/**
 * An admin client is connected before it has its token, and an op holds the lock that the token waits for: the first
 * would block the process until its time-out.
 */
async function connectedToAsk() {
  if (settings.kafkaJS.sasl?.oauthBearerProvider === undefined) return connected(client().admin())
  const taken = deferred()
  const handle = await connected(client({ tokenTaken: taken.resolve }).admin())
  await orAfter(TIMEOUT_MS, taken.promise)
  return handle
}

function connectedProducer(args) {
  const { producer: name = 'default', acks = 'all', compression = 'none', idempotent = false } = args
  if (compression !== 'none' && !features.includes(compression))
    throw new Unsupported(`this build of the library is without ${compression}`)
  let producer = producers.get(name)
  if (producer === undefined) {
    const created = client().producer({
      kafkaJS: { acks: ACKS[acks], compression, idempotent, allowAutoTopicCreation: true },
      'linger.ms': 1000,
      'batch.num.messages': 1_000_000,
      // The broker's limit is what counts.
      'message.max.bytes': MESSAGE_BYTES_MAX,
      'message.timeout.ms': args.timeoutMs ?? 15_000,
      'topic.metadata.propagation.max.ms': 3000,
      'retry.backoff.ms': 20,
    })
    producer = connected(created)
    producers.set(name, producer)
    producer.catch(() => producers.delete(name))
  }
  return producer
}

async function connected(handle) {
  const { refused } = access
  const connecting = handle.connect()
  connecting.catch(() => {})
  await Promise.race([connecting, refused])
  return handle
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

/** Not every version has every method. */
function method(handle, name) {
  if (typeof handle[name] !== 'function')
    throw new Unsupported(`the library's version ${version} has no ${name}`)
  return handle
}

async function bounds(topic, partition) {
  const answers = await (await connectedAdmin()).fetchTopicOffsets(topic, { timeout: TIMEOUT_MS })
  return partitionOf(answers, topic, partition)
}

function partitionOf(answers, topic, partition) {
  const found = answers.find((answer) => answer.partition === partition)
  if (!found) throw new DriverError('UNKNOWN_TOPIC_OR_PARTITION', `no partition ${partition} of ${topic}`)
  return found
}

async function startOffset(topic, partition, from) {
  if (typeof from === 'object') return toOffset(from.offset)
  const { low, high } = await bounds(topic, partition)
  return Number(from === 'earliest' ? low : high)
}

function toOffset(text) {
  const offset = Number(text)
  if (!Number.isSafeInteger(offset))
    throw new Unsupported('the library takes offsets as numbers: beyond 2^53 they are inexact')
  return offset
}

async function topicMetadata(name) {
  try {
    const [topic] = await (await connectedAdmin()).fetchTopicMetadata({ topics: [name], timeout: TIMEOUT_MS })
    const partitions = topic.partitions.map(({ partitionId, leader }) => ({ index: partitionId, leader }))
    return {
      name,
      internal: topic.isInternal,
      partitions: partitions.sort((a, b) => a.index - b.index),
      nodes: topic.partitions.flatMap(({ leaderNode }) => leaderNode ?? []),
    }
  } catch (error) {
    return { name, error: nameOf(error), partitions: [], nodes: [] }
  }
}

function openNamed(consumer) {
  const reader = consumers.get(consumer)
  if (!reader) throw new DriverError('NoSuchConsumer', `no consumer ${consumer} is open`)
  return reader
}

function entriesOf(configs) {
  return Object.entries(configs).map(([name, value]) => ({ name, value }))
}

/** What became of one topic of several: `run` may answer the name of an error. */
async function outcome(name, run) {
  try {
    const answer = await run()
    return typeof answer === 'string' ? { name, error: answer } : { name }
  } catch (error) {
    return { name, error: nameOf(error) }
  }
}

async function within(ms, promise) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new DriverError('TIMEOUT', `no answer within ${ms} ms`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

function nameOf(error) {
  if (error instanceof DriverError) return error.name
  if (error?.errors?.length > 0) return nameOf(error.errors[0])
  if (typeof error?.code !== 'number') return error?.name ?? 'Error'
  const name = nameOfCode(error.code, ErrorCodes)
  return access.refusal !== null && UNREACHABLE.includes(name) ? nameOfCode(AUTHENTICATION, ErrorCodes) : name
}

/** librdkafka names some errors in its texts. */
function nameOfText(text) {
  if (/fenced/i.test(text)) return 'FENCED_INSTANCE_ID'
  if (/fatal error/i.test(text)) return '_FATAL'
  if (/authorization failed/i.test(text))
    return /group/i.test(text) ? 'GROUP_AUTHORIZATION_FAILED' : 'TOPIC_AUTHORIZATION_FAILED'
  return 'Error'
}

/** librdkafka goes on trying for one who was refused, until the op's time-out. */
function orRefused(op) {
  return (args) => {
    const answer = op(args)
    asked.add(answer)
    answer.catch(() => {}).then(() => asked.delete(answer))
    return Promise.race([answer, access.refused])
  }
}

const { configure, ...asking } = ops
const guarded = Object.fromEntries(Object.entries(asking).map(([name, op]) => [name, orRefused(op)]))

serve({ client: 'confluent-kafka-javascript', version, kind: 'kafka' }, { configure, ...guarded }, nameOf)
