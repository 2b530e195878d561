import { FieldCursor, putUnsignedLong, putVarint } from './field-cursor.js'

/**
 * Pulsar's MessageMetadata, which stands before every payload: of a single message or of a whole batch. Decoded once an
 * entry; fields that the broker has no use for are stepped over. Absent fields are undefined.
 */
export interface MessageMetadata {
  readonly producerName: string
  readonly sequenceId: bigint
  /** Of a batch: the sequence id of its last message. */
  readonly highestSequenceId?: bigint
  readonly publishTimeMs: number
  readonly properties: readonly (readonly [name: string, value: string])[]
  readonly replicatedFrom?: string
  readonly partitionKey?: string
  /** The partition key is base64 of bytes. */
  readonly partitionKeyIsBase64?: boolean
  readonly nullPartitionKey?: boolean
  readonly orderingKey?: Buffer
  /** A number of `compressionTypes`; 0 is none. */
  readonly compression: number
  /** Bytes of the payload before compression; present when it is compressed. */
  readonly uncompressedBytes?: number
  /** Present, also when 1, exactly when the payload is a batch of single messages. */
  readonly messagesInBatch?: number
  readonly eventTimeMs?: number
  readonly nullValue?: boolean
  readonly schemaVersion?: Buffer
  readonly encryption?: Encryption
  readonly deliverAtTimeMs?: number
  /** Written by brokers for themselves; such entries are never sent to clients. */
  readonly markerType?: number
  readonly chunk?: Chunk
}

/** One piece of a message too large for one entry (PIP-37). */
export interface Chunk {
  /** The same for all pieces of one message. */
  readonly uuid: string
  /** From 0. */
  readonly chunkId: number
  readonly chunkCount: number
  /** Bytes of the whole message, as compressed. */
  readonly totalBytes: number
}

export interface Encryption {
  readonly keys: readonly EncryptionKey[]
  readonly algorithm?: string
  /** The initialisation vector. */
  readonly parameter?: Buffer
}

