import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { StorageError } from '../types.js'
import { messageOf } from './lock.js'

export type Table = Database<Buffer, Buffer>

/** One change of a transaction; `value` undefined removes. */
export interface Put {
  readonly table: Table
  readonly key: Buffer
  readonly value: Buffer | undefined
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

  private constructor(root: RootDatabase<Buffer, Buffer>) {
    this.#root = root
    const table = (name: string): Table => root.openDB(name, { encoding: 'binary', keyEncoding: 'binary' })
    this.entries = table('entries')
    this.logs = table('logs')
    this.cursors = table('cursors')
    this.metadata = table('metadata')
    this.engine = table('engine')
  }

  /** @throws StorageError when the directory cannot be opened as a store. */
  static open(directory: string, sync: boolean): IndexDatabase {
    try {
      mkdirSync(directory, { recursive: true })
      checkHeaders(join(directory, 'data.mdb'))
      return new IndexDatabase(
        open<Buffer, Buffer>({
          path: directory,
          encoding: 'binary',
          keyEncoding: 'binary',
          maxDbs: 8,
          // One batch of ours is one transaction; a turn's batch would reject promises that nobody can hold.
          eventTurnBatching: false,
          // `sync`: a commit is on disk. Else it is in the page cache, with flushes following in an order that a power
          // cut cannot break.
          overlappingSync: !sync,
          separateFlushed: !sync,
        }),
      )
    } catch (error) {
      throw new StorageError(
        `${directory}: not a readable store (${messageOf(error)}); restore it from a copy, or start on an empty directory`,
      )
    }
  }

  /** All of it or nothing. Resolves when committed, and on disk under `sync`. */
  async commit(puts: readonly Put[]): Promise<void> {
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

  async close(): Promise<void> {
    await this.#root.flushed
    await this.#root.close()
  }
}

/**
 * LMDB maps its file without looking, and would take the process down with it when that is something else or cut short:
 * so its two headers are looked at first, and that the trees they name begin within the file. Damage further in is not seen.
 */
function checkHeaders(path: string): void {
  if (!existsSync(path)) return
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    if (size === 0) return
    const first = readHeader(file, 0)
    const second = readHeader(file, first.pageBytes)
    const newest = first.transaction > second.transaction ? first : second
    for (const page of newest.rootPages) {
      if (page !== noPage && (Number(page) + 1) * first.pageBytes > size)
        throw new Error(`${path} is cut short`)
    }
  } finally {
    closeSync(file)
  }
}

const lmdbMagic = 0xbeefc0de
const noPage = 0xffffffffffffffffn

/** The header page of an LMDB file: 24 bytes before it, then magic, version, address, map size, two trees, last page, transaction. */
function readHeader(
  file: number,
  at: number,
): { pageBytes: number; transaction: bigint; rootPages: readonly bigint[] } {
  const header = Buffer.alloc(160)
  if (readSync(file, header, 0, header.length, at) < header.length || header.readUInt32LE(24) !== lmdbMagic) {
    throw new Error('its index is damaged')
  }
  return {
    pageBytes: header.readUInt32LE(48),
    transaction: header.readBigUInt64LE(152),
    rootPages: [header.readBigUInt64LE(48 + 40), header.readBigUInt64LE(96 + 40)],
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
