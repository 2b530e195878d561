import { asEntryId, asMessageIndex, comparePositions, type MessageIndex } from '../base/brand.js'
import type { ManagedLedger } from '../storage/types.js'
import type { TopicSettings } from './configs.js'
import type { StoragePolicies } from './policies.js'
import type { TopicInfo } from './types.js'

export type RetentionLimits = Pick<TopicSettings, 'retentionMs' | 'retentionBytes'>

const readLimits = { maxEntries: 1000, maxBytes: 4 << 20 }

/**
 * How long and how much of what is consumed is kept; −1: without limit. A topic's own `retention.ms` and
 * `retention.bytes` say so first, then Pulsar's retention of the topic or of its namespace, then the broker (PF-2).
 */
export function retentionOf(
  { configs }: Pick<TopicInfo, 'configs'>,
  settings: TopicSettings,
  { retention }: StoragePolicies,
): RetentionLimits {
  const isSet = (name: string) => configs[name] !== undefined
  // As Kafka has it: without "delete" in the topic's policy nothing goes by age or size.
  if (settings.compaction?.deletes === false) return { retentionMs: -1, retentionBytes: -1 }
  if (retention === undefined) return settings
  const { timeMinutes, sizeMb } = retention
  return {
    retentionMs: isSet('retention.ms') ? settings.retentionMs : times(timeMinutes, 60_000),
    retentionBytes: isSet('retention.bytes') ? settings.retentionBytes : times(sizeMb, 1 << 20),
  }
}

const times = (limit: number, unit: number) => (limit < 0 ? -1 : limit * unit)

/**
 * Drops what retention no longer keeps, by whole entries from the log's start (register PF-2). What a durable subscription,
 * and so a Kafka group, has not acknowledged is kept whatever its age and size (PT-5): time to live and backlog quota
 * bound that, in `backlog.ts`. An entry without any timestamp is as old as its storing.
 * @param keptFrom an index from which on all is kept: what the next compaction is to read
 */
export async function enforceRetention(
  ledger: ManagedLedger,
  limits: RetentionLimits,
  nowMs: number,
  keptFrom: number = Number.POSITIVE_INFINITY,
): Promise<void> {
  if (limits.retentionMs < 0 && limits.retentionBytes < 0) return
  const byTime = await startByTime(ledger, limits.retentionMs, nowMs)
  const bySize = await startBySize(ledger, limits.retentionBytes)
  const start = Math.min(Math.max(byTime, bySize), await firstUnconsumed(ledger), keptFrom)
  if (start > ledger.start.index) await ledger.trim(asMessageIndex(start))
}

/** The first message of the first entry that a durable subscription has not acknowledged; the end when there is none. */
export async function firstUnconsumed(ledger: ManagedLedger): Promise<MessageIndex> {
  let { position } = ledger.end
  for (const name of ledger.cursorNames()) {
    if (!ledger.cursorNames().includes(name)) continue
    const cursor = await ledger.openCursor(name, ledger.end.position)
    if (comparePositions(cursor.position, position) < 0) position = cursor.position
  }
  const [entry] = await ledger.read(position, { maxEntries: 1, maxBytes: 1 })
  return entry?.firstIndex ?? ledger.end.index
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
export async function startBySize(ledger: ManagedLedger, retentionBytes: number): Promise<MessageIndex> {
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
