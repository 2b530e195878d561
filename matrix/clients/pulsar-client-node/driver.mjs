// Driver of pulsar-client for Node, the C++ client underneath (matrix/driver/messages.ts). What the library cannot
// express is answered `unsupported`: keys and ordering keys that are not text, tombstones, reading from a message id
// inclusively, the last message id, and redelivery of all that is unacknowledged. It shows neither the index of a
// message nor its sequence id, and cannot tell a tombstone from an empty value.
// @ts-check
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DriverError, fromBase64, requirePackage, serve, toBase64, Unsupported } from '../lib/driver.mjs'

/** @typedef {{ ledgerId: string, entryId: string, partition: number, batchIndex: number }} Id */
/** @typedef {{ consumer: import('pulsar-client').Consumer, received: Map<string, import('pulsar-client').MessageId> }} Kept */
/** @typedef {Promise<import('pulsar-client').Producer>} KeptProducer */

/** @type {typeof import('pulsar-client')} */
const pulsar = requirePackage('pulsar-client')
/** @type {{ version: string }} */
const { version } = requirePackage('pulsar-client/package.json')

const BATCH_BYTES_MAX = 4 * 1024 * 1024

/** @type {Record<string, import('pulsar-client').CompressionType>} */
const COMPRESSION = { none: 'None', lz4: 'LZ4', zlib: 'Zlib', zstd: 'ZSTD', snappy: 'SNAPPY' }
/** @type {Record<string, import('pulsar-client').SubscriptionType>} */
const TYPES = { exclusive: 'Exclusive', failover: 'Failover', shared: 'Shared', key_shared: 'KeyShared' }
/** @type {Record<string, import('pulsar-client').SchemaType>} */
const SCHEMA_TYPES = { string: 'String', json: 'Json', avro: 'Avro' }

/** @type {import('pulsar-client').Client | null} */
let current = null
/** @type {Map<string, KeptProducer>} */
const producers = new Map()
/** @type {Map<string, Kept>} */
const consumers = new Map()
/** @type {Map<string, import('pulsar-client').Reader>} */
const readers = new Map()

/** @type {Record<string, (args: any) => Promise<unknown>>} */
const ops = {
  async configure({ serviceUrl, security: { token, caPath } = {} }) {
    // Closing waits for the broker: the next scenario does not.
    current?.close().catch((error) => console.error('while closing:', error))
    producers.clear()
    consumers.clear()
    readers.clear()
    current = new pulsar.Client({
      serviceUrl,
      operationTimeoutSeconds: 15,
      connectionTimeoutMs: 5000,
      ...(token === undefined ? {} : { authentication: new pulsar.AuthenticationToken({ token }) }),
      ...(caPath === undefined ? {} : { tlsTrustCertsFilePath: caPath, tlsValidateHostname: true }),
      log: (_level, _file, _line, message) => console.error(message),
      logLevel: pulsar.LogLevel.WARN,
    })
  },

  async produce(args) {
    const { messages, timeoutMs = 15_000 } = args
    const wanted = messages.map(toMessage)
    const producer = await openProducer(args)
    const sent = Promise.all(wanted.map((/** @type {any} */ message) => producer.send(message)))
    sent.catch(() => {})
    await producer.flush().catch(() => null)
    const ids = await within(timeoutMs, sent)
    return { ids: ids.map(fromId) }
  },

  async closeProducer({ producer }) {
    for (const [key, kept] of producers) {
      if (!key.startsWith(`${producer} `)) continue
      producers.delete(key)
      await (await kept).close()
    }
  },

  async subscribe(args) {
    const { topic, subscription, type = 'exclusive', from = 'earliest' } = args
    const consumer = await client().subscribe({
      topic,
      subscription,
      subscriptionType: type in TYPES ? TYPES[type] : undefined,
      subscriptionInitialPosition: from === 'latest' ? 'Latest' : 'Earliest',
      batchIndexAckEnabled: args.batchIndexAck ?? false,
      readCompacted: args.compacted ?? false,
      ...(args.receiverQueueSize === undefined ? {} : { receiverQueueSize: args.receiverQueueSize }),
      ...(args.negativeAckDelayMs === undefined ? {} : { nAckRedeliverTimeoutMs: args.negativeAckDelayMs }),
    })
    consumers.set(args.consumer, { consumer, received: new Map() })
  },

  async receive({ consumer, count, timeoutMs = 15_000 }) {
    const kept = opened(consumers, consumer)
    const messages = await take(
      count,
      timeoutMs,
      () => true,
      (ms) => kept.consumer.receive(ms),
    )
    for (const message of messages) {
      const id = message.getMessageId()
      kept.received.set(keyOf(fromId(id)), id)
    }
    return { messages: messages.map(toReceived) }
  },

  async acknowledge({ consumer, ids, cumulative = false }) {
    const kept = opened(consumers, consumer)
    for (const id of ids) {
      if (cumulative) await kept.consumer.acknowledgeCumulativeId(idOf(kept, id))
      else await kept.consumer.acknowledgeId(idOf(kept, id))
    }
  },

  async negativeAcknowledge({ consumer, ids }) {
    const kept = opened(consumers, consumer)
    for (const id of ids) kept.consumer.negativeAcknowledgeId(idOf(kept, id))
  },

  async redeliverUnacknowledged() {
    throw new Unsupported('pulsar-client for Node has no redelivery of all that is unacknowledged')
  },

  async seek({ consumer, to }) {
    const kept = opened(consumers, consumer)
    if (to.id) await kept.consumer.seek(toId(to.id))
    else await kept.consumer.seekTimestamp(Number(to.timestamp))
  },

  async unsubscribe({ consumer }) {
    const kept = opened(consumers, consumer)
    consumers.delete(consumer)
    await kept.consumer.unsubscribe()
  },

  async closeConsumer({ consumer }) {
    const kept = consumers.get(consumer)
    consumers.delete(consumer)
    await kept?.consumer.close()
  },

  async read({ topic, from = 'earliest', compacted = false, count, until, timeoutMs = 15_000 }) {
    const reader = await createReader(topic, from, compacted)
    try {
      const more = () => until !== 'end' || reader.hasNext()
      const messages = await take(count, timeoutMs, more, (ms) => reader.readNext(ms))
      return { messages: messages.map(toReceived) }
    } finally {
      await reader.close()
    }
  },

  async openReader({ reader, topic, from = 'latest' }) {
    readers.set(reader, await createReader(topic, from))
  },

  async readNext({ reader, count, timeoutMs = 15_000 }) {
    const open = opened(readers, reader)
    const messages = await take(
      count,
      timeoutMs,
      () => true,
      (ms) => open.readNext(ms),
    )
    return { messages: messages.map(toReceived) }
  },

  async lastMessageId() {
    throw new Unsupported('pulsar-client for Node does not tell the last message id')
  },

  async partitions({ topic }) {
    return { names: await client().getPartitionsForTopic(topic) }
  },
}

