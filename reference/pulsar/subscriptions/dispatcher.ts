import type { Position } from '../../base/brand.js'
import type { Clock } from '../../base/clock.js'
import type { Cursor } from '../../storage/types.js'
import type { PartitionLog, PulsarEntry } from '../../topics/types.js'
import type { Consumer } from './consumer.js'

/** Gives a subscription's messages to its consumers. Lives from the first consumer's coming to the last one's going. */
export interface Dispatcher {
  readonly consumers: readonly Consumer[]
  add(consumer: Consumer): void
  remove(consumer: Consumer): void
  /** There may be more to send: new entries, permits, acknowledgements, or a connection that was read from. */
  wake(): void
  /** Sends again what the consumer did not acknowledge: all of it, or the entries named. */
  redeliver(consumer: Consumer, positions: readonly Position[] | undefined): void
  /** The one consumer that is served; undefined where all are. */
  active(): Consumer | undefined
  stop(): void
}

export interface DispatchSource {
  readonly log: Pick<PartitionLog, 'readPulsar' | 'index' | 'ledger'>
  readonly cursor: Cursor
  readonly clock: Clock
  /** The topic has partitions, so that this is one of several. */
  readonly partitioned: boolean
  onError(error: unknown): void
}

/** Read at most this much ahead of what was sent. */
export const READ_ENTRIES_MAX = 100
export const READ_BYTES_MAX = 1024 * 1024

export const positionAfter = (position: Position): Position => ({
  ledgerId: position.ledgerId,
  entryId: (position.entryId + 1) as Position['entryId'],
})

/** The acknowledged messages of an entry that is not wholly acknowledged; undefined when there are none. */
export function acknowledgedOf(cursor: Cursor, position: Position): ReadonlySet<number> | undefined {
  const single = cursor.acknowledgedBatchIndexes(position)
  const atCursor =
    cursor.batchIndex > 0 &&
    cursor.position.ledgerId === position.ledgerId &&
    cursor.position.entryId === position.entryId
  if (!atCursor) return single !== undefined && single.size > 0 ? single : undefined
  const all = new Set(single)
  for (let index = 0; index < cursor.batchIndex; index++) all.add(index)
  return all
}

/** True when the entry is for no one: done already, or a marker, which is acknowledged on the way. */
export function isPassedOver(source: DispatchSource, entry: PulsarEntry): boolean {
  if (source.cursor.isAcknowledged(entry.position)) return true
  if (!entry.view.isMarker) return false
  source.cursor.acknowledge([{ position: entry.position }]).catch((error) => source.onError(error))
  return true
}
