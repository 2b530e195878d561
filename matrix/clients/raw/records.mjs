import { crc32, gunzipSync, gzipSync } from 'node:zlib'
import { kafka } from './library.mjs'

/**
 * Record batches of a scenario's making, right or wrong on purpose, and a reading of batches that hides nothing: what
 * a client library checks silently (CRC, base offset, last offset delta) is told here.
 */
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const COUNT_AT = 57
const HEADER_BYTES = 61

/** @param spec a description, a list of them, or base64 bytes as they are */
export function encodeRecords(spec) {
  if (typeof spec === 'string') return Buffer.from(spec, 'base64')
  if (Array.isArray(spec)) return Buffer.concat(spec.map(encodeRecords))
  const { magic = 2, codec = 'none', records } = spec
  return magic === 2 ? encodeBatch(spec, records, codec) : encodeMessageSet(magic, records, codec)
}

function encodeBatch(spec, records, codec) {
  const messages = records.map((record) => ({
    topic: 't',
    partition: 0,
    key: bytesOf(record.key),
    value: bytesOf(record.value),
    // One Buffer object a name, so that a name may repeat.
    headers: new Map((record.headers ?? []).map(([name, value]) => [Buffer.from(name), bytesOf(value)])),
    timestamp: BigInt(record.timestamp ?? Date.now()),
  }))
  const batch = Buffer.from(
    kafka.createRecordsBatch(messages, {
      compression: codec,
      producerId: BigInt(spec.producerId ?? -1),
      producerEpoch: spec.producerEpoch ?? -1,
      sequences: { getWithDefault: () => spec.baseSequence ?? -1 },
    }).buffer,
  )
  return spoil(batch, spec)
}

/** What is wrong on purpose. All but `crc` leave a right checksum, so that only the named fault can be refused. */
function spoil(batch, { spoiled, control }) {
  if (control) batch.writeInt16BE(batch.readInt16BE(ATTRIBUTES_AT) | 0x20, ATTRIBUTES_AT)
  if (spoiled === 'count') batch.writeInt32BE(batch.readInt32BE(COUNT_AT) + 1, COUNT_AT)
  if (spoiled === 'records') batch.fill(0xff, HEADER_BYTES)
  if (control || spoiled) batch.writeUInt32BE(kafka.crc32c(batch.subarray(ATTRIBUTES_AT)) >>> 0, CRC_AT)
  if (spoiled === 'crc') batch.writeUInt8(batch.readUInt8(CRC_AT + 3) ^ 0x01, CRC_AT + 3)
  if (spoiled === 'magic') batch.writeInt8(9, 16)
  if (spoiled === 'length') batch.writeInt32BE(batch.readInt32BE(8) + 1000, 8)
  return batch
}

/** Message formats 0 and 1 (before KIP-98). Compressed: a set within one wrapper message, as producers of then sent it. */
function encodeMessageSet(magic, records, codec) {
  const plain = records.map((record, index) => encodeMessage(magic, 0, index, record))
  if (codec === 'none') return Buffer.concat(plain)
  if (codec !== 'gzip') throw new Error(`format ${magic} with ${codec} is not offered`)
  const value = gzipSync(Buffer.concat(plain)).toString('base64')
  const last = records[records.length - 1]
  return encodeMessage(magic, 1, records.length - 1, { key: null, value, timestamp: last.timestamp })
}

function encodeMessage(magic, attributes, offset, { key, value, timestamp }) {
  const head = Buffer.alloc(magic === 1 ? 10 : 2)
  head.writeInt8(magic, 0)
  head.writeInt8(attributes, 1)
  if (magic === 1) head.writeBigInt64BE(BigInt(timestamp ?? Date.now()), 2)
  const body = Buffer.concat([head, sized(bytesOf(key)), sized(bytesOf(value))])
  const prefix = Buffer.alloc(16)
  prefix.writeBigInt64BE(BigInt(offset), 0)
  prefix.writeInt32BE(body.length + 4, 8)
  prefix.writeUInt32BE(crc32(body), 12)
  return Buffer.concat([prefix, body])
}

function sized(bytes) {
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes === null ? -1 : bytes.length)
  return bytes === null ? length : Buffer.concat([length, bytes])
}

const bytesOf = (value) => (value === null || value === undefined ? null : Buffer.from(value, 'base64'))
const textOf = (value) => (value === null ? null : value.toString('base64'))

