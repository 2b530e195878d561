// Driver of kafkajs (matrix/driver/messages.ts). What the library cannot express is answered `unsupported`:
// null header values (it fails on them), header names that repeat with others between them (its headers are an object).
// kafkajs reads only as a member of a group: `consume` and `openConsumer` use a group of their own, and seek.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { DriverError, fromBase64, requirePackage, serve, toBase64, Unsupported } from '../lib/driver.mjs'
import { deferred, orAfter } from '../lib/waiting.mjs'
import { groupOps } from './members.mjs'
import { securitySettings } from './security.mjs'

const { Kafka, Partitioners, logLevel, ConfigResourceTypes, CompressionTypes, CompressionCodecs } =
  requirePackage('kafkajs')
const { version } = requirePackage('kafkajs/package.json')
CompressionCodecs[CompressionTypes.Snappy] = requirePackage('kafkajs-snappy')
const lz4 = requirePackage('lz4-napi')
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: (encoder) => lz4.compressFrame(encoder.buffer),
  decompress: (buffer) => lz4.decompressFrame(buffer),
})
const zstd = requirePackage('@mongodb-js/zstd')
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: (encoder) => zstd.compress(encoder.buffer),
  decompress: (buffer) => zstd.decompress(buffer),
})

/** Its first major version subscribes to one topic at a time, asks for the commits of one, and repeats no header. */
const isFirst = version.startsWith('1.')
const CODECS = { none: 'None', gzip: 'GZIP', snappy: 'Snappy', lz4: 'LZ4', zstd: 'ZSTD' }
const ACKS = { 0: 0, 1: 1, all: -1 }
const MAX_WAIT_MS = 100
const LEADERS_WITHIN_MS = 5000
const LEADERS_LOOK_MS = 20
const NOT_YET = ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']

let kafka = null
let admin = null
let ownClientId = ''
const producers = new Map()
const consumers = new Map()
/** Every consumer that runs, named or not: `configure` ends them. */
const running = new Set()
/** By group id: told when kafkajs says (in its log only) that the broker refused an offset. */
const outOfRange = new Map()
const groups = groupOps({
  kafka: () => kafka,
  connectedAdmin,
  consumerConfig,
  subscribe,
  toReceived,
  running,
  isFirst,
})

