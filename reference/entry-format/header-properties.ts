import { PairPositions } from '../base/pair-positions.js'
import { isText } from '../base/text.js'
import { varintBytes, writeVarint } from '../base/varint.js'
import type { RecordHeader } from '../kafka/wire/batch-builder.js'
import type { RecordCursor } from '../kafka/wire/record-cursor.js'
import { FieldCursor, putVarint, varintSize } from '../pulsar/wire/field-cursor.js'
import { singleMessageFields } from '../pulsar/wire/single-message.js'
import { headersProperty } from './reserved-names.js'
import { moveBytes } from './rewrite-buffer.js'

// Headers ↔ properties (register MC-7); the rule is told in README.md. A null value is null, an empty one empty.

const lengthDelimited = 2
const propertyTag = (singleMessageFields.properties << 3) | lengthDelimited
const nameTag = (1 << 3) | lengthDelimited
const valueTag = (2 << 3) | lengthDelimited
/** More headers than this are compared by a set. */
const comparedInPairsMax = 16
const reservedName = Buffer.from(headersProperty)

/** Whether properties alone can say the record's headers: text values, names that differ, none of them reserved. */
export function headersArePlain(record: RecordCursor): boolean {
  const { headers, buffer } = record
  if (headers.count > comparedInPairsMax) return false
  for (let index = 0; index < headers.count; index++) {
    const valueStart = headers.valueStart(index)
    if (valueStart < 0 || !isText(buffer, valueStart, headers.valueEnd(index))) return false
    if (isReserved(buffer, headers.nameStart(index), headers.nameEnd(index))) return false
    for (let other = 0; other < index; other++) if (sameName(buffer, headers, index, other)) return false
  }
  return true
}

function sameName(buffer: Buffer, pairs: PairPositions, one: number, other: number): boolean {
  const start = pairs.nameStart(one)
  const otherStart = pairs.nameStart(other)
  const length = pairs.nameEnd(one) - start
  if (pairs.nameEnd(other) - otherStart !== length) return false
  for (let index = 0; index < length; index++)
    if (buffer[start + index] !== buffer[otherStart + index]) return false
  return true
}

function isReserved(buffer: Buffer, start: number, end: number): boolean {
  return (
    end - start === reservedName.length &&
    buffer[start] === reservedName[0] &&
    reservedName.compare(buffer, start, end) === 0
  )
}

/** Writes plain headers as properties, in order. @returns the position after them. */
export function writePlainHeaders(record: RecordCursor, target: Buffer, position: number): number {
  const { headers, buffer } = record
  let at = position
  for (let index = 0; index < headers.count; index++) {
    const nameStart = headers.nameStart(index)
    const nameBytes = headers.nameEnd(index) - nameStart
    const valueStart = headers.valueStart(index)
    const valueBytes = headers.valueEnd(index) - valueStart
    target[at++] = propertyTag
    at = putVarint(target, 2 + varintSize(nameBytes) + nameBytes + varintSize(valueBytes) + valueBytes, at)
    target[at++] = nameTag
    at = putVarint(target, nameBytes, at)
    at = moveBytes(buffer, nameStart, nameStart + nameBytes, at)
    target[at++] = valueTag
    at = putVarint(target, valueBytes, at)
    at = moveBytes(buffer, valueStart, valueStart + valueBytes, at)
  }
  return at
}

/** The properties of a record whose headers need the reserved one, encoded. */
export function reservedProperties(record: RecordCursor): Buffer {
  const { headers, buffer } = record
  const list: RecordHeader[] = []
  const texts = new Map<string, Buffer>()
  for (let index = 0; index < headers.count; index++) {
    const name = buffer.toString('utf8', headers.nameStart(index), headers.nameEnd(index))
    const valueStart = headers.valueStart(index)
    const value = valueStart < 0 ? null : buffer.subarray(valueStart, headers.valueEnd(index))
    list.push([name, value])
    if (value !== null && name !== headersProperty && isText(value, 0, value.length)) texts.set(name, value)
  }
  if (mapSaysAll(list, texts)) return encodeProperties(texts)
  const json = JSON.stringify(
    list.map(([name, value]) => [name, value === null ? null : value.toString('base64')]),
  )
  return encodeProperties(texts.set(headersProperty, Buffer.from(json)))
}

/** True for records with so many headers that pairs were not compared, and which are plain nevertheless. */
const mapSaysAll = (list: readonly RecordHeader[], texts: ReadonlyMap<string, Buffer>): boolean =>
  texts.size === list.length

