import type { MessageIndex, Offset, Position } from '../base/brand.js'

/** Where an offset points: to a message by its index, or by its message id. */
export type OffsetTarget =
  | { readonly by: 'index'; readonly index: MessageIndex }
  | { readonly by: 'id'; readonly position: Position; readonly batchIndex: number }

/**
 * A mapping between message ids and offsets (document: "Message ID and offset"; register ID-1, ID-3). Pure. Offsets of the
 * messages within one entry are always consecutive, so that an entry is one Kafka batch.
 */
export interface OffsetMapping {
  readonly name: 'index' | 'packed' | 'wrapper'
  /** The largest number of messages that one entry may hold: 1 under `wrapper`, 4096 under `packed`. */
  readonly messagesPerEntryMax: number
  /** The offset of the message at `batchIndex` of an entry. Undefined when a part does not fit its bits (ID-11). */
  offsetOf(entry: { position: Position; firstIndex: MessageIndex }, batchIndex: number): Offset | undefined
  /** The inverse; defined for every non-negative offset, whether or not a message is there. */
  targetOf(offset: Offset): OffsetTarget
}
