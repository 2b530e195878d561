import { crc32c } from '@node-rs/crc32'
import protobuf from 'protobufjs'
import { asEntryId, asLedgerId, asMessageIndex, asOffset } from '../base/brand.js'
import { MalformedError } from '../base/malformed.js'
import { compressRecords, decompressRecords } from '../kafka/wire/record-compression.js'
import { decompressPayload } from '../pulsar/wire/message-compression.js'
import type { NewEntry, StoredEntry } from '../storage/types.js'
import { toKafka } from './to-kafka.js'
import type { FromKafkaOptions, KafkaBatch, ToKafkaOptions } from './types.js'

/**
 * For tests: Kafka batches and Pulsar entries written and read the simple way, with objects, bigints and protobufjs, so that
 * the conversion is not judged by its own code.
 */
export interface TestRecord {
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[]
}

export interface TestBatchOptions {
  readonly codec?: number
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly attributes?: number
}

/** A number generator that gives the same numbers for the same seed. */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

function varint(value: number | bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

const nullable = (bytes: Buffer | null): Buffer =>
  bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes])

/** One record, its length before it. */
export function encodeRecord(record: TestRecord, baseTimestampMs: number, offsetDelta: number): Buffer {
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(BigInt(record.timestampMs) - BigInt(baseTimestampMs)),
    varint(offsetDelta),
    nullable(record.key),
    nullable(record.value),
    varint(record.headers.length),
    ...record.headers.flatMap(([name, value]) => [nullable(Buffer.from(name)), nullable(value)]),
  ])
  return Buffer.concat([varint(body.length), body])
}

/** A producer's batch; the checksum is right whatever the records are. */
export function frameTestBatch(
  records: Buffer,
  recordCount: number,
  baseTimestampMs: number,
  maxTimestampMs: number,
  options: TestBatchOptions,
): KafkaBatch {
  const { codec = 0, producerId = -1n, producerEpoch = -1, baseSequence = -1, attributes = 0 } = options
  const header = Buffer.alloc(61)
  header.writeInt32BE(49 + records.length, 8)
  header.writeInt32BE(-1, 12)
  header.writeInt8(2, 16)
  header.writeInt16BE(attributes | codec, 21)
  header.writeInt32BE(recordCount - 1, 23)
  header.writeBigInt64BE(BigInt(baseTimestampMs), 27)
  header.writeBigInt64BE(BigInt(maxTimestampMs), 35)
  header.writeBigInt64BE(producerId, 43)
  header.writeInt16BE(producerEpoch, 51)
  header.writeInt32BE(baseSequence, 53)
  header.writeInt32BE(recordCount, 57)
  const bytes = Buffer.concat([header, records])
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17)
  return {
    bytes,
    recordCount,
    maxTimestampMs,
    producerId,
    producerEpoch,
    baseSequence,
    isTransactional: (attributes & 0x10) !== 0,
    isControl: (attributes & 0x20) !== 0,
  }
}

export async function testBatch(
  records: readonly TestRecord[],
  options: TestBatchOptions = {},
): Promise<KafkaBatch> {
  const base = records[0]?.timestampMs ?? -1
  const plain = Buffer.concat(records.map((record, index) => encodeRecord(record, base, index)))
  const packed = await compressRecords(options.codec ?? 0, plain)
  const max = Math.max(...records.map((record) => record.timestampMs))
  return frameTestBatch(packed, records.length, base, max, options)
}

export interface ReadBatch {
  readonly baseOffset: bigint
  readonly leaderEpoch: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly maxTimestampMs: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly records: readonly TestRecord[]
  readonly offsetDeltas: readonly number[]
}

class Bytes {
  at = 0
  readonly bytes: Buffer
  constructor(bytes: Buffer) {
    this.bytes = bytes
  }
  varint(): bigint {
    let raw = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bytes.readUInt8(this.at++)
      raw |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return (raw >> 1n) ^ -(raw & 1n)
    }
  }
  nullable(): Buffer | null {
    const length = Number(this.varint())
    if (length < 0) return null
    this.at += length
    return Buffer.from(this.bytes.subarray(this.at - length, this.at))
  }
}

