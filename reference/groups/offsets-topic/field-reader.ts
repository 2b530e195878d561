import { MalformedError } from '../../base/malformed.js'

/** Reads Kafka's primitive types one after the other, lengths plain or, in flexible versions, compact (KIP-482). */
export class FieldReader {
  readonly #buffer: Buffer
  readonly #end: number
  #at: number
  /** Set after the version was read. */
  flexible = false

  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    this.#buffer = buffer
    this.#at = start
    this.#end = end
  }

  get atEnd(): boolean {
    return this.#at === this.#end
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#advance(2))
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#advance(4))
  }

  int64(): bigint {
    return this.#buffer.readBigInt64BE(this.#advance(8))
  }

  /** Milliseconds, and the like. */
  safeInt64(): number {
    return Number(this.int64())
  }

  string(): string {
    return this.nullableString() ?? malformed('a null where text is expected')
  }

  nullableString(): string | null {
    const length = this.flexible ? this.unsigned() - 1 : this.int16()
    return this.#bytesOf(length)?.toString('utf8') ?? null
  }

  bytes(): Buffer {
    const length = this.flexible ? this.unsigned() - 1 : this.int32()
    return Buffer.from(this.#bytesOf(length) ?? malformed('a null where bytes are expected'))
  }

  /** How many elements follow. */
  arrayLength(): number {
    const length = this.flexible ? this.unsigned() - 1 : this.int32()
    // An element has at least a byte.
    if (length < 0 || length > this.#end - this.#at) malformed(`an array of ${length} elements`)
    return length
  }

  /** The tagged fields of a flexible structure; those that `known` does not want are stepped over. */
  tagged(known: (tag: number, field: FieldReader) => void = () => {}): void {
    if (!this.flexible) return
    for (let left = this.unsigned(); left > 0; left--) {
      const tag = this.unsigned()
      const size = this.unsigned()
      const start = this.#advance(size)
      const field = new FieldReader(this.#buffer, start, start + size)
      field.flexible = true
      known(tag, field)
    }
  }

  /** All that is left. */
  rest(): Buffer {
    return this.#buffer.subarray(this.#at, this.#end)
  }

  unsigned(): number {
    let value = 0
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = this.#buffer[this.#advance(1)] ?? 0
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    return malformed('a length of more than five bytes')
  }

  /** @throws MalformedError when something is left */
  done(): void {
    if (!this.atEnd) malformed(`${this.#end - this.#at} bytes too many`)
  }

  #bytesOf(length: number): Buffer | null {
    if (length === -1) return null
    if (length < 0) malformed(`a length of ${length}`)
    const start = this.#advance(length)
    return this.#buffer.subarray(start, start + length)
  }

  /** @returns where the bytes begin that it steps over */
  #advance(bytes: number): number {
    const start = this.#at
    if (start + bytes > this.#end) malformed('it ends in the middle of a field')
    this.#at = start + bytes
    return start
  }
}

function malformed(message: string): never {
  throw new MalformedError(message)
}
