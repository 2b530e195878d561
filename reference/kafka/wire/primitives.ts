import { MalformedError } from '../../base/malformed.js'
import { FieldError, type Plan } from './plan.js'
import type { Reader } from './reader.js'
import type { Primitive } from './schema.js'
import type { Writer } from './writer.js'

/** How the single values are laid out: Kafka's protocol guide, "Protocol Primitive Types". */
export function primitivePlan(kind: Primitive, flexible: boolean, isNullable: boolean): Plan {
  if (kind === 'string') return stringPlan(flexible, isNullable)
  if (kind === 'bytes') return bytesPlan(flexible, isNullable)
  if (kind === 'records') return recordsPlan(flexible, isNullable)
  return fixed[kind]
}

// A cast below is safe: the compiler has checked the value against the table's own type where the message was built.
const fixed: Readonly<Record<Exclude<Primitive, 'string' | 'bytes' | 'records'>, Plan>> = {
  bool: {
    bytesMin: 1,
    read: (reader) => reader.bool(),
    write: (writer, value) => writer.bool(value as boolean),
  },
  int8: {
    bytesMin: 1,
    read: (reader) => reader.int8(),
    write: (writer, value) => writer.int8(value as number),
  },
  int16: {
    bytesMin: 2,
    read: (reader) => reader.int16(),
    write: (writer, value) => writer.int16(value as number),
  },
  int32: {
    bytesMin: 4,
    read: (reader) => reader.int32(),
    write: (writer, value) => writer.int32(value as number),
  },
  int64: {
    bytesMin: 8,
    read: (reader) => reader.int64(),
    write: (writer, value) => writer.int64(value as bigint),
  },
  float64: {
    bytesMin: 8,
    read: (reader) => reader.float64(),
    write: (writer, value) => writer.float64(value as number),
  },
  uuid: {
    bytesMin: 16,
    read: (reader) => reader.uuid(),
    write: (writer, value) => writer.uuid(value as string),
  },
}

function stringPlan(flexible: boolean, isNullable: boolean): Plan {
  return {
    bytesMin: flexible ? 1 : 2,
    read(reader) {
      const length = flexible ? reader.compactLength() : reader.length16()
      return length === -1 ? nullOrMalformed(isNullable) : reader.text(length)
    },
    write(writer, value) {
      const text = value as string | null
      if (text === null) return writeNull(writer, isNullable, flexible ? 'compact' : 'int16')
      const length = Buffer.byteLength(text)
      if (flexible) writer.unsignedVarint(length + 1)
      else writer.int16(length)
      writer.text(text, length)
    },
  }
}

function bytesPlan(flexible: boolean, isNullable: boolean): Plan {
  return {
    bytesMin: flexible ? 1 : 4,
    read: (reader) => readView(reader, flexible, isNullable),
    write(writer, value) {
      const bytes = value as Buffer | null
      if (bytes === null) return writeNull(writer, isNullable, flexible ? 'compact' : 'int32')
      if (flexible) writer.unsignedVarint(bytes.length + 1)
      else writer.int32(bytes.length)
      writer.raw(bytes)
    },
  }
}

function recordsPlan(flexible: boolean, isNullable: boolean): Plan {
  return {
    bytesMin: flexible ? 1 : 4,
    read: (reader) => readView(reader, flexible, isNullable),
    write(writer, value) {
      const pieces = value as readonly Buffer[] | null
      if (pieces === null) return writeNull(writer, isNullable, flexible ? 'compact' : 'int32')
      const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
      if (flexible) writer.unsignedVarint(length + 1)
      else writer.int32(length)
      for (const piece of pieces) writer.raw(piece)
    },
  }
}

function readView(reader: Reader, flexible: boolean, isNullable: boolean): Buffer | null {
  const length = flexible ? reader.compactLength() : reader.length32()
  return length === -1 ? nullOrMalformed(isNullable) : reader.view(length)
}

function nullOrMalformed(isNullable: boolean): null {
  if (!isNullable) throw new MalformedError('null where this version has no null')
  return null
}

function writeNull(writer: Writer, isNullable: boolean, length: 'compact' | 'int16' | 'int32'): void {
  if (!isNullable) throw new FieldError('null where this version has no null')
  if (length === 'compact') writer.unsignedVarint(0)
  else if (length === 'int16') writer.int16(-1)
  else writer.int32(-1)
}
