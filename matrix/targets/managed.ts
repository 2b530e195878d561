import { readFile } from 'node:fs/promises'
import { removeFolder, tailOf } from './places.js'
import type { Access, Endpoints, Power, Profile, Target } from './types.js'

/** A server process, as far as a target's life goes. */
export interface Running {
  stop(graceMs: number): Promise<void>
  kill(): Promise<void>
}

/** What makes one kind of target differ from another. */
export interface ManagedParts<Process extends Running> {
  readonly kind: string
  /** Absent: the kind's. */
  readonly name?: string
  readonly version: string
  readonly endpoints: Endpoints
  readonly access?: Access
  readonly profile: Profile
  readonly powers: ReadonlySet<Power>
  readonly dataDir: string
  readonly logFile: string
  /** How long an orderly stop may take before it is killed. */
  readonly stopGraceMs: number
  /** Starts the server over `dataDir` on the target's ports; resolves when it serves. */
  launch(): Promise<Process>
  /** Lets go of what outlasts a stop, such as a container. */
  dispose?(): Promise<void>
  rollOver?(pulsarTopicPartition: string): Promise<void>
  failStore?(process: Process, failing: boolean): Promise<void>
}

/** A target that the run has started, and stops. */
export class ManagedTarget<Process extends Running> implements Target {
  readonly kind: string
  readonly name: string
  readonly version: string
  readonly endpoints: Endpoints
  readonly access: Access
  readonly profile: Profile
  readonly powers: ReadonlySet<Power>
  readonly dataDir: string
  #parts: ManagedParts<Process>
  #process: Process | null
  #isDisposed = false

  constructor(parts: ManagedParts<Process>, process: Process) {
    this.kind = parts.kind
    this.name = parts.name ?? parts.kind
    this.version = parts.version
    this.endpoints = parts.endpoints
    this.access = parts.access ?? {}
    this.profile = parts.profile
    this.powers = parts.powers
    this.dataDir = parts.dataDir
    this.#parts = parts
    this.#process = process
  }

  async stop(options: { keepData?: boolean } = {}): Promise<void> {
    const process = this.#process
    this.#process = null
    await process?.stop(this.#parts.stopGraceMs)
    await this.#dispose()
    if (!options.keepData) await removeFolder(this.dataDir)
  }

  async #dispose(): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    await this.#parts.dispose?.()
  }

  async restart(): Promise<void> {
    this.#need('restart')
    await this.#process?.stop(this.#parts.stopGraceMs)
    this.#process = null
    this.#process = await this.#parts.launch()
  }

  async kill(): Promise<void> {
    this.#need('kill')
    const process = this.#process
    this.#process = null
    await process?.kill()
  }

  async start(): Promise<void> {
    if (this.#process === null) this.#process = await this.#parts.launch()
  }

  async rollOver(pulsarTopicPartition: string): Promise<void> {
    this.#need('roll-over')
    await this.#parts.rollOver?.(pulsarTopicPartition)
  }

  async failStore(failing: boolean): Promise<void> {
    this.#need('fail-store')
    if (this.#process === null) throw new Error(`${this.kind} is not running`)
    await this.#parts.failStore?.(this.#process, failing)
  }

  logTail(): Promise<string> {
    return tailOf(this.#parts.logFile)
  }

  log(): Promise<string> {
    return readFile(this.#parts.logFile, 'utf8')
  }

  #need(power: Power): void {
    if (!this.powers.has(power)) throw new Error(`target ${this.kind} has no power ${power}`)
  }
}