const ops = {
  ...groups.ops,

  async configure({ bootstrap, clientId, security }) {
    groups.closeAll()
    ownClientId = clientId
    const open = [...producers.values(), ...[...running].map((reader) => reader.consumer)]
    if (admin) open.push(admin)
    for (const handle of open)
      Promise.resolve(handle)
        .then((it) => it.disconnect())
        .catch(() => {})
    producers.clear()
    consumers.clear()
    running.clear()
    outOfRange.clear()
    kafka = new Kafka({
      clientId,
      brokers: bootstrap.split(','),
      connectionTimeout: 3000,
      retry: { retries: 8, initialRetryTime: 20, maxRetryTime: 500 },
      logLevel: logLevel.INFO,
      logCreator: () => log,
      ...securitySettings(security),
    })
    admin = null
  },

  async createTopics({ topics }) {
    const client = await connectedAdmin()
    const create = async ({ name, partitions, configs = {} }) => {
      const isNew = await client.createTopics({
        // By kafkajs's own waiting, a broker that has not heard of the topic yet is an error.
        waitForLeaders: false,
        topics: [
          {
            topic: name,
            numPartitions: partitions,
            replicationFactor: 1,
            configEntries: entriesOf(configs),
          },
        ],
      })
      if (isNew) await awaitLeaders(client, name)
      return isNew
    }
    return {
      topics: await Promise.all(
        // kafkajs answers false, without an error, for a topic that exists.
        topics.map((topic) => named(topic.name, async () => (await create(topic)) || 'TOPIC_ALREADY_EXISTS')),
      ),
    }
  },

  async deleteTopics({ names }) {
    const client = await connectedAdmin()
    const topics = []
    // One after another: kafkajs refreshes what it knows after each, and fails on topics that are being deleted.
    for (const name of names) {
      topics.push(await named(name, () => client.deleteTopics({ topics: [name], timeout: 5000 })))
    }
    return { topics }
  },

  async createPartitions({ topic, count }) {
    await (await connectedAdmin()).createPartitions({ topicPartitions: [{ topic, count }] })
  },

  async deleteRecords({ topic, partition, before }) {
    const client = await connectedAdmin()
    // A fresh admin knows no broker yet, and this is the one call of kafkajs that does not look for them by itself.
    await client.fetchTopicOffsets(topic)
    await client.deleteTopicRecords({ topic, partitions: [{ partition, offset: before }] })
  },

  async describeConfigs({ topic }) {
    const client = await connectedAdmin()
    const { resources } = await client.describeConfigs({
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
      includeSynonyms: false,
    })
    const entries = resources[0]?.configEntries ?? []
    return {
      configs: Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue])),
    }
  },

  async alterConfigs({ topic, configs }) {
    await (await connectedAdmin()).alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: entriesOf(configs) }],
    })
  },

  async listTopics() {
    return { names: await (await connectedAdmin()).listTopics() }
  },

  async metadata({ topics }) {
    const client = await connectedAdmin()
    const { brokers } = await client.describeCluster()
    return {
      brokers: brokers.map(({ nodeId, host, port }) => ({ id: nodeId, host, port })),
      topics: await Promise.all(topics.map((name) => topicMetadata(client, name))),
    }
  },

  async listOffsets({ topic, partition, at }) {
    const client = await connectedAdmin()
    const of = (offsets) => {
      const found = offsets.find((entry) => entry.partition === partition)
      if (!found) throw new DriverError('UNKNOWN_TOPIC_OR_PARTITION', `no partition ${partition} of ${topic}`)
      return found
    }
    if (at === 'earliest') return { offset: of(await client.fetchTopicOffsets(topic)).low }
    const { high } = of(await client.fetchTopicOffsets(topic))
    if (at === 'latest') return { offset: high }
    const { offset } = of(await client.fetchTopicOffsetsByTimestamp(topic, at.timestamp))
    // kafkajs gives the log end in place of the broker's −1; no record has that offset.
    return { offset: BigInt(offset) >= BigInt(high) ? '-1' : offset }
  },

  async produce(args) {
    const { topic, records, acks = 'all', compression = 'none', oneBatch = true, timeoutMs = 15_000 } = args
    const messages = records.map(toMessage)
    const send = async (batch) =>
      (await connectedProducer(args)).send({
        topic,
        messages: batch,
        acks: ACKS[acks],
        compression: CompressionTypes[CODECS[compression]],
        timeout: timeoutMs,
      })
    const sendAll = async () => {
      if (oneBatch) return placesOf(messages, await send(messages))
      const places = []
      for (const message of messages) places.push(...placesOf([message], await send([message])))
      return places
    }
    return { records: await within(timeoutMs, sendAll()) }
  },

  async consume(args) {
    const { topic, partition = 0, from = 'earliest', count, until, reset = 'none', timeoutMs = 15_000 } = args
    const deadline = Date.now() + timeoutMs
    const { low, high } = await bounds(topic, partition)
    const start = startOffset(from, low, high)
    if (until === 'end' && BigInt(start) === BigInt(high)) return { records: [] }
    const reader = await openReader({ topic, partition, start, ...args, fromBeginning: reset !== 'latest' })
    try {
      const end = until === 'end' ? BigInt(high) : null
      const records = await reader.take({ count, end, deadline, failWhenOutOfRange: reset === 'none' })
      return { records }
    } finally {
      reader.close()
    }
  },

  async openConsumer({ consumer, topic, partition = 0, from = 'latest' }) {
    const { low, high } = await bounds(topic, partition)
    const reader = await openReader({ topic, partition, start: startOffset(from, low, high) })
    await reader.fetching()
    consumers.set(consumer, reader)
  },

  async poll({ consumer, count, timeoutMs = 15_000 }) {
    const deadline = Date.now() + timeoutMs
    return {
      records: await openNamed(consumer).take({ count, end: null, deadline, failWhenOutOfRange: true }),
    }
  },

  async seek({ consumer, offset }) {
    openNamed(consumer).seek(offset)
  },

  async closeConsumer({ consumer }) {
    const reader = consumers.get(consumer)
    consumers.delete(consumer)
    await reader?.close()
  },

  async consumeInGroup({ group, topic, from = 'earliest', count, timeoutMs = 20_000 }) {
    const consumer = kafka.consumer(consumerConfig(group))
    const records = []
    const done = deferred()
    running.add({ consumer })
    const timer = setTimeout(() => done.resolve(), timeoutMs)
    try {
      consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || done.reject(payload.error))
      await consumer.connect()
      await subscribe(consumer, [topic], from === 'earliest')
      await consumer.run({
        autoCommit: false,
        eachMessage: async ({ partition, message }) => {
          if (records.length < count) records.push(toReceived(partition, message))
          if (records.length >= count) done.resolve()
        },
      })
      await done.promise
      await consumer.commitOffsets(positionsAfter(topic, records))
      return { records }
    } finally {
      clearTimeout(timer)
      await consumer.disconnect()
    }
  },

  async committed({ group, topic, partition = 0 }) {
    const client = await connectedAdmin()
    const partitions = isFirst
      ? await client.fetchOffsets({ groupId: group, topic })
      : (await client.fetchOffsets({ groupId: group, topics: [topic] }))[0]?.partitions
    const found = partitions?.find((entry) => entry.partition === partition)
    return { offset: found?.offset ?? '-1', metadata: found?.metadata ?? null }
  },
}

