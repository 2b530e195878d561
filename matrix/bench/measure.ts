import type { BenchBroker } from './broker.js'
import type { Sample } from './figures.js'
import type { PerfTools, ProduceRun } from './perf-tools.js'
import type { ProcessUsage } from './process-usage.js'
import { createTopic } from './topics.js'

/** The load of one round. */
export interface Load {
  readonly records: number
  readonly recordBytes: number
  /** Sent and read first and not counted: both sides compile their hot code as they run. */
  readonly warmUpRecords: number
  readonly latencyRecords: number
  readonly latencyRecordsPerSecond: number
}

/** Acknowledged by all replicas, of which there is one: what a client must wait for to lose nothing. */
export const PRODUCER_SETTINGS = { acks: 'all', 'batch.size': 65_536, 'linger.ms': 5 }
/** Nothing waits in the client, so that what is measured is the broker. */
export const LATENCY_PRODUCER_SETTINGS = { acks: 'all', 'linger.ms': 0 }

const WARM_UP_TOPIC = 'bench-warm-up'
const TOPIC = 'bench'
const LATENCY_TOPIC = 'bench-latency'
const MEGABYTE = 1024 * 1024

/** Runs one round against a broker that has just been started. */
export async function measure(broker: BenchBroker, tools: PerfTools, load: Load): Promise<Sample> {
  const { address } = broker
  for (const topic of [WARM_UP_TOPIC, TOPIC, LATENCY_TOPIC]) await createTopic(address, topic)
  const fast = (topic: string, records: number): ProduceRun => ({
    topic,
    records,
    recordBytes: load.recordBytes,
    recordsPerSecondMax: null,
    settings: PRODUCER_SETTINGS,
  })
  await tools.produce(address, fast(WARM_UP_TOPIC, load.warmUpRecords))
  await tools.consume(address, WARM_UP_TOPIC, load.warmUpRecords)

  const before = await broker.usage()
  const produced = await tools.produce(address, fast(TOPIC, load.records))
  const afterProduce = await broker.usage()
  const consumed = await tools.consume(address, TOPIC, load.records)
  const afterConsume = await broker.usage()
  const paced = await tools.produce(address, {
    ...fast(LATENCY_TOPIC, load.latencyRecords),
    recordsPerSecondMax: load.latencyRecordsPerSecond,
    settings: LATENCY_PRODUCER_SETTINGS,
  })
  const atEnd = await broker.usage()
  return {
    startMs: broker.startMs,
    producePerSecond: produced.recordsPerSecond,
    ...cpu('produceCpuSeconds', before, afterProduce, load.records),
    consumePerSecond: consumed.fetchedRecordsPerSecond,
    ...cpu('consumeCpuSeconds', afterProduce, afterConsume, load.records),
    latencyP50Ms: paced.p50Ms,
    latencyP99Ms: paced.p99Ms,
    latencyAverageMs: paced.averageMs,
    ...cpu('latencyCpuSeconds', afterConsume, atEnd, load.latencyRecords),
    ...(atEnd && {
      residentMegabytes: atEnd.residentBytes / MEGABYTE,
      anonymousMegabytes: atEnd.anonymousBytes / MEGABYTE,
      residentPeakMegabytes: atEnd.residentPeakBytes / MEGABYTE,
    }),
  }
}

function cpu(
  name: 'produceCpuSeconds' | 'consumeCpuSeconds' | 'latencyCpuSeconds',
  from: ProcessUsage | null,
  to: ProcessUsage | null,
  records: number,
): Sample {
  if (from === null || to === null) return {}
  return { [name]: ((to.cpuSeconds - from.cpuSeconds) * 1_000_000) / records }
}
