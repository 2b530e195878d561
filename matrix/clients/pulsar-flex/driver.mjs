// Driver of pulsar-flex (matrix/driver/messages.ts): a client of Pulsar in pure JavaScript, and a small one. What it cannot
// express is answered `unsupported`. Its producers send values and properties, and answer `true` in place of a message id:
// nothing that the suite could find again. Its consumers do not send the initial position that they are given, so that a
// new subscription begins at the end; it has no readers, no seeking, no schemas, no compression, no TLS; closing a consumer
// it calls unsubscribing. It shows neither the index of a message in its batch nor a tombstone.
// @ts-check
import { DriverError, requirePackage, serve, toBase64, Unsupported } from '../lib/driver.mjs'
import { deferred, orAfter } from '../lib/waiting.mjs'

const { Consumer, logLevel } = requirePackage('pulsar-flex')
/** @type {{ version: string }} */
const { version } = requirePackage('pulsar-flex/package.json')

/** @type {Record<string, number>} */
const TYPES = {
  exclusive: Consumer.SUB_TYPES.EXCLUSIVE,
  failover: Consumer.SUB_TYPES.FAILOVER,
  shared: Consumer.SUB_TYPES.SHARED,
  key_shared: Consumer.SUB_TYPES.KEY_SHARED,
}

/** @typedef {{ consumer: any, waiting: any[], acks: Map<string, (options: object) => Promise<unknown>>, topic: string, changed: import('../lib/waiting.mjs').Deferred }} Kept */

/** @type {Map<string, Kept>} */
const consumers = new Map()
/** @type {{ discoveryServers: string[], jwt?: string } | null} */
let settings = null

/** @param {string} what @returns {never} */
function lacks(what) {
  throw new Unsupported(`pulsar-flex ${what}`)
}

/** @type {Record<string, (args: any) => Promise<unknown>>} */
const ops = {
  async configure({ serviceUrl, security: { token, caPath } = {} }) {
    for (const { consumer } of consumers.values()) end(consumer)
    consumers.clear()
    const { protocol, host } = new URL(serviceUrl)
    if (protocol !== 'pulsar:' || caPath !== undefined) lacks('has no TLS')
    settings = { discoveryServers: [host], ...(token === undefined ? {} : { jwt: token }) }
  },

  async produce() {
    lacks('answers true, and no message id, when it has sent a message')
  },

  async closeProducer() {},

  async subscribe(args) {
    if (settings === null) throw new DriverError('NotConfigured', 'configure comes first')
    const { topic, subscription, type = 'exclusive', from = 'earliest' } = args
    if (from !== 'latest') lacks('does not send the initial position: it begins at the end of a topic')
    if (args.batchIndexAck) lacks('has no acknowledgement of single messages of a batch')
    if (args.negativeAckDelayMs !== undefined) lacks('has no delay of negative acknowledgements')
    const consumer = new Consumer({
      ...settings,
      topic,
      subscription,
      subType: TYPES[type],
      consumerName: `driver-${args.consumer}`,
      readCompacted: args.compacted ?? false,
      logLevel: logLevel.WARN,
      ...(args.receiverQueueSize === undefined ? {} : { receiveQueueSize: args.receiverQueueSize }),
    })
    await consumer.subscribe()
    /** @type {Kept} */
    const kept = { consumer, waiting: [], acks: new Map(), topic, changed: deferred() }
    consumers.set(args.consumer, kept)
    await consumer.run({
      autoAck: false,
      onMessage: async (/** @type {any} */ message) => keep(kept, message),
    })
  },

  async receive({ consumer, count, timeoutMs = 15_000 }) {
    const kept = opened(consumer)
    const deadline = Date.now() + timeoutMs
    while (kept.waiting.length < count && Date.now() < deadline)
      await orAfter(deadline - Date.now(), kept.changed.promise)
    return { messages: kept.waiting.splice(0, count).map((message) => toReceived(kept.topic, message)) }
  },

  async acknowledge({ consumer, ids, cumulative = false }) {
    const type = cumulative ? Consumer.ACK_TYPES.CUMULATIVE : Consumer.ACK_TYPES.INDIVIDUAL
    for (const id of ids) await ackOf(opened(consumer), id)({ type })
  },

  async negativeAcknowledge({ consumer, ids }) {
    for (const id of ids) await ackOf(opened(consumer), id)({ type: Consumer.ACK_TYPES.NEGATIVE })
  },

  async redeliverUnacknowledged() {
    lacks('has no redelivery of all that is unacknowledged')
  },

  async seek() {
    lacks('has no seeking')
  },

  async unsubscribe() {
    lacks('ends a consumer where it says that it unsubscribes')
  },

  async closeConsumer({ consumer }) {
    const kept = consumers.get(consumer)
    consumers.delete(consumer)
    await kept?.consumer.unsubscribe()
  },

  async read() {
    lacks('has no readers')
  },

  async openReader() {
    lacks('has no readers')
  },

  async readNext() {
    lacks('has no readers')
  },

  async lastMessageId() {
    lacks('does not tell the last message id')
  },

  async partitions() {
    lacks('does not tell the partitions of a topic')
  },
}

/** @param {Kept} kept @param {any} message */
function keep(kept, message) {
  kept.waiting.push(message)
  kept.acks.set(keyOf(idOf(message)), message.ack)
  kept.changed.resolve()
  kept.changed = deferred()
}

/** @param {string} name */
function opened(name) {
  const kept = consumers.get(name)
  if (!kept) throw new DriverError('NoSuchHandle', `nothing is open under the name ${name}`)
  return kept
}

/** @param {Kept} kept @param {{ ledgerId: string, entryId: string }} id */
function ackOf(kept, id) {
  const ack = kept.acks.get(keyOf(id))
  return ack ?? lacks('acknowledges only what it has received')
}

/** @param {{ ledgerId: string, entryId: string }} id */
function keyOf({ ledgerId, entryId }) {
  return `${ledgerId}:${entryId}`
}

/** The library does not tell the place in a batch. @param {any} message */
function idOf({ command: { messageId } }) {
  const { ledgerid, entryid, partition } = messageId
  if (!Number.isSafeInteger(ledgerid) || !Number.isSafeInteger(entryid))
    lacks('gives ids as numbers: beyond 2^53 they are inexact')
  return { ledgerId: String(ledgerid), entryId: String(entryid), partition, batchIndex: -1 }
}

/** @param {string} topic @param {any} message */
function toReceived(topic, message) {
  const { metadata, properties, redeliveryCount } = message
  if (metadata.compression > 0) lacks('does not decompress')
  return {
    id: idOf(message),
    topic,
    key: metadata.partitionKey || null,
    value: toBase64(message.message),
    knowsNull: false,
    properties,
    eventTime: String(metadata.eventTime ?? 0),
    publishTime: String(metadata.publishTime ?? 0),
    redeliveryCount,
  }
}

/** @param {any} consumer */
async function end(consumer) {
  try {
    await consumer.unsubscribe()
  } catch (error) {
    console.error('while closing:', error)
  }
}

/** The library has an error class for each command, and drops the broker's code. @param {any} error */
function nameOf(error) {
  if (error?.name === 'PulsarFlexResponseTimeoutError') return 'TIMEOUT'
  return error?.name ?? 'Error'
}

serve({ client: 'pulsar-flex', version, kind: 'pulsar' }, ops, nameOf)
