import { Unsupported } from '../matrix/driver/errors.js'
import type {
  KafkaReceived,
  KafkaRecord,
  MessageId,
  PulsarMessage,
  PulsarReceived,
} from '../matrix/driver/messages.js'
import type { Random } from './random.js'

/** Something written by a scenario, and where the writer was told that it lies. */
export type Written =
  | {
      readonly by: 'kafka'
      readonly partition: number
      readonly record: KafkaRecord
      readonly offset?: string
    }
  | {
      readonly by: 'pulsar'
      readonly partition: number
      readonly message: PulsarMessage
      readonly id: MessageId
    }

export type Header = readonly [string, string | null]

export const base64 = (value: string | Buffer): string => Buffer.from(value).toString('base64')
export const textOf = (value: string): string => Buffer.from(value, 'base64').toString('utf8')

/** Twenty hours back at most: retention by time must not touch a scenario's data. */
const RECENT_MS = 20 * 3_600_000

/** Text keys, binary values, text headers whose names do not repeat: what both worlds hold without a special rule. */
export function randomRecord(random: Random, nowMs: number, partition: number): KafkaRecord {
  const headers = Array.from({ length: random.below(4) }, (_, index): [string, string] => [
    `h${index}-${random.text(4)}`,
    base64(random.text(random.below(12))),
  ])
  return {
    partition,
    key: base64(random.text(1 + random.below(16))),
    value: base64(random.bytes(random.below(64))),
    headers,
    timestamp: String(nowMs - 1 - random.below(RECENT_MS)),
  }
}

/** Its value ends in what every codec makes small: librdkafka leaves a batch as it is that would not get smaller. */
export function compressible(record: KafkaRecord): KafkaRecord {
  return {
    ...record,
    value: base64(Buffer.concat([Buffer.from(record.value ?? '', 'base64'), Buffer.alloc(200, 'a')])),
  }
}

export function randomMessage(random: Random, nowMs: number): PulsarMessage {
  const properties = Object.fromEntries(
    Array.from({ length: random.below(4) }, (_, index) => [
      `p${index}-${random.text(4)}`,
      random.text(random.below(12)),
    ]),
  )
  return {
    key: random.text(1 + random.below(16)),
    value: base64(random.bytes(1 + random.below(64))),
    properties,
    eventTime: String(nowMs - 1 - random.below(RECENT_MS)),
  }
}

/** A record as Kafka clients are to see it. `timestamp` absent: not a matter of this comparison. */
export interface KafkaView {
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly Header[]
  readonly timestamp?: string
}

const byName = (a: Header, b: Header): number => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)

/** Properties have no order: seen from Kafka they are compared in order of their names. */
export function kafkaView(written: Written): KafkaView {
  if (written.by === 'kafka') {
    const { key, value, headers = [], timestamp } = written.record
    return { key, value, headers, ...(timestamp !== undefined && { timestamp }) }
  }
  const { key, keyBytes, orderingKey, value, properties = {}, eventTime } = written.message
  const headers = Object.entries(properties).map(([name, text]): Header => [name, base64(text)])
  return {
    key: orderingKey ?? keyBytes ?? (key === undefined ? null : base64(key)),
    value,
    headers: headers.sort(byName),
    ...(eventTime !== undefined && { timestamp: eventTime }),
  }
}

/** @throws Unsupported where the library knows of none */
export function headersOf({ headers }: KafkaReceived): readonly Header[] {
  if (headers === undefined) throw new Unsupported('the library tells no headers of records (KIP-82)')
  return headers
}

export function seenKafka(received: KafkaReceived, of: Written): KafkaView {
  const { key, value, timestamp } = received
  const expected = kafkaView(of)
  const expectsTimestamp = expected.timestamp !== undefined
  // A library that knows of no headers has nothing to say against a record without any.
  const headers = expected.headers.length === 0 ? (received.headers ?? []) : headersOf(received)
  return {
    key,
    value,
    headers: of.by === 'pulsar' ? [...headers].sort(byName) : headers,
    ...(expectsTimestamp && { timestamp }),
  }
}

/** A message as Pulsar clients are to see it, as far as no declared rule is needed. */
export interface PulsarView {
  readonly key: string | null
  readonly value: string | null
  readonly properties: Readonly<Record<string, string>>
  /** Absent: left to the client that wrote it. */
  readonly eventTime?: string
}

export function pulsarView(written: Written): PulsarView {
  if (written.by === 'pulsar') {
    const { key, keyBytes, value, properties = {}, eventTime = '0' } = written.message
    // A library's text accessor shows binary keys as their base64 text.
    return { key: key ?? keyBytes ?? null, value, properties, eventTime }
  }
  const { key, value, headers = [], timestamp } = written.record
  const properties = Object.fromEntries(headers.map(([name, bytes]) => [name, textOf(bytes ?? '')]))
  const shown = { key: key === null ? null : textOf(key), value, properties }
  return timestamp === undefined ? shown : { ...shown, eventTime: timestamp }
}

export function seenPulsar(received: PulsarReceived, of?: Written): PulsarView {
  const { key, value, properties, eventTime, knowsNull } = received
  const expected = of && pulsarView(of)
  // A library that cannot tell null from empty shows a tombstone as empty.
  const shown = !knowsNull && expected?.value === null && value === '' ? null : value
  const view = { key, value: shown, properties }
  return expected !== undefined && expected.eventTime === undefined ? view : { ...view, eventTime }
}

/** `ledger:entry:batch index`; −1 and 0 of an entry with one message are the same place to some libraries. */
export const idText = ({ ledgerId, entryId, batchIndex }: MessageId): string =>
  `${ledgerId}:${entryId}:${Math.max(batchIndex, 0)}`

export function compareIds(a: MessageId, b: MessageId): number {
  const parts = [
    BigInt(a.ledgerId) - BigInt(b.ledgerId),
    BigInt(a.entryId) - BigInt(b.entryId),
    BigInt(Math.max(a.batchIndex, 0) - Math.max(b.batchIndex, 0)),
  ]
  const first = parts.find((part) => part !== 0n) ?? 0n
  return first < 0n ? -1 : first > 0n ? 1 : 0
}

/** A cell of a table: `null`, `empty`, `hex:00ff`, anything else is text. */
export function cellBytes(cell: string): string | null {
  if (cell === 'null') return null
  if (cell === 'empty') return ''
  return cell.startsWith('hex:') ? Buffer.from(cell.slice(4), 'hex').toString('base64') : base64(cell)
}

/** `trace=a1; retry=hex:00ff; lost=null; blank=empty`. `none`: no headers. */
export function cellHeaders(cell: string): [string, string | null][] {
  if (cell === 'none' || cell === '') return []
  return cell.split(';').map((pair) => {
    const at = pair.indexOf('=')
    return [pair.slice(0, at).trim(), cellBytes(pair.slice(at + 1).trim())]
  })
}
