import { crc32 as nativeCrc32, crc32c as nativeCrc32c } from '@node-rs/crc32'

/**
 * CRC-32C (Castagnoli), as Kafka's v2 batches and Pulsar's frames carry it.
 * @param previous the checksum of the bytes before these, to go on from; 0 starts anew.
 * @returns an unsigned 32-bit number.
 */
export function crc32c(bytes: Buffer, previous = 0): number {
  return nativeCrc32c(bytes, previous)
}

/** CRC-32C over several buffers as if they were one. */
export function crc32cOf(pieces: readonly Buffer[], previous = 0): number {
  let checksum = previous
  for (const piece of pieces) checksum = nativeCrc32c(piece, checksum)
  return checksum
}

/** CRC-32 (IEEE), as Kafka's message formats 0 and 1 carry it. */
export function crc32(bytes: Buffer, previous = 0): number {
  return nativeCrc32(bytes, previous)
}
