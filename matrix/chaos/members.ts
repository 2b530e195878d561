import { setTimeout as delay } from 'node:timers/promises'
import type { ReadyClient } from '../clients/types.js'
import { DriverCrashed, DriverError, DriverTimedOut, Unsupported } from '../driver/errors.js'
import type { ArgsOf, KafkaOps, ResultOf } from '../driver/messages.js'
import { kafkaDriver, startDriver, type TypedDriver } from '../driver/process.js'
import type { Ledger } from './ledger.js'

export type Membership = Omit<ArgsOf<KafkaOps, 'openMember'>, 'member'>

export interface ProcessOptions {
  readonly client: ReadyClient
  readonly bootstrap: string
  /** Of all its members. */
  readonly membership: Membership
  /** How many members live in a process. */
  readonly members: number
  readonly ledger: Ledger
  readonly signal: AbortSignal
  /** What is no matter of the group: the library has no such membership, or the suite is at fault. */
  onFailure(error: unknown): void
}

const POLL_RECORDS = 500
const POLL_MS = 250
/** A process that hangs answers when it goes on: it is not to be taken for dead meanwhile. */
const CALL_MS = 180_000
const REOPEN_MS = 300

/**
 * A process of members, which comes and goes. Each member polls, processes and commits, one after the other, as an
 * application does that must not lose a record.
 */
export class MemberProcess {
  readonly #name: string
  readonly #options: ProcessOptions
  #driver: TypedDriver<KafkaOps> | null = null
  #isWanted = false
  #lives: Promise<void>[] = []
  #starts = 0

  constructor(name: string, options: ProcessOptions) {
    this.#name = name
    this.#options = options
  }

  /** Starts it if it does not run, and has its members join. */
  async come(): Promise<void> {
    const { client, bootstrap, members, signal, onFailure } = this.#options
    this.#isWanted = true
    if (this.#driver?.driver.alive !== true) {
      const driver = kafkaDriver(await startDriver(client, { signal }))
      await driver.call('configure', { bootstrap, clientId: this.#name })
      this.#driver = driver
    }
    const driver = this.#driver
    const number = ++this.#starts
    const names = Array.from({ length: members }, (_, index) => `${this.#name}-${number}-${index + 1}`)
    this.#lives = names.map((member) => this.#live(driver, member, number).catch(onFailure))
  }

  async kill(): Promise<void> {
    this.#isWanted = false
    await this.#driver?.driver.kill()
    await Promise.all(this.#lives)
  }

  pause(): void {
    this.#driver?.driver.pause()
  }

  resume(): void {
    this.#driver?.driver.resume()
  }

  /**
   * Its members leave, and then it ends, as an application does. A member of kafkajs that joins while it is to leave may
   * stay in the group: it would hold partitions that nobody reads.
   */
  async leave(): Promise<void> {
    this.#isWanted = false
    await Promise.all(this.#lives)
    await this.#driver?.driver.close()
  }

  async close(): Promise<void> {
    this.#isWanted = false
    this.resume()
    await this.#driver?.driver.kill()
    await Promise.all(this.#lives)
  }

  get logTail(): string {
    return this.#driver?.driver.logTail() ?? ''
  }

  async #live(driver: TypedDriver<KafkaOps>, member: string, number: number): Promise<void> {
    const isOn = () => this.#isWanted && this.#starts === number && driver.driver.alive
    while (isOn()) {
      try {
        await driver.call('openMember', { ...this.#options.membership, member }, { timeoutMs: CALL_MS })
        await new Life(driver, member, this.#options.ledger).goOn(isOn)
      } catch (error) {
        if (error instanceof DriverCrashed || error instanceof DriverTimedOut) return
        if (!(error instanceof DriverError)) throw error
        // The library has given the member up, as when its broker is gone for long: applications make another.
        await delay(REOPEN_MS)
      }
      await driver.call('closeMember', { member }, { timeoutMs: CALL_MS }).catch(ignoreDriverError)
    }
  }
}

function ignoreDriverError(error: unknown): void {
  if (error instanceof Unsupported || !(error instanceof Error)) throw error
}

/** One membership, from its opening to its closing. */
class Life {
  readonly #driver: TypedDriver<KafkaOps>
  readonly #member: string
  readonly #ledger: Ledger
  /** By partition, the place that the next commit is sure to hold. */
  readonly #owed = new Map<number, bigint>()
  #events = -1
  #count = 0

  constructor(driver: TypedDriver<KafkaOps>, member: string, ledger: Ledger) {
    this.#driver = driver
    this.#member = member
    this.#ledger = ledger
  }

  async goOn(isOn: () => boolean): Promise<void> {
    await this.#look()
    let isOwing = false
    while (isOn()) {
      const records = await this.#poll()
      for (const [partition, offset] of endsOf(records)) this.#owed.set(partition, offset)
      // What was refused, as while the broker is away, is committed with what comes next, or alone.
      isOwing ||= records.length > 0
      const isCommitted: boolean = isOwing && (await this.#commit())
      isOwing &&= !isCommitted
      const eventsBefore = this.#events
      await this.#look()
      // The member commits what it still has: all that it was given, if nothing was taken from it meanwhile.
      if (this.#events !== eventsBefore) this.#owed.clear()
      if (isCommitted) {
        this.#ledger.confirmed(this.#owed)
        this.#owed.clear()
      }
    }
  }

  async #poll(): Promise<Records> {
    const args = { member: this.#member, count: POLL_RECORDS, timeoutMs: POLL_MS }
    const { records } = await this.#driver.call('memberPoll', args, { timeoutMs: CALL_MS })
    for (const { value } of records) this.#ledger.processed(idOf(value))
    return records
  }

  async #commit(): Promise<boolean> {
    try {
      await this.#driver.call('memberCommit', { member: this.#member }, { timeoutMs: CALL_MS })
      return true
    } catch (error) {
      if (!(error instanceof DriverError)) throw error
      this.#ledger.refusedCommit(error.name)
      return false
    }
  }

  async #look(): Promise<void> {
    const args = { member: this.#member, count: this.#count, timeoutMs: 1 }
    const seen = await this.#driver.call('assignment', args, { timeoutMs: CALL_MS })
    this.#events = seen.history.length
    this.#count = seen.partitions.length
    if (seen.generation !== undefined && seen.memberId !== undefined && seen.memberId !== '')
      this.#ledger.owns(seen.generation, seen.memberId, seen.partitions)
  }
}

type Records = ResultOf<KafkaOps, 'memberPoll'>['records']

/** By partition, the place after the last record. */
function endsOf(records: Records): Map<number, bigint> {
  return new Map(records.map(({ partition, offset }) => [partition, BigInt(offset) + 1n]))
}

/** A record's value is its number in decimal digits. */
export const numberedValue = (id: number): string => Buffer.from(String(id)).toString('base64')
const idOf = (value: string | null): number => Number(Buffer.from(value ?? '', 'base64').toString())
