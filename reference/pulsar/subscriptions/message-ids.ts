import { asEntryId, asLedgerId, comparePositions, type Position } from '../../base/brand.js'
import type { LogPoint, ManagedLedger } from '../../storage/types.js'
import type { MessageIdData } from '../wire/commands.js'
import { firstUnacknowledged } from './ack-set.js'

/** The entry that a message id names. */
export const asPosition = (id: MessageIdData): Position => ({
  ledgerId: asLedgerId(id.ledgerId),
  entryId: asEntryId(id.entryId),
})

/** A place to read from: a position, and the first batch index wanted. */
export interface StartPoint {
  readonly position: Position
  readonly batchIndex: number
}

/** Pulsar's MessageId.earliest has ledger and entry −1, MessageId.latest both Long.MAX. */
const isEarliest = (id: MessageIdData): boolean => id.ledgerId < 0
const isLatest = (id: MessageIdData): boolean => id.ledgerId > Number.MAX_SAFE_INTEGER

/**
 * Where a message id points, kept within the log. Inclusive: the message itself comes first; clients that want the one
 * after it drop it themselves. An id of a chunked message starts at its first piece.
 */
export function startPointOf(id: MessageIdData, ledger: Pick<ManagedLedger, 'start' | 'end'>): StartPoint {
  const { start, end } = ledger
  if (isEarliest(id)) return start
  if (isLatest(id)) return end
  const first = id.firstChunkMessageId
  if (first !== undefined) return clamp({ position: asPosition(first), batchIndex: 0 }, start, end)
  const fromAckSet = id.ackSet === undefined ? undefined : firstUnacknowledged(id.ackSet)
  const batchIndex = fromAckSet ?? Math.max(0, id.batchIndex ?? 0)
  const entryId = asEntryId(Math.max(0, id.entryId))
  return clamp({ position: { ledgerId: asLedgerId(id.ledgerId), entryId }, batchIndex }, start, end)
}

function clamp(point: StartPoint, start: LogPoint, end: LogPoint): StartPoint {
  if (comparePositions(point.position, start.position) < 0) return start
  if (comparePositions(point.position, end.position) >= 0) return end
  return point
}

/**
 * The first entry that the broker stored at or after a time (its own clock, as Pulsar uses when it stamps entries).
 * Entry times rise with the index, so this is a search by halves.
 */
export async function startPointOfTime(ledger: ManagedLedger, timestampMs: number): Promise<StartPoint> {
  let low = ledger.start.index as number
  let high = ledger.end.index as number
  let found: StartPoint = ledger.end
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const entry = await ledger.entryOfIndex(middle as LogPoint['index'])
    if (entry === undefined) break
    if (entry.brokerTimestampMs >= timestampMs) {
      found = { position: entry.position, batchIndex: 0 }
      high = entry.firstIndex
    } else low = entry.firstIndex + entry.messageCount
  }
  return found
}
