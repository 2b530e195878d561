// Producing by kcat: all records that one run can express, then the next ones.
// @ts-check
import { randomUUID } from 'node:crypto'
import { fromBase64, Unsupported } from '../lib/driver.mjs'
import { optionsOf, runKcat } from './program.mjs'

const MESSAGE_BYTES_MAX = 100_000_000
const DELIVERED = /Message delivered to partition (\d+) \(offset (-?\d+)\)/

/** @param {string[]} base arguments that say where and as whom */
export async function produce(base, args) {
  const { topic, records, timeoutMs = 15_000 } = args
  const deadline = Date.now() + timeoutMs
  const places = []
  for (const run of runsOf(records)) {
    const { input, options } = expressed(run)
    const all = [...base, '-P', '-t', topic, '-vv', ...options, ...optionsOf(settingsOf(args))]
    const { told } = await runKcat(all, Math.max(1, deadline - Date.now()) + 2000, input)
    places.push(...placesOf(told, run))
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

/** One run has one partition, the same headers for all, and takes what is empty for null or not. */
function runsOf(records) {
  const runs = []
  for (const record of records) {
    const run = runs.at(-1)
    if (run !== undefined && isAlike(run[0], record) && !isAmbiguous([...run, record])) run.push(record)
    else runs.push([record])
  }
  return runs
}

function isAlike(one, other) {
  const headersOf = ({ headers = [] }) => JSON.stringify(headers)
  return one.partition === other.partition && headersOf(one) === headersOf(other)
}

const isEmpty = ({ key, value }) => key === '' || value === ''
const isNull = ({ value }) => value === null

function isAmbiguous(records) {
  return records.some(isNull) && records.some(isEmpty)
}

function expressed(records) {
  if (isAmbiguous(records))
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
    ...(records.some(isNull) ? ['-Z'] : []),
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
function placesOf(told, records) {
  const places = told.flatMap((line) => {
    const [, partition, offset] = line.match(DELIVERED) ?? []
    if (partition === undefined) return []
    return [{ partition: Number(partition), ...(Number(offset) >= 0 && { offset }) }]
  })
  const isClear =
    places.length === records.length && places.every(({ partition }) => partition === places[0]?.partition)
  return isClear ? places : records.map(() => ({}))
}
