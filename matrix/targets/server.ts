import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const READY_POLL_MS = 50
const SUPERVISOR = fileURLToPath(new URL('./supervisor.js', import.meta.url))

export interface ServerCommand {
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd: string
  readonly logFile: string
  /** Removed, with the server, should the run die without stopping it. */
  readonly removeWhenOrphaned?: string
}

/** A server under a supervisor that ends it when this process ends, however that happens. */
export class Server {
  readonly pid: number
  /** Resolves when the server has ended, with how: `code 1`, `SIGKILL`. */
  readonly ended: Promise<string>
  #supervisor: ChildProcess
  #exit: string | null = null

  private constructor(supervisor: ChildProcess, pid: number, lines: Interface) {
    this.#supervisor = supervisor
    this.pid = pid
    this.ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.#exit ??= how
        resolve(this.#exit)
      }
      lines.on('line', (line) => {
        const said = JSON.parse(line) as { exit?: string }
        if (said.exit !== undefined) end(said.exit)
      })
      supervisor.on('exit', () => end('supervisor ended'))
    })
  }

  /** @throws Error when the program cannot be started */
  static async start(command: ServerCommand): Promise<Server> {
    const remove = command.removeWhenOrphaned ? ['--remove', command.removeWhenOrphaned] : []
    const options = [SUPERVISOR, '--log', command.logFile, ...remove, '--', command.program, ...command.args]
    const supervisor = spawn(process.execPath, options, {
      cwd: command.cwd,
      env: { ...process.env, ...command.env },
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    })
    supervisor.stdin.on('error', () => {})
    const lines = createInterface({ input: supervisor.stdout })
    const [line] = (await once(lines, 'line')) as [string]
    const { pid, exit } = JSON.parse(line) as { pid?: number; exit?: string }
    if (pid === undefined) throw new Error(`${command.program} could not be started: ${exit ?? 'no reason'}`)
    return new Server(supervisor, pid, lines)
  }

  /** How it ended, or null while it runs. */
  get exit(): string | null {
    return this.#exit
  }

  /** SIGTERM, and SIGKILL after `graceMs`. Resolves when it has ended. */
  async stop(graceMs: number): Promise<void> {
    this.#supervisor.stdin?.write('SIGTERM\n')
    const patience = setTimeout(() => void this.kill(), graceMs)
    await this.ended
    clearTimeout(patience)
  }

  async kill(): Promise<void> {
    this.#supervisor.stdin?.write('SIGKILL\n')
    await this.ended
  }
}

/**
 * Waits until `isReady` answers true.
 * @throws Error when the server ends first or the time is over; the signal's reason when it fires (the server is killed)
 */
export async function untilReady(
  server: Server,
  isReady: () => Promise<boolean>,
  options: {
    name: string
    timeoutMs: number
    signal?: AbortSignal | undefined
    logTail: () => Promise<string>
  },
): Promise<void> {
  const deadline = Date.now() + options.timeoutMs
  try {
    while (!(await isReady())) {
      options.signal?.throwIfAborted()
      if (server.exit !== null) throw await notReady(`ended (${server.exit})`, options)
      if (Date.now() > deadline) throw await notReady(`did not serve within ${options.timeoutMs} ms`, options)
      await delay(READY_POLL_MS)
    }
  } catch (error) {
    await server.kill()
    throw error
  }
}

async function notReady(
  what: string,
  options: { name: string; logTail: () => Promise<string> },
): Promise<Error> {
  const last = (await options.logTail()).trimEnd().split('\n').at(-1) ?? ''
  return new Error(`${options.name} ${what}; its last log line: ${last.slice(0, 300)}`)
}
