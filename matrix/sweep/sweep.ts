import { setTimeout as delay } from 'node:timers/promises'
import type { ReadyClient } from '../clients/types.js'
import type { KafkaSecurity } from '../driver/messages.js'
import { rawDriver, startDriver, type TypedDriver } from '../driver/process.js'
import type { RawOps } from '../driver/raw-messages.js'
import type { Target } from '../targets/types.js'
import { leftInKafka, sweepKafka } from './kafka.js'
import { leftInPulsar, sweepPulsar } from './pulsar.js'

const LOOKS_MAX = 20
const LOOK_AGAIN_MS = 100

export interface SweepInput {
  readonly target: Pick<Target, 'endpoints' | 'profile' | 'access'>
  /** All names that the run has made begin with it. */
  readonly runId: string
  /** Absent where it could not be made ready: what only it can delete is told as left. */
  readonly raw: ReadyClient | null
  readonly timeoutMs: number
}

/**
 * Deletes what a run has made on a target that outlives it: groups, topics with their subscriptions, users, namespaces
 * and tenants. By the names, so that it finds also what an interrupted or failed scenario left.
 *
 * @returns a line for each thing that is there still, or one that says why nobody knows
 */
export async function sweep(input: SweepInput): Promise<string[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string[]>((resolve) => {
    const seconds = input.timeoutMs / 1000
    timer = setTimeout(
      () => resolve([`what begins with ${input.runId}: not deleted in ${seconds} s`]),
      input.timeoutMs,
    )
  })
  const problem = (error: unknown) => [
    `what begins with ${input.runId}: ${error instanceof Error ? error.message : String(error)}`,
  ]
  return Promise.race([sweepAll(input).catch(problem), late]).finally(() => clearTimeout(timer))
}

async function sweepAll({ target, runId, raw }: SweepInput): Promise<string[]> {
  const { kafka, admin } = target.endpoints
  const left: string[] = []
  if (kafka !== undefined && raw === null) {
    left.push(`groups that begin with ${runId}: the raw client is not ready`)
  }
  if (kafka !== undefined && raw !== null) {
    await withRaw(raw, { kafka, security: { kafka: target.access?.kafka ?? {} } }, async (driver) => {
      await sweepKafka(driver, runId)
      left.push(...(await settled(() => leftInKafka(driver, runId))))
    })
  }
  if (admin === undefined) return left
  const namespaces = [...new Set(['public/default', namespaceOf(target)])]
  const rest = { address: admin, security: target.access?.admin ?? {} }
  await sweepPulsar(rest, runId, namespaces)
  return [...left, ...(await settled(() => leftInPulsar(rest, runId, namespaces)))]
}

/** Brokers hear of a deletion a moment after it was answered. */
async function settled(look: () => Promise<string[]>): Promise<string[]> {
  for (let looks = LOOKS_MAX; ; looks--) {
    const left = await look()
    if (left.length === 0 || looks === 0) return left
    await delay(LOOK_AGAIN_MS)
  }
}

function namespaceOf({ profile }: Pick<Target, 'profile'>): string {
  const declared = profile.answers['MT-1']
  return typeof declared === 'string' ? declared : 'public/default'
}

async function withRaw(
  client: ReadyClient,
  place: { readonly kafka: string; readonly security: { readonly kafka: KafkaSecurity } },
  work: (driver: TypedDriver<RawOps>) => Promise<void>,
): Promise<void> {
  const driver = await startDriver(client)
  try {
    const typed = rawDriver(driver)
    await typed.call('configure', place)
    await work(typed)
  } finally {
    await driver.close()
  }
}
