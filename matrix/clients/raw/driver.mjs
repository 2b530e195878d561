// Single requests and literal bytes, on both ports. Its ops: matrix/driver/raw-messages.ts.
import { DriverError, serve, Unsupported } from '../lib/driver.mjs'
import { RawConnection } from './connection.mjs'
import { harmless, readAgain } from './every-version.mjs'
import { decodeResponse, encodeRequest } from './kafka-codec.mjs'
import { messages } from './kafka-messages.mjs'
import { kafka } from './library.mjs'
import { login } from './login.mjs'
import {
  batchPayload,
  connectFrame,
  pongFrame,
  producerFrame,
  readAnswer,
  sendFrame,
} from './pulsar-wire.mjs'
import { decodeRecords, encodeRecords } from './records.mjs'

/** Up to here requests name topics by their names; topic ids are asked for by an explicit version. */
const PREFERRED_MAX = {
  Produce: 12,
  Fetch: 12,
  OffsetCommit: 9,
  OffsetFetch: 7,
  DeleteTopics: 5,
  FindCoordinator: 3,
}
const ANSWER_MS = 20_000
const UNSUPPORTED_VERSION = 35
/** Pulsar's ServerError, as far as CONNECT is answered with it. */
const PULSAR_ERRORS = { 3: 'AuthenticationError', 4: 'AuthorizationError', 10: 'UnsupportedVersionError' }

const addresses = { kafka: undefined, pulsar: undefined }
const security = { kafka: {}, pulsar: {} }
const connections = new Map()
/** Of connections that were asked for by an address of their own: where they are opened again. */
const ownAddresses = new Map()
/** What a broker lists, by its address. */
const listed = new Map()
let nextCorrelationId = 1

