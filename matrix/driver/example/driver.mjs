// A driver as small as one can be: it creates topics, writes and reads. All else it answers "unsupported", and those
// cases are told apart from failures. It shares nothing with the suite but the driver protocol (../README.md).
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** The suite installs the package in a folder of its own. */
const requirePackage = createRequire(join(process.env.KOP_DRIVER_PACKAGES ?? process.cwd(), 'driver.cjs'))
const { Kafka, logLevel } = requirePackage('kafkajs')
const { version } = requirePackage('kafkajs/package.json')

class Unsupported extends Error {}

const toBase64 = (bytes) =>
  bytes === null || bytes === undefined ? null : Buffer.from(bytes).toString('base64')
const fromBase64 = (text) => (text === null ? null : Buffer.from(text, 'base64'))

let kafka
let admin
let producer

async function configure({ bootstrap, clientId, security }) {
  if (security.sasl || security.caPath) throw new Unsupported('this driver knows no security')
  await Promise.all([admin?.disconnect(), producer?.disconnect()])
  kafka = new Kafka({ brokers: bootstrap.split(','), clientId, logLevel: logLevel.ERROR })
  admin = kafka.admin()
  await Promise.all([admin.connect(), openProducer()])
}

async function openProducer() {
  producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
}

async function createTopics({ topics }) {
  const create = async ({ name, partitions, configs }) => {
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    try {
      const isNew = await admin.createTopics({
        // By kafkajs's own waiting, a broker that has not heard of the topic yet is an error.
        waitForLeaders: false,
        topics: [{ topic: name, numPartitions: partitions, configEntries }],
      })
      return isNew ? { name } : { name, error: 'TOPIC_ALREADY_EXISTS' }
    } catch (error) {
      return { name, error: nameOf(error) }
    }
  }
  return { topics: await Promise.all(topics.map(create)) }
}

async function deleteTopics({ names }) {
  const there = new Set(await admin.listTopics())
  const remove = async (name) => {
    if (!there.has(name)) return { name, error: 'UNKNOWN_TOPIC_OR_PARTITION' }
    try {
      await admin.deleteTopics({ topics: [name] })
      return { name }
    } catch (error) {
      // kafkajs asks for the metadata of what it has just deleted.
      const code = nameOf(error)
      return code === 'UNKNOWN_TOPIC_OR_PARTITION' ? { name } : { name, error: code }
    }
  }
  const topics = await Promise.all(names.map(remove))
  // kafkajs's producer asks for the metadata of all topics that it ever wrote to, and fails of one that is gone.
  await producer.disconnect()
  await openProducer()
  return { topics }
}

async function listTopics() {
  return { names: await admin.listTopics() }
}

async function produce({ topic, records, acks, compression, idempotent, oneBatch }) {
  if (acks !== 'all' || compression !== 'none' || idempotent) {
    throw new Unsupported('this driver writes with the defaults of its library only')
  }
  const answers = []
  for (const part of oneBatch ? [records] : records.map((record) => [record])) {
    // Its promise is kept when the broker has acknowledged, not when the records are in a queue.
    const [told] = await producer.send({ topic, messages: part.map(toMessage) })
    const isTold = part.every(({ partition }) => partition === told.partition)
    for (const [index, { partition }] of part.entries()) {
      const offset = isTold ? { offset: String(BigInt(told.baseOffset) + BigInt(index)) } : {}
      answers.push({ ...(partition !== undefined && { partition }), ...offset })
    }
  }
  return { records: answers }
}

function toMessage({ partition, key, value, headers, timestamp }) {
  const names = new Set(headers.map(([name]) => name))
  if (names.size < headers.length) throw new Unsupported('this driver writes no header twice')
  if (headers.some(([, value]) => value === null)) throw new Unsupported('kafkajs has no null headers')
  return {
    ...(partition !== undefined && { partition }),
    key: fromBase64(key),
    value: fromBase64(value),
    headers: Object.fromEntries(headers.map(([name, value]) => [name, fromBase64(value)])),
    ...(timestamp !== undefined && { timestamp }),
  }
}

async function consume({
  topic,
  partition,
  from,
  count,
  until,
  readCommitted,
  reset,
  maxPartitionBytes,
  timeoutMs,
}) {
  if (from !== 'earliest' || reset !== 'none' || readCommitted || maxPartitionBytes !== undefined) {
    throw new Unsupported('this driver reads from the beginning only')
  }
  const ends = await admin.fetchTopicOffsets(topic)
  const end = BigInt(ends.find((each) => each.partition === partition)?.high ?? 0)
  if (until === 'end' && end === 0n) return { records: [] }
  const records = []
  const groupId = `my-client-${process.pid}-${Date.now()}`
  const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false })
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, timeoutMs)
      const take = async ({ partition: of, message }) => {
        if (of !== partition) return
        if (count === undefined || records.length < count) records.push(toReceived(of, message))
        const isEnd = until === 'end' && BigInt(message.offset) + 1n >= end
        if (!isEnd && records.length !== count) return
        clearTimeout(timer)
        resolve()
      }
      consumer.run({ autoCommit: false, eachMessage: take }).catch(reject)
    })
    return { records }
  } finally {
    await consumer.disconnect()
  }
}

function toReceived(partition, { offset, timestamp, key, value, headers }) {
  const pairs = Object.entries(headers ?? {}).flatMap(([name, value]) =>
    [value].flat().map((each) => [name, toBase64(each)]),
  )
  return { partition, offset, timestamp, key: toBase64(key), value: toBase64(value), headers: pairs }
}

/** The protocol's own name of an error where there is one. */
function nameOf(error) {
  return error.type ?? error.cause?.type ?? error.errors?.[0]?.type ?? error.name ?? 'Error'
}

const ops = { configure, createTopics, deleteTopics, listTopics, produce, consume }

// Standard output is the protocol's: whatever else wants to print goes to standard error.
console.log = console.error
const write = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

async function answer({ id, op, args }) {
  try {
    const run = ops[op]
    if (run === undefined) throw new Unsupported(`this driver has no op ${op}`)
    write({ id, result: (await run(args)) ?? {} })
  } catch (error) {
    if (error instanceof Unsupported) write({ id, unsupported: error.message })
    else write({ id, error: { name: nameOf(error), message: String(error.message) } })
  }
}

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => void answer(JSON.parse(line)))
lines.on('close', () => process.exit(0))
write({ ready: { client: 'my-client', version, kind: 'kafka' } })
