import { MalformedError } from '../../base/malformed.js'

/**
 * Protocol Buffers (proto2) by tables: a message is a table of fields, and its TypeScript type is inferred from it, so
 * that a command is written down once. Only what Pulsar's commands use: varints, doubles, strings, bytes, sub-messages,
 * unpacked repeats (packed ones are understood when read). Unknown fields are skipped, as the format demands.
 *
 * 64-bit numbers: `long` is a JavaScript number, exact up to 2^53 and signed, which is right for ids (−1 is sent as
 * sixty-four ones) and good enough for the sentinel Long.MAX; `int64` is a bigint, for bit sets, sequence ids, and
 * request ids, which Java clients draw at random from all 63 bits.
 */

interface Scalars {
  int32: number
  long: number
  int64: bigint
  bool: boolean
  double: number
  string: string
  bytes: Buffer
}

type Presence = 'required' | 'optional' | 'repeated'

type AnyField =
  | { readonly id: number; readonly kind: keyof Scalars; readonly presence: Presence }
  | {
      readonly id: number
      readonly kind: 'message'
      readonly presence: Presence
      readonly type: SubMessage
    }

/** What a field needs of its sub-message's type, whatever that is. */
interface SubMessage {
  readFields(reader: Reader, end: number): object
  writeFields(writer: Writer, value: object): void
}

export type FieldTable = Readonly<Record<string, AnyField>>

type ValueOf<Field> = Field extends { kind: 'message'; type: MessageType<infer Fields> }
  ? MessageOf<Fields>
  : Field extends { kind: infer Kind extends keyof Scalars }
    ? Scalars[Kind]
    : never

type NamesOf<Fields extends FieldTable, P extends Presence> = {
  [Name in keyof Fields]: Fields[Name]['presence'] extends P ? Name : never
}[keyof Fields]

/** The value that a table describes. Repeated fields are absent when empty. */
export type MessageOf<Fields extends FieldTable> = {
  readonly [Name in NamesOf<Fields, 'required'>]: ValueOf<Fields[Name]>
} & {
  readonly [Name in NamesOf<Fields, 'optional'>]?: ValueOf<Fields[Name]> | undefined
} & {
  readonly [Name in NamesOf<Fields, 'repeated'>]?: readonly ValueOf<Fields[Name]>[] | undefined
}

export const required = <Kind extends keyof Scalars>(id: number, kind: Kind) =>
  ({ id, kind, presence: 'required' }) as const
export const optional = <Kind extends keyof Scalars>(id: number, kind: Kind) =>
  ({ id, kind, presence: 'optional' }) as const
export const repeated = <Kind extends keyof Scalars>(id: number, kind: Kind) =>
  ({ id, kind, presence: 'repeated' }) as const
export const requiredMessage = <F extends FieldTable>(id: number, type: MessageType<F>) =>
  ({ id, kind: 'message', presence: 'required', type }) as const
export const optionalMessage = <F extends FieldTable>(id: number, type: MessageType<F>) =>
  ({ id, kind: 'message', presence: 'optional', type }) as const
export const repeatedMessage = <F extends FieldTable>(id: number, type: MessageType<F>) =>
  ({ id, kind: 'message', presence: 'repeated', type }) as const

const TWO_32 = 0x1_0000_0000

/** Reads one message's bytes, never beyond `end`. */
export class Reader {
  position: number
  end: number
  readonly buffer: Buffer
  /** The varint read last: its low and high 32 bits, unsigned. */
  low = 0
  high = 0

  constructor(buffer: Buffer, position: number, end: number) {
    this.buffer = buffer
    this.position = position
    this.end = end
  }

  varint(): void {
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte()
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high |= bits >>> 4
      } else if (shift < 63) high |= bits << (shift - 32)
      else high |= (bits & 1) << 31
      if (byte < 0x80) {
        this.low = low >>> 0
        this.high = high >>> 0
        return
      }
    }
    throw new MalformedError('a varint of more than ten bytes')
  }

  byte(): number {
    const byte = this.position < this.end ? this.buffer[this.position] : undefined
    if (byte === undefined) throw new MalformedError('the message ends inside a field')
    this.position++
    return byte
  }

  long(): number {
    this.varint()
    return (this.high | 0) * TWO_32 + this.low
  }

  int64(): bigint {
    this.varint()
    return (BigInt(this.high | 0) << 32n) | BigInt(this.low)
  }

  /** A length, checked against what is left. @returns where the field's bytes end. */
  lengthEnd(): number {
    this.varint()
    const end = this.position + this.low
    if (this.high !== 0 || end > this.end) throw new MalformedError('a field longer than its message')
    return end
  }

  bytes(): Buffer {
    const end = this.lengthEnd()
    const bytes = this.buffer.subarray(this.position, end)
    this.position = end
    return bytes
  }

  double(): number {
    if (this.position + 8 > this.end) throw new MalformedError('the message ends inside a double')
    const value = this.buffer.readDoubleLE(this.position)
    this.position += 8
    return value
  }

  skip(wireType: number): void {
    if (wireType === 0) this.varint()
    else if (wireType === 1) this.advance(8)
    else if (wireType === 2) this.position = this.lengthEnd()
    else if (wireType === 5) this.advance(4)
    else throw new MalformedError(`a field of wire type ${wireType}`)
  }

  private advance(count: number): void {
    if (this.position + count > this.end) throw new MalformedError('the message ends inside a field')
    this.position += count
  }
}

