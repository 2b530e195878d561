import { MalformedError } from './malformed.js'

/**
 * Variable-length integers as Kafka and protobuf write them: seven bits a byte, low bits first, the high bit set on all
 * bytes but the last. "Zigzag" maps signed to unsigned so that small negatives stay short.
 *
 * A `VarintCursor` walks a buffer without allocating: reading moves `position`.
 */
export class VarintCursor {
  buffer: Buffer
  position: number
  /** One past the last byte that may be read. */
  end: number

  constructor(buffer: Buffer, position = 0, end = buffer.length) {
    this.buffer = buffer
    this.position = position
    this.end = end
  }

  /** Points the cursor at other bytes, so that one cursor serves many buffers. */
  reset(buffer: Buffer, position = 0, end = buffer.length): void {
    this.buffer = buffer
    this.position = position
    this.end = end
  }

  /** Unsigned, at most 32 bits. */
  unsigned(): number {
    const first = this.#byte()
    if (first < 0x80) return first
    let value = first & 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.#byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new MalformedError('varint is longer than 5 bytes')
  }

  /** Zigzag, signed 32 bits. */
  signed(): number {
    const value = this.unsigned()
    return (value >>> 1) ^ -(value & 1)
  }

  /**
   * Zigzag, signed 64 bits, as a number: what a safe integer cannot hold is malformed (a timestamp that far away is no
   * timestamp).
   */
  signedLong(): number {
    let low = 0
    let scale = 1
    for (let count = 0; count < 10; count++) {
      const byte = this.#byte()
      low += (byte & 0x7f) * scale
      if (byte < 0x80) return unzigzag(low)
      scale *= 128
    }
    throw new MalformedError('varlong is longer than 10 bytes')
  }

  #byte(): number {
    if (this.position >= this.end) throw new MalformedError('varint runs beyond its end')
    return this.buffer[this.position++] ?? 0
  }
}

function unzigzag(value: number): number {
  if (value > Number.MAX_SAFE_INTEGER) throw new MalformedError('varlong is beyond 53 bits')
  return value % 2 === 0 ? value / 2 : -((value + 1) / 2)
}

export const zigzag32 = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0

/** Zigzag of a safe integer of at most 52 bits, as a number. */
const zigzagLong = (value: number): number => (value >= 0 ? value * 2 : -value * 2 - 1)

/** Bytes that an unsigned value takes. */
export function unsignedVarintBytes(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x200000) return 3
  if (value < 0x10000000) return 4
  let bytes = 5
  for (let rest = value / 0x800000000; rest >= 1; rest /= 128) bytes++
  return bytes
}

/** Bytes that a signed (zigzag) 32-bit value takes. */
export const varintBytes = (value: number): number => unsignedVarintBytes(zigzag32(value))
/** Bytes that a signed (zigzag) value of up to 52 bits takes. */
export const varlongBytes = (value: number): number => unsignedVarintBytes(zigzagLong(value))

/** Writes an unsigned value of up to 53 bits. @returns the position after it. */
export function writeUnsignedVarint(buffer: Buffer, value: number, position: number): number {
  let rest = value
  let at = position
  while (rest > 0x7fffffff) {
    buffer[at++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  while (rest > 0x7f) {
    buffer[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[at++] = rest
  return at
}

/** Writes a signed 32-bit value, zigzag. @returns the position after it. */
export function writeVarint(buffer: Buffer, value: number, position: number): number {
  return writeUnsignedVarint(buffer, zigzag32(value), position)
}

/** Writes a signed value of up to 52 bits, zigzag. @returns the position after it. */
export function writeVarlong(buffer: Buffer, value: number, position: number): number {
  return writeUnsignedVarint(buffer, zigzagLong(value), position)
}