function client() {
  if (!current) throw new DriverError('NotConfigured', 'configure comes first')
  return current
}

/** A producer belongs to one topic: the same name for another topic is another producer. @param {any} args */
function openProducer(args) {
  const key = `${args.producer ?? 'default'} ${args.topic}`
  let producer = producers.get(key)
  if (!producer) {
    producer = createProducer(args)
    producers.set(key, producer)
    producer.catch(() => producers.delete(key))
  }
  return producer
}

/** @param {any} args */
function createProducer(args) {
  const { topic, chunking = false, oneBatch = false, compression = 'none', timeoutMs = 15_000 } = args
  const batching = oneBatch && !chunking
  return client().createProducer({
    topic,
    sendTimeoutMs: timeoutMs,
    maxPendingMessages: 100_000,
    blockIfQueueFull: true,
    compressionType: COMPRESSION[compression] ?? 'None',
    chunkingEnabled: chunking,
    batchingEnabled: batching,
    // A batch is closed by flush(), not by time or count.
    ...(batching
      ? {
          batchingMaxPublishDelayMs: 60_000,
          batchingMaxMessages: 1_000_000,
          batchingMaxAllowedSizeInBytes: BATCH_BYTES_MAX,
        }
      : {}),
    ...(args.producerName === undefined ? {} : { producerName: args.producerName }),
    ...(args.encryptionPublicKey === undefined
      ? {}
      : { encryptionKey: 'kop', publicKeyPath: fileOf(args.encryptionPublicKey) }),
    ...(args.schema === undefined ? {} : { schema: toSchema(args.schema) }),
  })
}

/** @param {{ type: string, definition?: string }} schema @returns {import('pulsar-client').SchemaInfo} */
function toSchema({ type, definition }) {
  const schemaType = SCHEMA_TYPES[type]
  if (!schemaType) throw new Unsupported(`pulsar-client for Node has no schema ${type}`)
  return { schemaType, name: type, ...(definition === undefined ? {} : { schema: definition }) }
}

/** @param {string} pem */
function fileOf(pem) {
  const file = join(mkdtempSync(join(tmpdir(), 'kop-driver-')), 'public.pem')
  writeFileSync(file, pem)
  return file
}

/** @param {any} message @returns {import('pulsar-client').ProducerMessage} */
function toMessage(message) {
  if (message.keyBytes !== undefined) throw new Unsupported('pulsar-client for Node has keys of text only')
  const data = fromBase64(message.value)
  if (data === null) throw new Unsupported('pulsar-client for Node cannot send a tombstone')
  return {
    data,
    properties: message.properties ?? {},
    ...(message.key === undefined ? {} : { partitionKey: message.key }),
    ...(message.orderingKey === undefined ? {} : { orderingKey: textOf(message.orderingKey) }),
    ...(message.eventTime === undefined ? {} : { eventTimestamp: Number(message.eventTime) }),
    ...(message.sequenceId === undefined ? {} : { sequenceId: Number(message.sequenceId) }),
    ...(message.deliverAfterMs === undefined ? {} : { deliverAfter: message.deliverAfterMs }),
  }
}

