import { kafka } from './library.mjs'

/** As much of Pulsar's binary protocol as literal entries need: CONNECT, PRODUCER, SEND and their answers. */
const COMMAND = { connect: 2, connected: 3, producer: 5, send: 6, sendReceipt: 7, sendError: 8, error: 14 }
const PRODUCER_SUCCESS = 17
const PING = 18
const PONG = 19
const MAGIC = 0x0e01

/** @param token absent: nobody is asked */
export const connectFrame = (token) => {
  const shown = token === undefined ? [] : [[3, token]]
  const method = token === undefined ? [] : [[5, 'token']]
  return commandFrame(COMMAND.connect, 2, fields([1, 'kop-conformance raw'], ...shown, [4, 19n], ...method))
}
export const producerFrame = (topic, producerId, requestId) =>
  commandFrame(COMMAND.producer, 5, fields([1, topic], [2, producerId], [3, requestId]))
export const pongFrame = () => commandFrame(PONG, 19, Buffer.alloc(0))

/**
 * @param entry.metadata MessageMetadata by field number: `{ "20": "13" }`; numbers as decimal strings are varints,
 *   `{ "text": … }`, `{ "base64": … }` and `{ "pairs": [[name, value]] }` are length-delimited
 */
export function sendFrame(producerId, sequenceId, { metadata = {}, payload = '', messages = 1, spoiled }) {
  const own = fields([1, 'raw'], [2, sequenceId], [3, BigInt(Date.now())])
  const rest = Object.entries(metadata).map(([number, value]) => metadataField(Number(number), value))
  const bytes = Buffer.concat([own, ...rest])
  const body = Buffer.concat([int32(bytes.length), bytes, Buffer.from(payload, 'base64')])
  const head = Buffer.alloc(6)
  head.writeUInt16BE(MAGIC, 0)
  head.writeUInt32BE((kafka.crc32c(body) ^ (spoiled === 'crc' ? 1 : 0)) >>> 0, 2)
  const send = fields([1, producerId], [2, sequenceId], ...(messages === 1 ? [] : [[3, BigInt(messages)]]))
  const command = baseCommand(COMMAND.send, 6, send)
  const frame = Buffer.concat([int32(command.length), command, head, body])
  return Buffer.concat([int32(frame.length), frame])
}

function metadataField(number, value) {
  if (typeof value === 'string') return fields([number, BigInt(value)])
  if ('text' in value) return fields([number, value.text])
  if ('base64' in value) return fields([number, Buffer.from(value.base64, 'base64')])
  return Buffer.concat(value.pairs.map(([name, text]) => fields([number, fields([1, name], [2, text])])))
}

/** The messages of a batch: SingleMessageMetadata and value, one after the other. */
export function batchPayload(messages) {
  const parts = messages.map(({ key, value }) => {
    const bytes = Buffer.from(value, 'base64')
    const metadata = fields(...(key === undefined ? [] : [[2, key]]), [3, BigInt(bytes.length)])
    return Buffer.concat([int32(metadata.length), metadata, bytes])
  })
  return Buffer.concat(parts).toString('base64')
}

/** @returns `{ kind, … }` of an answer's frame (without its total size). */
export function readAnswer(frame) {
  const size = frame.readUInt32BE(0)
  const base = readFields(frame.subarray(4, 4 + size))
  const type = Number(base.get(1))
  if (type === COMMAND.connected) {
    const connected = readFields(base.get(3))
    const serverVersion = connected.get(1)?.toString('utf8') ?? ''
    return { kind: 'connected', serverVersion, protocolVersion: Number(connected.get(2) ?? 0n) }
  }
  if (type === PING) return { kind: 'ping' }
  if (type === PRODUCER_SUCCESS) return { kind: 'ready' }
  if (type === COMMAND.sendReceipt) {
    const receipt = readFields(base.get(7))
    const id = readFields(receipt.get(3))
    return { kind: 'receipt', ledgerId: String(id.get(1)), entryId: String(id.get(2)) }
  }
  if (type === COMMAND.sendError) {
    const error = readFields(base.get(8))
    return { kind: 'refused', code: Number(error.get(3)), message: error.get(4)?.toString('utf8') ?? '' }
  }
  if (type === COMMAND.error) {
    const error = readFields(base.get(14))
    return { kind: 'error', code: Number(error.get(2)), message: error.get(3)?.toString('utf8') ?? '' }
  }
  return { kind: `command ${type}` }
}

const baseCommand = (type, number, body) => fields([1, BigInt(type)], [number, body])

function commandFrame(type, number, body) {
  const command = baseCommand(type, number, body)
  return Buffer.concat([int32(command.length + 4), int32(command.length), command])
}

/** Protocol buffers: a bigint is a varint, a string or Buffer is length-delimited. */
function fields(...list) {
  return Buffer.concat(
    list.map(([number, value]) => {
      if (typeof value === 'bigint') return Buffer.concat([varint(BigInt(number) << 3n), varint(value)])
      const bytes = Buffer.from(value)
      return Buffer.concat([varint((BigInt(number) << 3n) | 2n), varint(BigInt(bytes.length)), bytes])
    }),
  )
}

function varint(value) {
  let rest = BigInt.asUintN(64, value)
  const bytes = []
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

function readFields(bytes) {
  const found = new Map()
  let at = 0
  const read = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const tag = read()
    const wire = Number(tag & 7n)
    const number = Number(tag >> 3n)
    if (wire === 0) found.set(number, read())
    else if (wire === 2) {
      const length = Number(read())
      found.set(number, bytes.subarray(at, at + length))
      at += length
    } else at += wire === 1 ? 8 : 4
  }
  return found
}

function int32(value) {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
