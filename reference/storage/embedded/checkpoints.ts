import { existsSync, readFileSync, rmSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { newestHeaderPage, restoreHeaderPage } from './lmdb-file.js'
import { bootId } from './lock.js'

/** How long commits wait to become part of a checkpoint. */
const checkpointDelayMs = 1000
const bootIdBytes = 64

/** What checkpoints need of an LMDB environment. */
export interface CheckpointedEnvironment {
  /** Holds on to the last committed state: its pages are not used again until the returned function is called. */
  pin(): () => void
  /** Resolves when all that was committed before the call is on disk. */
  flush(): Promise<void>
}

/**
 * Where flushes are left to the operating system, LMDB's pages reach the disk in any order, and a power cut could leave a
 * header there without the pages that it names. So every second the last state is flushed, its header page remembered in a
 * file beside, and its pages kept from being used again until the next is on disk. When the machine has gone down, that
 * state is put back: commits of the last second or two are lost, and nothing else.
 */
export class Checkpoints {
  readonly #database: string
  readonly #path: string
  readonly #environment: CheckpointedEnvironment
  readonly #onFailed: (error: unknown) => void
  #unpin: () => void = () => {}
  #timer: NodeJS.Timeout | null = null
  #taking: Promise<void> | null = null

  constructor(directory: string, environment: CheckpointedEnvironment, onFailed: (error: unknown) => void) {
    this.#database = join(directory, 'data.mdb')
    this.#path = join(directory, 'checkpoint')
    this.#environment = environment
    this.#onFailed = onFailed
  }

  /** Before the environment is opened: puts the checkpoint's state back if the machine has gone down since. */
  static restore(directory: string): void {
    const path = join(directory, 'checkpoint')
    if (!existsSync(path)) return
    const stored = readFileSync(path)
    const takenUnder = stored.subarray(0, bootIdBytes).toString().trimEnd()
    const boot = bootId()
    if (boot === undefined || takenUnder !== boot) {
      restoreHeaderPage(join(directory, 'data.mdb'), stored.subarray(bootIdBytes))
    }
  }

  /** Something was committed. */
  committed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.take().catch(this.#onFailed)
    }, checkpointDelayMs).unref()
  }

  take(): Promise<void> {
    this.#taking ??= this.#take().finally(() => {
      this.#taking = null
    })
    return this.#taking
  }

  /** All is on disk: no checkpoint is needed, and none must be put back later. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#taking
    await this.#environment.flush()
    rmSync(this.#path, { force: true })
    this.#unpin()
  }

  async #take(): Promise<void> {
    // No commit comes between these two: both run on this thread.
    const page = newestHeaderPage(this.#database)
    const unpin = this.#environment.pin()
    try {
      await this.#environment.flush()
      await this.#write(page)
    } catch (error) {
      unpin()
      throw error
    }
    this.#unpin()
    this.#unpin = unpin
  }

  /** On another thread: a flush takes milliseconds, in which this one would answer nobody. */
  async #write(page: Buffer): Promise<void> {
    const file = await open(`${this.#path}.new`, 'w')
    try {
      await file.writeFile(Buffer.concat([Buffer.from((bootId() ?? '').padEnd(bootIdBytes)), page]))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(`${this.#path}.new`, this.#path)
  }
}
