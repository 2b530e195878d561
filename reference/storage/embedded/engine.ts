import type { Clock } from '../../base/clock.js'
import type { Log } from '../../base/log.js'
import type { Committer } from './committer.js'
import type { IndexDatabase, Put } from './database.js'
import type { LedgerFiles } from './ledger-files.js'

/** What the logs of one directory share. */
export interface Engine {
  readonly database: IndexDatabase
  readonly files: LedgerFiles
  readonly committer: Committer
  readonly clock: Clock
  readonly log: Log
  readonly entriesPerLedgerMax: number
  readonly bytesPerLedgerMax: number
  readonly ledgerRolloverMs: number
  /** Ids grow over all logs and are never given twice, also after a restart. */
  newLedgerId(): number
  /** What must go with a transaction that uses a new ledger id. */
  ledgerIdPut(): Put
  /** What must go with a transaction that drops a ledger, so that its space is given back even after a crash. */
  droppedLedgerPut(ledgerId: number): Put
  /** Gives the space of dropped ledgers back, in the background. */
  reclaim(): void
}
