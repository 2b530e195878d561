import { MalformedError } from '../base/malformed.js'
import { readHeadersAndPayload } from '../pulsar/wire/entry-checksum.js'
import type { Chunk } from '../pulsar/wire/message-metadata.js'

/**
 * The payload of a chunked message, as compressed (PIP-37).
 * @param pieces entries of that message, in any order; a piece that was sent twice counts once
 * @throws MalformedError when a piece is missing: a fragment is never passed off as the message (register MC-15)
 */
export function joinChunks(pieces: readonly Buffer[], last: Chunk): Buffer {
  const payloads = new Map<number, Buffer>()
  for (const piece of pieces) {
    const { metadata, payloadStart } = readHeadersAndPayload(piece)
    if (metadata.chunk?.uuid !== last.uuid) continue
    payloads.set(metadata.chunk.chunkId, piece.subarray(payloadStart))
  }
  const ordered: Buffer[] = []
  for (let chunkId = 0; chunkId < last.chunkCount; chunkId++) {
    const payload = payloads.get(chunkId)
    if (payload === undefined)
      throw new MalformedError(`piece ${chunkId + 1} of ${last.chunkCount} of a chunked message is missing`)
    ordered.push(payload)
  }
  return Buffer.concat(ordered)
}
