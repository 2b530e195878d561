import { crc32 } from 'node:zlib'
import { asEntryId, asLedgerId, asMessageIndex } from '../../base/brand.js'
import type { AppendedEntry, NewEntry } from '../types.js'
import { encodeEntryRecord, entryHeaderBytes, entryKey } from './entry-record.js'
import type { LedgerState } from './log-state.js'

export interface EntryPlaces {
  /** Bytes of each entry's data. */
  readonly sizes: readonly number[]
  /** Longer data is in the ledger's file. */
  readonly inlineBytesMax: number
  /** Where in the ledger's file the data of these entries begins. */
  readonly filePosition: number
  readonly nowMs: number
}

export interface WrittenEntries {
  /** The ledger with the entries in it. */
  readonly ledger: LedgerState
  readonly appended: readonly AppendedEntry[]
  readonly records: readonly { readonly key: Buffer; readonly value: Buffer }[]
}

/** Gives entries their ids and indexes, next to one another at a ledger's end. Copies small data, once. */
export function writeEntries(
  before: LedgerState,
  entries: readonly NewEntry[],
  { sizes, inlineBytesMax, filePosition, nowMs }: EntryPlaces,
): WrittenEntries {
  const records: { key: Buffer; value: Buffer }[] = []
  const appended: AppendedEntry[] = []
  let ledger = before
  let place = filePosition
  entries.forEach((entry, at) => {
    const length = sizes[at] ?? 0
    const inFile = length > inlineBytesMax
    const firstIndex = ledger.firstIndex + ledger.messages
    const position = { ledgerId: asLedgerId(ledger.ledgerId), entryId: asEntryId(ledger.entries) }
    const entryPlace = place
    if (inFile) place += length
    ledger = withEntry(ledger, entry, length, place)
    const value = encodeEntryRecord(
      {
        inFile,
        messageCount: entry.messageCount,
        firstIndex,
        brokerTimestampMs: nowMs,
        maxTimestampMs: entry.maxTimestampMs,
        runningMaxTimestampMs: ledger.maxTimestampMs,
        filePosition: inFile ? entryPlace : ledger.fileBytes,
        length,
        crc32: entry.data.reduce((crc, piece) => crc32(piece, crc), 0),
        ledgerBytes: ledger.bytes,
      },
      inFile ? 0 : length,
    )
    if (!inFile) copyPieces(entry.data, value, entryHeaderBytes)
    records.push({ key: entryKey(position.ledgerId, position.entryId), value })
    appended.push({ position, firstIndex: asMessageIndex(firstIndex), brokerTimestampMs: nowMs })
  })
  return { ledger, appended, records }
}

const withEntry = (ledger: LedgerState, entry: NewEntry, length: number, fileEnd: number): LedgerState => ({
  ...ledger,
  entries: ledger.entries + 1,
  messages: ledger.messages + entry.messageCount,
  bytes: ledger.bytes + length,
  fileBytes: Math.max(ledger.fileBytes, fileEnd),
  maxTimestampMs: Math.max(ledger.maxTimestampMs, entry.maxTimestampMs),
})

function copyPieces(pieces: readonly Buffer[], target: Buffer, from: number): void {
  let at = from
  for (const piece of pieces) at += piece.copy(target, at)
}
