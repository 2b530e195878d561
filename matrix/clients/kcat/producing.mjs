// Producing by kcat: all records that one run can express, then the next ones.
// @ts-check
import { randomUUID } from 'node:crypto'
import { DriverError, fromBase64, Unsupported } from '../lib/driver.mjs'
import { optionsOf, runKcat } from './program.mjs'

const MESSAGE_BYTES_MAX = 100_000_000
const DELIVERED = /Message delivered to partition (\d+) \(offset (-?\d+)\)/

/** @param {string[]} base arguments that say where and as whom */
export async function produce(base, args) {
  const { topic, records, timeoutMs = 15_000 } = args
  const deadline = Date.now() + timeoutMs
  const settings = optionsOf(settingsOf(args))
  const runs = runsOf(records).map((indexes) => ({
    indexes,
    ...expressed(indexes.map((index) => records[index])),
  }))
  const places = Array(records.length)
  for (const { indexes, input, options } of runs) {
    const left = deadline - Date.now()
    if (left <= 0)
      throw new DriverError('TIMEOUT', `${runs.length} runs of kcat took more than ${timeoutMs} ms`)
    const all = [...base, '-P', '-t', topic, '-vv', ...options, ...settings]
    const { told } = await runKcat(all, left + 2000, input)
    for (const [at, place] of placesOf(told, indexes.length).entries()) places[indexes[at] ?? -1] = place
  }
  return { records: places }
}

function settingsOf({
  acks = 'all',
  compression = 'none',
  idempotent = false,
  oneBatch = true,
  timeoutMs = 15_000,
}) {
  return {
    acks,
    'compression.codec': compression,
    'enable.idempotence': idempotent,
    ...(oneBatch
      ? { 'linger.ms': 100, 'batch.num.messages': 1_000_000 }
      : { 'linger.ms': 0, 'batch.num.messages': 1, 'max.in.flight.requests.per.connection': 1 }),
    // The broker's limit is what counts.
    'message.max.bytes': MESSAGE_BYTES_MAX,
    'message.timeout.ms': timeoutMs,
    'topic.metadata.refresh.fast.interval.ms': 20,
  }
}

/**
 * One run has one partition, the same headers for all, and takes what is empty for null or not. Records of a partition
 * keep their order; between partitions there is none. Answers each run's indexes.
 */
function runsOf(records) {
  const isPlaced = records.every(({ partition }) => partition !== undefined)
  const lasts = new Map()
  /** @type {number[][]} */
  const runs = []
  for (const [index, record] of records.entries()) {
    const queue = isPlaced ? record.partition : null
    const [headers, empty] = [JSON.stringify(record.headers ?? []), emptyAs(record)]
    const last = lasts.get(queue)
    if (last?.headers === headers && (empty === '' || last.empty === '' || empty === last.empty)) {
      last.empty ||= empty
      last.indexes.push(index)
    } else {
      const run = { headers, empty, indexes: [index] }
      lasts.set(queue, run)
      runs.push(run.indexes)
    }
  }
  return runs
}

/** What kcat has to take an empty key or value for; '': the record has none. */
function emptyAs({ key, value }) {
  if (value === null) return key === '' ? 'both' : 'null'
  return key === '' || value === '' ? 'empty' : ''
}

function expressed(records) {
  if (records.some((record) => emptyAs(record) === 'both'))
    throw new Unsupported('kcat takes both of an empty key and a null value for null, or neither')
  const [keyEnd, end] = [`${randomUUID()}:`, `${randomUUID()};`]
  const parts = records.flatMap((record) => {
    const [key, value] = [fromBase64(record.key), fromBase64(record.value)]
    if (record.timestamp !== undefined) throw new Unsupported('kcat gives records no timestamp')
    if (key === null && value?.length === 0)
      throw new Unsupported('kcat skips an empty value that has no key')
    return [...(key === null ? [] : [key, Buffer.from(keyEnd)]), value ?? Buffer.alloc(0), Buffer.from(end)]
  })
  const [{ partition, headers = [] }] = records
  const options = [
    ...['-K', keyEnd, '-D', end],
    ...(partition === undefined ? [] : ['-p', String(partition)]),
    ...(records.some(({ value }) => value === null) ? ['-Z'] : []),
    ...headers.flatMap((header) => ['-H', headerOption(header)]),
  ]
  return { input: Buffer.concat(parts), options }
}

function headerOption([name, value]) {
  const bytes = fromBase64(value)
  if (name === '' || name.includes('=')) throw new Unsupported('kcat has no header of such a name')
  if (bytes === null) return name
  const text = bytes.toString()
  if (!Buffer.from(text).equals(bytes) || text.includes('\0'))
    throw new Unsupported('kcat takes headers as text of its command line')
  return `${name}=${text}`
}

/** kcat tells deliveries in their order within a partition, not which record each is. */
function placesOf(told, count) {
  const places = told.flatMap((line) => {
    const [, partition, offset] = line.match(DELIVERED) ?? []
    if (partition === undefined) return []
    return [{ partition: Number(partition), ...(Number(offset) >= 0 && { offset }) }]
  })
  const isClear =
    places.length === count && places.every(({ partition }) => partition === places[0]?.partition)
  return isClear ? places : Array.from({ length: count }, () => ({}))
}