async function configure({ kafka: kafkaAddress, pulsar: pulsarAddress, security: shown = {} }) {
  for (const connection of connections.values()) connection.close()
  connections.clear()
  ownAddresses.clear()
  // Another instance may serve at the same address by now.
  listed.clear()
  addresses.kafka = kafkaAddress
  addresses.pulsar = pulsarAddress?.replace(/^pulsar(\+ssl)?:\/\//, '')
  security.kafka = shown.kafka ?? {}
  security.pulsar = shown.pulsar ?? {}
}

async function open(name, port) {
  const address = ownAddresses.get(name) ?? addresses[port]
  if (address === undefined) throw new Unsupported(`the target has no ${port} address`)
  connections.get(name)?.close()
  const { caPath, sasl } = security[port]
  const connection = await RawConnection.open(address, caPath)
  connections.set(name, connection)
  if (port === 'kafka' && sasl !== undefined) {
    await login(sasl, async (api, version, body) => (await exchange(connection, api, version, body)).body)
  }
  return connection
}

const existing = (name) => {
  const connection = connections.get(name)
  if (connection === undefined) throw new DriverError('Usage', `there is no connection ${name}`)
  return connection
}

async function kafkaConnection(name) {
  const connection = connections.get(name)
  return connection === undefined || connection.closed ? open(name, 'kafka') : connection
}

async function ranges() {
  const known = listed.get(addresses.kafka)
  if (known !== undefined) return known
  const { body } = await exchange(await kafkaConnection('api-versions'), 'ApiVersions', 0, {})
  const found = new Map(body.apiKeys.map((each) => [each.apiKey, each]))
  listed.set(addresses.kafka, found)
  return found
}

async function chooseVersion(api, version) {
  const message = messages.get(api)
  if (message === undefined) throw new DriverError('Usage', `${api} is not in the tables`)
  const range = (await ranges()).get(message.key)
  if (range === undefined) throw new Unsupported(`${api} is not listed by ApiVersions`)
  if (version !== undefined) {
    if (version >= range.minVersion && version <= range.maxVersion) return version
    throw new Unsupported(
      `version ${version} of ${api} is not listed: ${range.minVersion} to ${range.maxVersion} are`,
    )
  }
  const chosen = Math.min(range.maxVersion, PREFERRED_MAX[api] ?? message.versionMax)
  if (chosen >= range.minVersion) return chosen
  throw new Unsupported(`${api} is listed from version ${range.minVersion} on only`)
}

function encode(api, version, body, clientId = 'kop-conformance') {
  const correlationId = nextCorrelationId++
  return { correlationId, bytes: encodeRequest(api, version, correlationId, clientId, body, encodeRecords) }
}

async function exchange(connection, api, version, body, timeoutMs = ANSWER_MS) {
  const { correlationId, bytes } = encode(api, version, body)
  const started = performance.now()
  connection.write(bytes)
  const frame = await connection.frame(timeoutMs)
  if (frame === null)
    throw new DriverError('CLOSED', `the connection was closed on ${api} version ${version}`)
  const elapsedMs = Math.round(performance.now() - started)
  if (frame.readInt32BE(0) !== correlationId) {
    throw new DriverError('WRONG_ANSWER', `answer ${frame.readInt32BE(0)} came to request ${correlationId}`)
  }
  return { version, elapsedMs, frame, body: decodeResponse(api, version, frame, decodeRecords) }
}

async function request({ connection = 'default', existing: asItStands, api, version, body, timeoutMs }) {
  const chosen = await chooseVersion(api, version)
  const { frame: _, ...answer } = await exchange(
    asItStands ? existing(connection) : await kafkaConnection(connection),
    api,
    chosen,
    body,
    timeoutMs,
  )
  return answer
}

/** Sends all at once; reads as many answers as requests expect one, in the order in which they arrive. */
async function pipeline({ connection = 'default', requests, timeoutMs = ANSWER_MS }) {
  const socket = await kafkaConnection(connection)
  const sent = []
  for (const { api, version, body, answered = true } of requests) {
    const chosen = await chooseVersion(api, version)
    sent.push({ api, version: chosen, answered, ...encode(api, chosen, body) })
  }
  const started = performance.now()
  socket.write(Buffer.concat(sent.map(({ bytes }) => bytes)))
  const received = []
  const expected = sent.filter(({ answered }) => answered).length
  while (received.length < expected) {
    const frame = await socket.frame(timeoutMs)
    if (frame === null) break
    const correlationId = frame.readInt32BE(0)
    const of = sent.find((each) => each.correlationId === correlationId)
    const body = of && decodeResponse(of.api, of.version, frame, decodeRecords)
    received.push({ correlationId, body: body ?? {}, elapsedMs: Math.round(performance.now() - started) })
  }
  return {
    sent: sent.map(({ correlationId, api }) => ({ correlationId, api })),
    received,
    closed: socket.closed,
  }
}

/** A request of a version that is not listed. What comes back is told, whatever it is. */
async function tooNew({ connection = 'default', api, version, body = {} }) {
  const socket = await kafkaConnection(connection)
  const { correlationId, bytes } = encode(api, version, body)
  socket.write(bytes)
  const frame = await socket.frame(ANSWER_MS)
  if (frame === null) return { closed: true }
  const sameId = frame.readInt32BE(0) === correlationId
  try {
    return { closed: false, sameId, version0: decodeResponse(api, 0, frame, decodeRecords) }
  } catch (error) {
    return { closed: false, sameId, unreadable: error.message }
  }
}

async function everyVersion({ api, topic, fetchOffset }) {
  const message = messages.get(api)
  const range = (await ranges()).get(message.key)
  if (range === undefined) return { listed: false, versions: [] }
  const topicId = await topicIdOf(topic)
  const versions = []
  for (let version = range.minVersion; version <= range.maxVersion; version++) {
    // What Kafka has invented since is not in the tables: not judged.
    if (version > message.versionMax) break
    versions.push({
      version,
      ...(await askOnce(api, version, harmless[api]({ topic, topicId, fetchOffset }, version))),
    })
  }
  return { listed: true, versions }
}

async function topicIdOf(topic) {
  const { body } = await exchange(
    await kafkaConnection('default'),
    'Metadata',
    await chooseVersion('Metadata'),
    {
      topics: [{ name: topic }],
    },
  )
  return body.topics[0]?.topicId
}

async function askOnce(api, version, body) {
  try {
    const { frame, body: answer } = await exchange(await kafkaConnection('default'), api, version, body)
    readAgain(api, version, frame)
    return { errors: errorCodes(answer), ...(api === 'Fetch' && { records: countRecords(answer) }) }
  } catch (error) {
    return { errors: [], problem: `${error.name}: ${error.message}` }
  }
}

const countRecords = ({ responses }) =>
  responses.flatMap(({ partitions }) => partitions.flatMap(({ records }) => records.batches)).length

function errorCodes(value) {
  if (Array.isArray(value)) return value.flatMap(errorCodes)
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'errorCode' && inner !== 0 ? [nameOfCode(inner)] : errorCodes(inner),
  )
}

