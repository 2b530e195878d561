// Records as @platformatic/kafka takes and gives them. Its headers are a Map: with Buffers as names, which are each a key
// of their own, names may repeat and keep their order.
import { fromBase64, toBase64 } from '../lib/driver.mjs'

export function toMessage(topic, { partition, key, value, headers = [], timestamp }) {
  return {
    topic,
    key: fromBase64(key),
    value: fromBase64(value),
    headers: new Map(headers.map(([name, bytes]) => [Buffer.from(name), fromBase64(bytes)])),
    ...(partition === undefined ? {} : { partition }),
    ...(timestamp === undefined ? {} : { timestamp: BigInt(timestamp) }),
  }
}

export function toReceived({ partition, offset, timestamp, key, value, headers }) {
  return {
    partition,
    offset: String(offset),
    timestamp: String(timestamp),
    key: toBase64(key),
    value: toBase64(value),
    headers: [...headers].map(([name, bytes]) => [String(name), toBase64(bytes)]),
  }
}

/** The offset of each message: the library answers the first of each partition. */
export function placesOf(messages, offsets) {
  const before = new Map()
  return messages.map((message) => {
    const partition = message.partition ?? (offsets.length === 1 ? offsets[0].partition : undefined)
    if (partition === undefined) return {}
    const base = offsets.find((one) => one.partition === partition)?.offset
    const index = before.get(partition) ?? 0n
    before.set(partition, index + 1n)
    return { partition, ...(base === undefined || base < 0n ? {} : { offset: String(base + index) }) }
  })
}

/** The places after these records. */
export function positionsAfter(topic, records) {
  const next = new Map()
  for (const { partition, offset } of records) next.set(partition, BigInt(offset) + 1n)
  return [...next].map(([partition, offset]) => ({ topic, partition, offset }))
}
