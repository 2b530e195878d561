import { MalformedError } from '../../base/malformed.js'
import { FieldCursor } from './field-cursor.js'

/** Field numbers of PulsarApi's SingleMessageMetadata. */
export const singleMessageFields = {
  properties: 1,
  partitionKey: 2,
  payloadSize: 3,
  compactedOut: 4,
  eventTime: 5,
  partitionKeyIsBase64: 6,
  orderingKey: 7,
  sequenceId: 8,
  nullValue: 9,
  nullPartitionKey: 10,
} as const

/** Tags (field number and wire type) of the fields that messages usually have. */
const usualTags = {
  properties: (singleMessageFields.properties << 3) | 2,
  partitionKey: (singleMessageFields.partitionKey << 3) | 2,
  payloadSize: singleMessageFields.payloadSize << 3,
  eventTime: singleMessageFields.eventTime << 3,
  keyIsBase64: singleMessageFields.partitionKeyIsBase64 << 3,
  nullValue: singleMessageFields.nullValue << 3,
  nullPartitionKey: singleMessageFields.nullPartitionKey << 3,
} as const

/** The low 28 bits of a varint of more than four bytes, −1 when it is shorter. */
function usualLow(buffer: Buffer, at: number): number {
  const first = buffer[at] ?? 0
  const second = buffer[at + 1] ?? 0
  const third = buffer[at + 2] ?? 0
  const fourth = buffer[at + 3] ?? 0
  if ((first & second & third & fourth & 0x80) === 0) return -1
  return (first & 0x7f) | ((second & 0x7f) << 7) | ((third & 0x7f) << 14) | ((fourth & 0x7f) << 21)
}

/** The fewest bytes that a single message takes: its metadata's size, and a payload size in it. */
export const singleMessageBytesMin = 6

/**
 * Walks a batch's payload, message by message, without making an object a message. After `next()` the fields tell
 * where in `buffer` the current message's parts are. Each single message is
 *
 *     metadata size (4, big-endian) | SingleMessageMetadata | payload
 *
 * Positions that are absent are −1.
 */
export class SingleMessageCursor {
  buffer: Buffer
  /** The current message's first byte. */
  messageStart = 0
  metadataStart = 0
  metadataEnd = 0
  /** The payload goes on to `position`, where the next message starts. */
  payloadStart = 0
  position: number
  keyStart = -1
  keyEnd = -1
  keyIsBase64 = false
  nullKey = false
  orderingKeyStart = -1
  orderingKeyEnd = -1
  /** −1 when absent: check `hasEventTime`. */
  eventTimeMs = -1
  hasEventTime = false
  nullValue = false
  compactedOut = false
  propertyCount = 0
  #limit: number
  readonly #fields: FieldCursor

  constructor(buffer: Buffer, position = 0, limit = buffer.length) {
    this.buffer = buffer
    this.position = position
    this.#limit = limit
    this.#fields = new FieldCursor(buffer)
  }

  /** Goes on in another buffer that holds the same bytes from `position` on. */
  rebase(buffer: Buffer, position: number, limit: number): void {
    this.buffer = buffer
    this.#fields.buffer = buffer
    this.position = position
    this.#limit = limit
  }

  get atEnd(): boolean {
    return this.position === this.#limit
  }

