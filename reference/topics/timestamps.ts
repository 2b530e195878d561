import { asMessageIndex, type Offset } from '../base/brand.js'
import { timestampSearch } from '../entry-format/index.js'
import type { TimestampType } from '../entry-format/types.js'
import type { ManagedLedger, StoredEntry } from '../storage/types.js'
import type { Points } from './points.js'

/** Of the entry of an index that is not there, the next one may be given. */
export interface SearchedLog {
  readonly ledger: Pick<ManagedLedger, 'start' | 'entryOfIndex' | 'entryOfTimestamp' | 'lastEntry'>
  readonly points: Points
  readonly timestampType: TimestampType
}

export interface OffsetAndTime {
  readonly offset: Offset
  readonly timestampMs: bigint
}

/**
 * The first offset whose timestamp is at or after the given one (register ID-8). A start inside of a batch is answered for
 * its records before the start, with the start's offset.
 */
export async function offsetOfTimestamp(
  log: SearchedLog,
  timestampMs: bigint,
): Promise<OffsetAndTime | undefined> {
  const { ledger, points, timestampType } = log
  let entry: StoredEntry | undefined = await ledger.entryOfTimestamp(Number(timestampMs))
  // An entry's largest timestamp may be of a message that has none for Kafka: then a later entry's is the first.
  while (entry !== undefined) {
    const found = await timestampSearch(entry, timestampMs, timestampType)
    if (found !== undefined) {
      const index = Math.max(entry.firstIndex + found.batchIndex, ledger.start.index)
      return { offset: points.offsetIn(entry, index - entry.firstIndex), timestampMs: found.timestampMs }
    }
    entry = await ledger.entryOfIndex(asMessageIndex(entry.firstIndex + entry.messageCount))
  }
  return undefined
}

/** The largest timestamp and its offset: from the last entry's on in ever larger steps, then by halving. */
export async function offsetOfMaxTimestamp(log: SearchedLog): Promise<OffsetAndTime | undefined> {
  const last = await log.ledger.lastEntry()
  if (last === undefined) return undefined
  const exists = async (timestampMs: number) => (await log.ledger.entryOfTimestamp(timestampMs)) !== undefined
  let low = last.maxTimestampMs
  let step = 1
  while (await exists(low + step)) {
    low += step
    step *= 2
  }
  let high = low + step
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (await exists(middle)) low = middle
    else high = middle
  }
  return low < 0 ? undefined : offsetOfTimestamp(log, BigInt(low))
}
