import { asEntryId, asLedgerId, asMessageIndex } from '../../base/brand.js'
import type { NewEntry, StoredEntry } from '../../storage/types.js'

/** An entry as readers of a compacted log get it: under the position and indexes that it has in the log itself. */
export interface KeptEntry extends StoredEntry {
  /** When a compaction first kept it; absent: none has come to it yet. */
  readonly compactedAtMs?: number
}

/**
 * Stands before each entry of a compacted ledger, numbers big-endian, as 64-bit floating point, which is exact here:
 *
 *     ledger id | entry id | first index | number of messages | largest timestamp | broker's timestamp | compacted at
 */
const headBytes = 56

/** As an entry of a compacted ledger, where it counts as one message. */
export function encodeKept(entry: StoredEntry, compactedAtMs: number): NewEntry {
  const head = Buffer.allocUnsafe(headBytes)
  const { position, firstIndex, messageCount, maxTimestampMs, brokerTimestampMs } = entry
  const numbers = [
    position.ledgerId,
    position.entryId,
    firstIndex,
    messageCount,
    maxTimestampMs,
    brokerTimestampMs,
    compactedAtMs,
  ]
  for (const [at, number] of numbers.entries()) head.writeDoubleBE(number, at * 8)
  return { data: [head, entry.data], messageCount: 1, maxTimestampMs }
}

export function decodeKept({ data }: StoredEntry): KeptEntry {
  return {
    position: { ledgerId: asLedgerId(data.readDoubleBE(0)), entryId: asEntryId(data.readDoubleBE(8)) },
    firstIndex: asMessageIndex(data.readDoubleBE(16)),
    messageCount: data.readDoubleBE(24),
    maxTimestampMs: data.readDoubleBE(32),
    brokerTimestampMs: data.readDoubleBE(40),
    compactedAtMs: data.readDoubleBE(48),
    data: data.subarray(headBytes),
  }
}