  /** @throws MalformedError when there is no whole message */
  next(): void {
    const start = this.position
    const buffer = this.buffer
    if (start + 4 > this.#limit) throw new MalformedError('a batch ends inside a message')
    this.messageStart = start
    this.metadataStart = start + 4
    const metadataBytes =
      (((buffer[start] ?? 0) << 24) |
        ((buffer[start + 1] ?? 0) << 16) |
        ((buffer[start + 2] ?? 0) << 8) |
        (buffer[start + 3] ?? 0)) >>>
      0
    this.metadataEnd = this.metadataStart + metadataBytes
    if (this.metadataEnd > this.#limit) throw new MalformedError('a single message runs beyond its batch')
    this.#forget()
    let payloadBytes = this.#readUsualMetadata()
    if (payloadBytes < 0) {
      this.#forget()
      payloadBytes = this.#readMetadata()
    }
    this.payloadStart = this.metadataEnd
    this.position = this.payloadStart + payloadBytes
    if (payloadBytes < 0 || this.position > this.#limit)
      throw new MalformedError('a single message runs beyond its batch')
  }

  #forget(): void {
    this.keyStart = -1
    this.keyEnd = -1
    this.keyIsBase64 = false
    this.nullKey = false
    this.orderingKeyStart = -1
    this.orderingKeyEnd = -1
    this.eventTimeMs = -1
    this.hasEventTime = false
    this.nullValue = false
    this.compactedOut = false
    this.propertyCount = 0
  }

  /**
   * The same as `#readMetadata`, several times as fast, for what batches usually hold: short fields, a time of our age.
   * @returns the payload's size, −1 when something is unusual
   */
  #readUsualMetadata(): number {
    const buffer = this.buffer
    const end = this.metadataEnd
    let payloadBytes = -1
    let at = this.metadataStart
    while (at < end) {
      const tag = buffer[at] ?? 0
      const next = buffer[at + 1] ?? 0
      at += 2
      if (tag === usualTags.eventTime) {
        // Six bytes: times from 1971 to 2109.
        const high = buffer[at + 4] ?? 0
        const low = usualLow(buffer, at - 1)
        if (low < 0 || (buffer[at + 3] ?? 0) < 0x80 || high >= 0x80) return -1
        this.eventTimeMs = low + (((buffer[at + 3] ?? 0) & 0x7f) | (high << 7)) * 2 ** 28
        this.hasEventTime = true
        at += 5
      } else if (tag === usualTags.payloadSize) {
        payloadBytes = next
        if (next >= 0x80) {
          const second = buffer[at++] ?? 0
          if (second >= 0x80) return -1
          payloadBytes = (next & 0x7f) | (second << 7)
        }
      } else if (next >= 0x80) return -1
      else if (tag === usualTags.properties) {
        this.propertyCount++
        at += next
      } else if (tag === usualTags.partitionKey) {
        this.keyStart = at
        at += next
        this.keyEnd = at
      } else if (tag === usualTags.keyIsBase64) this.keyIsBase64 = next !== 0
      else if (tag === usualTags.nullValue) this.nullValue = next !== 0
      else if (tag === usualTags.nullPartitionKey) this.nullKey = next !== 0
      else return -1
    }
    return at === end ? payloadBytes : -1
  }

  /** @returns the payload's size */
  #readMetadata(): number {
    const fields = this.#fields
    let payloadBytes = -1
    fields.reset(this.metadataStart, this.metadataEnd)
    while (fields.next()) {
      switch (fields.field) {
        case singleMessageFields.properties:
          this.propertyCount++
          break
        case singleMessageFields.partitionKey:
          this.keyStart = fields.start
          this.keyEnd = fields.end
          break
        case singleMessageFields.payloadSize:
          payloadBytes = fields.value
          break
        case singleMessageFields.compactedOut:
          this.compactedOut = fields.value !== 0
          break
        case singleMessageFields.eventTime:
          this.eventTimeMs = fields.value
          this.hasEventTime = true
          break
        case singleMessageFields.partitionKeyIsBase64:
          this.keyIsBase64 = fields.value !== 0
          break
        case singleMessageFields.orderingKey:
          this.orderingKeyStart = fields.start
          this.orderingKeyEnd = fields.end
          break
        case singleMessageFields.nullValue:
          this.nullValue = fields.value !== 0
          break
        case singleMessageFields.nullPartitionKey:
          this.nullKey = fields.value !== 0
          break
      }
    }
    if (payloadBytes < 0) throw new MalformedError('a single message without a payload size')
    return payloadBytes
  }
}
