import { randomInt } from 'node:crypto'
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PORT_MIN = 20_000
/** Below the ports that the system gives to outgoing connections: a stopped server finds its port free again. */
const PORT_MAX = 32_000
const ATTEMPTS_MAX = 200

/** Ports of 127.0.0.1 that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  for (let attempt = 0; ports.size < count; attempt++) {
    if (attempt > ATTEMPTS_MAX) throw new Error(`no ${count} free ports between ${PORT_MIN} and ${PORT_MAX}`)
    const port = randomInt(PORT_MIN, PORT_MAX)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** The folder that is given, made if need be, or a new one of the system's temporary folder. */
export async function dataFolder(given: string | undefined, name: string): Promise<string> {
  if (given === undefined) return mkdtemp(join(tmpdir(), `kop-conformance-${name}-`))
  await mkdir(given, { recursive: true })
  return given
}

export function removeFolder(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}

const TAIL_BYTES = 16 * 1024

/** The last lines of a log file; empty when there is none. */
export async function tailOf(file: string): Promise<string> {
  const handle = await open(file, 'r').catch(() => null)
  if (handle === null) return ''
  try {
    const { size } = await handle.stat()
    const length = Math.min(size, TAIL_BYTES)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length)
    const text = buffer.toString('utf8', 0, bytesRead)
    return length < size ? text.slice(text.indexOf('\n') + 1) : text
  } finally {
    await handle.close()
  }
}
