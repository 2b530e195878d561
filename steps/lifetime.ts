import { closeDrivers, makeRoom } from './drivers.js'
import { stopInstances } from './instances.js'

/*
 * Drivers and instances of the target are dear to start. A worker of a run goes through many jobs, each a Cucumber run
 * of its own, and keeps them until its end; under plain Cucumber there is one run, and they end with it.
 */
let isKept = false

/** Called once by a worker, which then calls `closeAll` itself. */
export function keepForNextJob(): void {
  isKept = true
}

/** A job's targets differ from those before it. Drivers go on: they are pointed at any target. */
export function closeTargets(): Promise<void> {
  return stopInstances()
}

export async function endOfJob(): Promise<void> {
  await (isKept ? makeRoom() : closeAll())
}

export async function closeAll(): Promise<void> {
  await Promise.all([closeDrivers(), stopInstances()])
}
