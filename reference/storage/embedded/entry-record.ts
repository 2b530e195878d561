import { asEntryId, asLedgerId, type Position } from '../../base/brand.js'

/**
 * What the index database keeps of an entry: a fixed header, and the data itself when it is small. Larger data lies in
 * the ledger's file at `filePosition`. Key: ledger id (48 bits) and entry id (48 bits), big-endian, so that keys sort as
 * positions do.
 *
 * Layout, little-endian: version u8, flags u8 (1: data is in the file), 2 unused, message count u32, first index f64,
 * broker timestamp f64, own max timestamp f64, running max timestamp f64, file position f64, data length u32,
 * data CRC-32 u32, ledger bytes f64, inline data.
 */
export interface EntryRecord {
  readonly inFile: boolean
  readonly messageCount: number
  readonly firstIndex: number
  readonly brokerTimestampMs: number
  readonly maxTimestampMs: number
  /** The largest `maxTimestampMs` of this ledger up to and with this entry: never falls, so it can be searched by halving. */
  readonly runningMaxTimestampMs: number
  /** Where the data begins in the ledger's file; for inline data where the next entry's would. */
  readonly filePosition: number
  readonly length: number
  readonly crc32: number
  /** Data bytes of the ledger up to and with this entry. */
  readonly ledgerBytes: number
}

export const entryHeaderBytes = 64
const recordVersion = 1

/** @returns the header, followed by room for `inlineBytes` of data. */
export function encodeEntryRecord(record: EntryRecord, inlineBytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(entryHeaderBytes + inlineBytes)
  buffer.writeUInt32LE(recordVersion | (record.inFile ? 0x100 : 0), 0)
  buffer.writeUInt32LE(record.messageCount, 4)
  buffer.writeDoubleLE(record.firstIndex, 8)
  buffer.writeDoubleLE(record.brokerTimestampMs, 16)
  buffer.writeDoubleLE(record.maxTimestampMs, 24)
  buffer.writeDoubleLE(record.runningMaxTimestampMs, 32)
  buffer.writeDoubleLE(record.filePosition, 40)
  buffer.writeUInt32LE(record.length, 48)
  buffer.writeUInt32LE(record.crc32, 52)
  buffer.writeDoubleLE(record.ledgerBytes, 56)
  return buffer
}

export function decodeEntryRecord(buffer: Buffer): EntryRecord {
  if (buffer.length < entryHeaderBytes || buffer[0] !== recordVersion) {
    throw new Error(`an entry record has version ${buffer[0]}; this broker reads version ${recordVersion}`)
  }
  return {
    inFile: buffer[1] === 1,
    messageCount: buffer.readUInt32LE(4),
    firstIndex: buffer.readDoubleLE(8),
    brokerTimestampMs: buffer.readDoubleLE(16),
    maxTimestampMs: buffer.readDoubleLE(24),
    runningMaxTimestampMs: buffer.readDoubleLE(32),
    filePosition: buffer.readDoubleLE(40),
    length: buffer.readUInt32LE(48),
    crc32: buffer.readUInt32LE(52),
    ledgerBytes: buffer.readDoubleLE(56),
  }
}

export function entryKey(ledgerId: number, entryId: number): Buffer {
  const key = Buffer.allocUnsafe(12)
  key.writeUIntBE(ledgerId, 0, 6)
  key.writeUIntBE(entryId, 6, 6)
  return key
}

export const positionOfKey = (key: Buffer): Position => ({
  ledgerId: asLedgerId(key.readUIntBE(0, 6)),
  entryId: asEntryId(key.readUIntBE(6, 6)),
})