/** Every whole batch of a fetch answer. A last one that is cut off (old versions may) is not counted. */
export function decodeRecords(bytes) {
  const batches = []
  let at = 0
  while (at + 17 <= bytes.length) {
    const size = 12 + bytes.readInt32BE(at + 8)
    if (size < 26 || at + size > bytes.length) break
    const batch = bytes.subarray(at, at + size)
    batches.push(batch.readInt8(16) === 2 ? decodeBatch(batch) : decodeMessage(batch))
    at += size
  }
  return { sizeBytes: bytes.length, batches }
}

function decodeBatch(batch) {
  const attributes = batch.readInt16BE(ATTRIBUTES_AT)
  const baseOffset = batch.readBigInt64BE(0)
  const baseTimestamp = batch.readBigInt64BE(27)
  const maxTimestamp = batch.readBigInt64BE(35)
  const append = (attributes & 8) !== 0
  const count = batch.readInt32BE(COUNT_AT)
  const payload = decompress(attributes & 7, batch.subarray(HEADER_BYTES))
  const records = decodeBatchRecords(payload, count, (timestampDelta, offsetDelta) => ({
    offset: (baseOffset + BigInt(offsetDelta)).toString(),
    timestamp: (append ? maxTimestamp : baseTimestamp + timestampDelta).toString(),
  }))
  return {
    magic: 2,
    sizeBytes: batch.length,
    crcValid: kafka.crc32c(batch.subarray(ATTRIBUTES_AT)) >>> 0 === batch.readUInt32BE(CRC_AT),
    baseOffset: baseOffset.toString(),
    lastOffsetDelta: batch.readInt32BE(23),
    timestampType: append ? 'append' : 'create',
    maxTimestamp: maxTimestamp.toString(),
    codec: attributes & 7,
    isControl: (attributes & 0x20) !== 0,
    producerId: batch.readBigInt64BE(43).toString(),
    producerEpoch: batch.readInt16BE(51),
    baseSequence: batch.readInt32BE(53),
    records,
  }
}

function decodeBatchRecords(payload, count, place) {
  const records = []
  let at = 0
  const varlong = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = payload.readUInt8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return (value >> 1n) ^ -(value & 1n)
    }
  }
  const sizedBytes = () => {
    const length = Number(varlong())
    if (length < 0) return null
    at += length
    if (at > payload.length) throw new Error('a record is longer than its batch')
    return payload.subarray(at - length, at)
  }
  for (let index = 0; index < count; index++) {
    varlong()
    at += 1
    const timestampDelta = varlong()
    const offsetDelta = Number(varlong())
    const key = textOf(sizedBytes())
    const value = textOf(sizedBytes())
    const headers = []
    for (let rest = Number(varlong()); rest > 0; rest--) {
      headers.push([sizedBytes().toString('utf8'), textOf(sizedBytes())])
    }
    records.push({ ...place(timestampDelta, offsetDelta), key, value, headers })
  }
  return records
}

/** One message of format 0 or 1, or a compressed wrapper with the messages in it. */
function decodeMessage(bytes) {
  const magic = bytes.readInt8(16)
  const attributes = bytes.readInt8(17)
  const offset = bytes.readBigInt64BE(0)
  let at = magic === 1 ? 26 : 18
  const read = () => {
    const length = bytes.readInt32BE(at)
    at += 4 + Math.max(length, 0)
    return length < 0 ? null : bytes.subarray(at - length, at)
  }
  const key = read()
  const value = read()
  const timestamp = magic === 1 ? bytes.readBigInt64BE(18).toString() : '-1'
  let records = [
    { offset: offset.toString(), timestamp, key: textOf(key), value: textOf(value), headers: [] },
  ]
  if ((attributes & 7) !== 0) {
    const inner = decodeRecords(decompress(attributes & 7, value)).batches.flatMap((each) => each.records)
    const base = magic === 1 ? offset - BigInt(inner.length - 1) : 0n
    records = inner.map((each) => ({ ...each, offset: (BigInt(each.offset) + base).toString() }))
  }
  return {
    magic,
    sizeBytes: bytes.length,
    crcValid: crc32(bytes.subarray(16)) === bytes.readUInt32BE(12),
    baseOffset: records[0]?.offset ?? offset.toString(),
    lastOffsetDelta: records.length - 1,
    timestampType: (attributes & 8) !== 0 ? 'append' : 'create',
    maxTimestamp: timestamp,
    codec: attributes & 7,
    isControl: false,
    producerId: '-1',
    producerEpoch: -1,
    baseSequence: -1,
    records,
  }
}

function decompress(codec, bytes) {
  if (codec === 0) return bytes
  if (codec === 1) return gunzipSync(bytes)
  const algorithm = kafka.compressionsAlgorithmsByBitmask[codec]
  if (algorithm === undefined) throw new Error(`codec ${codec} does not exist`)
  return algorithm.decompressSync(bytes)
}