/** Reads a batch, insisting on a right checksum and right lengths. */
export async function readTestBatch(pieces: readonly Buffer[]): Promise<ReadBatch> {
  const batch = Buffer.concat(pieces)
  if (batch.readUInt32BE(17) !== crc32c(batch.subarray(21))) throw new MalformedError('checksum')
  if (batch.readInt32BE(8) !== batch.length - 12 || batch[16] !== 2) throw new MalformedError('header')
  const attributes = batch.readInt16BE(21)
  const reader = new Bytes(await decompressRecords(attributes & 7, batch.subarray(61), 1e9))
  const baseTimestampMs = batch.readBigInt64BE(27)
  const records: TestRecord[] = []
  const offsetDeltas: number[] = []
  for (let left = batch.readInt32BE(57); left > 0; left--) {
    const end = Number(reader.varint()) + reader.at
    reader.at++
    const timestampMs = Number(baseTimestampMs + reader.varint())
    offsetDeltas.push(Number(reader.varint()))
    const key = reader.nullable()
    const value = reader.nullable()
    const headers: (readonly [string, Buffer | null])[] = []
    for (let count = Number(reader.varint()); count > 0; count--)
      headers.push([String(reader.nullable()), reader.nullable()])
    if (reader.at !== end) throw new MalformedError('record length')
    records.push({ timestampMs, key, value, headers })
  }
  if (reader.at !== reader.bytes.length) throw new MalformedError('bytes after the records')
  return {
    baseOffset: batch.readBigInt64BE(0),
    leaderEpoch: batch.readInt32BE(12),
    attributes,
    lastOffsetDelta: batch.readInt32BE(23),
    maxTimestampMs: Number(batch.readBigInt64BE(35)),
    producerId: batch.readBigInt64BE(43),
    producerEpoch: batch.readInt16BE(51),
    baseSequence: batch.readInt32BE(53),
    records,
    offsetDeltas,
  }
}

/** An entry as a store would give it back. */
export function stored(entry: NewEntry, brokerTimestampMs = 1_700_000_000_999): StoredEntry {
  return {
    position: { ledgerId: asLedgerId(7), entryId: asEntryId(3) },
    firstIndex: asMessageIndex(100),
    brokerTimestampMs,
    messageCount: entry.messageCount,
    maxTimestampMs: entry.maxTimestampMs,
    data: Buffer.concat(entry.data),
  }
}

export const writing: FromKafkaOptions = {
  format: 'pulsar',
  messagesPerEntryMax: 4096,
  timestampType: 'CreateTime',
  appendTimeMs: 1_700_000_000_500,
}

export const reading: ToKafkaOptions = {
  baseOffset: asOffset(1000n),
  timestampType: 'CreateTime',
  leaderEpoch: 5,
}

/** The records that Kafka consumers see of entries. */
export async function recordsOf(
  entries: readonly NewEntry[],
  options: ToKafkaOptions = reading,
): Promise<TestRecord[]> {
  const records: TestRecord[] = []
  for (const entry of entries)
    records.push(...(await readTestBatch(await toKafka(stored(entry), options))).records)
  return records
}

type Field = [id: number, type: string, rule?: 'required' | 'repeated']

function message(fields: Readonly<Record<string, Field>>) {
  return {
    // Without it, empty text counts as absent.
    edition: 'proto2',
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, [id, type, rule]]) => [
        name,
        { id, type, ...(rule ? { rule } : {}) },
      ]),
    ),
  }
}

