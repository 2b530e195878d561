import type { ReadyClient } from '../matrix/clients/types.js'
import type { ArgsOf, ResultOf } from '../matrix/driver/messages.js'
import { type Driver, startDriver, type TypedDriver } from '../matrix/driver/process.js'
import { type RawOps, rawOps } from '../matrix/driver/raw-messages.js'

/** Driver processes live as long as the worker: starting one costs more than a scenario. */
const running = new Map<string, Promise<Driver>>()

export async function driverOf(client: ReadyClient): Promise<Driver> {
  const key = `${client.name}@${client.version}`
  const known = await running.get(key)?.catch(() => undefined)
  if (known?.alive) return known
  const started = startDriver(client)
  running.set(key, started)
  return started
}

export async function closeDrivers(): Promise<void> {
  const drivers = await Promise.allSettled(running.values())
  running.clear()
  await Promise.all(drivers.map((each) => (each.status === 'fulfilled' ? each.value.close() : undefined)))
}

export function rawDriver(driver: Driver): TypedDriver<RawOps> {
  return {
    driver,
    async call<Op extends keyof RawOps & string>(op: Op, args: ArgsOf<RawOps, Op>) {
      const shapes = rawOps[op]
      const result = await driver.call(op, shapes.args.parse(args) as Record<string, unknown>)
      return shapes.result.parse(result) as ResultOf<RawOps, Op>
    },
  }
}
