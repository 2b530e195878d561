import { MalformedError } from '../../base/malformed.js'
import { FieldError, type Plan, type StructPlan, type Values } from './plan.js'
import { primitivePlan } from './primitives.js'
import type { Reader } from './reader.js'
import type { AnyField, Fields, FieldType } from './schema.js'
import { Writer } from './writer.js'

interface FieldPlan extends Plan {
  readonly name: string
  readonly tag: number | undefined
  /** False when this version lacks the field. */
  readonly isPresent: boolean
  readonly defaultValue: unknown
}

export function compileStruct(fields: Fields, version: number, flexible: boolean): StructPlan {
  const all = Object.entries(fields).map(([name, field]) => compileField(name, field, version, flexible))
  const inline = all.filter((field) => field.isPresent && field.tag === undefined)
  const tagged = all.filter((field) => field.isPresent && field.tag !== undefined)
  const readers = all.map((field) =>
    field.isPresent && field.tag === undefined ? field.read : () => field.defaultValue,
  )
  const names = all.map((field) => field.name)
  return {
    bytesMin: inline.reduce((sum, field) => sum + field.bytesMin, flexible ? 1 : 0),
    read(reader) {
      const values: Values = {}
      for (let at = 0; at < names.length; at++) values[names[at] as string] = readers[at]?.(reader)
      if (flexible) readTagged(reader, tagged, values)
      return values
    },
    write(writer, value) {
      const values = value as Values
      for (const field of inline) writeField(writer, field, values)
      if (flexible) writeTagged(writer, tagged, values)
    },
  }
}

function writeField(writer: Writer, field: FieldPlan, values: Values): void {
  const value = values[field.name]
  try {
    field.write(writer, value === undefined ? field.defaultValue : value)
  } catch (error) {
    throw new FieldError(`${field.name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function readTagged(reader: Reader, tagged: readonly FieldPlan[], values: Values): void {
  let previous = -1
  for (let count = reader.unsignedVarint(); count > 0; count--) {
    const tag = reader.unsignedVarint()
    if (tag <= previous) throw new MalformedError(`tagged field ${tag} comes after ${previous}`)
    previous = tag
    const end = reader.take(reader.unsignedVarint())
    const field = tagged.find((other) => other.tag === tag)
    if (field !== undefined) readTag(reader, field, values, end)
  }
}

/** Reads one known tagged field, which must fill the bytes announced for it: from `start` to where the reader stands. */
function readTag(reader: Reader, field: FieldPlan, values: Values, start: number): void {
  const end = reader.position
  reader.position = start
  values[field.name] = field.read(reader)
  if (reader.position !== end) throw new MalformedError(`tagged field ${field.name} does not fill its size`)
}

function writeTagged(writer: Writer, tagged: readonly FieldPlan[], values: Values): void {
  const set = tagged.filter((field) => {
    const value = values[field.name]
    return value !== undefined && !isSame(value, field.defaultValue)
  })
  writer.unsignedVarint(set.length)
  for (const field of set.sort((a, b) => (a.tag ?? 0) - (b.tag ?? 0))) {
    const inner = new Writer()
    writeField(inner, field, values)
    writer.unsignedVarint(field.tag ?? 0)
    writer.unsignedVarint(inner.length)
    for (const piece of inner.finish()) writer.raw(piece)
  }
}

function isSame(value: unknown, other: unknown): boolean {
  if (value === other) return true
  if (value === null || other === null || typeof value !== 'object' || typeof other !== 'object') return false
  if (Array.isArray(value)) return value.length === 0 && Array.isArray(other) && other.length === 0
  return Object.entries(other).every(([name, expected]) => {
    const found = (value as Values)[name]
    return found === undefined || isSame(found, expected)
  })
}

function compileField(name: string, field: AnyField, version: number, flexible: boolean): FieldPlan {
  const { since = 0, until = Number.POSITIVE_INFINITY, nullable, tag } = field.options
  const isNullable = nullable !== undefined && version >= nullable
  const plan = compileType(field.type, version, flexible, isNullable)
  return {
    ...plan,
    name,
    tag,
    isPresent: version >= since && version <= until,
    defaultValue: defaultOf(field),
  }
}

function compileType(type: FieldType, version: number, flexible: boolean, isNullable: boolean): Plan {
  if (type.kind === 'array')
    return compileArray(compileType(type.element, version, flexible, false), flexible, isNullable)
  if (type.kind !== 'struct') return primitivePlan(type.kind, flexible, isNullable)
  const plan = compileStruct(type.fields, version, flexible)
  return isNullable ? nullableStruct(plan) : plan
}

function compileArray(element: Plan, flexible: boolean, isNullable: boolean): Plan {
  const elementBytesMin = Math.max(1, element.bytesMin)
  return {
    bytesMin: flexible ? 1 : 4,
    read(reader) {
      const count = flexible ? reader.compactLength() : reader.length32()
      if (count === -1 && isNullable) return null
      reader.claimElements(count, elementBytesMin)
      const values: unknown[] = []
      for (let at = 0; at < count; at++) values.push(element.read(reader))
      return values
    },
    write(writer, value) {
      if (value === null && !isNullable) throw new FieldError('null where this version has no null')
      const values = value as readonly unknown[] | null
      const count = values === null ? -1 : values.length
      if (flexible) writer.unsignedVarint(count + 1)
      else writer.int32(count)
      for (const each of values ?? []) element.write(writer, each)
    },
  }
}

/** A struct that may be null opens with a byte: −1 for null, 1 otherwise. */
function nullableStruct(plan: StructPlan): Plan {
  return {
    bytesMin: 1,
    read: (reader) => (reader.int8() < 0 ? null : plan.read(reader)),
    write(writer, value) {
      writer.int8(value === null ? -1 : 1)
      if (value !== null) plan.write(writer, value)
    },
  }
}

const zeros: Readonly<Record<string, unknown>> = {
  bool: false,
  int64: 0n,
  float64: 0,
  string: '',
  uuid: 'AAAAAAAAAAAAAAAAAAAAAA',
  bytes: Buffer.alloc(0),
  records: null,
  array: Object.freeze([]),
}

function defaultOf({ type, options }: AnyField): unknown {
  if (options.default !== undefined) return options.default
  if (type.kind !== 'struct') return zeros[type.kind] ?? (type.kind === 'records' ? null : 0)
  return Object.fromEntries(Object.entries(type.fields).map(([name, field]) => [name, defaultOf(field)]))
}
