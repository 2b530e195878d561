// Driver of kcat, the command line tool on librdkafka: each op is a run of it (matrix/driver/messages.ts).
//
// kcat has no administration but this: a topic that it asks for is made by a broker that makes topics unasked. What it
// cannot express is answered `unsupported`: further partitions and settings of topics, deleting, seeking, commits of
// its user's choice, committed offsets, timestamps of its own, and headers that are not text.
// @ts-check
import { DriverError, serve, Unsupported } from '../lib/driver.mjs'
import { deferred, orAfter } from '../lib/waiting.mjs'
import { groupOps } from './members.mjs'
import { produce as produceBy } from './producing.mjs'
import { Kcat, optionsOf, recordOf, runKcat } from './program.mjs'

const TIMEOUT_MS = 10_000
const CLOSE_MS_MAX = 5000

/** @type {string[]} */
let base = []
/** @type {Map<string, Reader>} */
const consumers = new Map()
/** @type {Set<Reader>} */
const readers = new Set()
const groups = groupOps(() => base)

async function configure({ bootstrap, clientId, security = {} }) {
  groups.closeAll()
  for (const reader of readers) reader.close()
  consumers.clear()
  base = ['-b', bootstrap, '-m', String(TIMEOUT_MS / 1000), ...optionsOf(settingsOf(clientId, security))]
}

function settingsOf(clientId, { caPath, sasl }) {
  if (sasl?.mechanism === 'OAUTHBEARER') throw new Unsupported('kcat 1.7 is handed no token')
  const protocol = `${sasl ? 'sasl_' : ''}${caPath ? 'ssl' : sasl ? 'plaintext' : 'plaintext'}`
  return {
    'client.id': clientId,
    'security.protocol': protocol,
    ...(caPath && { 'ssl.ca.location': caPath }),
    ...(sasl && {
      'sasl.mechanism': sasl.mechanism,
      'sasl.username': sasl.username,
      'sasl.password': sasl.password,
    }),
    'reconnect.backoff.ms': sasl ? 1000 : 20,
    'reconnect.backoff.max.ms': 1000,
    'log.connection.close': false,
  }
}

const cannot = (what) => async () => {
  throw new Unsupported(`kcat ${what}`)
}

/** A broker that makes topics unasked makes those that kcat asks for, with partitions of its choice. */
async function createTopics({ topics }) {
  if (topics.some(({ partitions, configs = {} }) => partitions !== 1 || Object.keys(configs).length > 0))
    throw new Unsupported('kcat does not create topics of several partitions, or with settings')
  const before = new Set((await listTopics()).names)
  const outcomes = []
  for (const { name } of topics) {
    if (before.has(name)) throw new Unsupported('kcat does not create topics that may be there')
    outcomes.push({ name })
    if (!(await isMade(name)))
      throw new Unsupported('kcat does not create topics, nor do these brokers by themselves')
  }
  return { topics: outcomes }
}

async function isMade(name) {
  for (let left = 5; left > 0; left--) {
    const [topic] = (await list(['-t', name])).topics
    if (topic?.error === undefined && topic?.partitions.length === 1 && topic.partitions[0].leader >= 0)
      return true
    await orAfter(200, new Promise(() => {}))
  }
  return false
}

async function list(options = []) {
  const { output } = await runKcat([...base, '-L', '-J', ...options], TIMEOUT_MS + 2000)
  return JSON.parse(Buffer.concat(output).toString())
}

async function listTopics() {
  const { topics } = await list()
  return { names: topics.map(({ topic }) => topic).sort() }
}

/** Of all topics, which makes none; of one that is not among them by its name. */
async function metadata({ topics: names }) {
  const all = await list()
  const topics = []
  for (const name of names) {
    const found = all.topics.find(({ topic }) => topic === name) ?? (await list(['-t', name])).topics[0]
    topics.push(topicOf(name, found))
  }
  return { brokers: all.brokers.map(brokerOf), topics }
}

function brokerOf({ id, name }) {
  const at = name.lastIndexOf(':')
  return { id, host: name.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(name.slice(at + 1)) }
}

function topicOf(name, { error, partitions = [] }) {
  const sorted = [...partitions].sort((one, other) => one.partition - other.partition)
  return {
    name,
    ...(error !== undefined && { error: nameOfWords(error) }),
    partitions: sorted.map(({ partition, leader, error: problem }) => ({
      index: partition,
      leader,
      ...(problem !== undefined && { error: nameOfWords(problem) }),
    })),
  }
}

/** "Broker: Unknown topic or partition" is UNKNOWN_TOPIC_OR_PARTITION. */
function nameOfWords(words) {
  const name = words
    .replace(/^.*?: /, '')
    .toUpperCase()
    .replaceAll(' ', '_')
  return name === 'INVALID_TOPIC' ? 'INVALID_TOPIC_EXCEPTION' : name
}

async function listOffsets({ topic, partition, at }) {
  const timestamp = at === 'earliest' ? -2 : at === 'latest' ? -1 : at.timestamp
  return { offset: await offsetAt(topic, partition, timestamp) }
}

async function offsetAt(topic, partition, timestamp) {
  const { output } = await runKcat(
    [...base, '-Q', '-t', `${topic}:${partition}:${timestamp}`],
    TIMEOUT_MS + 2000,
  )
  const offset = Buffer.concat(output)
    .toString()
    .match(/offset (-?\d+)/)?.[1]
  if (offset === undefined) throw new DriverError('KcatError', 'kcat tells no offset')
  return Number(offset) < 0 ? '-1' : offset
}