/** @param {string} base64 */
function textOf(base64) {
  const bytes = Buffer.from(base64, 'base64')
  const text = bytes.toString('utf8')
  if (!Buffer.from(text).equals(bytes))
    throw new Unsupported('pulsar-client for Node has ordering keys of text only')
  return text
}

/** @param {string} topic @param {'earliest' | 'latest' | { id: Id, inclusive: boolean }} from @param {boolean} readCompacted */
function createReader(topic, from, readCompacted = false) {
  if (typeof from === 'string') {
    const startMessageId = from === 'earliest' ? pulsar.MessageId.earliest() : pulsar.MessageId.latest()
    return client().createReader({ topic, startMessageId, readCompacted })
  }
  if (from.inclusive)
    throw new Unsupported('readers of pulsar-client for Node start after a message id, not at it')
  return client().createReader({ topic, startMessageId: toId(from.id), readCompacted })
}

/**
 * Takes messages until there are enough, or no more, or the time is over.
 * @param {number | undefined} count @param {number} timeoutMs @param {() => boolean} more
 * @param {(timeoutMs: number) => Promise<import('pulsar-client').Message>} next
 */
async function take(count, timeoutMs, more, next) {
  const deadline = Date.now() + timeoutMs
  /** @type {import('pulsar-client').Message[]} */
  const messages = []
  while (messages.length < (count ?? Number.POSITIVE_INFINITY) && deadline > Date.now() && more()) {
    try {
      messages.push(await next(Math.max(1, deadline - Date.now())))
    } catch (error) {
      if (nameOf(error) !== 'TIMEOUT') throw error
    }
  }
  return messages
}

/** @template T @param {Map<string, T>} handles @param {string} name */
function opened(handles, name) {
  const handle = handles.get(name)
  if (!handle) throw new DriverError('NoSuchHandle', `nothing is open under the name ${name}`)
  return handle
}

/** @param {Kept} kept @param {Id} id */
function idOf(kept, id) {
  return kept.received.get(keyOf(id)) ?? toId(id)
}

/** @param {Id} id */
function keyOf({ ledgerId, entryId, batchIndex }) {
  return `${ledgerId}:${entryId}:${batchIndex}`
}

/** Its text is `(ledger,entry,partition,batch index)`. @param {import('pulsar-client').MessageId} id @returns {Id} */
function fromId(id) {
  const [, ledgerId, entryId, partition, batchIndex] =
    /\((-?\d+),(-?\d+),(-?\d+),(-?\d+)\)/.exec(id.toString()) ?? []
  if (ledgerId === undefined || entryId === undefined) throw new Error(`no message id: ${id.toString()}`)
  return { ledgerId, entryId, partition: Number(partition), batchIndex: Number(batchIndex) }
}

/** The library takes ids in their serialized form: Pulsar's MessageIdData, fields 1 to 4. @param {Id} id */
function toId({ ledgerId, entryId, partition, batchIndex }) {
  const fields = [BigInt(ledgerId), BigInt(entryId), BigInt(partition), BigInt(batchIndex)]
  const bytes = fields.flatMap((value, index) => [
    ((index + 1) << 3) | 0,
    ...varint(BigInt.asUintN(64, value)),
  ])
  return pulsar.MessageId.deserialize(Buffer.from(bytes))
}

/** @param {bigint} value */
function varint(value) {
  const bytes = []
  let rest = value
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  bytes.push(Number(rest))
  return bytes
}

/** @param {import('pulsar-client').Message} message */
function toReceived(message) {
  const ordering = message.getOrderingKey()
  return {
    id: fromId(message.getMessageId()),
    topic: message.getTopicName(),
    // The library gives '' where there is no key.
    key: message.getPartitionKey() || null,
    orderingKey: ordering ? toBase64(Buffer.from(ordering)) : null,
    value: toBase64(message.getData()),
    knowsNull: false,
    properties: message.getProperties(),
    eventTime: String(message.getEventTimestamp()),
    publishTime: String(message.getPublishTimestamp()),
    producerName: message.getProducerName(),
    redeliveryCount: message.getRedeliveryCount(),
  }
}

/** @template T @param {number} ms @param {Promise<T>} promise @returns {Promise<T>} */
function within(ms, promise) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DriverError('TIMEOUT', `no receipt within ${ms} ms`)), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** Names of the protocol where the library has its own. @type {Record<string, string>} */
const NAMES = {
  TimeOut: 'TIMEOUT',
  BrokerMetadataError: 'MetadataError',
  BrokerPersistenceError: 'PersistenceError',
  ServiceUnitNotReady: 'ServiceNotReady',
  TopicTerminated: 'TopicTerminatedError',
  TooManyLookupRequestException: 'TooManyRequests',
}

/** The library's errors are texts that end in the name: "Failed to create producer: TopicNotFound". @param {any} error */
function nameOf(error) {
  if (error instanceof DriverError) return error.name
  const [last = ''] = String(error?.message ?? error)
    .split(': ')
    .slice(-1)
  if (!/^\w+$/.test(last)) return error?.name ?? 'Error'
  return NAMES[last] ?? last
}

serve({ client: 'pulsar-client-node', version, kind: 'pulsar' }, ops, nameOf)
