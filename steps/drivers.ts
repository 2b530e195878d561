import type { ReadyClient } from '../matrix/clients/types.js'
import { type Driver, startDriver } from '../matrix/driver/process.js'

/** Driver processes live as long as the worker: starting one costs more than a scenario. */
const running = new Map<string, Promise<Driver>>()
/** Those beside a client's first, lent to one scenario at a time. */
const extras = new Set<Driver>()
const idle: Driver[] = []
/** More of them would only take memory: few scenarios need so many. */
const IDLE_MAX = 6
/** A plan of all versions goes through tens of clients: those used longest ago make room. */
const RUNNING_MAX = 6
/** Starts that failed one after another. What did not start so often is not waited for again by every scenario. */
const failedStarts = new Map<string, { times: number; error: unknown }>()
const STARTS_MAX = 2

export async function driverOf(client: ReadyClient): Promise<Driver> {
  const key = titleOf(client)
  const known = await running.get(key)?.catch(() => undefined)
  if (known?.alive) {
    keepLast(key)
    return known
  }
  const failed = failedStarts.get(key)
  if (failed !== undefined && failed.times >= STARTS_MAX) throw failed.error
  const started = startDriver(client)
  running.set(key, started)
  keepLast(key)
  started.then(
    () => failedStarts.delete(key),
    (error: unknown) => failedStarts.set(key, { times: (failed?.times ?? 0) + 1, error }),
  )
  return started
}

function keepLast(key: string): void {
  const driver = running.get(key)
  running.delete(key)
  if (driver !== undefined) running.set(key, driver)
}

/** No scenario is under way: ends the processes, beyond a few, that were used longest ago. */
export async function makeRoom(): Promise<void> {
  const old = [...running].slice(0, Math.max(0, running.size - RUNNING_MAX))
  for (const [key] of old) running.delete(key)
  await Promise.all(old.map(([, starting]) => starting.then((driver) => driver.close()).catch(() => {})))
}

/** A process of its own for one scenario, until `giveBackDriver`: it may be killed. */
export async function lendDriver(client: ReadyClient): Promise<Driver> {
  const at = idle.findIndex((driver) => driver.alive && titleOf(driver.client) === titleOf(client))
  const kept = at >= 0 ? idle.splice(at, 1)[0] : undefined
  if (kept !== undefined) return kept
  const driver = await startDriver(client)
  extras.add(driver)
  return driver
}

/**
 * The scenario has ended. A process that it left whole is kept for another; `configure` lets go of what is open in it,
 * so that no member of an ended scenario stays in its group.
 */
export async function giveBackDriver(
  driver: Driver,
  isWhole: boolean,
  configure: Record<string, unknown>,
): Promise<void> {
  if (isWhole && driver.alive && idle.length < IDLE_MAX) {
    const isConfigured = await driver.call('configure', configure).then(
      () => true,
      () => false,
    )
    if (isConfigured) {
      idle.push(driver)
      return
    }
  }
  extras.delete(driver)
  await driver.kill()
}

export async function closeDrivers(): Promise<void> {
  const drivers = await Promise.allSettled(running.values())
  const all = [...extras, ...drivers.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))]
  running.clear()
  extras.clear()
  idle.length = 0
  await Promise.all(all.map((driver) => driver.close()))
}

const titleOf = ({ name, version }: ReadyClient): string => `${name}@${version}`
