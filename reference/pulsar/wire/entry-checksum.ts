import { crc32c, crc32cOf } from '../../base/crc32c.js'
import { MalformedError } from '../../base/malformed.js'
import { type MessageMetadata, readMessageMetadata } from './message-metadata.js'

/**
 * Pulsar's "headers and payload", the bytes that follow a SEND or MESSAGE command and that a ledger entry holds:
 *
 *     0x0e01 | CRC-32C of all that follows (4) | metadata size (4) | MessageMetadata | payload
 *
 * Numbers are big-endian. Magic and checksum may be left out by clients older than protocol version 6.
 */
export interface HeadersAndPayload {
  readonly metadata: MessageMetadata
  /** Where the encoded metadata starts; it goes on to `payloadStart`. */
  readonly metadataStart: number
  /** Where the payload starts; it goes on to the buffer's end. */
  readonly payloadStart: number
}

const magic = 0x0e01
const magicAndChecksumBytes = 6

const hasChecksum = (data: Buffer): boolean =>
  data.length >= magicAndChecksumBytes && data.readUInt16BE(0) === magic

/** False only when a checksum is there and wrong. */
export function checksumIsRight(data: Buffer): boolean {
  if (!hasChecksum(data)) return true
  return crc32c(data.subarray(magicAndChecksumBytes)) === data.readUInt32BE(2)
}

/** @throws MalformedError when the metadata cannot be read. Does not look at the checksum. */
export function readHeadersAndPayload(data: Buffer): HeadersAndPayload {
  const sizeAt = hasChecksum(data) ? magicAndChecksumBytes : 0
  if (data.length < sizeAt + 4) throw new MalformedError('an entry ends before its metadata')
  const metadataStart = sizeAt + 4
  const payloadStart = metadataStart + data.readUInt32BE(sizeAt)
  if (payloadStart > data.length) throw new MalformedError('metadata runs beyond its entry')
  const metadata = readMessageMetadata(data, metadataStart, payloadStart)
  return { metadata, metadataStart, payloadStart }
}

/** @returns magic, checksum and metadata in one piece, the payload untouched in the next ones. */
export function frameHeadersAndPayload(metadata: Buffer, payload: readonly Buffer[]): readonly Buffer[] {
  const head = Buffer.allocUnsafe(magicAndChecksumBytes + 4 + metadata.length)
  head.writeUInt16BE(magic, 0)
  head.writeUInt32BE(metadata.length, magicAndChecksumBytes)
  metadata.copy(head, magicAndChecksumBytes + 4)
  head.writeUInt32BE(crc32cOf(payload, crc32c(head.subarray(magicAndChecksumBytes))), 2)
  return [head, ...payload]
}