async function produce(args) {
  return produceBy(base, args)
}

/** One partition, as kcat -C reads it. */
class Reader {
  #run
  /** @type {ReturnType<typeof recordOf>[]} */
  #received = []
  #changed = deferred()
  #isAtEnd = false

  constructor(
    topic,
    partition,
    from,
    { reset = 'error', options = /** @type {string[]} */ ([]), settings = {} } = {},
  ) {
    const all = { 'fetch.wait.max.ms': 100, 'check.crcs': true, 'auto.offset.reset': reset, ...settings }
    const place = ['-t', topic, '-p', String(partition), '-o', from === 'earliest' ? 'beginning' : from]
    this.#run = new Kcat([...base, '-C', ...place, '-J', '-u', '-E', ...options, ...optionsOf(all)], {
      onOutput: (line) => {
        this.#received.push(recordOf(line))
        this.#wake()
      },
      onTold: (line) => {
        this.#isAtEnd ||= line.startsWith('% Reached end of topic')
        if (this.#isAtEnd || this.#run?.failure) this.#wake()
      },
    })
    this.#run.ended.then(() => this.#wake())
    readers.add(this)
  }

  #wake() {
    this.#changed.resolve()
    this.#changed = deferred()
  }

  async #until(deadline, done) {
    while (!done()) {
      if (this.#run.failure !== null) throw this.#run.failure
      const left = deadline - Date.now()
      if (left <= 0 || !this.#run.alive) return
      await orAfter(left, this.#changed.promise)
    }
  }

  /** It is at its place when something came, or the end. */
  reading(deadline) {
    return this.#until(deadline, () => this.#isAtEnd || this.#received.length > 0)
  }

  async take(count, deadline) {
    await this.#until(deadline, () => this.#received.length >= count)
    return this.#received.splice(0, count).map(({ topic: _topic, ...record }) => record)
  }

  close() {
    readers.delete(this)
    this.#run.kill()
  }
}

const fromOf = (from) => (typeof from === 'string' ? (from === 'latest' ? 'end' : from) : from.offset)

async function consume(args) {
  const {
    topic,
    partition = 0,
    from = 'earliest',
    count = Number.POSITIVE_INFINITY,
    until,
    reset = 'none',
  } = args
  const deadline = Date.now() + (args.timeoutMs ?? 15_000)
  const settings = {
    'isolation.level': args.readCommitted ? 'read_committed' : 'read_uncommitted',
    ...(args.maxPartitionBytes !== undefined && { 'max.partition.fetch.bytes': args.maxPartitionBytes }),
  }
  const options = [
    ...(Number.isFinite(count) ? ['-c', String(count)] : []),
    ...(until === 'end' ? ['-e'] : []),
  ]
  const reader = new Reader(topic, partition, fromOf(from), {
    reset: reset === 'none' ? 'error' : reset,
    options,
    settings,
  })
  try {
    return { records: await reader.take(count, deadline) }
  } finally {
    reader.close()
  }
}

async function openConsumer({ consumer, topic, partition = 0, from = 'latest' }) {
  const reader = new Reader(topic, partition, fromOf(from))
  await reader.reading(Date.now() + TIMEOUT_MS)
  consumers.set(consumer, reader)
}

async function poll({ consumer, count, timeoutMs = 15_000 }) {
  const reader = consumers.get(consumer)
  if (reader === undefined) throw new DriverError('NoSuchConsumer', `no consumer ${consumer} is open`)
  return { records: await reader.take(count, Date.now() + timeoutMs) }
}

async function closeConsumer({ consumer }) {
  consumers.get(consumer)?.close()
  consumers.delete(consumer)
}

/** kcat commits what it read when it ends. */
async function consumeInGroup({ group, topic, from = 'earliest', count, timeoutMs = 20_000 }) {
  /** @type {ReturnType<typeof recordOf>[]} */
  const received = []
  const settings = { 'auto.offset.reset': from, 'fetch.wait.max.ms': 100 }
  const args = [...base, '-G', group, '-J', '-u', '-E', '-c', String(count), ...optionsOf(settings), topic]
  const run = new Kcat(args, { onOutput: (line) => received.push(recordOf(line)) })
  await orAfter(timeoutMs, run.ended)
  run.stop()
  await orAfter(CLOSE_MS_MAX, run.ended)
  run.kill()
  if (run.failure !== null) throw run.failure
  return { records: received.slice(0, count).map(({ topic: _topic, ...record }) => record) }
}

serve(
  { client: 'kcat', version: '1.7.1', kind: 'kafka' },
  {
    configure,
    createTopics,
    deleteTopics: cannot('deletes no topics'),
    createPartitions: cannot('adds no partitions'),
    deleteRecords: cannot('deletes no records'),
    describeConfigs: cannot('tells no settings of topics'),
    alterConfigs: cannot('changes no settings of topics'),
    listTopics,
    metadata,
    listOffsets,
    produce,
    consume,
    openConsumer,
    poll,
    seek: cannot('reads on from where it began: it does not seek'),
    closeConsumer,
    consumeInGroup,
    committed: cannot('does not tell what a group has committed'),
    commit: cannot('commits only what it read'),
    allCommitted: cannot('does not tell what a group has committed'),
    ...groups.ops,
  },
  (error) => error?.name ?? 'Error',
)
