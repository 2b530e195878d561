import type { ReadyClient } from '../matrix/clients/types.js'
import type { Driver } from '../matrix/driver/process.js'
import { driverOf, giveBackDriver, lendDriver } from './drivers.js'

interface Configured {
  readonly args: Record<string, unknown>
  readonly driver: Promise<Driver>
}

/** The driver processes of one scenario: the first of each client, which the worker keeps, and more of the scenario's own. */
export class Processes {
  /** All that the scenario has used: their logs tell of a failure. */
  readonly used = new Set<Driver>()
  #configured = new Map<string, Configured>()
  #lent = new Map<string, Promise<Driver>>()
  #paused = new Set<Driver>()
  #lastArgs = new Map<Driver, Record<string, unknown>>()

  /** @param name null: the client's first process */
  async get(client: ReadyClient, name: string | null, args: Record<string, unknown>): Promise<Driver> {
    const key = `${client.kind} ${name ?? ''}`
    const known = this.#configured.get(key)
    const isSame = known !== undefined && JSON.stringify(known.args) === JSON.stringify(args)
    if (isSame && (await known.driver).alive) return known.driver
    const driver = this.#configure(client, name, args)
    this.#configured.set(key, { args, driver })
    return driver
  }

  /** Drivers are pointed at their target again when next used, and let go of what is open. */
  forgetConfigured(): void {
    this.#configured.clear()
  }

  /** @throws Error when the scenario has no process of that name */
  async kill(name: string): Promise<void> {
    await (await this.#ownProcess(name)).kill()
  }

  async pause(name: string): Promise<void> {
    const driver = await this.#ownProcess(name)
    this.#paused.add(driver)
    driver.pause()
  }

  async resume(name: string): Promise<void> {
    const driver = await this.#ownProcess(name)
    driver.resume()
    this.#paused.delete(driver)
  }

  /** The scenario has ended. */
  async giveBack(passed: boolean): Promise<void> {
    const lent = await Promise.allSettled(this.#lent.values())
    this.#lent.clear()
    await Promise.all(
      lent.map(async (each) => {
        if (each.status === 'rejected') return
        const args = this.#lastArgs.get(each.value)
        const isWhole = passed && args !== undefined && !this.#paused.has(each.value)
        await giveBackDriver(each.value, isWhole, args ?? {})
      }),
    )
  }

  async #configure(client: ReadyClient, name: string | null, args: Record<string, unknown>): Promise<Driver> {
    const driver = await (name === null ? driverOf(client) : this.#lend(client, name))
    this.used.add(driver)
    this.#lastArgs.set(driver, args)
    await driver.call('configure', args)
    return driver
  }

  /** One that was killed comes back as a new process. */
  async #lend(client: ReadyClient, name: string): Promise<Driver> {
    const key = `${client.kind} ${name}`
    const known = this.#lent.get(key)
    if (known !== undefined && (await known).alive) return known
    const lent = lendDriver(client)
    this.#lent.set(key, lent)
    return lent
  }

  async #ownProcess(name: string): Promise<Driver> {
    const found = [...this.#lent].filter(([key]) => key.endsWith(` ${name}`)).map(([, driver]) => driver)
    const [first] = found
    if (first === undefined) throw new Error(`the scenario has no process named ${name}`)
    return first
  }
}
