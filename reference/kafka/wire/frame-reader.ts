import { MalformedError } from '../../base/malformed.js'

const lengthBytes = 4

/**
 * Cuts a stream into frames, each behind its length (int32). A frame that lies in one chunk is a view of it; one that is
 * spread over several is copied together once, when it is whole, so that memory grows with what came, never with what a
 * peer merely announces.
 */
export class FrameReader {
  /** The largest frame accepted from now on. */
  frameBytesMax: number
  #chunks: Buffer[] = []
  /** Bytes of the first chunk that are already used. */
  #used = 0
  #bytes = 0
  /** The length of the frame that is under way; −1 when it is not yet known. */
  #frameBytes = -1

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax
  }

  /** Bytes that came and are not yet part of a frame given out. */
  get waitingBytes(): number {
    return this.#bytes
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
  }

  /** @returns the next whole frame, without its length, or null when it is not yet there. @throws MalformedError */
  next(): Buffer | null {
    if (this.#frameBytes === -1) {
      if (this.#bytes < lengthBytes) return null
      this.#frameBytes = this.#take(lengthBytes).readInt32BE(0)
      if (this.#frameBytes < 0 || this.#frameBytes > this.frameBytesMax)
        throw new MalformedError(
          `frame of ${this.#frameBytes} bytes, where ${this.frameBytesMax} are allowed`,
        )
    }
    if (this.#bytes < this.#frameBytes) return null
    const frame = this.#take(this.#frameBytes)
    this.#frameBytes = -1
    return frame
  }

  #take(bytes: number): Buffer {
    const first = this.#chunks[0]
    this.#bytes -= bytes
    if (first !== undefined && this.#used + bytes < first.length) {
      this.#used += bytes
      return first.subarray(this.#used - bytes, this.#used)
    }
    return this.#takeAcross(bytes)
  }

  /** Takes what ends with a chunk, or reaches over several. */
  #takeAcross(bytes: number): Buffer {
    const pieces: Buffer[] = []
    let wanted = bytes
    let index = 0
    while (wanted > 0) {
      const chunk = this.#chunks[index] ?? Buffer.alloc(0)
      const piece = chunk.subarray(this.#used, this.#used + wanted)
      pieces.push(piece)
      wanted -= piece.length
      this.#used += piece.length
      if (this.#used === chunk.length) {
        index++
        this.#used = 0
      }
    }
    this.#chunks.splice(0, index)
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces, bytes)
  }
}
