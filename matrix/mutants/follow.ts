import { type FSWatcher, watch } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename, dirname } from 'node:path'

export interface Following {
  /** Hands on what is still there, then ends. */
  end(): Promise<void>
}

/** Hands on each whole line of a file that another process writes, as it comes; the file may not be there yet. */
export function followLines(file: string, onLine: (line: string) => void): Following {
  let handle: FileHandle | undefined
  let rest = ''
  let turn: Promise<void> = Promise.resolve()
  const read = async () => {
    handle ??= await open(file).catch(() => undefined)
    for (;;) {
      const { bytesRead, buffer } = (await handle?.read({ buffer: Buffer.alloc(65_536) })) ?? noBytes
      if (bytesRead === 0) return
      const lines = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine(Buffer.from(line, 'latin1').toString())
    }
  }
  const readNext = () => {
    turn = turn.then(read)
    return turn
  }
  const watcher: FSWatcher = watch(dirname(file), (_, name) => {
    if (name === basename(file)) void readNext()
  })
  return {
    async end() {
      watcher.close()
      await readNext()
      await handle?.close()
    },
  }
}

const noBytes = { bytesRead: 0, buffer: Buffer.alloc(0) }
