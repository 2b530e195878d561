import assert from 'node:assert/strict'
import { asEntryId, asLedgerId, asOffset, type Offset } from '../../base/brand.js'
import {
  framePulsar,
  packSingles,
  readPulsarEntry,
  readTestBatch,
  type TestRecord,
  testBatch,
} from '../../entry-format/test-kit.js'
import { accepted } from '../testing.js'
import type { PartitionLog } from '../types.js'

/** A message as a test writes and sees it; value null: a tombstone. */
export interface Keyed {
  readonly key: string | null
  readonly value: string | null
}

export interface Seen extends Keyed {
  readonly offset: bigint
}

const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text))

/** One Kafka batch. @returns the offset of its first record. */
export async function writeKafka(
  log: PartitionLog,
  messages: readonly Keyed[],
  options: { timestampMs?: number; codec?: number } = {},
): Promise<Offset> {
  const { timestampMs = 1000, codec = 0 } = options
  const records = messages.map(
    ({ key, value }): TestRecord => ({ timestampMs, key: bytes(key), value: bytes(value), headers: [] }),
  )
  return accepted(await log.appendKafka(await testBatch(records, { codec }))).baseOffset
}

let sent = 0

/** One entry of Pulsar's: a batch, or a message by itself. @returns the offset of its first message. */
export async function writePulsar(
  log: PartitionLog,
  messages: readonly Keyed[],
  isBatch = true,
): Promise<Offset> {
  const fields = ({ key, value }: Keyed) => ({
    ...(key === null ? {} : { partitionKey: key }),
    ...(value === null ? { nullValue: true } : {}),
  })
  const payloadOf = ({ value }: Keyed) => Buffer.from(value ?? '')
  const sequenceId = sent++
  const producer = { producerName: `producer-${sequenceId}`, sequenceId }
  const [first] = messages
  assert.ok(first)
  const batch = messages.map((message) => ({ metadata: fields(message), payload: payloadOf(message) }))
  const headersAndPayload = isBatch
    ? framePulsar({ ...producer, numMessagesInBatch: messages.length }, packSingles(batch))
    : framePulsar({ ...producer, ...fields(first) }, payloadOf(first))
  const appended = accepted(
    await log.appendPulsar({
      headersAndPayload,
      messageCount: messages.length,
      producerName: producer.producerName,
      sequenceId: BigInt(sequenceId),
      highestSequenceId: BigInt(sequenceId),
    }),
  )
  const offset = await log.offsetOfPoint({ position: appended.position, batchIndex: 0 })
  assert.ok(offset !== undefined)
  return offset
}

/** What a Kafka consumer sees from an offset to the log's end, fetch by fetch; it must get there. */
export async function readKafka(log: PartitionLog, from: bigint, maxBytes = 1 << 20): Promise<Seen[]> {
  const seen: Seen[] = []
  let position = from
  while (position < log.endOffset()) {
    const fetched = accepted(await log.fetchKafka(asOffset(position), { maxBytes, atLeastOne: true }))
    const before = position
    const data = Buffer.concat(fetched.records)
    for (let at = 0; at < data.length; ) {
      const end = at + 12 + data.readInt32BE(at + 8)
      const batch = await readTestBatch([data.subarray(at, end)])
      batch.records.forEach(({ key, value }, index) => {
        const offset = batch.baseOffset + BigInt(batch.offsetDeltas[index] ?? 0)
        if (offset < position) return
        seen.push({ offset, key: key?.toString() ?? null, value: value?.toString() ?? null })
      })
      assert.ok(batch.baseOffset + BigInt(batch.lastOffsetDelta) >= position, 'a batch that was read already')
      position = batch.baseOffset + BigInt(batch.lastOffsetDelta) + 1n
      at = end
    }
    assert.ok(position > before, `a consumer at ${before} gets no further`)
  }
  return seen
}

/** What a Pulsar reader of the compacted log sees, with the offsets of its message ids. */
export async function readCompacted(log: PartitionLog): Promise<Seen[]> {
  const seen: Seen[] = []
  let from = { ledgerId: asLedgerId(0), entryId: asEntryId(0) }
  for (;;) {
    const entries = await log.readPulsar(from, { maxEntries: 3, maxBytes: 1 << 20 }, 'compacted')
    const last = entries.at(-1)
    if (last === undefined) return seen
    for (const { position, view } of entries) {
      const { metadata, payload, singles } = await readPulsarEntry(view.headersAndPayload)
      const messages = metadata.numMessagesInBatch === undefined ? [{ metadata, payload }] : singles
      assert.equal(messages.length, view.messageCount)
      for (const [batchIndex, message] of messages.entries()) {
        if (message.metadata.compactedOut === true) continue
        const offset = await log.offsetOfPoint({ position, batchIndex })
        const key = message.metadata.partitionKey
        const value = message.metadata.nullValue === true ? null : message.payload.toString()
        seen.push({ offset: offset ?? -1n, key: key === undefined ? null : String(key), value })
      }
    }
    from = { ...last.position, entryId: asEntryId(last.position.entryId + 1) }
  }
}

export async function compacted(log: PartitionLog): Promise<void> {
  assert.equal(log.compaction?.start(), true)
  await log.compaction.idle()
}

/** By key; a tombstone ends its key. */
export function lastValues(messages: readonly Keyed[]): Record<string, string> {
  const values = new Map<string, string>()
  for (const { key, value } of messages) {
    if (key === null) continue
    if (value === null) values.delete(key)
    else values.set(key, value)
  }
  return Object.fromEntries([...values].sort())
}
