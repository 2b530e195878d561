import { MalformedError } from '../base/malformed.js'
import { readWholeBatch } from '../kafka/wire/record-batch.js'
import { openRecords } from '../kafka/wire/record-cursor.js'
import { type HeadersAndPayload, readHeadersAndPayload } from '../pulsar/wire/entry-checksum.js'
import { decompressPayload } from '../pulsar/wire/message-compression.js'
import { SingleMessageCursor, singleMessageBytesMin } from '../pulsar/wire/single-message.js'
import { decodeBase64, decodedBase64Bytes } from './base64.js'
import { originOf } from './origin.js'
import { keyOf } from './pulsar-message.js'

/**
 * What compaction is told of a message.
 * @param key the bytes of the key that Kafka's consumers see (register MC-8), as Latin-1 text; null: it has none
 * @param isTombstone it removes its key: its value is null or, when a Pulsar client wrote it, empty
 */
export type VisitKey = (batchIndex: number, key: string | null, isTombstone: boolean) => void

/** What an entry is to compaction. Only of `messages` and of the last piece of a chunked message keys are visited. */
export type EntryKeys =
  | { readonly kind: 'messages' }
  /** A piece of a message too large for one entry. */
  | { readonly kind: 'chunk'; readonly uuid: string; readonly isLast: boolean }
  /** For brokers only. */
  | { readonly kind: 'marker' }
  /** It is damaged, or encrypted as a whole: its messages' keys cannot be known. */
  | { readonly kind: 'opaque' }

/** Visits the keys of an entry's messages, in order; those that were compacted out are left out. */
export async function walkKeys({ data }: { readonly data: Buffer }, visit: VisitKey): Promise<EntryKeys> {
  try {
    return await walk(data, visit)
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return { kind: 'opaque' }
  }
}

async function walk(data: Buffer, visit: VisitKey): Promise<EntryKeys> {
  const parsed = readHeadersAndPayload(data)
  const { metadata, payloadStart } = parsed
  if (metadata.markerType !== undefined) return { kind: 'marker' }
  const origin = originOf(metadata)
  if (origin.writtenBy === 'kafka' && origin.format === 'kafka') {
    await walkRecords(data.subarray(payloadStart), visit)
    return { kind: 'messages' }
  }
  if (metadata.messagesInBatch !== undefined) {
    if (metadata.encryption !== undefined) return { kind: 'opaque' }
    await walkSingleMessages(data, parsed, origin.writtenBy === 'kafka', visit)
    return { kind: 'messages' }
  }
  const { chunk } = metadata
  const isLast = chunk === undefined || chunk.chunkId === chunk.chunkCount - 1
  const isTombstone = metadata.nullValue === true || (chunk === undefined && payloadStart === data.length)
  if (isLast) visit(0, keyOf(metadata)?.toString('latin1') ?? null, isTombstone)
  return chunk === undefined ? { kind: 'messages' } : { kind: 'chunk', uuid: chunk.uuid, isLast }
}

async function walkRecords(bytes: Buffer, visit: VisitKey): Promise<void> {
  const header = readWholeBatch(bytes)
  const record = await openRecords(header)
  for (let index = 0; index < header.recordCount; index++) {
    record.next()
    const { buffer, keyStart, keyEnd } = record
    visit(index, keyStart < 0 ? null : buffer.toString('latin1', keyStart, keyEnd), record.valueStart < 0)
  }
}

async function walkSingleMessages(
  data: Buffer,
  { metadata, payloadStart }: HeadersAndPayload,
  writtenByKafka: boolean,
  visit: VisitKey,
): Promise<void> {
  const compressed = data.subarray(payloadStart)
  const payload = await decompressPayload(metadata.compression, compressed, metadata.uncompressedBytes ?? 0)
  const messageCount = metadata.messagesInBatch ?? 1
  if (messageCount * singleMessageBytesMin > payload.length)
    throw new MalformedError(`${payload.length} bytes cannot hold ${messageCount} messages`)
  const message = new SingleMessageCursor(payload)
  for (let index = 0; index < messageCount; index++) {
    message.next()
    if (message.compactedOut) continue
    const isEmpty = message.position === message.payloadStart
    visit(index, keyText(message), message.nullValue || (isEmpty && !writtenByKafka))
  }
}

/** Ordering key before partition key (register MC-8). */
function keyText(message: SingleMessageCursor): string | null {
  const { buffer, orderingKeyStart, orderingKeyEnd, keyStart, keyEnd } = message
  if (orderingKeyStart >= 0) return buffer.toString('latin1', orderingKeyStart, orderingKeyEnd)
  if (keyStart < 0 || message.nullKey) return null
  const decoded = message.keyIsBase64 ? decodedBase64Bytes(buffer, keyStart, keyEnd) : -1
  if (decoded < 0) return buffer.toString('latin1', keyStart, keyEnd)
  const key = Buffer.allocUnsafe(decoded)
  decodeBase64(buffer, keyStart, decoded, key, 0)
  return key.toString('latin1')
}
