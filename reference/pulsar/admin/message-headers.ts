import type { PulsarEntry } from '../../topics/types.js'
import type { MessageMetadata } from '../wire/message-metadata.js'

const compressionNames = ['NONE', 'LZ4', 'ZLIB', 'ZSTD', 'SNAPPY']
/** What HTTP allows in a header's name. */
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/
/** What HTTP allows in a header's value and every client reads alike. */
const headerText = /^[\t\x20-\x7e]*$/

/**
 * A message's metadata as the headers by which Pulsar's admin REST tells it; what is absent has none.
 * Properties go as one JSON text (as of Pulsar 3.1) and, for older tools, as a header each where HTTP can carry them.
 */
export function messageHeaders(
  entry: PulsarEntry,
  metadata: MessageMetadata,
  payloadBytes: number,
): Record<string, string> {
  const { position, view, firstIndex, brokerTimestampMs } = entry
  const isBatch = metadata.messagesInBatch !== undefined
  const compression = metadata.encryption === undefined ? undefined : compressionNames[metadata.compression]
  const told: Readonly<Record<string, string | number | boolean | undefined>> = {
    'Message-ID': `${position.ledgerId}:${position.entryId}`,
    'publish-time': time(metadata.publishTimeMs),
    'event-time': metadata.eventTimeMs === undefined ? undefined : time(metadata.eventTimeMs),
    'deliver-at-time': metadata.deliverAtTimeMs === undefined ? undefined : time(metadata.deliverAtTimeMs),
    'Broker-Entry-METADATA-timestamp': time(brokerTimestampMs),
    'Broker-Entry-METADATA-index': firstIndex + view.messageCount - 1,
    'producer-name': metadata.producerName,
    'sequence-id': String(metadata.sequenceId),
    'highest-sequence-id': metadata.highestSequenceId?.toString(),
    'replicated-from': metadata.replicatedFrom,
    'partition-key': metadata.partitionKey,
    'partition-key-b64-encoded': metadata.partitionKeyIsBase64 ?? false,
    'null-partition-key': metadata.nullPartitionKey,
    'ordering-key': metadata.orderingKey?.toString('base64'),
    'null-value': metadata.nullValue,
    'schema-version': metadata.schemaVersion?.toString('base64'),
    'Is-Encrypted': metadata.encryption !== undefined,
    'encryption-algo': metadata.encryption?.algorithm,
    'encryption-param': metadata.encryption?.parameter?.toString('base64'),
    compression: compression === 'NONE' ? undefined : compression,
    'uncompressed-size': metadata.uncompressedBytes ?? payloadBytes,
    'marker-type': metadata.markerType,
    uuid: metadata.chunk?.uuid,
    'chunk-id': metadata.chunk?.chunkId,
    'num-chunks-from-msg': metadata.chunk?.chunkCount,
    'total-chunk-msg-size': metadata.chunk?.totalBytes,
    'num-batch-message': metadata.messagesInBatch,
    'batch-size': isBatch ? payloadBytes : undefined,
    'txn-uncommitted': false,
    'txn-aborted': false,
  }
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(told))
    if (value !== undefined) put(headers, `X-Pulsar-${name}`, String(value))
  putProperties(headers, metadata.properties)
  return headers
}

function putProperties(headers: Record<string, string>, properties: MessageMetadata['properties']): void {
  if (properties.length === 0) return
  headers['X-Pulsar-PROPERTY'] = asciiJson(Object.fromEntries(properties))
  for (const [name, value] of properties)
    if (headerName.test(name)) put(headers, `X-Pulsar-PROPERTY-${name}`, value)
}

/** What a header cannot carry is left out: a client would misread it. */
function put(headers: Record<string, string>, name: string, value: string): void {
  if (headerText.test(value)) headers[name] = value
}

/** JSON's escapes carry what headers cannot. */
const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** Pulsar writes times as ISO 8601. */
const time = (timestampMs: number): string | undefined => {
  const date = new Date(timestampMs)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
