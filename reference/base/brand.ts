/** Numbers that look alike but must never be mixed. A brand exists in types only; it costs nothing at run time. */
declare const brand: unique symbol
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** A Kafka offset: signed 64 bits. What it means is decided by the configured mapping (register ID-3). */
export type Offset = Brand<bigint, 'Offset'>
/** How many messages precede this one in its partition, over all ledgers ever written; PIP-70's broker-entry index. */
export type MessageIndex = Brand<number, 'MessageIndex'>
export type LedgerId = Brand<number, 'LedgerId'>
export type EntryId = Brand<number, 'EntryId'>
export type PartitionIndex = Brand<number, 'PartitionIndex'>

export const asOffset = (value: bigint): Offset => value as Offset
export const asMessageIndex = (value: number): MessageIndex => value as MessageIndex
export const asLedgerId = (value: number): LedgerId => value as LedgerId
export const asEntryId = (value: number): EntryId => value as EntryId
export const asPartitionIndex = (value: number): PartitionIndex => value as PartitionIndex

/** Where an entry is: Pulsar's ledger id and entry id. Ledger ids grow over a partition's life, entry ids start at 0 in each. */
export interface Position {
  readonly ledgerId: LedgerId
  readonly entryId: EntryId
}

/** Negative when `a` comes before `b`, 0 when they are the same, positive otherwise. */
export function comparePositions(a: Position, b: Position): number {
  return a.ledgerId - b.ledgerId || a.entryId - b.entryId
}
