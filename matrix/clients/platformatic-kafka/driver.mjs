// Driver of @platformatic/kafka (matrix/driver/messages.ts): its Producer, Consumer and Admin. What a version does not
// have is answered `unsupported`: the first ones have no administration beyond topics and groups. It has no assignor but
// round-robin, no reset of an offset out of range, no metadata of commits, no error of a topic beside the others'; it
// takes a partition that is not there modulo their number; zstd it has where Node.js does.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { DriverError, requirePackage, serve, Unsupported } from '../lib/driver.mjs'
import { groupOps } from './members.mjs'
import { nameOf, refusedByLibrary } from './names.mjs'
import { Reader } from './reader.mjs'
import { placesOf, positionsAfter, toMessage, toReceived } from './records.mjs'
import { securitySettings } from './security.mjs'

const entry = pathToFileURL(requirePackage.resolve('@platformatic/kafka'))
const library = await import(entry.href)
const { version } = JSON.parse(readFileSync(new URL('../package.json', entry), 'utf8'))
const { Admin, Consumer, Producer, FetchIsolationLevels, consumerFetchesChannel } = library

const ACKS = { 0: 0, 1: 1, all: -1 }
const AT = { latest: -1n, earliest: -2n }
const MAX_WAIT_MS = 100
const TOPIC_RESOURCE = 2
const INCREMENTAL_SET = 0
const hasExtensions =
  library.baseOptionsSchema?.properties?.sasl?.properties?.oauthBearerExtensions !== undefined

let settings = null
let admin = null
let inquirer = null
const producers = new Map()
const readers = new Map()
/** Every reader and consumer that is open, named or not: `configure` ends them. */
const running = new Set()
const groups = groupOps({ newConsumer, ownAdmin, has, required })

