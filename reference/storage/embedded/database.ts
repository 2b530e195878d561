import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { StorageError } from '../types.js'
import { Checkpoints } from './checkpoints.js'
import { checkHeaders } from './lmdb-file.js'
import { messageOf } from './lock.js'

export type Table = Database<Buffer, Buffer>

/** One change of a transaction; `value` undefined removes. */
export interface Put {
  readonly table: Table
  readonly key: Buffer
  readonly value: Buffer | undefined
}

/** LMDB's flags of a transaction, by the names that its package gives them. */
const abortable = 1
const synchronousCommit = 2
const noSyncFlush = 0x10000

export interface IndexOptions {
  /** Whether a commit is on disk when it is acknowledged. */
  readonly sync: boolean
  /** Without `sync`: a checkpoint could not be taken; the next one tries again. */
  readonly onCheckpointFailed: (error: unknown) => void
}

/** The small things, in one LMDB environment: entry records, the ledgers of each log, cursors, metadata. */
export class IndexDatabase {
  readonly entries: Table
  readonly logs: Table
  readonly cursors: Table
  readonly metadata: Table
  /** The engine's own: next ledger id, boot id, and ledgers whose space is yet to be given back. */
  readonly engine: Table
  readonly #root: RootDatabase<Buffer, Buffer>
  /** Undefined where each commit is flushed. */
  readonly #checkpoints: Checkpoints | undefined

  private constructor(directory: string, root: RootDatabase<Buffer, Buffer>, options: IndexOptions) {
    this.#root = root
    const environment = { pin: () => this.#pin(), flush: () => this.#flush() }
    if (!options.sync) this.#checkpoints = new Checkpoints(directory, environment, options.onCheckpointFailed)
    const table = (name: string): Table => root.openDB(name, { encoding: 'binary', keyEncoding: 'binary' })
    this.entries = table('entries')
    this.logs = table('logs')
    this.cursors = table('cursors')
    this.metadata = table('metadata')
    this.engine = table('engine')
  }

  /** @throws StorageError when the directory cannot be opened as a store. */
  static async open(directory: string, options: IndexOptions): Promise<IndexDatabase> {
    try {
      mkdirSync(directory, { recursive: true })
      Checkpoints.restore(directory)
      checkHeaders(join(directory, 'data.mdb'))
      const root = open<Buffer, Buffer>({
        path: directory,
        encoding: 'binary',
        keyEncoding: 'binary',
        maxDbs: 8,
        // One batch of ours is one transaction; a turn's batch would reject promises that nobody can hold.
        eventTurnBatching: false,
        overlappingSync: false,
      })
      const database = new IndexDatabase(directory, root, options)
      await database.#begin(directory, options)
      return database
    } catch (error) {
      throw new StorageError(
        `${directory}: not a readable store (${messageOf(error)}); restore it from a copy, or start on an empty directory`,
      )
    }
  }

  /** All of it or nothing. Resolves when committed, and on disk under `sync`. @throws StorageError */
  async commit(puts: readonly Put[]): Promise<void> {
    if (this.#checkpoints !== undefined) return this.#commitToPageCache(puts, this.#checkpoints)
    const promises: Promise<boolean>[] = []
    const batch = this.#root.batch(() => {
      for (const { table, key, value } of puts) {
        promises.push(value === undefined ? table.remove(key) : table.put(key, value))
      }
    })
    // Every promise of a failed transaction rejects, each with a further one that holds the cause: all must be taken up.
    const results = await Promise.allSettled([batch, ...promises])
    this.#root.resetReadTxn()
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined)
      throw new StorageError(`the store refused a write: ${await causeOf(failed.reason)}`)
  }

  /** Takes tens of microseconds, less than handing it to another thread and back. */
  #commitToPageCache(puts: readonly Put[], checkpoints: Checkpoints): void {
    try {
      this.#root.transactionSync(
        () => {
          for (const { table, key, value } of puts) {
            if (value === undefined) table.removeSync(key)
            else table.putSync(key, value)
          }
        },
        abortable | synchronousCommit | noSyncFlush,
      )
    } catch (error) {
      throw new StorageError(`the store refused a write: ${messageOf(error)} (is the disk full?)`)
    }
    checkpoints.committed()
  }

  async close(): Promise<void> {
    await this.#root.flushed
    await this.#checkpoints?.close()
    await this.#root.close()
  }

  /** What an earlier run left unflushed is flushed before anything is built on it. */
  async #begin(directory: string, { sync }: IndexOptions): Promise<void> {
    if (!sync) return this.#checkpoints?.take()
    const left = new Checkpoints(directory, { pin: () => () => {}, flush: () => this.#flush() }, () => {})
    await left.close()
  }

  #pin(): () => void {
    this.#root.resetReadTxn()
    const transaction = this.#root.useReadTransaction()
    this.#root.resetReadTxn()
    return () => transaction.done()
  }

  #flush(): Promise<void> {
    // Missing from the package's declarations.
    const root: RootDatabase & { sync?(done: (error: unknown) => void): void } = this.#root
    return new Promise((resolve, reject) => {
      if (root.sync === undefined) throw new Error('this version of lmdb cannot flush')
      root.sync((error) => (error == null ? resolve() : reject(error)))
    })
  }
}

async function causeOf(reason: unknown): Promise<string> {
  const cause = reason instanceof Error && 'commitError' in reason ? reason.commitError : undefined
  try {
    await cause
  } catch (error) {
    return `${messageOf(error)} (is the disk full?)`
  }
  return messageOf(reason)
}
