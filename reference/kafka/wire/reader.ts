import { MalformedError } from '../../base/malformed.js'

/**
 * The most array elements in one message, all arrays counted. Elements take far more memory than their bytes: a frame of
 * 100 MB could otherwise become gigabytes of objects.
 */
const elementsMax = 1_000_000

/** Walks one frame. Reading past its end, or a length that cannot be, throws a `MalformedError`. */
export class Reader {
  readonly buffer: Buffer
  readonly end: number
  position: number
  #elementsLeft = elementsMax

  constructor(buffer: Buffer, position = 0, end = buffer.length) {
    this.buffer = buffer
    this.position = position
    this.end = end
  }

  get remaining(): number {
    return this.end - this.position
  }

  /** Moves over `length` bytes. @returns where they began. */
  take(length: number): number {
    const start = this.position
    if (length < 0 || length > this.end - start)
      throw new MalformedError(`length ${length} at byte ${start} where ${this.end - start} bytes are left`)
    this.position = start + length
    return start
  }

  int8(): number {
    return this.buffer.readInt8(this.take(1))
  }

  int16(): number {
    return this.buffer.readInt16BE(this.take(2))
  }

  int32(): number {
    return this.buffer.readInt32BE(this.take(4))
  }

  int64(): bigint {
    return this.buffer.readBigInt64BE(this.take(8))
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.take(8))
  }

  bool(): boolean {
    return this.int8() !== 0
  }

  uuid(): string {
    const start = this.take(16)
    return this.buffer.toString('base64url', start, start + 16)
  }

  unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.take(1)] ?? 0
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new MalformedError(`varint longer than 5 bytes at byte ${this.position}`)
  }

  /** A length where −1 stands for null. */
  length16(): number {
    return this.int16()
  }

  length32(): number {
    return this.int32()
  }

  /** A compact length: one more than the length, 0 for null. */
  compactLength(): number {
    return this.unsignedVarint() - 1
  }

  text(length: number): string {
    const start = this.take(length)
    return this.buffer.toString('utf8', start, start + length)
  }

  /** A view, not a copy. */
  view(length: number): Buffer {
    const start = this.take(length)
    return this.buffer.subarray(start, start + length)
  }

  /** Announces array elements. @throws MalformedError when they cannot fit, or are too many for one message. */
  claimElements(count: number, elementBytesMin: number): void {
    if (count < 0 || count > this.remaining / elementBytesMin)
      throw new MalformedError(`array of ${count} elements where ${this.remaining} bytes are left`)
    this.#elementsLeft -= count
    if (this.#elementsLeft < 0)
      throw new MalformedError(`more than ${elementsMax} array elements in a message`)
  }

  /** Steps over a section of tagged fields, all unknown. */
  skipTags(): void {
    for (let count = this.unsignedVarint(); count > 0; count--) {
      this.unsignedVarint()
      this.take(this.unsignedVarint())
    }
  }

  expectEnd(): void {
    if (this.position !== this.end) throw new MalformedError(`${this.end - this.position} bytes too many`)
  }
}
