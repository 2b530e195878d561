import { join } from 'node:path'
import type { Clock } from '../../base/clock.js'
import type { Log } from '../../base/log.js'
import type { ManagedLedger, MetadataStore, Storage } from '../types.js'
import { StorageError } from '../types.js'
import { Committer } from './committer.js'
import { IndexDatabase, type Put } from './database.js'
import type { Engine } from './engine.js'
import { entryKey } from './entry-record.js'
import { LedgerFiles } from './ledger-files.js'
import { bootId, lockDirectory, messageOf } from './lock.js'
import { cursorKey } from './log-cursors.js'
import { LogReader } from './log-reader.js'
import { decodeLogState, encodeLogState, type LogState, newLog } from './log-state.js'
import { EmbeddedLedger } from './managed-ledger.js'
import { EmbeddedMetadata } from './metadata.js'
import { cutDamagedTail, withOpenLedger } from './recovery.js'

export interface EmbeddedStorageOptions {
  /** Made when it is not there. One process at a time. */
  readonly directory: string
  /**
   * `sync`: on disk before it is acknowledged, as BookKeeper does. `os`: flushed when the operating system likes, as Kafka
   * does by default; survives the end of the process, not that of the machine.
   */
  readonly durability: 'sync' | 'os'
  readonly entriesPerLedgerMax: number
  readonly bytesPerLedgerMax: number
  /** A ledger older than this is closed by the next append; never, when absent. */
  readonly ledgerRolloverMs?: number
  readonly clock: Clock
  readonly log: Log
  /** For tests: asked before each write; an error makes that write fail, as a full disk would. */
  readonly failWrites?: () => Error | undefined
}

const reclaimEntriesMax = 2000
const nextLedgerIdKey = Buffer.from('next-ledger-id')
const bootIdKey = Buffer.from('boot-id')
const formatKey = Buffer.from('format')
const format = 'kop-embedded-1'
const droppedPrefix = 'dropped/'

/**
 * Opens the store of one directory: entry records, cursors and metadata in LMDB, larger entries' data in a file a ledger.
 * @throws StorageError naming directory and remedy when it is in use, damaged or of another format.
 */
export async function openEmbeddedStorage(options: EmbeddedStorageOptions): Promise<Storage> {
  const unlock = lockDirectory(options.directory)
  try {
    const database = await IndexDatabase.open(join(options.directory, 'index'), {
      sync: options.durability === 'sync',
      onCheckpointFailed: (error) =>
        options.log.warn({ err: error }, 'the index could not be flushed; it will be tried again'),
    })
    const storage = new EmbeddedStorage(options, database, unlock)
    await storage.prepare()
    return storage
  } catch (error) {
    unlock()
    if (error instanceof StorageError) throw error
    throw new StorageError(
      `${options.directory}: not a readable store (${messageOf(error)}); restore it from a copy, or start on an empty directory`,
    )
  }
}

class EmbeddedStorage implements Storage, Engine {
  readonly database: IndexDatabase
  readonly files: LedgerFiles
  readonly committer: Committer
  readonly clock: Clock
  readonly log: Log
  readonly entriesPerLedgerMax: number
  readonly bytesPerLedgerMax: number
  readonly ledgerRolloverMs: number
  readonly metadata: MetadataStore
  readonly #directory: string
  readonly #unlock: () => void
  readonly #logs = new Map<string, Promise<EmbeddedLedger>>()
  #nextLedgerId = 1
  #machineRestarted = false
  #reclaiming: Promise<void> | null = null
  #closed = false

  constructor(options: EmbeddedStorageOptions, database: IndexDatabase, unlock: () => void) {
    const sync = options.durability === 'sync'
    this.#directory = options.directory
    this.#unlock = unlock
    this.clock = options.clock
    this.log = options.log
    this.entriesPerLedgerMax = options.entriesPerLedgerMax
    this.bytesPerLedgerMax = options.bytesPerLedgerMax
    this.ledgerRolloverMs = options.ledgerRolloverMs ?? Number.POSITIVE_INFINITY
    this.database = database
    this.files = new LedgerFiles(join(options.directory, 'ledgers'), sync)
    this.committer = new Committer(this.database, this.files, sync, options.failWrites ?? (() => undefined))
    this.metadata = new EmbeddedMetadata(this.database, this.committer)
  }

