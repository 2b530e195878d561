import { MalformedError } from '../../base/malformed.js'
import type { PulsarEntry } from '../../topics/types.js'
import { frameHeadersAndPayload, readHeadersAndPayload } from '../wire/entry-checksum.js'
import { decompressPayload } from '../wire/message-compression.js'
import type { MessageMetadata } from '../wire/message-metadata.js'
import { Reader, Writer } from '../wire/protobuf.js'
import { SingleMessageCursor } from '../wire/single-message.js'
import { keyHash } from './murmur3.js'

/**
 * The keys of an entry, message by message, and entries cut by them.
 *
 * Apache Pulsar's Key_Shared looks at an entry's own key alone, so that a batch of many keys goes to one consumer
 * whatever its messages' keys are. Kafka's batches are of that kind. Here each message goes by its own key (register
 * CO-12): when the messages of one entry belong to several consumers, each gets a batch of only its own.
 *
 * Why a new batch and not the whole one with an ack set that hides the others' messages: the Java and the C++ client
 * honour the ack set when they show messages, but, unless batch-index acknowledgement is switched on, both acknowledge
 * an entry only after every message of its batch was acknowledged, the hidden ones too: never. One message a frame does
 * not work either: both clients ignore the frame's batch index, so such messages could not be told apart.
 * The price: in such a batch the client's batch index counts the batch that it was given. Acknowledgements are
 * translated back; ledger and entry id are the true ones.
 */
export interface KeyedEntry {
  /** The hash of each message's key: ordering key, else partition key, else made of producer and sequence id. */
  readonly hashes: readonly number[]
  /** Undefined where the messages cannot be parted: not a batch, encrypted, or not readable. */
  readonly batch: OpenBatch | undefined
}

interface OpenBatch {
  /** Metadata fields but for compression and count. */
  readonly metadata: readonly Buffer[]
  /** Each single message: its metadata and payload. */
  readonly messages: readonly Buffer[]
}

export const wholeEntry = (entry: PulsarEntry): Buffer => {
  const [first, ...others] = entry.view.headersAndPayload
  if (first === undefined) return Buffer.alloc(0)
  return others.length === 0 ? first : Buffer.concat(entry.view.headersAndPayload)
}

/** @throws MalformedError when the entry has no message metadata. */
export async function readKeys(entry: PulsarEntry): Promise<KeyedEntry> {
  const data = wholeEntry(entry)
  const { metadata, payloadStart } = readHeadersAndPayload(data)
  if (metadata.messagesInBatch === undefined || metadata.encryption !== undefined)
    return asOne(entry, metadata)
  try {
    return await partedKeys(data, payloadStart, metadata)
  } catch (error) {
    // A batch whose payload is damaged goes to one consumer as it is, whose client says so: it must not hold up the rest.
    if (error instanceof MalformedError) return asOne(entry, metadata)
    throw error
  }
}

const asOne = (entry: PulsarEntry, metadata: MessageMetadata): KeyedEntry => ({
  hashes: new Array<number>(entry.view.messageCount).fill(keyHash(keyOf(metadata))),
  batch: undefined,
})

async function partedKeys(
  data: Buffer,
  payloadStart: number,
  metadata: MessageMetadata,
): Promise<KeyedEntry> {
  const packed = data.subarray(payloadStart)
  const payload = await decompressPayload(metadata.compression, packed, metadata.uncompressedBytes ?? -1)
  const hashes: number[] = []
  const messages: Buffer[] = []
  const cursor = new SingleMessageCursor(payload)
  for (let index = 0; index < (metadata.messagesInBatch ?? 0); index++) {
    cursor.next()
    hashes.push(keyHash(singleKey(cursor) ?? unkeyed(metadata, index)))
    messages.push(payload.subarray(cursor.messageStart, cursor.position))
  }
  return { hashes, batch: { metadata: keptFields(data, payloadStart), messages } }
}

function keyOf(metadata: MessageMetadata): Buffer {
  if (metadata.orderingKey !== undefined) return metadata.orderingKey
  if (metadata.partitionKey === undefined) return unkeyed(metadata, 0)
  return Buffer.from(metadata.partitionKey, metadata.partitionKeyIsBase64 === true ? 'base64' : 'utf8')
}

function singleKey(cursor: SingleMessageCursor): Buffer | undefined {
  const { buffer } = cursor
  if (cursor.orderingKeyStart >= 0) return buffer.subarray(cursor.orderingKeyStart, cursor.orderingKeyEnd)
  if (cursor.keyStart < 0 || cursor.nullKey) return undefined
  const key = buffer.subarray(cursor.keyStart, cursor.keyEnd)
  return cursor.keyIsBase64 ? Buffer.from(key.toString('latin1'), 'base64') : key
}

/** Messages without a key are spread, as by Pulsar 3 and later. */
const unkeyed = (metadata: MessageMetadata, index: number): Buffer =>
  Buffer.from(`${metadata.producerName}-${metadata.sequenceId + BigInt(index)}`)

/** MessageMetadata's compression, uncompressed_size and num_messages_in_batch. */
const REPLACED_FIELDS = new Set([8, 9, 11])
const MESSAGES_IN_BATCH = 11

function keptFields(data: Buffer, payloadStart: number): Buffer[] {
  const sizeAt = data.readUInt16BE(0) === 0x0e01 ? 6 : 0
  const reader = new Reader(data, sizeAt + 4, payloadStart)
  const kept: Buffer[] = []
  while (reader.position < payloadStart) {
    const start = reader.position
    reader.varint()
    const id = reader.low >>> 3
    reader.skip(reader.low & 7)
    if (!REPLACED_FIELDS.has(id)) kept.push(data.subarray(start, reader.position))
  }
  return kept
}

/** A batch of some of an entry's messages, uncompressed, as headers and payload. */
export function batchOf(batch: OpenBatch, indexes: readonly number[]): readonly Buffer[] {
  const count = new Writer()
  count.varint(MESSAGES_IN_BATCH << 3, 0)
  count.varint(indexes.length, 0)
  const metadata = Buffer.concat([...batch.metadata, count.finish()])
  return frameHeadersAndPayload(
    metadata,
    indexes.map((index) => batch.messages[index] ?? Buffer.alloc(0)),
  )
}
