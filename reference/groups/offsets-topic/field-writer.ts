import { unsignedVarintBytes, writeUnsignedVarint } from '../../base/varint.js'

/** Writes Kafka's primitive types; text and bytes with plain lengths, or compact ones (KIP-482). */
export class FieldWriter {
  #buffer: Buffer
  #at = 0

  /** @param bytesExpected more will fit */
  constructor(bytesExpected: number) {
    this.#buffer = Buffer.allocUnsafe(bytesExpected)
  }

  int16(value: number): this {
    this.#at = this.#room(2).writeInt16BE(value, this.#at)
    return this
  }

  int32(value: number): this {
    this.#at = this.#room(4).writeInt32BE(value, this.#at)
    return this
  }

  int64(value: bigint): this {
    this.#at = this.#room(8).writeBigInt64BE(value, this.#at)
    return this
  }

  unsigned(value: number): this {
    this.#at = writeUnsignedVarint(this.#room(unsignedVarintBytes(value)), value, this.#at)
    return this
  }

  string(text: string): this {
    const bytes = Buffer.byteLength(text)
    this.int16(bytes)
    this.#at += this.#room(bytes).write(text, this.#at)
    return this
  }

  compactString(text: string | null): this {
    if (text === null) return this.unsigned(0)
    const bytes = Buffer.byteLength(text)
    this.unsigned(bytes + 1)
    this.#at += this.#room(bytes).write(text, this.#at)
    return this
  }

  compactBytes(bytes: Buffer): this {
    return this.unsigned(bytes.length + 1).raw(bytes)
  }

  compactArray<T>(elements: readonly T[], write: (element: T) => void): this {
    this.unsigned(elements.length + 1)
    for (const element of elements) write(element)
    return this
  }

  raw(bytes: Buffer): this {
    this.#at += bytes.copy(this.#room(bytes.length), this.#at)
    return this
  }

  /** A structure's tagged fields, tags rising. */
  tagged(fields: readonly (readonly [tag: number, field: Buffer])[]): this {
    this.unsigned(fields.length)
    for (const [tag, field] of fields) this.unsigned(tag).unsigned(field.length).raw(field)
    return this
  }

  /** What was written; the writer is done with. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  #room(bytes: number): Buffer {
    const needed = this.#at + bytes
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
      this.#buffer.copy(grown, 0, 0, this.#at)
      this.#buffer = grown
    }
    return this.#buffer
  }
}
