import { type Driver, kafkaDriver, startDriver } from '../driver/process.js'
import type { Endpoints } from '../targets/types.js'
import { loadClients, provisionClient } from './index.js'
import { smokeKafka } from './smoke-kafka.js'
import { smokeKafkaAdmin } from './smoke-kafka-admin.js'
import { smokePulsar } from './smoke-pulsar.js'
import { smokePulsarAdmin } from './smoke-pulsar-admin.js'
import { smokeRaw } from './smoke-raw.js'
import { EnoughSeen, type MakeTopics, type SmokeCheck, SmokeRun } from './smoke-run.js'
import { smokeWrapper } from './smoke-wrapper.js'
import type { ReadyClient } from './types.js'

/** Clients beside a tool or single requests, which make what there is to manage, and read what came of it. */
const BESIDE = {
  kafka: 'kafkajs',
  'kafka-admin': 'kafkajs',
  'pulsar-admin': 'pulsar-client-python',
  raw: 'pulsar-client-python',
}

export interface SmokeOptions {
  readonly signal?: AbortSignal
  /** Leaves the rest when one check has failed. */
  readonly untilFailure?: boolean
}

/**
 * Drives every op of a client's driver once against a system that is known to be right, and checks the answers: it
 * proves the driver, not the system.
 */
export async function smoke(
  client: ReadyClient,
  endpoints: Endpoints,
  options: SmokeOptions = {},
): Promise<readonly SmokeCheck[]> {
  const { signal, untilFailure = false } = options
  const driver = await startDriver(client, signal === undefined ? {} : { signal })
  const run = new SmokeRun(untilFailure)
  try {
    await smokeOf(run, driver, endpoints)
    if (run.checks.some(({ outcome }) => outcome === 'failed') && process.env.KOP_SMOKE_LOG)
      process.stderr.write(driver.logTail())
  } catch (error) {
    if (!(error instanceof EnoughSeen)) throw error
  } finally {
    await driver.close()
  }
  return run.checks
}

async function smokeOf(run: SmokeRun, driver: Driver, { kafka, pulsar, admin }: Endpoints): Promise<void> {
  const { kind, name } = driver.client
  if (kind === 'kafka' && kafka) {
    return smokeKafka(run, driver, kafka, (topics) => makeTopics(kafka, topics))
  }
  if (kind === 'pulsar' && pulsar) return smokePulsar(run, driver, pulsar)
  if (kind === 'kafka-admin' && kafka) {
    return withClient(BESIDE[kind], (beside) => smokeKafkaAdmin(run, driver, beside, kafka))
  }
  if (kind === 'pulsar-admin' && pulsar && admin) {
    return withClient(BESIDE[kind], (beside) => smokePulsarAdmin(run, driver, beside, { pulsar, admin }))
  }
  if (kind === 'pulsar-kafka-wrapper' && pulsar && admin) return smokeWrapper(run, driver, { pulsar, admin })
  if (kind === 'raw' && kafka && pulsar) {
    return withClient(BESIDE[kind], (beside) => smokeRaw(run, driver, beside, { kafka, pulsar }))
  }
  throw new Error(`${name} is of kind ${kind}, and there is no address for it`)
}

async function makeTopics(bootstrap: string, topics: Parameters<MakeTopics>[0]): Promise<void> {
  await withClient(BESIDE.kafka, async (beside) => {
    const kafka = kafkaDriver(beside)
    await kafka.call('configure', { bootstrap, clientId: 'smoke' })
    await kafka.call('createTopics', { topics: [...topics] })
  })
}

async function withClient(name: string, use: (driver: Driver) => Promise<void>): Promise<void> {
  const spec = loadClients().find((each) => each.name === name)
  const client = spec && (await provisionClient(spec, spec.versions.at(-1) ?? '', {}))
  if (client === undefined || 'reason' in client) throw new Error(`${name} cannot be had: ${client?.reason}`)
  const driver = await startDriver(client)
  try {
    await use(driver)
  } finally {
    await driver.close()
  }
}
