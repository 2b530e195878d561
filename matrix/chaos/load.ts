import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../../steps/random.js'
import { DriverError } from '../driver/errors.js'
import type { KafkaOps } from '../driver/messages.js'
import type { TypedDriver } from '../driver/process.js'
import type { Ledger } from './ledger.js'
import { numberedValue } from './members.js'

export interface LoadOptions {
  readonly topic: string
  readonly partitions: number
  readonly records: number
  readonly durationMs: number
  readonly random: Random
  readonly ledger: Ledger
  readonly signal: AbortSignal
}

const TICK_MS = 100
const PARTITIONS_A_TICK = 16
const RETRY_MS = 200
const TIMEOUT_MS = 15_000

interface Sent {
  readonly partition: number
  readonly id: number
}

/** Sends numbered records, evenly over the time, to random partitions. What fails is sent again until it is acknowledged. */
export async function sendLoad(driver: TypedDriver<KafkaOps>, options: LoadOptions): Promise<void> {
  const { records, durationMs, random, partitions, signal } = options
  const startMs = performance.now()
  for (let id = 0; id < records && !signal.aborted; ) {
    const elapsedMs = performance.now() - startMs
    const due = Math.min(records, Math.ceil((records * elapsedMs) / durationMs))
    const places = Array.from({ length: PARTITIONS_A_TICK }, () => random.below(partitions))
    const batch: Sent[] = []
    for (; id < due; id++) batch.push({ id, partition: places[random.below(places.length)] ?? 0 })
    if (batch.length > 0) await sendUntilAcknowledged(driver, options, batch)
    else await delay(TICK_MS)
  }
}

async function sendUntilAcknowledged(
  driver: TypedDriver<KafkaOps>,
  { topic, ledger, signal }: LoadOptions,
  batch: readonly Sent[],
): Promise<void> {
  const records = batch.map(({ partition, id }) => ({ partition, key: null, value: numberedValue(id) }))
  while (!signal.aborted) {
    try {
      const answer = await driver.call('produce', { topic, records, timeoutMs: TIMEOUT_MS })
      for (const [index, { offset }] of answer.records.entries()) {
        const sent = batch[index]
        if (sent !== undefined && offset !== undefined)
          ledger.acknowledged(sent.partition, BigInt(offset), sent.id)
      }
      return
    } catch (error) {
      if (!(error instanceof DriverError)) throw error
      await delay(RETRY_MS)
    }
  }
}
