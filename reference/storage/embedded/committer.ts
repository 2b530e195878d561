import { StorageError } from '../types.js'
import type { IndexDatabase, Put } from './database.js'
import type { LedgerFiles } from './ledger-files.js'
import { messageOf } from './lock.js'

const roundBytesMax = 8 << 20
/** Data up to this long lies in the index database, so that small appends cost one flush; longer data in the ledger's file. */
const inlineBytesMax = 2000
/** Where every round is flushed, a round of so little data lies there as a whole: one flush in place of two. */
const inlineRoundBytesMax = 32 << 10

/** Data for one ledger's file, next to one another from `position` on. */
export interface FileWrite {
  readonly ledgerId: number
  readonly position: number
  readonly pieces: readonly Buffer[]
}

/**
 * Something to make durable. Its calls come in this order: `stage`, `put` (unless its file write failed), then one of
 * the last two.
 */
export interface Job {
  readonly bytes: number
  /** What keeps its order: when one of its jobs fails, those behind it in the round fail as well. */
  readonly log?: object
  /**
   * Chooses places and says what goes to files: data longer than `inlineBytesMax`. `next-round` ends this round before the
   * job: it needs what that one leaves.
   */
  stage?(inlineBytesMax: number): FileWrite | 'next-round' | undefined
  /** Adds to the round's one transaction. */
  put(puts: Put[]): void
  committed(): void
  /** @param staged false when `stage` itself refused. */
  failed(error: StorageError, staged: boolean): void
}

interface Staged {
  readonly job: Job
  readonly write: FileWrite | undefined
}

/**
 * Group commit: jobs that wait together become durable together, over all partitions, by one write a ledger file and one
 * transaction. Rounds never overlap, so that a failed one leaves nothing behind it to take back.
 */
export class Committer {
  readonly #database: IndexDatabase
  readonly #files: LedgerFiles
  readonly #failWrites: () => Error | undefined
  readonly #flushes: boolean
  #waiting: Job[] = []
  #running: Promise<void> | null = null
  #closed = false

  /** @param flushes whether each round is flushed to the disk */
  constructor(
    database: IndexDatabase,
    files: LedgerFiles,
    flushes: boolean,
    failWrites: () => Error | undefined,
  ) {
    this.#database = database
    this.#files = files
    this.#flushes = flushes
    this.#failWrites = failWrites
  }

  submit(job: Job): void {
    if (this.#closed) {
      job.failed(new StorageError('the store is closed'), false)
      return
    }
    this.#waiting.push(job)
    this.#running ??= this.#run()
  }

  /** A job of puts alone. */
  write(put: (puts: Put[]) => void): Promise<void> {
    return new Promise((committed, failed) => this.submit({ bytes: 0, put, committed, failed }))
  }

  /** Finishes what was submitted; later jobs are refused. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    // Calls made in this turn of the event loop go along in the first round.
    await new Promise<void>((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) await this.#round(this.#take())
    this.#running = null
  }

  #take(): readonly Job[] {
    let bytes = 0
    let count = 0
    for (const job of this.#waiting) {
      if (count > 0 && bytes + job.bytes > roundBytesMax) break
      bytes += job.bytes
      count++
    }
    return this.#waiting.splice(0, count)
  }

  async #round(jobs: readonly Job[]): Promise<void> {
    const staged = this.#stage(jobs)
    const failures = await this.#writeFiles(staged)
    const refused: (readonly [Job, StorageError])[] = []
    const stored: Job[] = []
    const puts: Put[] = []
    const brokenLogs = new Map<object, StorageError>()
    for (const { job, write } of staged) {
      const failure = (write && failures.get(write.ledgerId)) ?? (job.log && brokenLogs.get(job.log))
      if (failure === undefined) {
        job.put(puts)
        stored.push(job)
      } else {
        if (job.log !== undefined) brokenLogs.set(job.log, failure)
        refused.push([job, failure])
      }
    }
    const error = await this.#commit(puts)
    for (const job of stored) error === undefined ? job.committed() : job.failed(error, true)
    for (const [job, failure] of refused) job.failed(failure, true)
  }

  #stage(jobs: readonly Job[]): readonly Staged[] {
    const staged: Staged[] = []
    const roundBytes = jobs.reduce((sum, { bytes }) => sum + bytes, 0)
    const isSmall = this.#flushes && roundBytes <= inlineRoundBytesMax
    for (const job of jobs) {
      const write = stageOf(job, isSmall ? inlineRoundBytesMax : inlineBytesMax)
      if (write instanceof StorageError) {
        job.failed(write, false)
        continue
      }
      if (write === 'next-round') {
        this.#waiting.unshift(...jobs.slice(jobs.indexOf(job)))
        break
      }
      staged.push({ job, write })
    }
    return staged
  }

  /** @returns the ledgers whose file could not be written. */
  async #writeFiles(staged: readonly Staged[]): Promise<Map<number, StorageError>> {
    const failures = new Map<number, StorageError>()
    const injected = this.#failWrites()
    await Promise.all(
      mergeWrites(staged).map(async ({ ledgerId, position, pieces }) => {
        try {
          if (injected !== undefined) throw injected
          await this.#files.write(ledgerId, position, pieces)
        } catch (error) {
          failures.set(
            ledgerId,
            new StorageError(`ledger ${ledgerId} cannot be written: ${messageOf(error)}`),
          )
        }
      }),
    )
    return failures
  }

  async #commit(puts: readonly Put[]): Promise<StorageError | undefined> {
    if (puts.length === 0) return undefined
    try {
      const injected = this.#failWrites()
      if (injected !== undefined) throw injected
      await this.#database.commit(puts)
      return undefined
    } catch (error) {
      return error instanceof StorageError
        ? error
        : new StorageError(`the store refused a write: ${messageOf(error)}`)
    }
  }
}

function stageOf(job: Job, inlineMax: number): FileWrite | 'next-round' | StorageError | undefined {
  try {
    return job.stage?.(inlineMax)
  } catch (error) {
    return error instanceof StorageError ? error : new StorageError(messageOf(error))
  }
}

/** Staged writes of one ledger follow one another without a gap: they go out as one. */
function mergeWrites(staged: readonly Staged[]): readonly FileWrite[] {
  const merged = new Map<number, { ledgerId: number; position: number; pieces: Buffer[] }>()
  for (const { write } of staged) {
    if (write === undefined) continue
    const earlier = merged.get(write.ledgerId)
    if (earlier === undefined) merged.set(write.ledgerId, { ...write, pieces: [...write.pieces] })
    else earlier.pieces.push(...write.pieces)
  }
  return [...merged.values()]
}
