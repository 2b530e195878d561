import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StorageError } from '../types.js'

/**
 * Keeps a second process off a data directory. The lock file names its holder: process id and, where /proc tells it, when
 * that process started, so that a lock left by `kill -9` is known for stale even after the id was given to another.
 *
 * @returns how to let go.
 * @throws StorageError when another living process holds the directory.
 */
export function lockDirectory(directory: string): () => void {
  const path = join(directory, 'broker.lock')
  const mine = JSON.stringify({ pid: process.pid, started: startOf(process.pid) })
  try {
    mkdirSync(directory, { recursive: true })
  } catch (error) {
    throw new StorageError(
      `${directory}: cannot be made (${messageOf(error)}); choose a directory you may write to`,
    )
  }
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      writeFileSync(path, mine, { flag: 'wx' })
      return () => rmSync(path, { force: true })
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') {
        throw new StorageError(`${directory}: cannot be written (${messageOf(error)}); check its permissions`)
      }
    }
    removeIfStale(directory, path)
  }
  throw new StorageError(
    `${directory}: its lock ${path} keeps changing hands; stop the other brokers that start on it`,
  )
}

function removeIfStale(directory: string, path: string): void {
  const found = readOrUndefined(path)
  if (found === undefined) return
  const pid = livingHolder(found)
  if (pid !== undefined) {
    throw new StorageError(
      `${directory}: in use by process ${pid}; stop that broker, or choose another directory`,
    )
  }
  const aside = `${path}.stale-${process.pid}`
  try {
    renameSync(path, aside)
    // Another process may have replaced the stale lock by its own between our look and our rename: give it back.
    if (readOrUndefined(aside) !== found) linkSync(aside, path)
    rmSync(aside, { force: true })
  } catch (error) {
    if (codeOf(error) !== 'ENOENT')
      throw new StorageError(`${directory}: ${messageOf(error)}; check its permissions`)
  }
}

function livingHolder(lock: string): number | undefined {
  let holder: { pid?: unknown; started?: unknown }
  try {
    holder = JSON.parse(lock)
  } catch {
    return undefined
  }
  if (typeof holder.pid !== 'number') return undefined
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return undefined
  }
  return holder.started === startOf(holder.pid) ? holder.pid : undefined
}

/** Boot and clock tick at which a process started; null where the system does not tell. */
function startOf(pid: number): string | null {
  const stat = readOrUndefined(`/proc/${pid}/stat`)
  const started = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  return started === undefined ? null : `${bootId()}/${started}`
}

/** Changes when the machine starts anew: what was only in its page cache is then gone. Undefined where it is not told. */
export const bootId = (): string | undefined => readOrUndefined('/proc/sys/kernel/random/boot_id')?.trim()

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
