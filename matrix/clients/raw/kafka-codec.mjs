import { messages } from './kafka-messages.mjs'

/** Encodes and decodes by the tables of kafka-messages.mjs. 64-bit numbers are decimal strings, bytes are base64. */

export function encodeRequest(api, version, correlationId, clientId, body, encodeRecords) {
  const message = messages.get(api)
  const flexible = version >= message.flexibleFrom
  const writer = new Writer(flexible, encodeRecords)
  writer.int16(message.key)
  writer.int16(version)
  writer.int32(correlationId)
  const id = Buffer.from(clientId)
  writer.int16(id.length)
  writer.push(id)
  if (flexible) writer.uvarint(0)
  writer.structure(message.request, version, body, api)
  const bytes = Buffer.concat(writer.pieces)
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** @throws Error when the frame is not in the form of that version, to the last byte. */
export function decodeResponse(api, version, frame, decodeRecords) {
  const message = messages.get(api)
  const flexible = version >= message.flexibleFrom
  const reader = new Reader(frame, flexible, decodeRecords)
  reader.int32()
  if (flexible && api !== 'ApiVersions') reader.tags()
  const body = reader.structure(message.response, version)
  if (reader.at !== frame.length) throw new Error(`${frame.length - reader.at} bytes are left over`)
  return body
}

class Writer {
  pieces = []

  constructor(flexible, encodeRecords) {
    this.flexible = flexible
    this.encodeRecords = encodeRecords
  }

  push(bytes) {
    this.pieces.push(bytes)
  }

  number(size, write) {
    const bytes = Buffer.alloc(size)
    write(bytes)
    this.push(bytes)
  }

  int8(value) {
    this.number(1, (bytes) => bytes.writeInt8(value))
  }

  int16(value) {
    this.number(2, (bytes) => bytes.writeInt16BE(value))
  }

  int32(value) {
    this.number(4, (bytes) => bytes.writeInt32BE(value))
  }

  int64(value) {
    this.number(8, (bytes) => bytes.writeBigInt64BE(BigInt(value)))
  }

  uvarint(value) {
    let rest = value
    const bytes = []
    while (rest > 0x7f) {
      bytes.push((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    bytes.push(rest)
    this.push(Buffer.from(bytes))
  }

  /** The length of a string (2 bytes), or of bytes or an array (4 bytes); −1: null. */
  length(value, size) {
    if (this.flexible) this.uvarint(value + 1)
    else if (size === 2) this.int16(value)
    else this.int32(value)
  }

  structure(fields, version, body, path) {
    for (const field of fields) {
      if (version < field.from || version > field.to) continue
      const value = body?.[field.name] ?? defaultOf(field)
      if (field.array) this.array(field, version, value, `${path}.${field.name}`)
      else if (field.fields) this.nested(field, version, value, `${path}.${field.name}`)
      else this.value(field, value, `${path}.${field.name}`)
    }
    if (this.flexible) this.uvarint(0)
  }

  /** One that may be null has a byte before it: −1, or 1. */
  nested(field, version, value, path) {
    if (field.nullable) this.int8(value === null ? -1 : 1)
    if (value !== null) this.structure(field.fields, version, value, path)
  }

  array(field, version, value, path) {
    if (value === null) return this.length(-1, 4)
    this.length(value.length, 4)
    for (const item of value) {
      if (field.fields) this.structure(field.fields, version, item, path)
      else this.value(field, item, path)
    }
  }

  value({ type, name }, value, path) {
    if (value === undefined) throw new Error(`${path} is missing`)
    if (type === 'bool') this.int8(value ? 1 : 0)
    else if (type === 'string') this.sized(value === null ? null : Buffer.from(value), 2)
    else if (type === 'bytes') this.sized(value === null ? null : Buffer.from(value, 'base64'), 4)
    else if (type === 'records') this.sized(value === null ? null : this.encodeRecords(value), 4)
    else if (type === 'uuid') this.push(Buffer.from(value, 'base64url'))
    else if (['int8', 'int16', 'int32', 'int64'].includes(type)) this[type](value)
    else throw new Error(`${name} has the unknown type ${type}`)
  }

  sized(bytes, size) {
    this.length(bytes === null ? -1 : bytes.length, size)
    if (bytes !== null) this.push(bytes)
  }
}

function defaultOf(field) {
  if (field.array) return field.nullable ? null : []
  if (field.nullable) return null
  if (field.fields) return {}
  if (field.name === 'replicaId' || field.name.endsWith('Epoch')) return -1
  if (field.name === 'logStartOffset' || field.name === 'producerId') return -1
  if (field.type === 'string') return ''
  if (field.type === 'bytes') return ''
  if (field.type === 'uuid') return 'AAAAAAAAAAAAAAAAAAAAAA'
  if (field.type === 'records') return null
  return 0
}

class Reader {
  at = 0

  constructor(bytes, flexible, decodeRecords) {
    this.bytes = bytes
    this.flexible = flexible
    this.decodeRecords = decodeRecords
  }

  take(size) {
    if (size < 0 || this.at + size > this.bytes.length) {
      throw new Error(`${size} bytes are read at ${this.at} of ${this.bytes.length}`)
    }
    this.at += size
    return this.bytes.subarray(this.at - size, this.at)
  }

  int8() {
    return this.take(1).readInt8()
  }

  int16() {
    return this.take(2).readInt16BE()
  }

  int32() {
    return this.take(4).readInt32BE()
  }

  int64() {
    return this.take(8).readBigInt64BE().toString()
  }

  uvarint() {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.take(1)[0]
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new Error(`a varint of more than 5 bytes at ${this.at}`)
  }

  tags() {
    const count = this.uvarint()
    for (let index = 0; index < count; index++) {
      this.uvarint()
      this.take(this.uvarint())
    }
  }

  length(size) {
    if (this.flexible) return this.uvarint() - 1
    return size === 2 ? this.int16() : this.int32()
  }

  structure(fields, version) {
    const body = {}
    for (const field of fields) {
      if (version < field.from || version > field.to) continue
      if (field.array) body[field.name] = this.array(field, version)
      else body[field.name] = field.fields ? this.nested(field, version) : this.value(field)
    }
    if (this.flexible) this.tags()
    return body
  }

  nested(field, version) {
    const isNull = field.nullable && this.int8() < 0
    return isNull ? null : this.structure(field.fields, version)
  }

  array(field, version) {
    const count = this.length(4)
    if (count < -1 || count > this.bytes.length) throw new Error(`${field.name} has ${count} items`)
    // Kafka itself answers null for some arrays that the guide calls non-nullable in old versions.
    if (count === -1) return null
    const items = []
    for (let index = 0; index < count; index++) {
      items.push(field.fields ? this.structure(field.fields, version) : this.value(field))
    }
    return items
  }

  value({ type, name }) {
    if (type === 'bool') return this.bool()
    if (type === 'string') return this.sized(2)?.toString('utf8') ?? null
    if (type === 'bytes') return this.sized(4)?.toString('base64') ?? null
    if (type === 'records') return this.decodeRecords(this.sized(4) ?? Buffer.alloc(0))
    if (type === 'uuid') return this.take(16).toString('base64url')
    if (['int8', 'int16', 'int32', 'int64'].includes(type)) return this[type]()
    throw new Error(`${name} has the unknown type ${type}`)
  }

  bool() {
    const value = this.int8()
    if (value !== 0 && value !== 1) throw new Error(`a boolean is ${value} at ${this.at}`)
    return value === 1
  }

  sized(size) {
    const length = this.length(size)
    if (length < -1) throw new Error(`a length is ${length} at ${this.at}`)
    return length === -1 ? null : this.take(length)
  }
}
