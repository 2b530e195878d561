import { MalformedError } from '../../base/malformed.js'

/**
 * Walks the fields of one protobuf message without making an object a field. `next()` moves on; then `field` is the field's
 * number and either `value` (varint fields) or `start` … `end` (length-delimited ones) say where it is.
 */
export class FieldCursor {
  buffer: Buffer
  field = 0
  /**
   * A varint as a number: exact within ±2^53. Ten-byte varints, negative numbers to protobuf, come out negative. Fields
   * that use all 64 bits are read with `unsignedLong()`.
   */
  value = 0
  start = 0
  end = 0
  isBytes = false
  #position: number
  #limit: number
  #valueStart = 0

  constructor(buffer: Buffer, position = 0, limit = buffer.length) {
    this.buffer = buffer
    this.#position = position
    this.#limit = limit
  }

  reset(position: number, limit: number): void {
    this.#position = position
    this.#limit = limit
  }

  /** @returns false at the message's end. Throws `MalformedError` on a field that runs beyond it. */
  next(): boolean {
    if (this.#position >= this.#limit) return false
    const tag = this.#varint()
    this.field = tag >>> 3
    this.isBytes = false
    switch (tag & 7) {
      case 0:
        this.#valueStart = this.#position
        this.value = this.#varint()
        this.start = 0
        this.end = 0
        return true
      case 2: {
        const length = this.#varint()
        this.isBytes = true
        this.start = this.#position
        this.end = this.start + length
        if (length < 0 || this.end > this.#limit) throw new MalformedError('a field runs beyond its message')
        this.#position = this.end
        return true
      }
      case 1:
        return this.#skip(8)
      case 5:
        return this.#skip(4)
      default:
        throw new MalformedError(`unknown protobuf wire type ${tag & 7}`)
    }
  }

  text(): string {
    return this.buffer.toString('utf8', this.start, this.end)
  }

  bytes(): Buffer {
    return this.buffer.subarray(this.start, this.end)
  }

  /** The varint just read, all 64 bits of it. */
  unsignedLong(): bigint {
    let value = 0n
    let at = this.#valueStart
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.buffer[at++] ?? 0
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
  }

  #skip(bytes: number): boolean {
    this.#position += bytes
    this.value = 0
    if (this.#position > this.#limit) throw new MalformedError('a field runs beyond its message')
    return true
  }

  #varint(): number {
    if (this.#position >= this.#limit) throw new MalformedError('a varint runs beyond its message')
    const first = this.buffer[this.#position] ?? 0
    if (first < 0x80) {
      this.#position++
      return first
    }
    return this.#longVarint()
  }

  /** Four bytes at a time, so that the common lengths stay within 32-bit arithmetic. */
  #longVarint(): number {
    const start = this.#position
    let low = 0
    let middle = 0
    let high = 0
    for (let count = 0; count < 10; count++) {
      if (this.#position >= this.#limit) throw new MalformedError('a varint runs beyond its message')
      const byte = this.buffer[this.#position++] ?? 0
      if (count < 4) low |= (byte & 0x7f) << (7 * count)
      else if (count < 8) middle |= (byte & 0x7f) << (7 * (count - 4))
      else high |= (byte & 0x7f) << (7 * (count - 8))
      if (byte < 0x80) return high < 0x80 ? low + middle * 2 ** 28 + high * 2 ** 56 : this.#negative(start)
    }
    throw new MalformedError('a varint is longer than 10 bytes')
  }

  #negative(start: number): number {
    this.#valueStart = start
    return Number(BigInt.asIntN(64, this.unsignedLong()))
  }
}

/** Bytes that a varint takes; negative numbers take ten. */
export function varintSize(value: number): number {
  if (value < 0) return 10
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) size++
  return size
}

/** @returns the position after it. */
export function putVarint(buffer: Buffer, value: number, position: number): number {
  if (value < 0) return putNegative(buffer, value, position)
  let at = position
  let rest = value
  if (value >= 0x10000000) {
    // Not `%`: a remainder of numbers beyond 31 bits is a slow call.
    const high = Math.floor(value / 0x10000000)
    const low = (value - high * 0x10000000) | 0
    buffer[at] = (low & 0x7f) | 0x80
    buffer[at + 1] = (low >>> 7) | 0x80
    buffer[at + 2] = (low >>> 14) | 0x80
    buffer[at + 3] = (low >>> 21) | 0x80
    at += 4
    rest = high
  }
  while (rest > 0x7f) {
    buffer[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[at++] = rest
  return at
}

function putNegative(buffer: Buffer, value: number, position: number): number {
  return putUnsignedLong(buffer, BigInt.asUintN(64, BigInt(value)), position)
}

/** @returns the position after it. */
export function putUnsignedLong(buffer: Buffer, value: bigint, position: number): number {
  let at = position
  let rest = value
  while (rest > 0x7fn) {
    buffer[at++] = Number(rest & 0x7fn) | 0x80
    rest >>= 7n
  }
  buffer[at++] = Number(rest)
  return at
}
