import { asEntryId, asLedgerId, asMessageIndex, comparePositions, type Position } from '../../base/brand.js'
import type { LogPoint } from '../types.js'

/** One ledger of a log. All but the last are closed and never change. */
export interface LedgerState {
  readonly ledgerId: number
  readonly firstIndex: number
  readonly createdMs: number
  readonly open: boolean
  readonly entries: number
  readonly messages: number
  /** Data bytes, wherever they lie. */
  readonly bytes: number
  /** Where the ledger's file ends. */
  readonly fileBytes: number
  /** −1 when no entry has a timestamp. */
  readonly maxTimestampMs: number
}

/** What is known of a log without reading entries. A value: changed by replacing it. */
export interface LogState {
  /** In order, never empty: the last stays, even emptied, as the anchor of the log's end. */
  readonly ledgers: readonly LedgerState[]
  /** The first message kept. */
  readonly start: {
    readonly ledgerId: number
    readonly entryId: number
    readonly batchIndex: number
    readonly index: number
  }
}

export const newLedger = (ledgerId: number, firstIndex: number, createdMs: number): LedgerState => ({
  ledgerId,
  firstIndex,
  createdMs,
  open: true,
  entries: 0,
  messages: 0,
  bytes: 0,
  fileBytes: 0,
  maxTimestampMs: -1,
})

export function newLog(ledgerId: number, createdMs: number): LogState {
  return {
    ledgers: [newLedger(ledgerId, 0, createdMs)],
    start: { ledgerId, entryId: 0, batchIndex: 0, index: 0 },
  }
}

export function lastLedger(state: LogState): LedgerState {
  const last = state.ledgers.at(-1)
  if (last === undefined) throw new Error('a log has no ledger')
  return last
}

export const replaceLast = (state: LogState, ledger: LedgerState): LogState => ({
  ...state,
  ledgers: [...state.ledgers.slice(0, -1), ledger],
})

/** Closes the last ledger and opens another. An empty log's start moves along, so that it stays equal to the end. */
export function withNewLedger(state: LogState, ledgerId: number, createdMs: number): LogState {
  const last = lastLedger(state)
  const index = last.firstIndex + last.messages
  const ledger = newLedger(ledgerId, index, createdMs)
  const empty = state.start.index === index
  return {
    ledgers: [...state.ledgers.slice(0, -1), { ...last, open: false }, ledger],
    start: empty ? { ledgerId, entryId: 0, batchIndex: 0, index } : state.start,
  }
}

export function startPoint({ start }: LogState): LogPoint {
  return {
    position: { ledgerId: asLedgerId(start.ledgerId), entryId: asEntryId(start.entryId) },
    batchIndex: start.batchIndex,
    index: asMessageIndex(start.index),
  }
}

export function endPoint(state: LogState): LogPoint {
  const last = lastLedger(state)
  return {
    position: { ledgerId: asLedgerId(last.ledgerId), entryId: asEntryId(last.entries) },
    batchIndex: 0,
    index: asMessageIndex(last.firstIndex + last.messages),
  }
}

/** The number of the first ledger for which `holds`, given that it holds for all that follow one for which it does. */
export function firstWhere(length: number, holds: (at: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** The ledger that holds a message index, among those not beyond the end. */
export function ledgerOfIndex(state: LogState, index: number): LedgerState | undefined {
  const after = firstWhere(state.ledgers.length, (at) => (state.ledgers[at]?.firstIndex ?? 0) > index)
  for (let at = after - 1; at >= 0; at--) {
    const ledger = state.ledgers[at]
    if (ledger !== undefined && ledger.entries > 0) return ledger
  }
  return undefined
}

/** The first kept entry at or after a position; the end when there is none. */
export function atOrAfter(state: LogState, position: Position): Position {
  const start = startPoint(state).position
  const from = comparePositions(position, start) < 0 ? start : position
  for (const { ledgerId, entries } of state.ledgers) {
    if (ledgerId < from.ledgerId) continue
    const entryId = ledgerId === from.ledgerId ? from.entryId : 0
    if (entryId < entries) return { ledgerId: asLedgerId(ledgerId), entryId: asEntryId(entryId) }
  }
  return endPoint(state).position
}

/** How many kept entries lie from `from` on and before `to`. */
export function entriesBetween(state: LogState, from: Position, to: Position): number {
  let count = 0
  for (const { ledgerId, entries } of state.ledgers) {
    if (ledgerId < from.ledgerId || ledgerId > to.ledgerId) continue
    const first = ledgerId === from.ledgerId ? from.entryId : 0
    const end = ledgerId === to.ledgerId ? Math.min(to.entryId, entries) : entries
    count += Math.max(0, end - first)
  }
  return count
}

/** As stored: closed ledgers whole; of the open one only what its entries do not tell. */
export const encodeLogState = (state: LogState): Buffer =>
  Buffer.from(JSON.stringify({ version: 1, ...state }))

export function decodeLogState(value: Buffer): LogState {
  const stored: { version: number } & LogState = JSON.parse(value.toString())
  if (stored.version !== 1)
    throw new Error(`a log's record has version ${stored.version}; this broker reads version 1`)
  return { ledgers: stored.ledgers, start: stored.start }
}
