import type { AnyField, Fields, FieldType, Primitive } from './schema.js'

/** Seeded values for tests: what a table allows in one version, nulls and extremes included. */
export class SampleValues {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A number from 0 up to, not including, `limit` (mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }

  /** What a writer gives and what reading it back must give: fields that the version lacks have their default there. */
  struct(fields: Fields, version: number): Sample<Record<string, unknown>> {
    const written: Record<string, unknown> = {}
    const read: Record<string, unknown> = {}
    for (const [name, field] of Object.entries(fields)) {
      const sample = this.#field(field, version)
      written[name] = sample.written
      read[name] = isIn(field, version) ? sample.read : defaultOf(field)
    }
    return { written, read }
  }

  #field(field: AnyField, version: number): Sample {
    const { nullable } = field.options
    if (nullable !== undefined && version >= nullable && this.below(4) === 0) return both(null)
    return this.#value(field.type, version)
  }

  #value(type: FieldType, version: number): Sample {
    if (type.kind === 'struct') return this.struct(type.fields, version)
    if (type.kind !== 'array') return this.#primitive(type.kind)
    const samples = Array.from({ length: this.below(4) }, () => this.#value(type.element, version))
    return { written: samples.map((each) => each.written), read: samples.map((each) => each.read) }
  }

  #primitive(kind: Primitive): Sample {
    if (kind === 'bool') return both(this.below(2) === 1)
    if (kind === 'int64') return both(BigInt.asIntN(64, BigInt(this.below(2 ** 32)) * 0x1_0000_0001n))
    if (kind === 'float64') return both(this.below(2 ** 32) / 7)
    if (kind === 'string') return both('Zürich-θ-'.repeat(this.below(30)))
    if (kind === 'uuid') return both(this.#bytes(16).toString('base64url'))
    if (kind === 'bytes') return both(this.#bytes(this.below(3000)))
    if (kind === 'records') return this.#records()
    return both(this.#integer(kind))
  }

  #integer(kind: 'int8' | 'int16' | 'int32'): number {
    const bits = Number(kind.slice(3))
    return this.below(2 ** bits) - 2 ** (bits - 1)
  }

  #records(): Sample {
    const pieces = Array.from({ length: this.below(4) }, () => this.#bytes(this.below(3000)))
    return { written: pieces, read: Buffer.concat(pieces) }
  }

  #bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)))
  }
}

export interface Sample<T = unknown> {
  readonly written: T
  readonly read: T
}

const both = (value: unknown): Sample => ({ written: value, read: value })

function isIn({ options }: AnyField, version: number): boolean {
  return version >= (options.since ?? 0) && version <= (options.until ?? Number.POSITIVE_INFINITY)
}

function defaultOf({ type, options }: AnyField): unknown {
  if (options.default !== undefined) return options.default
  if (type.kind === 'struct')
    return Object.fromEntries(Object.entries(type.fields).map(([name, field]) => [name, defaultOf(field)]))
  if (type.kind === 'array') return []
  if (type.kind === 'records') return null
  if (type.kind === 'bytes') return Buffer.alloc(0)
  if (type.kind === 'string') return ''
  if (type.kind === 'uuid') return 'A'.repeat(22)
  if (type.kind === 'int64') return 0n
  return type.kind === 'bool' ? false : 0
}