/** Codes of Kafka 4 that the library does not know. */
const LATER_CODES = { 128: 'INVALID_REGULAR_EXPRESSION' }
const nameOfCode = (code) => kafka.protocolErrorsCodesById[code] ?? LATER_CODES[code] ?? String(code)

async function flood({ connection, api, body, padBytes, bytesMax, stallMs }) {
  const socket = await open(connection, 'kafka')
  const { bytes } = encode(api, await chooseVersion(api), body, 'p'.repeat(padBytes))
  return socket.flood(bytes, bytesMax, stallMs)
}

async function receive({ connection, timeoutMs }) {
  const frame = await existing(connection).frame(timeoutMs)
  return { frame: frame === null ? null : frame.toString('base64') }
}

/** The bytes of a right request, for a scenario that spoils them. */
async function encodeOnly({ api, version, body }) {
  return { bytes: encode(api, await chooseVersion(api, version), body).bytes.toString('base64') }
}

async function pulsarAnswer(connection) {
  for (;;) {
    const frame = await connection.frame(ANSWER_MS)
    if (frame === null) return { kind: 'closed' }
    const answer = readAnswer(frame)
    if (answer.kind !== 'ping') return answer
    connection.write(pongFrame())
  }
}

/** CONNECT, with the token if there is one. */
async function greet(connection) {
  connection.write(connectFrame(security.pulsar.token))
  const { kind, code, message, ...told } = await pulsarAnswer(connection)
  if (kind === 'connected') return told
  throw new DriverError(PULSAR_ERRORS[code] ?? 'CONNECT', `${kind}: ${message ?? ''}`)
}

async function greetPulsar() {
  const connection = await open('pulsar-greeting', 'pulsar')
  const told = await greet(connection)
  connection.close()
  return told
}

/** Appends literal entries as a Pulsar producer would, one by one. */
async function publish({ topic, entries }) {
  const connection = await open('pulsar-producer', 'pulsar')
  await greet(connection)
  connection.write(producerFrame(topic, 1n, 1n))
  const ready = await pulsarAnswer(connection)
  if (ready.kind !== 'ready') throw new DriverError('PRODUCER', `${ready.kind}: ${ready.message ?? ''}`)
  const results = []
  for (const [index, entry] of entries.entries()) {
    const payload = entry.batch === undefined ? entry.payload : batchPayload(entry.batch)
    connection.write(sendFrame(1n, BigInt(index), { ...entry, payload }))
    results.push(await pulsarAnswer(connection))
  }
  connection.close()
  return { results }
}

const ops = {
  configure,
  connect: async ({ connection, port, address }) => {
    if (address !== undefined) ownAddresses.set(connection, address)
    await open(connection, port)
  },
  send: async ({ connection, bytes }) => existing(connection).write(Buffer.from(bytes, 'base64')),
  receive,
  expectClose: async ({ connection, timeoutMs }) => ({
    closed: await existing(connection).closes(timeoutMs),
    receivedBytes: existing(connection).receivedBytes,
  }),
  apiVersions: async () => ({
    apis: [...(await ranges()).values()].map(({ apiKey, minVersion, maxVersion }) => ({
      key: apiKey,
      name: [...messages.values()].find(({ key }) => key === apiKey)?.name ?? null,
      minVersion,
      maxVersion,
    })),
  }),
  request,
  pipeline,
  tooNew,
  everyVersion,
  encode: encodeOnly,
  flood,
  greetPulsar,
  publish,
  errorName: async ({ code }) => ({
    name: code === UNSUPPORTED_VERSION ? 'UNSUPPORTED_VERSION' : nameOfCode(code),
  }),
}

serve({ client: 'raw', version: '1.35.0', kind: 'raw' }, ops, (error) => error.name ?? 'Error')
