import { asMessageIndex, comparePositions, type Position } from '../../base/brand.js'
import type { ManagedLedger, ReadLimits } from '../../storage/types.js'
import { decodeKept, type KeptEntry } from './kept-entry.js'

/** Up to where a log was compacted: its first entry that was not. */
export interface Horizon {
  readonly position: Position
  readonly index: number
}

type Probe = Pick<KeptEntry, 'position' | 'firstIndex' | 'messageCount'>

/** Searches go the same ways again and again: so many of their steps are remembered. */
const probesMax = 4096

/** One compacted ledger: what a compaction has kept of a log up to its horizon. It never changes. */
export class Generation {
  readonly horizon: Horizon
  readonly ledger: ManagedLedger
  readonly #probes = new Map<number, Probe>()
  #users = 0
  #idle: (() => void) | undefined

  constructor(ledger: ManagedLedger, horizon: Horizon) {
    this.ledger = ledger
    this.horizon = horizon
  }

  get entries(): number {
    return this.ledger.end.index - this.ledger.start.index
  }

  /** Runs a reading; the ledger stays until it is over. */
  async use<T>(read: () => Promise<T>): Promise<T> {
    this.#users++
    try {
      return await read()
    } finally {
      this.#users--
      if (this.#users === 0) this.#idle?.()
    }
  }

  /** Resolves when nobody reads it any more. Nobody may begin to. */
  async unused(): Promise<void> {
    if (this.#users > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
  }

  /** Kept entries from the first at or after `from`. */
  async read(from: Position, limits: ReadLimits): Promise<readonly KeptEntry[]> {
    const at = await this.#first(({ position }) => comparePositions(position, from) >= 0)
    const point = await this.#pointOf(at)
    return point === undefined ? [] : (await this.ledger.read(point, limits)).map(decodeKept)
  }

  /** The kept entry that holds the message of that index, or the next one. */
  async entryOfIndex(index: number): Promise<KeptEntry | undefined> {
    return this.#entry(await this.#first(({ firstIndex, messageCount }) => firstIndex + messageCount > index))
  }

  async entryOfTimestamp(timestampMs: number): Promise<KeptEntry | undefined> {
    const found = await this.ledger.entryOfTimestamp(timestampMs)
    return found && decodeKept(found)
  }

  lastEntry(): Promise<KeptEntry | undefined> {
    return this.#entry(this.entries - 1)
  }

  async #entry(at: number): Promise<KeptEntry | undefined> {
    const found = await this.ledger.entryOfIndex(asMessageIndex(at))
    return found && decodeKept(found)
  }

  async #pointOf(at: number): Promise<Position | undefined> {
    const index = asMessageIndex(at)
    if (this.ledger.pointOfIndex !== undefined) return (await this.ledger.pointOfIndex(index))?.position
    return (await this.ledger.entryOfIndex(index))?.position
  }

  /** The number of the first entry of which it is true, as it is of all after it; the number of all when of none. */
  async #first(isTrue: (probe: Probe) => boolean): Promise<number> {
    let low = 0
    let high = this.entries
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (isTrue(await this.#probe(middle))) high = middle
      else low = middle + 1
    }
    return low
  }

  async #probe(at: number): Promise<Probe> {
    const known = this.#probes.get(at)
    if (known !== undefined) return known
    const entry = await this.#entry(at)
    if (entry === undefined) throw new Error(`a compacted ledger has no entry ${at}`)
    const { position, firstIndex, messageCount } = entry
    const probe = { position, firstIndex, messageCount }
    if (this.#probes.size < probesMax) this.#probes.set(at, probe)
    return probe
  }
}
