/** Murmur3, 32 bits, seed 0, sign bit cleared: Pulsar's hash of a key (PIP-34). */
export function murmur3(bytes: Buffer): number {
  const blocks = bytes.length & ~3
  let hash = 0
  for (let at = 0; at < blocks; at += 4) {
    hash ^= scramble(bytes.readInt32LE(at))
    hash = (hash << 13) | (hash >>> 19)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  let tail = 0
  for (let at = bytes.length - 1; at >= blocks; at--) tail = (tail << 8) | (bytes[at] ?? 0)
  hash ^= scramble(tail)
  hash ^= bytes.length
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  hash ^= hash >>> 16
  return hash & 0x7fffffff
}

function scramble(block: number): number {
  const mixed = Math.imul(block, 0xcc9e2d51)
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
}

/** Key_Shared divides this many hashes among its consumers. */
export const HASH_RANGE_SIZE = 65_536

export const keyHash = (key: Buffer): number => murmur3(key) % HASH_RANGE_SIZE
