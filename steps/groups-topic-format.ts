/*
 * The records of Kafka's offsets topic, read by the suite's own few lines. A key is an INT16 version and what it is about:
 * 0 and 1 a commit (group, topic, partition), 2 a group. A value is an INT16 version and its fields; from version 4 on
 * lengths are compact (KIP-482) and tagged fields follow each structure.
 */

export type OffsetsKey =
  | { readonly type: 'commit'; readonly group: string; readonly topic: string; readonly partition: number }
  | { readonly type: 'group'; readonly group: string }
  | { readonly type: 'other' }

export interface CommitValue {
  readonly offset: string
  readonly metadata: string
}

export interface GroupValue {
  readonly protocolType: string
  readonly generation: number
  readonly protocol: string | null
  readonly leader: string | null
  /** Assignments are base64. */
  readonly members: readonly { readonly memberId: string; readonly assignment: string }[]
}

/** @throws RangeError when the bytes end too early; Error when some are left */
export function decodeKey(bytes: Buffer): OffsetsKey {
  const fields = new Fields(bytes)
  const version = fields.int16()
  if (version > 2 || version < 0) return { type: 'other' }
  const group = fields.text()
  const key =
    version === 2
      ? ({ type: 'group', group } as const)
      : ({ type: 'commit', group, topic: fields.text(), partition: fields.int32() } as const)
  fields.end()
  return key
}

export function decodeCommit(bytes: Buffer): CommitValue {
  const fields = new Fields(bytes)
  const version = fields.version()
  const offset = fields.int64()
  if (version >= 3) fields.int32()
  const metadata = fields.text()
  fields.int64()
  if (version === 1) fields.int64()
  fields.tags()
  fields.end()
  return { offset, metadata }
}

export function decodeGroup(bytes: Buffer): GroupValue {
  const fields = new Fields(bytes)
  const version = fields.version()
  const protocolType = fields.text()
  const generation = fields.int32()
  const protocol = fields.optionalText()
  const leader = fields.optionalText()
  if (version >= 2) fields.int64()
  const members = Array.from({ length: fields.count() }, () => {
    const memberId = fields.text()
    if (version >= 3) fields.optionalText()
    fields.text()
    fields.text()
    if (version >= 1) fields.int32()
    fields.int32()
    fields.bytes()
    const assignment = fields.bytes().toString('base64')
    fields.tags()
    return { memberId, assignment }
  })
  fields.tags()
  fields.end()
  return { protocolType, generation, protocol, leader, members }
}

const COMPACT_FROM = 4

class Fields {
  readonly #bytes: Buffer
  #at = 0
  #compact = false

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  version(): number {
    const version = this.int16()
    this.#compact = version >= COMPACT_FROM
    return version
  }

  int16(): number {
    this.#at += 2
    return this.#bytes.readInt16BE(this.#at - 2)
  }

  int32(): number {
    this.#at += 4
    return this.#bytes.readInt32BE(this.#at - 4)
  }

  int64(): string {
    this.#at += 8
    return this.#bytes.readBigInt64BE(this.#at - 8).toString()
  }

  count(): number {
    return this.#compact ? this.#varint() - 1 : this.int32()
  }

  optionalText(): string | null {
    const length = this.#compact ? this.#varint() - 1 : this.int16()
    return length < 0 ? null : this.#take(length).toString('utf8')
  }

  text(): string {
    const text = this.optionalText()
    if (text === null) throw new Error('a null where a text is due')
    return text
  }

  bytes(): Buffer {
    return this.#take(this.count())
  }

  tags(): void {
    if (!this.#compact) return
    for (let left = this.#varint(); left > 0; left--) {
      this.#varint()
      this.#take(this.#varint())
    }
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new Error(`${this.#bytes.length - this.#at} bytes are left`)
  }

  #take(length: number): Buffer {
    if (length < 0 || this.#at + length > this.#bytes.length) throw new RangeError(`${length} bytes are due`)
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  #varint(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#at++)
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
}
