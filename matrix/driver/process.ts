import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { prettifyError, type z } from 'zod'
import type { ReadyClient } from '../clients/types.js'
import { type KafkaAdminOps, kafkaAdminOps, type PulsarAdminOps, pulsarAdminOps } from './admin-messages.js'
import { DriverCrashed, DriverError, DriverTimedOut, Unsupported } from './errors.js'
import { LineSplitter, LogTail } from './lines.js'
import {
  type ArgsOf,
  type KafkaOps,
  kafkaOps,
  type PulsarOps,
  pulsarOps,
  type ResultOf,
  ready as readyLine,
  type request,
  response,
} from './messages.js'
import { type Hanging, pauseGroup, signalGroup } from './pause.js'
import { type RawOps, rawOps } from './raw-messages.js'
import { type WrapperOps, wrapperOps } from './wrapper-messages.js'

export { DriverCrashed, DriverError, DriverTimedOut, Unsupported } from './errors.js'

export interface StartDriverOptions {
  /** Each line of the driver's log, cut to 4 KiB. */
  readonly onLog?: (line: string) => void
  /** Ends the process when aborted. */
  readonly signal?: AbortSignal
  /** Until the ready line. */
  readonly startTimeoutMs?: number
  /** Longest line taken as an answer; a longer one ends the driver. */
  readonly lineBytesMax?: number
}

export interface CallOptions {
  /** Absent: the call's own `timeoutMs` and 10 s more, or 30 s. */
  readonly timeoutMs?: number
}

/** A running driver process. It serves many scenarios one after another. */
export interface Driver {
  readonly client: ReadyClient
  /** What the driver says of itself in its ready line. */
  readonly version: string
  readonly pid: number
  /** False once the process has ended or is being ended: start another. */
  readonly alive: boolean
  /**
   * Sends one operation and waits for its answer.
   * @throws DriverError the library's error; Unsupported; DriverCrashed; DriverTimedOut
   */
  call(op: string, args: Record<string, unknown>, options?: CallOptions): Promise<unknown>
  /** The last 64 KiB of its log. */
  logTail(): string
  /** Closes standard input, waits a moment, then kills the process group. Safe to call twice. */
  close(): Promise<void>
  /** Kills the process group at once, as `kill -9` does; calls under way end with DriverCrashed. */
  kill(): Promise<void>
  /** Stops the process without ending it, as a machine that hangs does; calls wait until `resume`, or time out. */
  pause(): void
  resume(): void
}

const LOG_CHARACTERS_MAX = 64 * 1024
const LOG_LINE_BYTES_MAX = 4 * 1024
/** Several times the largest answer of a scenario: what a driver floods costs no more than this. */
const LINE_BYTES_MAX = 64 * 1024 * 1024
const START_TIMEOUT_MS = 30_000
const CALL_TIMEOUT_MS = 30_000
const CALL_GRACE_MS = 10_000
const CLOSE_GRACE_MS = 1_500

/** Process groups still running: ended with this process, however it exits (a kill -9 aside: then stdin closes). */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) killGroup(child)
})

type ChildProcess = ChildProcessByStdio<Writable, Readable, Readable>

interface Pending {
  readonly id: number
  readonly op: string
  resolve(value: unknown): void
  reject(error: Error): void
  readonly timer: NodeJS.Timeout
}

/**
 * Starts a client's driver and waits for its ready line.
 * @throws DriverCrashed when it cannot be started, ends, or is of the wrong kind; DriverTimedOut
 */
export async function startDriver(client: ReadyClient, options: StartDriverOptions = {}): Promise<Driver> {
  const driver = new DriverProcess(client, options)
  await driver.started
  return driver
}

class DriverProcess implements Driver {
  readonly client: ReadyClient
  readonly started: Promise<void>
  readonly pid: number
  version: string
  #child: ChildProcess
  #log = new LogTail(LOG_CHARACTERS_MAX)
  #pending = new Map<number, Pending>()
  #nextId = 1
  #endReason: string | null = null
  #isReady = false
  #onReady: () => void = () => {}
  #onStartFailed: (error: Error) => void = () => {}
  #ended: Promise<void>
  #onLog: ((line: string) => void) | undefined
  #hanging: Hanging | null = null

  constructor(client: ReadyClient, options: StartDriverOptions) {
    this.client = client
    this.version = client.version
    this.#onLog = options.onLog
    this.#child = spawnDriver(client)
    this.pid = this.#child.pid ?? -1
    this.#ended = this.#watchEnd()
    this.#readOutput(options.lineBytesMax ?? LINE_BYTES_MAX)
    this.started = this.#waitForReady(options.startTimeoutMs ?? START_TIMEOUT_MS)
    this.#followSignal(options.signal)
  }