const ops = {
  ...groups.ops,

  async configure({ bootstrap, clientId, security }) {
    const secure = securitySettings(security, hasExtensions)
    groups.closeAll()
    for (const handle of [...running, ...producers.values(), admin, inquirer]) end(handle)
    running.clear()
    producers.clear()
    readers.clear()
    admin = null
    inquirer = null
    settings = {
      clientId,
      bootstrapBrokers: bootstrap.split(','),
      connectTimeout: 3000,
      timeout: 10_000,
      retries: 8,
      retryDelay: 50,
      ...secure,
    }
  },

  async createTopics({ topics }) {
    const create = ({ name, partitions, configs = {} }) =>
      ownAdmin().createTopics({ topics: [name], partitions, replicas: 1, configs: entriesOf(configs) })
    return { topics: await inTurn(topics, (topic) => outcome(topic.name, () => create(topic))) }
  },

  async deleteTopics({ names }) {
    const remove = (name) => ownAdmin().deleteTopics({ topics: [name] })
    return { topics: await inTurn(names, (name) => outcome(name, () => remove(name))) }
  },

  async createPartitions({ topic, count }) {
    await required('createPartitions')({ topics: [{ name: topic, count, assignments: null }] })
  },

  async deleteRecords({ topic, partition, before }) {
    const partitions = [{ partition, offset: BigInt(before) }]
    await required('deleteRecords')({ topics: [{ name: topic, partitions }] })
  },

  async describeConfigs({ topic }) {
    const resources = [{ resourceType: TOPIC_RESOURCE, resourceName: topic, configurationKeys: null }]
    const [described] = await required('describeConfigs')({ resources })
    return { configs: Object.fromEntries(described.configs.map(({ name, value }) => [name, value])) }
  },

  async alterConfigs({ topic, configs }) {
    const entries = entriesOf(configs).map((entry) => ({ ...entry, configOperation: INCREMENTAL_SET }))
    const resources = [{ resourceType: TOPIC_RESOURCE, resourceName: topic, configs: entries }]
    await required('incrementalAlterConfigs')({ resources })
  },

  async listTopics() {
    return { names: await ownAdmin().listTopics({ includeInternals: true }) }
  },

  async metadata({ topics }) {
    const { brokers } = await ownAdmin().metadata({ topics: [], forceUpdate: true })
    return {
      brokers: [...brokers].map(([id, { host, port }]) => ({ id, host, port })),
      topics: await inTurn(topics, topicMetadata),
    }
  },

  async listOffsets({ topic, partition, at }) {
    const timestamp = typeof at === 'string' ? AT[at] : BigInt(at.timestamp)
    const found = await offsetOf(topic, partition, timestamp)
    const isTold = typeof at === 'object' && found.timestamp >= 0n
    return { offset: String(found.offset), ...(isTold ? { timestamp: String(found.timestamp) } : {}) }
  },

  async produce(args) {
    const { topic, records, acks = 'all', compression = 'none', oneBatch = true, timeoutMs = 15_000 } = args
    const messages = records.map((record) => toMessage(topic, record))
    const producer = openProducer(args)
    const sendAll = async () => {
      await refuseOtherPartitions(producer, topic, messages)
      const places = []
      for (const batch of oneBatch ? [messages] : messages.map((message) => [message])) {
        const { offsets = [] } = await producer.send({ messages: batch, acks: ACKS[acks], compression })
        places.push(...placesOf(batch, offsets))
      }
      return places
    }
    return { records: await within(timeoutMs, sendAll()) }
  },

  async consume(args) {
    const { topic, partition = 0, from = 'earliest', count, until, reset = 'none', timeoutMs = 15_000 } = args
    const deadline = Date.now() + timeoutMs
    const start = await startOffset(topic, partition, from)
    const end = until === 'end' ? (await offsetOf(topic, partition, AT.latest)).offset : null
    if (start === end) return { records: [] }
    const reader = await openReader({ ...args, partition, start })
    try {
      return { records: await reader.take({ count, end, deadline, reset }) }
    } finally {
      running.delete(reader)
      reader.close()
    }
  },

  async openConsumer({ consumer, topic, partition = 0, from = 'latest' }) {
    const start = await startOffset(topic, partition, from)
    const reader = await openReader({ topic, partition, start })
    await reader.fetching
    readers.set(consumer, reader)
  },

  async poll({ consumer, count, timeoutMs = 15_000 }) {
    const deadline = Date.now() + timeoutMs
    return { records: await openNamed(consumer).take({ count, end: null, deadline }) }
  },

  async seek({ consumer, offset }) {
    await openNamed(consumer).seek(offset)
  },

  async closeConsumer({ consumer }) {
    const reader = readers.get(consumer)
    readers.delete(consumer)
    running.delete(reader)
    await reader?.close()
  },

  async consumeInGroup({ group, topic, from = 'earliest', count, timeoutMs = 20_000 }) {
    const consumer = newConsumer(group)
    running.add(consumer)
    try {
      const stream = await within(
        timeoutMs,
        consumer.consume({ topics: [topic], mode: 'committed', fallbackMode: from, autocommit: false }),
      )
      const records = (await taken(stream, count, timeoutMs)).map(toReceived)
      const offsets = positionsAfter(topic, records).map((place) => ({ ...place, leaderEpoch: -1 }))
      if (offsets.length > 0) await consumer.commit({ offsets })
      return { records }
    } finally {
      running.delete(consumer)
      await consumer.close(true)
    }
  },

  async committed({ group, topic, partition = 0 }) {
    return groups.committed(group, topic, partition)
  },
}

/** Messages of a stream, until there are enough, or the time is over. */
async function taken(stream, count, timeoutMs) {
  const messages = []
  const reading = new Promise((resolve, reject) => {
    stream.on('error', reject)
    stream.on('data', (message) => {
      if (messages.length < count) messages.push(message)
      if (messages.length >= count) resolve()
    })
  })
  let timer
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  await Promise.race([reading, late]).finally(() => clearTimeout(timer))
  return messages
}

async function openReader({ topic, partition, start, maxPartitionBytes, readCommitted = false }) {
  const { READ_COMMITTED, READ_UNCOMMITTED } = FetchIsolationLevels
  const options = {
    isolationLevel: readCommitted ? READ_COMMITTED : READ_UNCOMMITTED,
    ...(maxPartitionBytes === undefined ? {} : limitOf(maxPartitionBytes)),
  }
  const consumer = newConsumer(`${settings.clientId}-driver-${randomUUID()}`)
  const reader = new Reader(consumer, { topic, partition }, options, consumerFetchesChannel)
  running.add(reader)
  await reader.start(start)
  return reader
}

function limitOf(bytes) {
  if (library.consumeOptionsSchema?.properties?.maxBytesPerPartition !== undefined)
    return { maxBytesPerPartition: bytes }
  throw new Unsupported('this version of @platformatic/kafka has no limit of bytes a partition')
}