/** The published field numbers of PulsarApi, as far as tests look at them. */
const root = protobuf.Root.fromJSON({
  nested: {
    KeyValue: message({ key: [1, 'string', 'required'], value: [2, 'string', 'required'] }),
    EncryptionKeys: message({
      key: [1, 'string', 'required'],
      value: [2, 'bytes', 'required'],
      metadata: [3, 'KeyValue', 'repeated'],
    }),
    MessageMetadata: message({
      producerName: [1, 'string', 'required'],
      sequenceId: [2, 'uint64', 'required'],
      publishTime: [3, 'uint64', 'required'],
      properties: [4, 'KeyValue', 'repeated'],
      replicatedFrom: [5, 'string'],
      partitionKey: [6, 'string'],
      compression: [8, 'int32'],
      uncompressedSize: [9, 'uint32'],
      numMessagesInBatch: [11, 'int32'],
      eventTime: [12, 'uint64'],
      encryptionKeys: [13, 'EncryptionKeys', 'repeated'],
      encryptionAlgo: [14, 'string'],
      encryptionParam: [15, 'bytes'],
      schemaVersion: [16, 'bytes'],
      partitionKeyB64Encoded: [17, 'bool'],
      orderingKey: [18, 'bytes'],
      deliverAtTime: [19, 'int64'],
      markerType: [20, 'int32'],
      txnidLeastBits: [22, 'uint64'],
      txnidMostBits: [23, 'uint64'],
      highestSequenceId: [24, 'uint64'],
      nullValue: [25, 'bool'],
      uuid: [26, 'string'],
      numChunksFromMsg: [27, 'int32'],
      totalChunkMsgSize: [28, 'int32'],
      chunkId: [29, 'int32'],
      nullPartitionKey: [30, 'bool'],
    }),
    SingleMessageMetadata: message({
      properties: [1, 'KeyValue', 'repeated'],
      partitionKey: [2, 'string'],
      payloadSize: [3, 'int32', 'required'],
      compactedOut: [4, 'bool'],
      eventTime: [5, 'uint64'],
      partitionKeyB64Encoded: [6, 'bool'],
      orderingKey: [7, 'bytes'],
      sequenceId: [8, 'uint64'],
      nullValue: [9, 'bool'],
      nullPartitionKey: [10, 'bool'],
    }),
  },
})
const metadataType = root.lookupType('MessageMetadata')
const singleType = root.lookupType('SingleMessageMetadata')

export interface Fields {
  readonly [name: string]: unknown
}

function decode(type: protobuf.Type, bytes: Buffer): Fields {
  return type.toObject(type.decode(bytes), { longs: Number, bytes: Buffer })
}

export interface PulsarMessage {
  readonly metadata: Fields
  readonly payload: Buffer
}

export interface PulsarEntryRead {
  readonly metadata: Fields
  readonly payload: Buffer
  readonly singles: readonly PulsarMessage[]
}

/** Reads an entry as a Pulsar client does: checksum, metadata, decompressed payload, single messages. */
export async function readPulsarEntry(pieces: readonly Buffer[]): Promise<PulsarEntryRead> {
  const data = Buffer.concat(pieces)
  if (data.readUInt16BE(0) !== 0x0e01) throw new MalformedError('magic')
  if (data.readUInt32BE(2) !== crc32c(data.subarray(6))) throw new MalformedError('checksum')
  const end = 10 + data.readUInt32BE(6)
  const metadata = decode(metadataType, data.subarray(10, end))
  const size = Number(metadata.uncompressedSize ?? 0)
  const payload = await decompressPayload(Number(metadata.compression ?? 0), data.subarray(end), size)
  const singles: PulsarMessage[] = []
  if (metadata.numMessagesInBatch === undefined) return { metadata, payload, singles }
  for (let at = 0; at < payload.length; ) {
    const start = at + 4
    const stop = start + payload.readUInt32BE(at)
    const single = decode(singleType, payload.subarray(start, stop))
    at = stop + Number(single.payloadSize)
    singles.push({ metadata: single, payload: payload.subarray(stop, at) })
  }
  return { metadata, payload, singles }
}

/** Frames what a Pulsar client would send. */
export function framePulsar(metadata: Fields, payload: Buffer): Buffer {
  const encoded = Buffer.from(
    metadataType
      .encode(
        metadataType.fromObject({
          producerName: 'p',
          sequenceId: 4,
          publishTime: 1_600_000_000_000,
          ...metadata,
        }),
      )
      .finish(),
  )
  const size = Buffer.alloc(4)
  size.writeUInt32BE(encoded.length)
  const rest = Buffer.concat([size, encoded, payload])
  const head = Buffer.from([0x0e, 0x01, 0, 0, 0, 0])
  head.writeUInt32BE(crc32c(rest), 2)
  return Buffer.concat([head, rest])
}

/** A batch's payload as a Pulsar client packs it. */
export function packSingles(messages: readonly PulsarMessage[]): Buffer {
  return Buffer.concat(
    messages.flatMap(({ metadata, payload }) => {
      const encoded = Buffer.from(
        singleType.encode(singleType.fromObject({ payloadSize: payload.length, ...metadata })).finish(),
      )
      const size = Buffer.alloc(4)
      size.writeUInt32BE(encoded.length)
      return [size, encoded, payload]
    }),
  )
}