  get alive(): boolean {
    return this.#endReason === null
  }

  call(op: string, args: Record<string, unknown>, options: CallOptions = {}): Promise<unknown> {
    if (this.#endReason !== null) return Promise.reject(new DriverCrashed(this.#endReason))
    const id = this.#nextId++
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs(args)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#timeOut(id, op, timeoutMs), timeoutMs)
      this.#pending.set(id, { id, op, resolve, reject, timer })
      const sent: z.infer<typeof request> = { id, op, args }
      this.#child.stdin.write(`${JSON.stringify(sent)}\n`)
    })
  }

  logTail(): string {
    return this.#log.text()
  }

  async close(): Promise<void> {
    this.#endReason ??= `${this.#title} was closed`
    this.#child.stdin.end()
    const timer = setTimeout(() => killGroup(this.#child), CLOSE_GRACE_MS)
    await this.#ended
    clearTimeout(timer)
    killGroup(this.#child)
  }

  async kill(): Promise<void> {
    this.#end(`${this.#title} was killed by the scenario`)
    await this.#ended
  }

  pause(): void {
    if (this.alive) this.#hanging ??= pauseGroup(this.pid)
  }

  resume(): void {
    this.#hanging?.release()
    this.#hanging = null
  }

  get #title(): string {
    return `the driver of ${this.client.name} ${this.client.version}`
  }

  #watchEnd(): Promise<void> {
    running.add(this.#child)
    this.#child.on('error', (error) => this.#end(`${this.#title} could not be started: ${error.message}`))
    this.#child.stdin.on('error', () => {})
    return new Promise((resolve) => {
      const finish = (reason: string) => {
        this.#end(reason)
        running.delete(this.#child)
        resolve()
      }
      this.#child.on('error', () => {
        if (this.#child.pid === undefined) finish(`${this.#title} could not be started`)
      })
      this.#child.on('exit', (code, signal) => {
        // What the driver itself started holds its pipes open, and is not to outlive it.
        killGroup(this.#child)
        const how = signal === null ? `exit code ${code}` : `signal ${signal}`
        const reason = `${this.#title} ended by ${how}`
        const fallback = setTimeout(() => finish(reason), 1000)
        this.#child.on('close', () => {
          clearTimeout(fallback)
          finish(reason)
        })
      })
    })
  }

  #waitForReady(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new DriverTimedOut(`${this.#title} said nothing for ${timeoutMs} ms after its start`))
        this.#end(`${this.#title} did not become ready`)
      }, timeoutMs)
      this.#onReady = () => {
        clearTimeout(timer)
        this.#isReady = true
        resolve()
      }
      this.#onStartFailed = (error) => {
        clearTimeout(timer)
        reject(error)
      }
    })
  }

  #followSignal(signal: AbortSignal | undefined): void {
    if (signal === undefined) return
    const abort = () => this.#end(`${this.#title} was stopped with the run`)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    void this.#ended.then(() => signal.removeEventListener('abort', abort))
  }

  #readOutput(lineBytesMax: number): void {
    const output = new LineSplitter(
      lineBytesMax,
      (line) => this.#takeLine(line),
      () => this.#end(`${this.#title} wrote a line of more than ${lineBytesMax} bytes`),
    )
    this.#child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    this.#child.stdout.on('end', () => output.end())
    const log = (line: string) => this.#logLine(line)
    const errors = new LineSplitter(LOG_LINE_BYTES_MAX, log, (start) => log(`${start}…`))
    this.#child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
    this.#child.stderr.on('end', () => errors.end())
  }

  #logLine(line: string): void {
    this.#log.add(line)
    this.#onLog?.(line)
  }

  #takeLine(line: string): void {
    const value = parseObject(line)
    const taken = value !== null && (this.#isReady ? this.#takeAnswer(value) : this.#takeReady(value))
    // What is no answer is a library talking on standard output: it belongs to the log.
    if (!taken) this.#logLine(line.slice(0, LOG_LINE_BYTES_MAX))
  }

  #takeReady(value: Record<string, unknown>): boolean {
    const parsed = readyLine.safeParse(value)
    if (!parsed.success) return false
    const { kind, version } = parsed.data.ready
    if (kind === this.client.kind) {
      this.version = version
      this.#onReady()
    } else {
      this.#end(`${this.#title} is of kind ${kind}, not ${this.client.kind}`)
    }
    return true
  }

  #takeAnswer(value: Record<string, unknown>): boolean {
    const pending = typeof value.id === 'number' ? this.#pending.get(value.id) : undefined
    if (pending === undefined) return false
    this.#pending.delete(pending.id)
    clearTimeout(pending.timer)
    this.#answer(pending, value)
    return true
  }

  #answer(pending: Pending, value: Record<string, unknown>): void {
    const parsed = response.safeParse(value)
    if (!parsed.success || !('error' in value || 'unsupported' in value || 'result' in value)) {
      pending.reject(new DriverCrashed(`${this.#title} answered ${pending.op} with neither result nor error`))
    } else if ('error' in parsed.data) {
      pending.reject(new DriverError(parsed.data.error.name, parsed.data.error.message))
    } else if ('unsupported' in parsed.data) {
      pending.reject(new Unsupported(parsed.data.unsupported))
    } else {
      pending.resolve(value.result)
    }
  }

  #timeOut(id: number, op: string, timeoutMs: number): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    pending?.reject(new DriverTimedOut(`${this.#title} did not answer ${op} within ${timeoutMs} ms`))
    this.#end(`${this.#title} was killed: it did not answer ${op} within ${timeoutMs} ms`)
  }

  /** Ends the process, and every call under way with this reason. The first reason is the one that counts. */
  #end(reason: string): void {
    this.#endReason ??= reason
    killGroup(this.#child)
    this.resume()
    const error = new DriverCrashed(withLastLine(this.#endReason, this.#log.text()))
    this.#onStartFailed(error)
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer)
      pending.reject(error)
    }
    this.#pending.clear()
  }
}

