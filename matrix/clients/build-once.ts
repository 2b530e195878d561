import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const LOCK_POLL_MS = 100
const COMPLETE = '.complete'

/**
 * Makes a folder of the cache once. `build` fills a folder beside it, which gets its name only when all is in it: a
 * build that fails, or is killed, leaves nothing that a later run could take for whole. Of several processes one
 * builds and the others wait; should two build all the same, the first to finish wins and both are right.
 *
 * @throws what `build` throws, and the signal's reason when it fires while waiting
 */
export async function buildOnce(
  folder: string,
  build: (unfinished: string) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  if (await isComplete(folder)) return
  await mkdir(dirname(folder), { recursive: true })
  const unlock = await lock(`${folder}.lock`, signal)
  try {
    if (await isComplete(folder)) return
    await removeLeftovers(folder)
    const unfinished = `${folder}.unfinished-${process.pid}-${randomBytes(4).toString('hex')}`
    try {
      await mkdir(unfinished)
      await build(unfinished)
      await writeFile(join(unfinished, COMPLETE), '')
      await rename(unfinished, folder).catch(async (error) => {
        if (!(await isComplete(folder))) throw error
      })
    } finally {
      await rm(unfinished, { recursive: true, force: true })
    }
  } finally {
    await unlock()
  }
}

export async function isComplete(folder: string): Promise<boolean> {
  return stat(join(folder, COMPLETE)).then(
    () => true,
    () => false,
  )
}

/** A short digest of the contents of files, for the name of what is built from them. */
export async function digestOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files)
    hash
      .update(basename(file))
      .update('\0')
      .update(await readFile(file))
  return hash.digest('hex').slice(0, 12)
}

/** Only the holder of the lock builds: what lies there unfinished belongs to a process that died. */
async function removeLeftovers(folder: string): Promise<void> {
  const prefix = `${basename(folder)}.unfinished-`
  for (const name of await readdir(dirname(folder))) {
    if (name.startsWith(prefix)) await rm(join(dirname(folder), name), { recursive: true, force: true })
  }
  await rm(folder, { recursive: true, force: true })
}

/**
 * The lock saves work, it does not guard correctness (the rename does): so a lock whose process is gone is simply
 * taken over.
 */
async function lock(path: string, signal?: AbortSignal): Promise<() => Promise<void>> {
  for (;;) {
    signal?.throwIfAborted()
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' })
      return () => rm(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (await holderIsGone(path)) await rm(path, { force: true })
    else await delay(LOCK_POLL_MS, undefined, signal ? { signal } : {})
  }
}

async function holderIsGone(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => null)
  // Gone already, or made but not yet written: look again.
  if (text === null || text === '') return false
  try {
    process.kill(Number(text), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
