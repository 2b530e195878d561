import { crc32 } from 'node:zlib'
import type { Engine } from './engine.js'
import { decodeEntryRecord, type EntryRecord, entryKey, positionOfKey } from './entry-record.js'
import { type LedgerState, type LogState, lastLedger, replaceLast } from './log-state.js'

/** Completes a stored log: what its open ledger holds is told by that ledger's last entry. */
export function withOpenLedger(engine: Engine, state: LogState): LogState {
  const ledger = lastLedger(state)
  const last = lastRecord(engine, ledger.ledgerId)
  return last === undefined ? state : replaceLast(state, ledgerAfter(ledger, last.entryId, last.record))
}

/**
 * After the machine itself went down, file data of the last moments may be missing where flushes were left to the
 * operating system: cuts the open ledger at the first entry whose data is not what was written. Not needed after the
 * process alone was killed: what it had written is then in the page cache.
 */
export async function cutDamagedTail(engine: Engine, name: string, state: LogState): Promise<LogState> {
  const ledger = lastLedger(state)
  for (let entryId = 0; entryId < ledger.entries; entryId++) {
    const record = recordAt(engine, ledger.ledgerId, entryId)
    if (record !== undefined && (!record.inFile || (await isWhole(engine, ledger.ledgerId, record)))) continue
    engine.log.warn(
      { ledger: name, ledgerId: ledger.ledgerId, entryId, lost: ledger.entries - entryId },
      'entries that had not reached the disk when the machine went down are cut off',
    )
    return cutAt(engine, state, ledger, entryId)
  }
  return state
}

async function cutAt(
  engine: Engine,
  state: LogState,
  ledger: LedgerState,
  entries: number,
): Promise<LogState> {
  await engine.committer.write((puts) => {
    for (let entryId = entries; entryId < ledger.entries; entryId++) {
      puts.push({ table: engine.database.entries, key: entryKey(ledger.ledgerId, entryId), value: undefined })
    }
  })
  const emptied = { ...ledger, entries: 0, messages: 0, bytes: 0, fileBytes: 0, maxTimestampMs: -1 }
  const last = entries === 0 ? undefined : recordAt(engine, ledger.ledgerId, entries - 1)
  const cut = last === undefined ? emptied : ledgerAfter(ledger, entries - 1, last)
  const end = cut.firstIndex + cut.messages
  const replaced = replaceLast(state, cut)
  if (state.start.index <= end) return replaced
  return { ...replaced, start: { ledgerId: cut.ledgerId, entryId: cut.entries, batchIndex: 0, index: end } }
}

const ledgerAfter = (ledger: LedgerState, entryId: number, record: EntryRecord): LedgerState => ({
  ...ledger,
  entries: entryId + 1,
  messages: record.firstIndex + record.messageCount - ledger.firstIndex,
  bytes: record.ledgerBytes,
  fileBytes: record.inFile ? record.filePosition + record.length : record.filePosition,
  maxTimestampMs: record.runningMaxTimestampMs,
})

function recordAt(engine: Engine, ledgerId: number, entryId: number): EntryRecord | undefined {
  const value = engine.database.entries.getBinaryFast(entryKey(ledgerId, entryId))
  return value === undefined ? undefined : decodeEntryRecord(value)
}

function lastRecord(engine: Engine, ledgerId: number): { entryId: number; record: EntryRecord } | undefined {
  const range = { start: entryKey(ledgerId + 1, 0), end: entryKey(ledgerId, 0), reverse: true, limit: 2 }
  for (const { key, value } of engine.database.entries.getRange(range)) {
    const position = positionOfKey(key)
    if (position.ledgerId === ledgerId) return { entryId: position.entryId, record: decodeEntryRecord(value) }
  }
  // A range that runs backwards ends before its last key.
  const record = recordAt(engine, ledgerId, 0)
  return record === undefined ? undefined : { entryId: 0, record }
}

async function isWhole(engine: Engine, ledgerId: number, record: EntryRecord): Promise<boolean> {
  try {
    const data = await engine.files.read(ledgerId, record.filePosition, record.length)
    return crc32(data) === record.crc32
  } catch {
    return false
  }
}
