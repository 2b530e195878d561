const prime1 = 0x9e3779b1
const prime2 = 0x85ebca77
const prime3 = 0xc2b2ae3d
const prime4 = 0x27d4eb2f
const prime5 = 0x165667b1

const rotateLeft = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits))

/**
 * xxHash, 32 bits, seed 0, of fewer than 16 bytes: as much as an LZ4 frame's header needs.
 * @returns an unsigned 32-bit number.
 */
export function xxh32OfHeader(bytes: Buffer): number {
  if (bytes.length >= 16) throw new RangeError('longer than any LZ4 frame header')
  let hash = (prime5 + bytes.length) | 0
  let at = 0
  for (; at + 4 <= bytes.length; at += 4)
    hash = Math.imul(rotateLeft((hash + Math.imul(bytes.readUInt32LE(at), prime3)) | 0, 17), prime4)
  for (; at < bytes.length; at++)
    hash = Math.imul(rotateLeft((hash + Math.imul(bytes.readUInt8(at), prime5)) | 0, 11), prime1)
  hash = Math.imul(hash ^ (hash >>> 15), prime2)
  hash = Math.imul(hash ^ (hash >>> 13), prime3)
  return (hash ^ (hash >>> 16)) >>> 0
}