/** Reads one partition as the only member of a group of its own. */
async function openReader({
  topic,
  partition,
  start,
  maxPartitionBytes,
  readCommitted,
  fromBeginning = true,
}) {
  const groupId = `${ownClientId}-driver-${randomUUID()}`
  const consumer = kafka.consumer({
    ...consumerConfig(groupId),
    ...(maxPartitionBytes ? { maxBytesPerPartition: maxPartitionBytes } : {}),
    readUncommitted: !readCommitted,
  })
  const received = []
  let position = BigInt(start)
  let waiting = deferred()
  let refused = false
  let crash = null
  const changed = () => {
    waiting.resolve()
    waiting = deferred()
  }
  const fetching = deferred()
  outOfRange.set(groupId, () => {
    refused = true
    changed()
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (payload.restart) return
    crash = payload.error
    fetching.reject(crash)
    changed()
  })
  const reader = {
    consumer,
    fetching: () => fetching.promise,
    async take({ count, end, deadline, failWhenOutOfRange }) {
      for (;;) {
        const enough = count !== undefined && received.length >= count
        const atEnd = end !== null && position >= end
        const left = deadline - Date.now()
        if (refused && failWhenOutOfRange)
          throw new DriverError(
            'OFFSET_OUT_OF_RANGE',
            'the broker refused the offset; kafkajs logs it and resets',
          )
        if (crash) throw crash
        if (enough || atEnd || left <= 0) return received.splice(0, count ?? received.length)
        await orAfter(left, waiting.promise)
      }
    },
    seek(offset) {
      received.length = 0
      refused = false
      position = BigInt(offset)
      consumer.seek({ topic, partition, offset })
    },
    close() {
      running.delete(reader)
      outOfRange.delete(groupId)
      return consumer.disconnect().catch(() => {})
    },
  }
  running.add(reader)
  await consumer.connect()
  await subscribe(consumer, [topic], fromBeginning)
  let sought = false
  consumer.on(consumer.events.FETCH_START, () => sought && fetching.resolve())
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve))
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      if (batch.partition !== partition) return
      // A batch fetched before the seek took effect.
      const messages = batch.messages.filter(({ offset }) => BigInt(offset) >= position || refused)
      for (const message of messages) received.push(toReceived(partition, message))
      const next = BigInt(batch.lastOffset()) + 1n
      if (messages.length > 0) position = next
      changed()
    },
  })
  await Promise.race([joined, fetching.promise])
  consumer.seek({ topic, partition, offset: start })
  sought = true
  return reader
}