/** Appends fields to a buffer that grows. */
export class Writer {
  #buffer = Buffer.allocUnsafe(256)
  #length = 0

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + count))
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#buffer = grown
  }

  varint(low: number, high: number): void {
    this.#reserve(10)
    let l = low >>> 0
    let h = high >>> 0
    while (h !== 0 || l > 0x7f) {
      this.#buffer[this.#length++] = (l & 0x7f) | 0x80
      l = ((l >>> 7) | (h << 25)) >>> 0
      h >>>= 7
    }
    this.#buffer[this.#length++] = l
  }

  long(value: number): void {
    this.varint((value % TWO_32) | 0, Math.floor(value / TWO_32))
  }

  int64(value: bigint): void {
    const bits = BigInt.asUintN(64, value)
    this.varint(Number(bits & 0xffff_ffffn), Number(bits >> 32n))
  }

  bytes(value: Buffer): void {
    this.long(value.length)
    this.#reserve(value.length)
    value.copy(this.#buffer, this.#length)
    this.#length += value.length
  }

  double(value: number): void {
    this.#reserve(8)
    this.#buffer.writeDoubleLE(value, this.#length)
    this.#length += 8
  }

  /** Writes what `write` writes, with its length before it. */
  nested(write: () => void): void {
    this.#reserve(1)
    const start = this.#length
    this.#length += 1
    write()
    const length = this.#length - start - 1
    if (length < 0x80) {
      this.#buffer[start] = length
      return
    }
    const body = Buffer.from(this.#buffer.subarray(start + 1, this.#length))
    this.#length = start
    this.bytes(body)
  }

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }
}

const WIRE_TYPES = {
  int32: 0,
  long: 0,
  int64: 0,
  bool: 0,
  double: 1,
  string: 2,
  bytes: 2,
  message: 2,
} as const

interface NamedField {
  readonly name: string
  readonly field: AnyField
  readonly wireType: number
  readonly tag: number
}

/** A message as a table of its fields: name → id, kind, presence. */
export class MessageType<Fields extends FieldTable> {
  readonly #fields: readonly NamedField[]
  readonly #byId: readonly (NamedField | undefined)[]

  constructor(fields: Fields) {
    this.#fields = Object.entries(fields).map(([name, field]) => {
      const wireType = WIRE_TYPES[field.kind]
      return { name, field, wireType, tag: (field.id << 3) | wireType }
    })
    const byId: (NamedField | undefined)[] = []
    for (const named of this.#fields) byId[named.field.id] = named
    this.#byId = byId
  }

  /** @throws MalformedError when the bytes are no such message. */
  decode(buffer: Buffer, start = 0, end = buffer.length): MessageOf<Fields> {
    return this.readFields(new Reader(buffer, start, end), end)
  }

  encode(value: MessageOf<Fields>): Buffer {
    const writer = new Writer()
    this.writeFields(writer, value)
    return writer.finish()
  }

  readFields(reader: Reader, end: number): MessageOf<Fields> {
    const outerEnd = reader.end
    reader.end = end
    const value: Record<string, unknown> = {}
    while (reader.position < end) {
      reader.varint()
      const wireType = reader.low & 7
      const named = reader.high === 0 ? this.#byId[reader.low >>> 3] : undefined
      if (named === undefined) reader.skip(wireType)
      else readInto(value, named, reader, wireType)
    }
    reader.end = outerEnd
    for (const { name, field } of this.#fields) {
      if (field.presence === 'required' && value[name] === undefined)
        throw new MalformedError(`the required field ${name} is missing`)
    }
    return value as MessageOf<Fields>
  }

  writeFields(writer: Writer, value: object): void {
    const values = value as Readonly<Record<string, unknown>>
    for (const named of this.#fields) {
      const content = values[named.name]
      if (content === undefined) continue
      if (named.field.presence === 'repeated') {
        for (const item of content as readonly unknown[]) writeField(writer, named, item)
      } else writeField(writer, named, content)
    }
  }
}

function readInto(value: Record<string, unknown>, named: NamedField, reader: Reader, wireType: number): void {
  const { name, field } = named
  if (field.presence !== 'repeated') {
    if (wireType !== named.wireType) throw new MalformedError(`${name} has wire type ${wireType}`)
    value[name] = readValue(field, reader)
    return
  }
  if (value[name] === undefined) value[name] = []
  const items = value[name] as unknown[]
  if (wireType === named.wireType) {
    items.push(readValue(field, reader))
  } else if (wireType === 2 && named.wireType === 0) {
    const end = reader.lengthEnd()
    while (reader.position < end) items.push(readValue(field, reader))
  } else throw new MalformedError(`${name} has wire type ${wireType}`)
}

function readValue(field: AnyField, reader: Reader): unknown {
  switch (field.kind) {
    case 'long':
      return reader.long()
    case 'int32':
      reader.varint()
      return reader.low | 0
    case 'int64':
      return reader.int64()
    case 'bool':
      reader.varint()
      return reader.low !== 0 || reader.high !== 0
    case 'double':
      return reader.double()
    case 'string':
      return reader.bytes().toString('utf8')
    case 'bytes':
      return reader.bytes()
    case 'message':
      return field.type.readFields(reader, reader.lengthEnd())
  }
}

function writeField(writer: Writer, { field, tag }: NamedField, value: unknown): void {
  writer.varint(tag, 0)
  switch (field.kind) {
    case 'long':
    case 'int32':
      writer.long(value as number)
      break
    case 'int64':
      writer.int64(value as bigint)
      break
    case 'bool':
      writer.varint(value === true ? 1 : 0, 0)
      break
    case 'double':
      writer.double(value as number)
      break
    case 'string':
      writer.bytes(Buffer.from(value as string, 'utf8'))
      break
    case 'bytes':
      writer.bytes(value as Buffer)
      break
    case 'message':
      writer.nested(() => field.type.writeFields(writer, value as object))
      break
  }
}