export interface EncryptionKey {
  readonly name: string
  readonly value: Buffer
  readonly metadata: readonly (readonly [name: string, value: string])[]
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

/** Field numbers of PulsarApi's MessageMetadata, as far as they are used. */
const fields = {
  producerName: 1,
  sequenceId: 2,
  publishTime: 3,
  properties: 4,
  replicatedFrom: 5,
  partitionKey: 6,
  compression: 8,
  uncompressedSize: 9,
  messagesInBatch: 11,
  eventTime: 12,
  encryptionKeys: 13,
  encryptionAlgorithm: 14,
  encryptionParameter: 15,
  schemaVersion: 16,
  partitionKeyIsBase64: 17,
  orderingKey: 18,
  deliverAtTime: 19,
  markerType: 20,
  highestSequenceId: 24,
  nullValue: 25,
  uuid: 26,
  chunkCount: 27,
  chunkTotalBytes: 28,
  chunkId: 29,
  nullPartitionKey: 30,
} as const

interface Pieces {
  readonly encryptionKeys: EncryptionKey[]
  encryptionAlgorithm?: string
  encryptionParameter?: Buffer
  readonly chunk: Mutable<Chunk>
}

/**
 * @param start where the metadata begins in `buffer`
 * @param end one past its last byte
 * @throws MalformedError when it is not a MessageMetadata
 */
export function readMessageMetadata(buffer: Buffer, start: number, end: number): MessageMetadata {
  const cursor = new FieldCursor(buffer, start, end)
  const properties: (readonly [string, string])[] = []
  const metadata: Mutable<MessageMetadata> = {
    producerName: '',
    sequenceId: 0n,
    publishTimeMs: 0,
    properties,
    compression: 0,
  }
  const pieces: Pieces = {
    encryptionKeys: [],
    chunk: { uuid: '', chunkId: -1, chunkCount: 0, totalBytes: 0 },
  }
  while (cursor.next()) {
    if (cursor.field === fields.properties && cursor.isBytes)
      properties.push(readKeyValue(buffer, cursor.start, cursor.end))
    else if (cursor.isBytes) readBytesField(cursor, metadata, pieces)
    else readNumberField(cursor, metadata, pieces)
  }
  return completed(metadata, pieces)
}

function readBytesField(cursor: FieldCursor, metadata: Mutable<MessageMetadata>, pieces: Pieces): void {
  switch (cursor.field) {
    case fields.producerName:
      metadata.producerName = cursor.text()
      break
    case fields.replicatedFrom:
      metadata.replicatedFrom = cursor.text()
      break
    case fields.partitionKey:
      metadata.partitionKey = cursor.text()
      break
    case fields.orderingKey:
      metadata.orderingKey = cursor.bytes()
      break
    case fields.schemaVersion:
      metadata.schemaVersion = cursor.bytes()
      break
    case fields.encryptionKeys:
      pieces.encryptionKeys.push(readEncryptionKey(cursor.buffer, cursor.start, cursor.end))
      break
    case fields.encryptionAlgorithm:
      pieces.encryptionAlgorithm = cursor.text()
      break
    case fields.encryptionParameter:
      pieces.encryptionParameter = cursor.bytes()
      break
    case fields.uuid:
      pieces.chunk.uuid = cursor.text()
      break
  }
}

function readNumberField(cursor: FieldCursor, metadata: Mutable<MessageMetadata>, pieces: Pieces): void {
  switch (cursor.field) {
    case fields.sequenceId:
      metadata.sequenceId = cursor.unsignedLong()
      break
    case fields.publishTime:
      metadata.publishTimeMs = cursor.value
      break
    case fields.compression:
      metadata.compression = cursor.value
      break
    case fields.uncompressedSize:
      metadata.uncompressedBytes = cursor.value
      break
    case fields.messagesInBatch:
      metadata.messagesInBatch = cursor.value
      break
    case fields.eventTime:
      metadata.eventTimeMs = cursor.value
      break
    case fields.partitionKeyIsBase64:
      metadata.partitionKeyIsBase64 = cursor.value !== 0
      break
    case fields.deliverAtTime:
      metadata.deliverAtTimeMs = cursor.value
      break
    case fields.markerType:
      metadata.markerType = cursor.value
      break
    case fields.highestSequenceId:
      metadata.highestSequenceId = cursor.unsignedLong()
      break
    case fields.nullValue:
      metadata.nullValue = cursor.value !== 0
      break
    case fields.chunkCount:
      pieces.chunk.chunkCount = cursor.value
      break
    case fields.chunkTotalBytes:
      pieces.chunk.totalBytes = cursor.value
      break
    case fields.chunkId:
      pieces.chunk.chunkId = cursor.value
      break
    case fields.nullPartitionKey:
      metadata.nullPartitionKey = cursor.value !== 0
      break
  }
}

function completed(metadata: Mutable<MessageMetadata>, pieces: Pieces): MessageMetadata {
  if (pieces.encryptionKeys.length > 0)
    metadata.encryption = {
      keys: pieces.encryptionKeys,
      ...(pieces.encryptionAlgorithm === undefined ? {} : { algorithm: pieces.encryptionAlgorithm }),
      ...(pieces.encryptionParameter === undefined ? {} : { parameter: pieces.encryptionParameter }),
    }
  if (pieces.chunk.chunkCount > 1 && pieces.chunk.chunkId >= 0) metadata.chunk = pieces.chunk
  return metadata
}

/** A KeyValue message: a property. */
export function readKeyValue(buffer: Buffer, start: number, end: number): readonly [string, string] {
  const cursor = new FieldCursor(buffer, start, end)
  let name = ''
  let value = ''
  while (cursor.next()) {
    if (cursor.field === 1) name = cursor.text()
    else if (cursor.field === 2) value = cursor.text()
  }
  return [name, value]
}

function readEncryptionKey(buffer: Buffer, start: number, end: number): EncryptionKey {
  const cursor = new FieldCursor(buffer, start, end)
  const metadata: (readonly [string, string])[] = []
  let name = ''
  let value: Buffer = Buffer.alloc(0)
  while (cursor.next()) {
    if (cursor.field === 1) name = cursor.text()
    else if (cursor.field === 2) value = cursor.bytes()
    else if (cursor.field === 3) metadata.push(readKeyValue(buffer, cursor.start, cursor.end))
  }
  return { name, value, metadata }
}

/** What the broker itself writes: the metadata of a batch. */
export interface BatchMetadata {
  readonly producerName: string
  readonly sequenceId: bigint
  readonly highestSequenceId?: bigint
  readonly publishTimeMs: number
  readonly properties: readonly (readonly [name: string, value: string])[]
  readonly compression: number
  readonly uncompressedBytes?: number | undefined
  readonly messagesInBatch: number
  readonly markerType?: number | undefined
}

/** Encodes the metadata of a batch, fields in the order of their numbers. */
export function writeBatchMetadata(metadata: BatchMetadata): Buffer {
  const output = Buffer.allocUnsafe(batchMetadataBytesMax(metadata))
  let at = putText(output, fields.producerName, metadata.producerName, 0)
  at = putNumber(output, fields.sequenceId, metadata.sequenceId, at)
  at = putNumber(output, fields.publishTime, BigInt(metadata.publishTimeMs), at)
  for (const [name, value] of metadata.properties) at = putProperty(output, name, value, at)
  if (metadata.compression !== 0) at = putNumber(output, fields.compression, BigInt(metadata.compression), at)
  if (metadata.uncompressedBytes !== undefined)
    at = putNumber(output, fields.uncompressedSize, BigInt(metadata.uncompressedBytes), at)
  at = putNumber(output, fields.messagesInBatch, BigInt(metadata.messagesInBatch), at)
  if (metadata.markerType !== undefined)
    at = putNumber(output, fields.markerType, BigInt(metadata.markerType), at)
  if (metadata.highestSequenceId !== undefined)
    at = putNumber(output, fields.highestSequenceId, metadata.highestSequenceId, at)
  return output.subarray(0, at)
}

/** Encoded metadata with another uncompressed size: of a field that is there twice, the last one holds. */
export function withUncompressedBytes(metadata: Buffer, uncompressedBytes: number): Buffer {
  const field = Buffer.allocUnsafe(16)
  const end = putNumber(field, fields.uncompressedSize, BigInt(uncompressedBytes), 0)
  return Buffer.concat([metadata, field.subarray(0, end)])
}

function batchMetadataBytesMax(metadata: BatchMetadata): number {
  let bytes = 128 + 3 * metadata.producerName.length
  for (const [name, value] of metadata.properties) bytes += 24 + 3 * (name.length + value.length)
  return bytes
}

function putNumber(output: Buffer, field: number, value: bigint, position: number): number {
  const at = putVarint(output, field << 3, position)
  if (value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER)) return putVarint(output, Number(value), at)
  return putUnsignedLong(output, BigInt.asUintN(64, value), at)
}

function putText(output: Buffer, field: number, text: string, position: number): number {
  let at = putVarint(output, (field << 3) | 2, position)
  at = putVarint(output, Buffer.byteLength(text), at)
  return at + output.write(text, at)
}

function putProperty(output: Buffer, name: string, value: string, position: number): number {
  const pair = Buffer.allocUnsafe(16 + 3 * (name.length + value.length))
  const end = putText(pair, 2, value, putText(pair, 1, name, 0))
  let at = putVarint(output, (fields.properties << 3) | 2, position)
  at = putVarint(output, end, at)
  return at + pair.copy(output, at, 0, end)
}