async function subscribe(consumer, topics, fromBeginning) {
  if (!isFirst) return consumer.subscribe({ topics, fromBeginning })
  for (const topic of topics) await consumer.subscribe({ topic, fromBeginning })
}

function consumerConfig(groupId) {
  return {
    groupId,
    maxWaitTimeInMs: MAX_WAIT_MS,
    minBytes: 1,
    allowAutoTopicCreation: false,
    retry: { retries: 8, initialRetryTime: 20, maxRetryTime: 500 },
  }
}

function startOffset(from, low, high) {
  if (from === 'earliest') return low
  return from === 'latest' ? high : from.offset
}

async function bounds(topic, partition) {
  const offsets = await (await connectedAdmin()).fetchTopicOffsets(topic)
  const found = offsets.find((entry) => entry.partition === partition)
  if (!found) throw new DriverError('UNKNOWN_TOPIC_OR_PARTITION', `no partition ${partition} of ${topic}`)
  return found
}

function positionsAfter(topic, records) {
  const next = new Map()
  for (const { partition, offset } of records) next.set(partition, BigInt(offset) + 1n)
  return [...next].map(([partition, offset]) => ({ topic, partition, offset: String(offset) }))
}

function openNamed(consumer) {
  const reader = consumers.get(consumer)
  if (!reader) throw new DriverError('NoSuchConsumer', `no consumer ${consumer} is open`)
  return reader
}

function connectedAdmin() {
  if (admin === null) {
    const connecting = connected(kafka.admin({ retry: { retries: 4, initialRetryTime: 20 } }))
    admin = connecting
    connecting.catch(() => {
      if (admin === connecting) admin = null
    })
  }
  return admin
}

function connectedProducer({ producer: name = 'default', idempotent = false }) {
  let producer = producers.get(name)
  if (!producer) {
    const created = kafka.producer({
      idempotent,
      createPartitioner: Partitioners.DefaultPartitioner,
      ...(idempotent ? { maxInFlightRequests: 1 } : {}),
    })
    producer = connected(created)
    producers.set(name, producer)
    producer.catch(() => producers.delete(name))
  }
  return producer
}

async function connected(handle) {
  await handle.connect()
  return handle
}

/** The offset of each message: kafkajs answers the first of each partition, in the order of sending. */
function placesOf(messages, answers) {
  if (
    messages.every((message) => message.partition === undefined) &&
    answers.length === 1 &&
    messages.length === 1
  ) {
    const [{ partition, baseOffset }] = answers
    return [{ partition, ...(baseOffset === undefined ? {} : { offset: baseOffset }) }]
  }
  const seen = new Map()
  return messages.map((message) => {
    const partition = message.partition ?? (answers.length === 1 ? answers[0].partition : undefined)
    if (partition === undefined) return {}
    const base = answers.find((answer) => answer.partition === partition)?.baseOffset
    const before = seen.get(partition) ?? 0
    seen.set(partition, before + 1)
    return { partition, ...(base === undefined ? {} : { offset: String(BigInt(base) + BigInt(before)) }) }
  })
}

function toMessage({ partition, key, value, headers = [], timestamp }) {
  return {
    key: fromBase64(key),
    value: fromBase64(value),
    headers: toHeaders(headers),
    ...(partition === undefined ? {} : { partition }),
    ...(timestamp === undefined ? {} : { timestamp }),
  }
}

/** kafkajs takes an object of values or lists of values: the order of different names must survive that. */
function toHeaders(headers) {
  const object = {}
  for (const [name, value] of headers) {
    if (value === null) throw new Unsupported('kafkajs cannot send a null header value')
    const bytes = fromBase64(value)
    if (isFirst && Object.hasOwn(object, name))
      throw new Unsupported(`kafkajs ${version} cannot repeat the name of a header`)
    if (Object.hasOwn(object, name)) object[name] = [].concat(object[name], [bytes])
    else object[name] = bytes
  }
  const kept = fromHeaders(object)
  const same = headers.every(([name, value], index) => kept[index][0] === name && kept[index][1] === value)
  if (!same) throw new Unsupported("kafkajs's headers are an object: it cannot keep the order of these names")
  return object
}

