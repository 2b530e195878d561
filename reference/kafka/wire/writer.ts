import { unsignedVarintBytes, writeUnsignedVarint } from '../../base/varint.js'

const firstChunkBytes = 512
const chunkBytesMax = 64 * 1024
/** Below this a copy is cheaper than one more piece for the socket to write. */
const copiedBytesMax = 1024

/** Gathers a frame as a list of pieces: small values in chunks of its own, large byte ranges by reference. */
export class Writer {
  #pieces: Buffer[] = []
  #chunk = Buffer.allocUnsafe(firstChunkBytes)
  #start = 0
  #position = 0
  #pieceBytes = 0

  get length(): number {
    return this.#pieceBytes + this.#position - this.#start
  }

  int8(value: number): void {
    const at = this.#room(1)
    this.#chunk.writeInt8(value, at)
  }

  int16(value: number): void {
    const at = this.#room(2)
    this.#chunk.writeInt16BE(value, at)
  }

  int32(value: number): void {
    const at = this.#room(4)
    this.#chunk.writeInt32BE(value, at)
  }

  int64(value: bigint): void {
    const at = this.#room(8)
    this.#chunk.writeBigInt64BE(value, at)
  }

  float64(value: number): void {
    const at = this.#room(8)
    this.#chunk.writeDoubleBE(value, at)
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0)
  }

  /** @param value 22 characters of base64url. */
  uuid(value: string): void {
    const at = this.#room(16)
    if (this.#chunk.write(value, at, 16, 'base64url') !== 16) throw new RangeError(`"${value}" is no uuid`)
  }

  unsignedVarint(value: number): void {
    const at = this.#room(unsignedVarintBytes(value))
    writeUnsignedVarint(this.#chunk, value, at)
  }

  text(value: string, bytes: number): void {
    const at = this.#room(bytes)
    this.#chunk.write(value, at, bytes, 'utf8')
  }

  /** Bytes by reference when they are many: the caller must leave them unchanged until the frame is sent. */
  raw(bytes: Buffer): void {
    if (bytes.length <= copiedBytesMax) {
      const at = this.#room(bytes.length)
      bytes.copy(this.#chunk, at)
      return
    }
    this.#flush()
    this.#add(bytes)
  }

  /** Ends the frame. @returns its pieces, in order. */
  finish(): Buffer[] {
    this.#flush()
    return this.#pieces
  }

  /** Claims space. @returns where it begins in the current chunk. */
  #room(bytes: number): number {
    if (this.#position + bytes > this.#chunk.length) {
      this.#flush()
      const doubled = Math.min(chunkBytesMax, this.#chunk.length * 2)
      this.#chunk = Buffer.allocUnsafe(Math.max(doubled, bytes))
      this.#start = 0
      this.#position = 0
    }
    const at = this.#position
    this.#position += bytes
    return at
  }

  #flush(): void {
    if (this.#position === this.#start) return
    this.#add(this.#chunk.subarray(this.#start, this.#position))
    this.#start = this.#position
  }

  #add(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#pieceBytes += piece.length
  }
}
