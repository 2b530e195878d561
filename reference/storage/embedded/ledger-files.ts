import { mkdirSync, writevSync } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'

const handlesMax = 256
/** Into the page cache so much goes in tens of microseconds: less than handing it to another thread and back. */
const writtenAtOnceBytesMax = 128 << 10

interface OpenFile {
  readonly handle: Promise<FileHandle>
  users: number
}

/** The files that hold larger entries' data, one a ledger: written at its end, read anywhere, removed with the ledger. */
export class LedgerFiles {
  readonly #directory: string
  readonly #sync: boolean
  readonly #open = new Map<number, OpenFile>()

  /** @param sync whether a write waits until its bytes are on disk. */
  constructor(directory: string, sync: boolean) {
    this.#directory = directory
    this.#sync = sync
    mkdirSync(directory, { recursive: true })
  }

  /** Writes all pieces from `position` on. A failure leaves bytes that nothing refers to, and the next write covers. */
  write(ledgerId: number, position: number, pieces: readonly Buffer[]): Promise<void> {
    return this.#use(ledgerId, async (handle) => {
      const rest = this.#sync ? pieces : writeAtOnce(handle, pieces, position)
      await writeFully(handle, rest, position + bytesOf(pieces) - bytesOf(rest))
      if (this.#sync) await handle.datasync()
    })
  }

  /** Waits until all that was written is on disk. */
  flush(ledgerId: number): Promise<void> {
    return this.#use(ledgerId, (handle) => handle.datasync())
  }

  /** @throws Error when the file ends before `length` bytes. */
  read(ledgerId: number, position: number, length: number): Promise<Buffer> {
    return this.#use(ledgerId, async (handle) => {
      // Not from the shared pool: a slice that is kept must not hold on to other data.
      const buffer = Buffer.allocUnsafeSlow(length)
      let done = 0
      while (done < length) {
        const { bytesRead } = await handle.read(buffer, done, length - done, position + done)
        if (bytesRead === 0) throw new Error(`${this.#path(ledgerId)} ends before byte ${position + length}`)
        done += bytesRead
      }
      return buffer
    })
  }

  async remove(ledgerId: number): Promise<void> {
    await this.#close(ledgerId)
    await rm(this.#path(ledgerId), { force: true })
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((ledgerId) => this.#close(ledgerId)))
  }

  #path(ledgerId: number): string {
    return join(this.#directory, `${String(ledgerId).padStart(12, '0')}.ledger`)
  }

  async #use<T>(ledgerId: number, task: (handle: FileHandle) => Promise<T>): Promise<T> {
    const file = this.#acquire(ledgerId)
    file.users++
    try {
      return await task(await file.handle)
    } finally {
      file.users--
      this.#evict()
    }
  }

  #acquire(ledgerId: number): OpenFile {
    const known = this.#open.get(ledgerId)
    // Put last again: the map's order is that of use.
    this.#open.delete(ledgerId)
    const file = known ?? { handle: this.#openFile(ledgerId), users: 0 }
    this.#open.set(ledgerId, file)
    if (known === undefined) file.handle.catch(() => this.#forget(ledgerId, file))
    return file
  }

  #forget(ledgerId: number, file: OpenFile): void {
    if (this.#open.get(ledgerId) === file) this.#open.delete(ledgerId)
  }

  async #openFile(ledgerId: number): Promise<FileHandle> {
    try {
      return await open(this.#path(ledgerId), 'r+')
    } catch {
      const handle = await open(this.#path(ledgerId), 'a+').then(async (made) => {
        await made.close()
        return open(this.#path(ledgerId), 'r+')
      })
      if (this.#sync) await syncDirectory(this.#directory)
      return handle
    }
  }

  #evict(): void {
    if (this.#open.size <= handlesMax) return
    for (const [ledgerId, file] of this.#open) {
      if (file.users > 0) continue
      void this.#close(ledgerId)
      if (this.#open.size <= handlesMax) return
    }
  }

  async #close(ledgerId: number): Promise<void> {
    const file = this.#open.get(ledgerId)
    if (file === undefined) return
    this.#open.delete(ledgerId)
    const handle = await file.handle.catch(() => undefined)
    await handle?.close()
  }
}

/** @returns what is left to write: nothing, mostly, and all of what is large. */
function writeAtOnce({ fd }: FileHandle, pieces: readonly Buffer[], position: number): readonly Buffer[] {
  if (bytesOf(pieces) > writtenAtOnceBytesMax) return pieces
  return dropBytes(pieces, writevSync(fd, pieces, position))
}

const bytesOf = (pieces: readonly Buffer[]): number => pieces.reduce((sum, piece) => sum + piece.length, 0)

async function writeFully(handle: FileHandle, pieces: readonly Buffer[], position: number): Promise<void> {
  let rest = pieces
  let at = position
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest, at)
    at += bytesWritten
    rest = dropBytes(rest, bytesWritten)
  }
}

function dropBytes(pieces: readonly Buffer[], count: number): readonly Buffer[] {
  let left = count
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i]
    if (piece === undefined) break
    if (left < piece.length) return [piece.subarray(left), ...pieces.slice(i + 1)]
    left -= piece.length
  }
  return []
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  await handle.sync().finally(() => handle.close())
}
