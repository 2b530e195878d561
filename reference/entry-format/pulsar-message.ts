import type { RecordHeader } from '../kafka/wire/batch-builder.js'
import { readHeadersAndPayload } from '../pulsar/wire/entry-checksum.js'
import type { MessageMetadata } from '../pulsar/wire/message-metadata.js'
import type { StoredEntry } from '../storage/types.js'
import { decodeBase64, decodedBase64Bytes } from './base64.js'
import { restoreHeaders } from './header-properties.js'
import type { PlainRecord } from './plain-records.js'
import { encryptedHeader, schemaVersionHeader, unconvertibleHeader } from './reserved-names.js'
import { type MessageTimes, timestampOf } from './timestamps.js'
import type { TimestampType } from './types.js'

/** Entries of one message, and those that cannot be converted message by message, as records. */

/** A message that is not in a batch. */
export function singleRecord(metadata: MessageMetadata, payload: Buffer, times: MessageTimes): PlainRecord {
  return {
    timestampMs: timestampOf(metadata.eventTimeMs !== undefined, metadata.eventTimeMs ?? 0, times),
    key: keyOf(metadata),
    value: metadata.nullValue ? null : payload,
    headers: headersOf(metadata),
  }
}

/** Ordering key before partition key (register MC-8). */
export function keyOf(metadata: MessageMetadata): Buffer | null {
  if (metadata.orderingKey !== undefined) return metadata.orderingKey
  if (metadata.nullPartitionKey || metadata.partitionKey === undefined) return null
  const text = Buffer.from(metadata.partitionKey)
  if (!metadata.partitionKeyIsBase64) return text
  const bytes = decodedBase64Bytes(text, 0, text.length)
  if (bytes < 0) return text
  const key = Buffer.allocUnsafe(bytes)
  decodeBase64(text, 0, bytes, key, 0)
  return key
}

function headersOf(metadata: MessageMetadata): readonly RecordHeader[] {
  const properties = metadata.properties.map(([name, value]): RecordHeader => [name, Buffer.from(value)])
  return [...restoreHeaders(properties), ...schemaHeaders(metadata)]
}

/** A schema's identity (register MC-20); an empty one, as Pulsar's clients before 2.9 send without a schema, is none. */
export function schemaHeaders({ schemaVersion }: MessageMetadata): readonly RecordHeader[] {
  return schemaVersion === undefined || schemaVersion.length === 0
    ? []
    : [[schemaVersionHeader, schemaVersion]]
}

/**
 * Ciphertext as it is, with what is needed to decrypt it (register MC-16).
 * @param pieces the entry, or all entries of a chunked message: each piece is encrypted by itself
 */
export function encryptedRecord(pieces: readonly Buffer[], times: MessageTimes): PlainRecord {
  const parsed = inChunkOrder(pieces.map((data) => ({ data, ...readHeadersAndPayload(data) })))
  const metadata = parsed.at(-1)?.metadata
  if (metadata === undefined) throw new TypeError('an encrypted message without pieces')
  const payloads = parsed.map(({ data, payloadStart }) => data.subarray(payloadStart))
  const description = {
    algorithm: metadata.encryption?.algorithm,
    keys: metadata.encryption?.keys.map((key) => key.name),
    pieces: parsed.map((piece, index) => describePiece(piece.metadata, payloads[index]?.length ?? 0)),
    compression: metadata.compression,
    uncompressedBytes: metadata.uncompressedBytes,
    messagesInBatch: metadata.messagesInBatch,
  }
  return {
    timestampMs: timestampOf(metadata.eventTimeMs !== undefined, metadata.eventTimeMs ?? 0, times),
    key: keyOf(metadata),
    value: Buffer.concat(payloads),
    headers: [...headersOf(metadata), [encryptedHeader, Buffer.from(JSON.stringify(description))]],
  }
}

function inChunkOrder<Piece extends { readonly metadata: MessageMetadata }>(
  pieces: readonly Piece[],
): readonly Piece[] {
  const uuid = pieces.at(-1)?.metadata.chunk?.uuid
  if (uuid === undefined) return pieces
  const byId = new Map<number, Piece>()
  for (const piece of pieces)
    if (piece.metadata.chunk?.uuid === uuid) byId.set(piece.metadata.chunk.chunkId, piece)
  return [...byId.entries()].sort(([one], [other]) => one - other).map(([, piece]) => piece)
}

function describePiece(metadata: MessageMetadata, bytes: number) {
  return {
    bytes,
    parameter: metadata.encryption?.parameter?.toString('base64'),
    keys: metadata.encryption?.keys.map((key) => ({
      name: key.name,
      value: key.value.toString('base64'),
      metadata: Object.fromEntries(key.metadata),
    })),
  }
}

/**
 * An entry that cannot be converted: a record for each of its offsets, each saying why; the first has what is stored
 * (register MC-19). Of a chunked message nothing is given, because that would be a fragment.
 */
export function unconvertibleRecords(
  entry: StoredEntry,
  reason: string,
  timestampType: TimestampType,
): readonly PlainRecord[] {
  const headers: readonly RecordHeader[] = [[unconvertibleHeader, Buffer.from(reason)]]
  const timestampMs = timestampType === 'LogAppendTime' ? entry.brokerTimestampMs : entry.maxTimestampMs
  const rest: PlainRecord = { timestampMs, key: null, value: null, headers }
  const records = new Array<PlainRecord>(entry.messageCount).fill(rest)
  records[0] = { ...rest, value: rawPayload(entry.data) }
  return records
}

function rawPayload(data: Buffer): Buffer | null {
  try {
    const { metadata, payloadStart } = readHeadersAndPayload(data)
    return metadata.chunk === undefined ? data.subarray(payloadStart) : null
  } catch {
    return data
  }
}