function encodeProperties(properties: ReadonlyMap<string, Buffer>): Buffer {
  const pieces: Buffer[] = []
  for (const [name, value] of properties) {
    const nameBytes = Buffer.from(name)
    const pairBytes =
      2 + varintSize(nameBytes.length) + nameBytes.length + varintSize(value.length) + value.length
    const property = Buffer.allocUnsafe(1 + varintSize(pairBytes) + pairBytes)
    property[0] = propertyTag
    let at = putVarint(property, pairBytes, 1)
    property[at++] = nameTag
    at = putVarint(property, nameBytes.length, at)
    at += nameBytes.copy(property, at)
    property[at++] = valueTag
    at = putVarint(property, value.length, at)
    value.copy(property, at)
    pieces.push(property)
  }
  return Buffer.concat(pieces)
}

/** Finds the properties in single messages' metadata. */
export class PropertyLocator {
  readonly properties = new PairPositions()
  readonly #fields = new FieldCursor(Buffer.alloc(0))
  readonly #pair = new FieldCursor(Buffer.alloc(0))

  /** Notes where the properties are. @returns whether the reserved one is among them. */
  locate(buffer: Buffer, metadataStart: number, metadataEnd: number): boolean {
    const fields = this.#fields
    let reserved = false
    this.properties.clear()
    this.#pair.buffer = buffer
    fields.buffer = buffer
    fields.reset(metadataStart, metadataEnd)
    while (fields.next())
      if (fields.field === singleMessageFields.properties && fields.isBytes)
        reserved = this.#add(buffer, fields.start, fields.end) || reserved
    return reserved
  }

  /** @returns whether it is the reserved one */
  #add(buffer: Buffer, start: number, end: number): boolean {
    const pair = this.#pair
    let nameStart = start
    let nameEnd = start
    let valueStart = start
    let valueEnd = start
    pair.reset(start, end)
    while (pair.next()) {
      if (pair.field === 1) {
        nameStart = pair.start
        nameEnd = pair.end
      } else if (pair.field === 2) {
        valueStart = pair.start
        valueEnd = pair.end
      }
    }
    this.properties.add(nameStart, nameEnd, valueStart, valueEnd)
    return isReserved(buffer, nameStart, nameEnd)
  }
}

/** Bytes that properties take as Kafka headers, without their count. */
export function plainHeaderBytes(properties: PairPositions): number {
  let bytes = 0
  for (let index = 0; index < properties.count; index++) {
    const nameBytes = properties.nameEnd(index) - properties.nameStart(index)
    const valueBytes = properties.valueEnd(index) - properties.valueStart(index)
    bytes += varintBytes(nameBytes) + nameBytes + varintBytes(valueBytes) + valueBytes
  }
  return bytes
}

/** Writes properties of `buffer` as Kafka headers further to its front. @returns the position after them. */
export function writeLocatedHeaders(buffer: Buffer, properties: PairPositions, position: number): number {
  let at = position
  for (let index = 0; index < properties.count; index++) {
    const nameStart = properties.nameStart(index)
    const nameEnd = properties.nameEnd(index)
    const valueStart = properties.valueStart(index)
    const valueEnd = properties.valueEnd(index)
    at = writeVarint(buffer, nameEnd - nameStart, at)
    at = moveBytes(buffer, nameStart, nameEnd, at)
    at = writeVarint(buffer, valueEnd - valueStart, at)
    at = moveBytes(buffer, valueStart, valueEnd, at)
  }
  return at
}

/** The located properties as headers, with what the reserved one restores. */
export function restoredHeaders(buffer: Buffer, properties: PairPositions): readonly RecordHeader[] {
  const list: RecordHeader[] = []
  for (let index = 0; index < properties.count; index++)
    list.push([
      buffer.toString('utf8', properties.nameStart(index), properties.nameEnd(index)),
      buffer.subarray(properties.valueStart(index), properties.valueEnd(index)),
    ])
  return restoreHeaders(list)
}

/**
 * Properties as Kafka headers: those of the reserved property, then any that it does not name (a Pulsar application may
 * have added them). A reserved property that we cannot have written is an ordinary one.
 */
export function restoreHeaders(properties: readonly RecordHeader[]): readonly RecordHeader[] {
  const reserved = properties.find(([name]) => name === headersProperty)?.[1]
  const listed = reserved ? parseReserved(reserved.toString()) : undefined
  if (listed === undefined) return properties
  const names = new Set(listed.map(([name]) => name)).add(headersProperty)
  return [...listed, ...properties.filter(([name]) => !names.has(name))]
}

function parseReserved(json: string): RecordHeader[] | undefined {
  const parsed = parseJson(json)
  if (!Array.isArray(parsed)) return undefined
  const headers: RecordHeader[] = []
  for (const pair of parsed) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined
    const [name, value] = pair
    if (typeof name !== 'string' || (value !== null && typeof value !== 'string')) return undefined
    headers.push([name, value === null ? null : Buffer.from(value, 'base64')])
  }
  return headers
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
