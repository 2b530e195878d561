import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { startDriver } from '../driver/process.js'
import type { Endpoints } from '../targets/types.js'
import { smokeKafka } from './smoke-kafka.js'
import { smokePulsar } from './smoke-pulsar.js'
import type { ReadyClient } from './types.js'

/** One thing that a driver was asked, and what came of it. */
export interface SmokeCheck {
  readonly what: string
  readonly outcome: 'passed' | 'unsupported' | 'failed'
  readonly detail: string
  readonly milliseconds: number
}

/** Collects checks: a failing one does not end the others. */
export class SmokeRun {
  readonly checks: SmokeCheck[] = []
  /** Part of every name that the run makes. */
  readonly id = randomBytes(4).toString('hex')

  async check(what: string, run: () => Promise<unknown>): Promise<void> {
    const started = performance.now()
    let outcome: SmokeCheck['outcome'] = 'passed'
    let detail = ''
    try {
      await run()
    } catch (error) {
      outcome = error instanceof Error && error.name === 'Unsupported' ? 'unsupported' : 'failed'
      detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    }
    this.checks.push({ what, outcome, detail, milliseconds: Math.round(performance.now() - started) })
  }

  equal(seen: unknown, expected: unknown): void {
    if (isDeepStrictEqual(seen, expected)) return
    throw new Error(`expected ${JSON.stringify(expected)}, seen ${JSON.stringify(seen)}`)
  }

  true(condition: boolean, message: string): void {
    if (!condition) throw new Error(message)
  }
}

/**
 * Drives every op of a client's driver once against a system that is known to be right, and checks the answers: it
 * proves the driver, not the system.
 */
export async function smoke(client: ReadyClient, endpoints: Endpoints): Promise<readonly SmokeCheck[]> {
  const driver = await startDriver(client)
  const run = new SmokeRun()
  try {
    if (client.kind === 'kafka' && endpoints.kafka) await smokeKafka(run, driver, endpoints.kafka)
    else if (client.kind === 'pulsar' && endpoints.pulsar) await smokePulsar(run, driver, endpoints.pulsar)
    else throw new Error(`${client.name} is of kind ${client.kind}, and there is no address for it`)
    if (run.checks.some(({ outcome }) => outcome === 'failed') && process.env.KOP_SMOKE_LOG)
      process.stderr.write(driver.logTail())
  } finally {
    await driver.close()
  }
  return run.checks
}