function newConsumer(groupId, more = {}) {
  const consumer = new Consumer({
    ...settings,
    groupId,
    maxWaitTime: MAX_WAIT_MS,
    isolationLevel: FetchIsolationLevels.READ_UNCOMMITTED,
    ...more,
  })
  consumer.on('error', (error) => console.error('consumer:', error.message))
  return consumer
}

function ownAdmin() {
  admin ??= new Admin(settings)
  return admin
}

function inquiring() {
  inquirer ??= newConsumer(`${settings.clientId}-driver-${randomUUID()}`)
  return inquirer
}

function has(method) {
  return typeof Admin.prototype[method] === 'function'
}

/** A method of the admin client that not every version has. */
function required(method) {
  if (!has(method)) throw new Unsupported(`@platformatic/kafka ${version} has no Admin.${method}`)
  return (options) => ownAdmin()[method](options)
}

function openProducer({ producer: name = 'default', idempotent = false }) {
  let producer = producers.get(name)
  if (producer === undefined) {
    producer = new Producer({ ...settings, idempotent })
    producer.on('error', (error) => console.error('producer:', error.message))
    producers.set(name, producer)
  }
  return producer
}

/** The library would write to another partition than the one that was named. */
async function refuseOtherPartitions(producer, topic, messages) {
  const named = messages.flatMap(({ partition }) => (partition === undefined ? [] : [partition]))
  if (named.length === 0) return
  const { topics } = await producer.metadata({ topics: [topic] })
  if (named.some((partition) => partition >= topics.get(topic).partitionsCount))
    throw new Unsupported('@platformatic/kafka takes a partition that is not there modulo their number')
}

async function offsetOf(topic, partition, timestamp) {
  const found = await inquiring().listOffsetsWithTimestamps({
    topics: [topic],
    partitions: { [topic]: [partition] },
    timestamp,
  })
  const place = found.get(topic)?.get(partition)
  if (!place) throw new DriverError('UNKNOWN_TOPIC_OR_PARTITION', `no partition ${partition} of ${topic}`)
  return place
}

async function startOffset(topic, partition, from) {
  if (typeof from === 'object') return BigInt(from.offset)
  return (await offsetOf(topic, partition, AT[from])).offset
}

async function topicMetadata(name) {
  let found
  try {
    found = (await ownAdmin().metadata({ topics: [name], forceUpdate: true })).topics.get(name)
  } catch (error) {
    return { name, error: nameOf(error), partitions: [] }
  }
  if (found === undefined) throw new Unsupported('@platformatic/kafka leaves internal topics out of metadata')
  const partitions = found.partitions.map(({ leader }, index) => ({ index, leader }))
  return { name, topicId: topicIdOf(found.id), partitions }
}

/** As Kafka writes it; the library's is a UUID. */
function topicIdOf(uuid) {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url')
}

function openNamed(consumer) {
  const reader = readers.get(consumer)
  if (!reader) throw new DriverError('NoSuchConsumer', `no consumer ${consumer} is open`)
  return reader
}

async function end(handle) {
  try {
    // Only a consumer can be told to close though its streams are open.
    await (handle instanceof Consumer ? handle.close(true) : handle?.close())
  } catch (error) {
    console.error('while closing:', error)
  }
}

/** Older versions take two calls of one kind at the same time for one. */
async function inTurn(items, run) {
  const answers = []
  for (const item of items) answers.push(await run(item))
  return answers
}

async function outcome(name, run) {
  try {
    await run()
    return { name }
  } catch (error) {
    return { name, error: nameOf(error) }
  }
}

function entriesOf(configs) {
  return Object.entries(configs).map(([name, value]) => ({ name, value }))
}

async function within(ms, promise) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new DriverError('TIMEOUT', `no answer within ${ms} ms`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** What the library says that it cannot do here is no error. */
function orUnsupported(run) {
  return async (args) => {
    try {
      return await run(args)
    } catch (error) {
      throw refusedByLibrary(error)
    }
  }
}

const guarded = Object.fromEntries(Object.entries(ops).map(([name, run]) => [name, orUnsupported(run)]))
serve({ client: 'platformatic-kafka', version, kind: 'kafka' }, guarded, nameOf)
