/**
 * Bytes that break their own format: a length beyond the end, a negative count, a wrong checksum of a frame. Whoever sent
 * them cannot be understood any further, so it ends that one connection (style 6) and never the process.
 */
export class MalformedError extends Error {
  override readonly name = 'MalformedError'
}