function spawnDriver(client: ReadyClient): ChildProcess {
  const [program = '', ...args] = client.command
  return spawn(program, args, {
    env: { ...process.env, ...client.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C on the terminal is the run's to handle, and a kill takes what the driver started.
    detached: true,
  })
}

function killGroup(child: ChildProcess): void {
  signalGroup(child.pid, 'SIGKILL')
}

function defaultTimeoutMs(args: Record<string, unknown>): number {
  const own = args.timeoutMs
  return typeof own === 'number' ? own + CALL_GRACE_MS : CALL_TIMEOUT_MS
}

function parseObject(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return null
  }
}

function withLastLine(reason: string, log: string): string {
  const last = log.trimEnd().split('\n').at(-1)
  return last === undefined || last === '' ? reason : `${reason}; its last log line: ${last.slice(0, 300)}`
}

/* ---- Typed calls ------------------------------------------------------------------------------------------------ */

type Ops = Record<string, { args: z.ZodType; result: z.ZodType }>

export interface TypedDriver<Kind extends Ops> {
  readonly driver: Driver
  /** Checks the arguments, fills in their defaults, and checks the answer. Throws as `Driver.call` does. */
  call<Op extends keyof Kind & string>(
    op: Op,
    args: ArgsOf<Kind, Op>,
    options?: CallOptions,
  ): Promise<ResultOf<Kind, Op>>
}

export const kafkaDriver = (driver: Driver): TypedDriver<KafkaOps> => typed<KafkaOps>(kafkaOps, driver)
export const pulsarDriver = (driver: Driver): TypedDriver<PulsarOps> => typed<PulsarOps>(pulsarOps, driver)
export const pulsarAdminDriver = (driver: Driver): TypedDriver<PulsarAdminOps> =>
  typed<PulsarAdminOps>(pulsarAdminOps, driver)
export const kafkaAdminDriver = (driver: Driver): TypedDriver<KafkaAdminOps> =>
  typed<KafkaAdminOps>(kafkaAdminOps, driver)
export const wrapperDriver = (driver: Driver): TypedDriver<WrapperOps> =>
  typed<WrapperOps>(wrapperOps, driver)
export const rawDriver = (driver: Driver): TypedDriver<RawOps> => typed<RawOps>(rawOps, driver)

function typed<Kind extends Ops>(ops: Kind, driver: Driver): TypedDriver<Kind> {
  return {
    driver,
    async call(op, args, options) {
      const { args: argsShape, result: resultShape } = ops[op] as Kind[typeof op]
      const result = await driver.call(op, argsShape.parse(args) as Record<string, unknown>, options)
      const parsed = resultShape.safeParse(result)
      if (parsed.success) return parsed.data as ResultOf<Kind, typeof op>
      const { name, version } = driver.client
      throw new DriverCrashed(
        `the driver of ${name} ${version} answered ${op} with ${prettifyError(parsed.error)}`,
      )
    },
  }
}
