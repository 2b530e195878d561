import type { MessageIndex, Position } from '../base/brand.js'

/**
 * What the broker asks of a store. Two engines answer: `storage/embedded` (one directory, this process) and, later,
 * `storage/pulsar` (a real cluster, over Pulsar's binary protocol). So nothing here assumes that a position is known
 * before the append is acknowledged, that reads are synchronous, or that this process owns a ledger for ever.
 *
 * The nouns are Pulsar's: a managed ledger is one partition's log, cut into ledgers that roll over, of entries that
 * each hold one message or one batch; a cursor is a durable or non-durable reading place with its acknowledgements.
 */
export interface Storage {
  /** Opens the managed ledger of that name, creating it when there is none. Opening one twice gives the same object. */
  open(name: string): Promise<ManagedLedger>
  /** Removes a managed ledger with its entries and cursors. Ids of its ledgers are never used again. */
  delete(name: string): Promise<void>
  readonly metadata: MetadataStore
  /** Waits for what was acknowledged to be on disk, then lets go of all files. */
  close(): Promise<void>
}

/** Small durable values by key: topics, tenants, schemas, group offsets. A write is durable when its promise resolves. */
export interface MetadataStore {
  get(key: string): Promise<Buffer | undefined>
  /** All pairs whose key starts with `prefix`, in key order (UTF-8 bytes). */
  list(prefix: string): Promise<readonly (readonly [key: string, value: Buffer])[]>
  put(key: string, value: Buffer): Promise<void>
  delete(key: string): Promise<void>
  /** All of it or nothing of it, also after a crash; `undefined` deletes. */
  putAll(pairs: Iterable<readonly [key: string, value: Buffer | undefined]>): Promise<void>
}

/** An entry as given to `append`. */
export interface NewEntry {
  /** Pulsar's "headers and payload": magic and checksum, message metadata, payload; in pieces, never copied together for us. */
  readonly data: readonly Buffer[]
  /** How many messages, and so how many indexes, the entry holds: at least 1. */
  readonly messageCount: number
  /** The largest timestamp of its messages, milliseconds; −1 when none has one. Timestamp look-up searches by it. */
  readonly maxTimestampMs: number
}

export interface AppendedEntry {
  readonly position: Position
  /** The index of the entry's first message. */
  readonly firstIndex: MessageIndex
  /** The broker's clock at the append: PIP-70's broker timestamp. */
  readonly brokerTimestampMs: number
}

export interface StoredEntry extends AppendedEntry {
  readonly messageCount: number
  readonly maxTimestampMs: number
  /** As appended. Read-only, and valid for as long as it is held. */
  readonly data: Buffer
}

/** A place in a log: of the message that is there, or, at the end, of the one that will be. */
export interface LogPoint {
  readonly position: Position
  /** Within the entry: 0 for its first message. */
  readonly batchIndex: number
  readonly index: MessageIndex
}

export interface ReadLimits {
  readonly maxEntries: number
  /** Reading stops before the entry that would pass this; the first entry is always returned. */
  readonly maxBytes: number
}

export interface LedgerInfo {
  readonly ledgerId: Position['ledgerId']
  readonly entries: number
  readonly bytes: number
  readonly open: boolean
}

/** One partition's log. Entries become visible to reads only when they are as durable as the policy asks. */
export interface ManagedLedger {
  readonly name: string
  /** The first message kept; equal to `end` when nothing is. */
  readonly start: LogPoint
  /** One past the last durable message (Pulsar: last add confirmed + 1; Kafka: log end and high watermark). */
  readonly end: LogPoint
  /** The last durable message; undefined when none is kept. */
  readonly last: LogPoint | undefined
  /**
   * Appends entries next to one another in one ledger, all or none. Resolves when they are durable by the configured
   * policy, in the order of the calls.
   * @throws StorageError when the store cannot take them: nothing of them is then ever read.
   */
  append(entries: readonly NewEntry[]): Promise<readonly AppendedEntry[]>
  /** Kept entries in order, from the first at or after `from`. Empty at the end. Never waits for data. */
  read(from: Position, limits: ReadLimits): Promise<readonly StoredEntry[]>
  /** The kept entry that holds the message of that index; undefined outside `start` … `end`. */
  entryOfIndex(index: MessageIndex): Promise<StoredEntry | undefined>
  /** The place of the kept message of that index, without its data; undefined outside `start` … `end`. */
  pointOfIndex?(index: MessageIndex): Promise<LogPoint | undefined>
  /** The first kept entry whose `maxTimestampMs` is at or after the given one. */
  entryOfTimestamp(timestampMs: number): Promise<StoredEntry | undefined>
  /** The last kept entry. */
  lastEntry(): Promise<StoredEntry | undefined>
  ledgers(): readonly LedgerInfo[]
  /** Drops all messages before `index`; whole ledgers' space is reused. Cursors before it move to it. */
  trim(index: MessageIndex): Promise<void>
  /** Closes the current ledger; the next append opens a new one. */
  rollOver(): Promise<void>
  /** Called after entries became visible; the returned function ends it. */
  onAppend(listener: () => void): () => void

  /** Opens the durable cursor of that name; a new one starts at `initial`. */
  openCursor(name: string, initial: Position): Promise<Cursor>
  /** A cursor that nothing remembers. */
  newNonDurableCursor(name: string, initial: Position): Cursor
  /** Names of the durable cursors. */
  cursorNames(): readonly string[]
  deleteCursor(name: string): Promise<void>
}

/** The messages of an entry that are acknowledged. A whole entry is `batchIndexes: undefined`. */
export interface Acknowledgement {
  readonly position: Position
  readonly batchIndexes?: readonly number[] | undefined
}

/** A subscription's place in a log: all before the mark-delete position, and single messages after it, are acknowledged. */
export interface Cursor {
  readonly name: string
  readonly durable: boolean
  /** The first entry that is not wholly acknowledged (Pulsar's mark-delete position + 1). */
  readonly position: Position
  /** Of that first entry, batch indexes below this are acknowledged: a cursor can stand inside a batch. */
  readonly batchIndex: number
  /** Acknowledges single messages or entries. Durable cursors: durable when it resolves. Repeating it is harmless. */
  acknowledge(acks: readonly Acknowledgement[]): Promise<void>
  /** Acknowledges all up to and with this entry; with `batchIndex`, all up to and with that message of it. */
  acknowledgeUpTo(position: Position, batchIndex?: number): Promise<void>
  /** Moves the cursor, forwards or back; forgets single acknowledgements. */
  reset(position: Position, batchIndex?: number): Promise<void>
  /** Whether every message of the entry is acknowledged. */
  isAcknowledged(position: Position): boolean
  /** The acknowledged batch indexes of an entry that is not wholly acknowledged; undefined when there are none. */
  acknowledgedBatchIndexes(position: Position): ReadonlySet<number> | undefined
  /** Entries not yet wholly acknowledged, up to the log's end: Pulsar's backlog unit. */
  backlogEntries(): number
  /** Persists what is pending and ends. */
  close(): Promise<void>
}

/** The store failed (full disk, I/O error). Becomes KAFKA_STORAGE_ERROR on one side, PersistenceError on the other. */
export class StorageError extends Error {
  override readonly name = 'StorageError'
}
