import { asEntryId, asMessageIndex, type MessageIndex } from '../base/brand.js'
import type { ManagedLedger } from '../storage/types.js'
import type { TopicSettings } from './configs.js'

const readLimits = { maxEntries: 1000, maxBytes: 4 << 20 }

/**
 * Drops what a topic's `retention.ms` and `retention.bytes` no longer keep, by whole entries from the log's start
 * (register PF-2, ID-13). Cursors do not hold it back. An entry without any timestamp is as old as its storing.
 */
export async function enforceRetention(
  ledger: ManagedLedger,
  settings: TopicSettings,
  nowMs: number,
): Promise<void> {
  const byTime = await startByTime(ledger, settings.retentionMs, nowMs)
  const bySize = await startBySize(ledger, settings.retentionBytes)
  const start = Math.max(byTime, bySize)
  if (start > ledger.start.index) await ledger.trim(asMessageIndex(start))
}

async function startByTime(ledger: ManagedLedger, retentionMs: number, nowMs: number): Promise<MessageIndex> {
  if (retentionMs < 0) return ledger.start.index
  const oldestMs = nowMs - retentionMs
  const kept = await ledger.entryOfTimestamp(oldestMs)
  return firstUnstamped(ledger, oldestMs, kept?.firstIndex ?? ledger.end.index)
}

/** The first entry without a timestamp that was stored since `oldestMs`; `end` when there is none before it. */
async function firstUnstamped(
  ledger: ManagedLedger,
  oldestMs: number,
  end: MessageIndex,
): Promise<MessageIndex> {
  let { position, index } = ledger.start
  while (index < end) {
    const entries = await ledger.read(position, readLimits)
    if (entries.length === 0) return end
    for (const entry of entries) {
      if (entry.firstIndex >= end) return end
      if (entry.maxTimestampMs < 0 && entry.brokerTimestampMs >= oldestMs) return entry.firstIndex
      index = asMessageIndex(entry.firstIndex + entry.messageCount)
      position = { ledgerId: entry.position.ledgerId, entryId: asEntryId(entry.position.entryId + 1) }
    }
  }
  return end
}

/** As Kafka does, keeps at least `retentionBytes`: an entry goes when what follows it is still enough. */
async function startBySize(ledger: ManagedLedger, retentionBytes: number): Promise<MessageIndex> {
  const { start } = ledger
  if (retentionBytes < 0) return start.index
  let surplus = ledger.ledgers().reduce((sum, { bytes }) => sum + bytes, 0) - retentionBytes
  surplus -= await trimmedBytes(ledger)
  let { index, position } = start
  while (surplus > 0) {
    const entries = await ledger.read(position, readLimits)
    if (entries.length === 0) break
    for (const entry of entries) {
      if (surplus < entry.data.length) return index
      surplus -= entry.data.length
      index = asMessageIndex(entry.firstIndex + entry.messageCount)
      position = { ledgerId: entry.position.ledgerId, entryId: asEntryId(entry.position.entryId + 1) }
    }
  }
  return index
}

/** Bytes of the start's ledger that are trimmed already, but still counted with it. */
async function trimmedBytes(ledger: ManagedLedger): Promise<number> {
  const first = ledger.ledgers().find(({ ledgerId }) => ledgerId === ledger.start.position.ledgerId)
  const { entryId } = ledger.start.position
  if (first === undefined || entryId === 0 || first.entries === 0) return 0
  // Entries are of like size mostly: an estimate is enough to begin with, and errs by a ledger at most.
  return Math.floor((first.bytes * entryId) / first.entries)
}
