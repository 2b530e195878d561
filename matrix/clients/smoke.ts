import { startDriver } from '../driver/process.js'
import type { Endpoints } from '../targets/types.js'
import { smokeKafka } from './smoke-kafka.js'
import { smokePulsar } from './smoke-pulsar.js'
import { type SmokeCheck, SmokeRun } from './smoke-run.js'
import type { ReadyClient } from './types.js'

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