  async prepare(): Promise<void> {
    const { engine } = this.database
    const found = engine.get(formatKey)?.toString()
    if (found !== undefined && found !== format) {
      throw new StorageError(
        `${this.#directory}: holds a store of format ${found}, this broker reads ${format}; use the version that wrote it`,
      )
    }
    this.#nextLedgerId = Number(engine.get(nextLedgerIdKey)?.toString() ?? 1)
    const boot = bootId() ?? 'unknown'
    const previous = engine.get(bootIdKey)?.toString()
    this.#machineRestarted = previous !== undefined && (previous !== boot || boot === 'unknown')
    await this.committer.write((puts) => {
      puts.push({ table: engine, key: formatKey, value: Buffer.from(format) })
      puts.push(this.ledgerIdPut())
    })
    // Every log is checked before this boot is remembered: a crash on the way checks again.
    if (this.#machineRestarted) await this.#openAll()
    await this.committer.write((puts) =>
      puts.push({ table: engine, key: bootIdKey, value: Buffer.from(boot) }),
    )
    this.reclaim()
  }

  open(name: string): Promise<ManagedLedger> {
    return this.#openLedger(name)
  }

  async delete(name: string): Promise<void> {
    if (!this.#logs.has(name) && !this.database.logs.doesExist(Buffer.from(name))) return
    const log = await this.#openLedger(name)
    try {
      await log.delete()
    } finally {
      this.#logs.delete(name)
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all([...this.#logs.values()].map(async (log) => (await log).flush()))
    await this.#reclaiming
    await this.committer.close()
    await this.files.close()
    await this.database.close()
    this.#unlock()
  }

  newLedgerId(): number {
    return this.#nextLedgerId++
  }

  ledgerIdPut(): Put {
    return {
      table: this.database.engine,
      key: nextLedgerIdKey,
      value: Buffer.from(String(this.#nextLedgerId)),
    }
  }

  droppedLedgerPut(ledgerId: number): Put {
    return {
      table: this.database.engine,
      key: Buffer.from(`${droppedPrefix}${ledgerId}`),
      value: Buffer.alloc(1),
    }
  }

  reclaim(): void {
    this.#reclaiming ??= this.#reclaim()
      .catch((error: unknown) => {
        this.log.warn({ err: error }, 'space of dropped ledgers is not given back yet')
      })
      .finally(() => {
        this.#reclaiming = null
      })
  }

  #openLedger(name: string): Promise<EmbeddedLedger> {
    const known = this.#logs.get(name)
    if (known !== undefined) return known
    const opening = this.#load(name)
    this.#logs.set(name, opening)
    opening.catch(() => this.#logs.delete(name))
    return opening
  }

  async #openAll(): Promise<void> {
    for (const key of [...this.database.logs.getKeys({})]) await this.#openLedger(key.toString())
  }

  async #load(name: string): Promise<EmbeddedLedger> {
    if (name === '' || name.includes('\0')) throw new StorageError(`"${name}" is no name for a log`)
    const stored = this.database.logs.get(Buffer.from(name))
    const state = stored === undefined ? await this.#create(name) : await this.#restore(name, stored)
    const prefix = cursorKey(name, '')
    const cursors = pairsFrom(this.database.cursors, prefix).map(
      ([key, value]) => [key.subarray(prefix.length).toString(), value] as const,
    )
    return new EmbeddedLedger(name, this, new LogReader(this), state, cursors)
  }

  async #create(name: string): Promise<LogState> {
    const state = newLog(this.newLedgerId(), this.clock.nowMs())
    await this.committer.write((puts) => {
      puts.push({ table: this.database.logs, key: Buffer.from(name), value: encodeLogState(state) })
      puts.push(this.ledgerIdPut())
    })
    return state
  }

  async #restore(name: string, stored: Buffer): Promise<LogState> {
    const state = withOpenLedger(this, decodeLogState(stored))
    return this.#machineRestarted ? cutDamagedTail(this, name, state) : state
  }

  async #reclaim(): Promise<void> {
    for (;;) {
      const dropped = pairsFrom(this.database.engine, Buffer.from(droppedPrefix))
      if (dropped.length === 0) return
      for (const [key] of dropped) {
        const ledgerId = Number(key.toString().slice(droppedPrefix.length))
        await this.files.remove(ledgerId)
        await this.#removeEntries(ledgerId)
        await this.committer.write((puts) =>
          puts.push({ table: this.database.engine, key, value: undefined }),
        )
      }
    }
  }

  async #removeEntries(ledgerId: number): Promise<void> {
    const { entries } = this.database
    const range = { start: entryKey(ledgerId, 0), end: entryKey(ledgerId + 1, 0), limit: reclaimEntriesMax }
    for (;;) {
      const keys = [...entries.getKeys(range)]
      if (keys.length === 0) return
      await this.committer.write((puts) => {
        for (const key of keys) puts.push({ table: entries, key, value: undefined })
      })
    }
  }
}

/** All pairs whose key starts with `prefix`, in key order. */
function pairsFrom(table: IndexDatabase['engine'], prefix: Buffer): (readonly [Buffer, Buffer])[] {
  const pairs: (readonly [Buffer, Buffer])[] = []
  for (const { key, value } of table.getRange({ start: prefix })) {
    if (!key.subarray(0, prefix.length).equals(prefix)) break
    pairs.push([Buffer.from(key), Buffer.from(value)])
  }
  return pairs
}
