// Records as the promisified API takes and gives them: with headers as an object, whose values go to librdkafka as text.
import { fromBase64, toBase64, Unsupported } from '../lib/driver.mjs'

export function toMessage({ partition, key, value, headers = [], timestamp }) {
  if (timestamp === '0') throw new Unsupported('librdkafka takes a timestamp of 0 for the present time')
  return {
    key: withAddress(fromBase64(key)),
    value: withAddress(fromBase64(value)),
    headers: toHeaders(headers),
    ...(partition === undefined ? {} : { partition }),
    ...(timestamp === undefined ? {} : { timestamp }),
  }
}

/** The library takes an empty Buffer without memory of its own for null: give it one that is a slice. */
function withAddress(buffer) {
  return buffer?.length === 0 ? Buffer.alloc(1).subarray(0, 0) : buffer
}

/** The order of different names must survive the object. */
function toHeaders(headers) {
  const object = {}
  for (const [name, base64] of headers) {
    const value = headerValue(base64)
    if (Object.hasOwn(object, name)) object[name] = [].concat(object[name], [value])
    else object[name] = value
  }
  const kept = fromHeaders(object)
  const same = headers.every(([name, value], index) => kept[index][0] === name && kept[index][1] === value)
  if (!same)
    throw new Unsupported("the library's headers are an object: it cannot keep the order of these names")
  return object
}

function headerValue(base64) {
  if (base64 === null) throw new Unsupported('the library cannot send a null header value')
  const bytes = Buffer.from(base64, 'base64')
  if (!Buffer.from(bytes.toString('utf8')).equals(bytes) || bytes.includes(0))
    throw new Unsupported('the library sends header values as text without NUL')
  // Of an empty Buffer it makes a null.
  return bytes.length === 0 ? '' : bytes
}

function fromHeaders(object) {
  return Object.entries(object ?? {}).flatMap(([name, value]) =>
    Array.isArray(value) ? value.map((one) => [name, toBase64(one)]) : [[name, toBase64(value)]],
  )
}

export function toReceived(partition, { offset, timestamp, key, value, headers }) {
  return {
    partition,
    offset,
    timestamp: String(timestamp),
    key: toBase64(key),
    value: toBase64(value),
    headers: fromHeaders(headers),
  }
}

/** The offset of each message: the library answers the first of each partition. */
export function placesOf(messages, answers) {
  const before = new Map()
  return messages.map(({ partition: named }) => {
    // The library writes −1 into a message without a partition.
    const partition = named !== undefined && named >= 0 ? named : onlyPartition(answers)
    if (partition === undefined) return {}
    const base = answers.find((answer) => answer.partition === partition)?.baseOffset
    const index = before.get(partition) ?? 0n
    before.set(partition, index + 1n)
    const isKnown = base !== undefined && base !== null && BigInt(base) >= 0n
    return { partition, ...(isKnown ? { offset: String(BigInt(base) + index) } : {}) }
  })
}

function onlyPartition(answers) {
  return answers.length === 1 ? answers[0].partition : undefined
}