function fromHeaders(object) {
  return Object.entries(object ?? {}).flatMap(([name, value]) =>
    Array.isArray(value) ? value.map((one) => [name, toBase64(one)]) : [[name, toBase64(value)]],
  )
}

function toReceived(partition, message) {
  return {
    partition,
    offset: message.offset,
    timestamp: message.timestamp,
    key: toBase64(message.key),
    value: toBase64(message.value),
    headers: fromHeaders(message.headers),
  }
}

async function topicMetadata(client, name) {
  try {
    const { topics } = await client.fetchTopicMetadata({ topics: [name] })
    const partitions = topics[0].partitions.map(({ partitionId, leader, partitionErrorCode }) => ({
      index: partitionId,
      leader,
      ...(partitionErrorCode ? { error: String(partitionErrorCode) } : {}),
    }))
    return { name, partitions: partitions.sort((a, b) => a.index - b.index) }
  } catch (error) {
    return { name, error: nameOf(error), partitions: [] }
  }
}

/** A broker hears of a new topic, and who leads it, a moment after its controller has created it. */
async function awaitLeaders(client, name) {
  const deadline = Date.now() + LEADERS_WITHIN_MS
  for (;;) {
    const { error } = await topicMetadata(client, name)
    if (!NOT_YET.includes(error)) return
    if (Date.now() > deadline) throw new DriverError(error, `the new topic ${name} has no leaders yet`)
    await delay(LEADERS_LOOK_MS)
  }
}

/** What became of one topic of several: `run` answers true, or the name of an error. */
async function named(name, run) {
  try {
    const answer = await run()
    return typeof answer === 'string' ? { name, error: answer } : { name }
  } catch (error) {
    return { name, error: nameOf(error) }
  }
}

function entriesOf(configs) {
  return Object.entries(configs).map(([name, value]) => ({ name, value }))
}

/** Kafka's names since 2.x where kafkajs keeps older ones. */
const RENAMED = {
  UNKNOWN: 'UNKNOWN_SERVER_ERROR',
  NOT_LEADER_FOR_PARTITION: 'NOT_LEADER_OR_FOLLOWER',
  GROUP_LOAD_IN_PROGRESS: 'COORDINATOR_LOAD_IN_PROGRESS',
  GROUP_COORDINATOR_NOT_AVAILABLE: 'COORDINATOR_NOT_AVAILABLE',
  NOT_COORDINATOR_FOR_GROUP: 'NOT_COORDINATOR',
}

function nameOf(error) {
  if (error?.errors?.length > 0) return nameOf(error.errors[0])
  if (error?.partitions?.[0]?.error) return nameOf(error.partitions[0].error)
  if (error?.type) return RENAMED[error.type] ?? error.type
  if (error?.name === 'KafkaJSSASLAuthenticationError')
    return /not supported by the server/.test(error.message)
      ? 'UNSUPPORTED_SASL_MECHANISM'
      : 'SASL_AUTHENTICATION_FAILED'
  if (error?.cause) return nameOf(error.cause)
  if (error?.originalError) return nameOf(error.originalError)
  if (/Timeout/.test(error?.name ?? '')) return 'TIMEOUT'
  return error?.name ?? 'Error'
}

function log({ namespace, level, log: { message, ...rest } }) {
  if (message.startsWith('Offset out of range, resetting')) outOfRange.get(rest.groupId)?.()
  console.error(`${level} ${namespace}: ${message}`, rest.error ?? '')
}

async function within(ms, promise) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new DriverError('TIMEOUT', `no answer within ${ms} ms`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

serve({ client: 'kafkajs', version, kind: 'kafka' }, ops, nameOf)
