import { asOffset, type Offset } from '../../base/brand.js'
import { MalformedError } from '../../base/malformed.js'
import { batchField, isRecordsRefusal, readBatch, splitBatches } from '../../kafka/wire/record-batch.js'
import { openRecords, type RecordCursor } from '../../kafka/wire/record-cursor.js'
import { StorageError } from '../../storage/types.js'
import { isRefusal, type PartitionLog } from '../../topics/types.js'
import { decodeConsumerGroup } from './consumer-group-format.js'
import type { LiveState } from './live-state.js'
import {
  decodeGroup,
  decodeKey,
  decodeOffset,
  isConsumerGroupKey,
  isGroupKey,
  isOffsetKey,
  keyVersionAt,
  offsetValueFault,
  type RecordKey,
} from './record-format.js'

/** Called for a record that cannot be read: it is left out, and loading goes on. */
export type OnSkipped = (place: { readonly offset: bigint }, reason: string) => void

const bytesPerRead = 4 << 20

/** The last value of a key so far, as stored. */
interface Slot {
  readonly key: RecordKey
  value: Buffer
}

/**
 * Brings `state` to what the partition's log says, from its start to its end. Of superseded records nothing is made but
 * the text that finds their key; what is left at the end is decoded once.
 */
export async function loadPartition(
  partition: PartitionLog,
  state: LiveState,
  onSkipped: OnSkipped,
): Promise<void> {
  const slots = new Slots(onSkipped)
  const end = partition.endOffset()
  for (let next = partition.startOffset(); next < end; ) {
    const fetched = await partition.fetchKafka(next, { maxBytes: bytesPerRead, atLeastOne: true })
    if (isRefusal(fetched)) throw new StorageError(`${partition.pulsarName}: ${fetched.message}`)
    if (fetched.records.length === 0) break
    next = await slots.take(fetched.records)
    // The read above may have been answered from memory; the broker listens meanwhile.
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  slots.handTo(state)
}

class Slots {
  readonly #onSkipped: OnSkipped
  /** By the key's bytes after its version. */
  readonly #offsets = new Map<string, Slot>()
  readonly #groups = new Map<string, Slot>()
  readonly #consumerGroups = new Map<string, Slot>()

  constructor(onSkipped: OnSkipped) {
    this.#onSkipped = onSkipped
  }

  /** @returns the offset after the last batch */
  async take(pieces: readonly Buffer[]): Promise<Offset> {
    const batches = splitBatches(pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces))
    if (isRecordsRefusal(batches)) throw new MalformedError(batches.message)
    let next = 0n
    for (const bytes of batches) {
      const baseOffset = bytes.readBigInt64BE(batchField.baseOffset)
      await this.#takeBatch(bytes, baseOffset)
      next = baseOffset + BigInt(bytes.readInt32BE(batchField.lastOffsetDelta)) + 1n
    }
    return asOffset(next)
  }

  handTo(state: LiveState): void {
    for (const { key, value } of this.#offsets.values()) {
      if (key.type !== 'offset') continue
      const { group, topic, partition } = key
      state.apply({
        type: 'offset',
        key: group,
        topic,
        partition,
        offset: decodeOffset(value, topic, partition),
      })
    }
    for (const { key, value } of this.#groups.values())
      if (key.type === 'group') state.apply({ type: 'group', key: key.group, group: decodeGroup(value) })
    for (const { key, value } of this.#consumerGroups.values()) {
      if (key.type !== 'consumerGroup') continue
      state.apply({ type: 'consumerGroup', key: key.group, group: decodeConsumerGroup(value) })
    }
  }

  async #takeBatch(bytes: Buffer, baseOffset: bigint): Promise<void> {
    const batch = readBatch(bytes)
    let left = batch.recordCount
    try {
      const record = await openRecords(batch)
      for (; left > 0; left--) {
        record.next()
        const fault = this.#takeRecord(record)
        if (fault !== undefined) this.#onSkipped({ offset: baseOffset + BigInt(record.offsetDelta) }, fault)
      }
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error
      this.#onSkipped({ offset: baseOffset + BigInt(batch.recordCount - left) }, error.message)
    }
  }

  /** @returns why the record is skipped */
  #takeRecord(record: RecordCursor): string | undefined {
    const { buffer, keyStart, keyEnd, valueStart, valueEnd } = record
    if (keyStart < 0) return 'a record without a key'
    const version = keyVersionAt(buffer, keyStart, keyEnd)
    const slots = this.#slotsOf(version)
    if (slots === undefined) return `key version ${version} is not known`
    const text = buffer.toString('latin1', keyStart + 2, keyEnd)
    if (valueStart < 0) {
      slots.delete(text)
      return undefined
    }
    const fault = isOffsetKey(version)
      ? offsetValueFault(buffer, valueStart, valueEnd)
      : groupValueFault(version, buffer.subarray(valueStart, valueEnd))
    if (fault !== undefined) return fault
    const known = slots.get(text)
    if (known === undefined) return this.#add(slots, text, record)
    setValue(known, buffer, valueStart, valueEnd)
    return undefined
  }

  #slotsOf(keyVersion: number): Map<string, Slot> | undefined {
    if (isOffsetKey(keyVersion)) return this.#offsets
    if (isGroupKey(keyVersion)) return this.#groups
    return isConsumerGroupKey(keyVersion) ? this.#consumerGroups : undefined
  }

  #add(slots: Map<string, Slot>, text: string, record: RecordCursor): string | undefined {
    const { buffer, keyStart, keyEnd, valueStart, valueEnd } = record
    try {
      const key = decodeKey(buffer.subarray(keyStart, keyEnd))
      slots.set(text, { key, value: Buffer.from(buffer.subarray(valueStart, valueEnd)) })
      return undefined
    } catch (error) {
      return reasonOf(error)
    }
  }
}

function setValue(slot: Slot, buffer: Buffer, start: number, end: number): void {
  if (slot.value.length === end - start) buffer.copy(slot.value, 0, start, end)
  else slot.value = Buffer.from(buffer.subarray(start, end))
}

function groupValueFault(keyVersion: number, value: Buffer): string | undefined {
  try {
    if (isGroupKey(keyVersion)) decodeGroup(value)
    else decodeConsumerGroup(value)
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof MalformedError) return error.message
  throw error
}
