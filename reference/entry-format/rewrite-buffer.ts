/**
 * One buffer that is rewritten from its front while its old content is read further behind: moving bytes inside one
 * buffer (`copyWithin`) costs a third of copying between two. The written part must never reach what is still to be
 * read; `reopen` makes a wider gap when it would.
 */
export class RewriteBuffer {
  bytes: Buffer

  /** @param gapBytes how much further than it is read the rewritten form may grow before the buffer must be reopened */
  constructor(source: Buffer, gapBytes: number) {
    this.bytes = Buffer.allocUnsafe(gapBytes + source.length)
    source.copy(this.bytes, gapBytes)
  }

  get end(): number {
    return this.bytes.length
  }

  /**
   * Moves what is unread into a new buffer, behind a gap of at least `gapBytes`.
   * @param written bytes at the front to keep
   * @param unread where the unread content starts
   * @returns where it starts now
   */
  reopen(written: number, unread: number, gapBytes: number): number {
    const unreadBytes = this.bytes.length - unread
    const position = written + gapBytes + unreadBytes
    const wider = Buffer.allocUnsafe(position + unreadBytes)
    this.bytes.copy(wider, 0, 0, written)
    this.bytes.copy(wider, position, unread)
    this.bytes = wider
    return position
  }
}

/** Short pieces are cheaper to move one by one than by a call. */
const callBytesMin = 24

/** Moves bytes within one buffer towards its front, or between places that do not overlap. @returns the position after them. */
export function moveBytes(buffer: Buffer, start: number, end: number, position: number): number {
  const length = end - start
  if (length >= callBytesMin) buffer.copyWithin(position, start, end)
  else for (let index = 0; index < length; index++) buffer[position + index] = buffer[start + index] ?? 0
  return position + length
}
