import { execa } from 'execa'
import type { JavaServer } from '../targets/java-server.js'
import {
  type ConsumerFigures,
  type ProducerFigures,
  parseConsumerPerformance,
  parseProducerPerformance,
} from './perf-output.js'

const TIMEOUT_MS = 300_000
/** As Kafka's scripts start its tools. */
const JVM_OPTIONS = ['-Xmx512M', '-Djava.awt.headless=true']

export interface ProduceRun {
  readonly topic: string
  readonly records: number
  readonly recordBytes: number
  /** Null: as fast as it goes. */
  readonly recordsPerSecondMax: number | null
  /** Of the producer, beside the broker's address. */
  readonly settings: Readonly<Record<string, string | number>>
}

/** Kafka's own measuring programs, each run in a process of its own as a user runs them. */
export class PerfTools {
  #kafka: JavaServer
  #signal: AbortSignal

  constructor(kafka: JavaServer, signal: AbortSignal) {
    this.#kafka = kafka
    this.#signal = signal
  }

  /** @throws Error when it fails or does not send every record */
  async produce(address: string, run: ProduceRun): Promise<ProducerFigures> {
    const settings = { 'bootstrap.servers': address, ...run.settings }
    const output = await this.#run('org.apache.kafka.tools.ProducerPerformance', [
      ...['--topic', run.topic],
      ...['--num-records', String(run.records)],
      ...['--record-size', String(run.recordBytes)],
      ...['--throughput', String(run.recordsPerSecondMax ?? -1)],
      '--producer-props',
      ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
    ])
    return parseProducerPerformance(output, run.records)
  }

  /** @throws Error when it fails or reads fewer records */
  async consume(address: string, topic: string, records: number): Promise<ConsumerFigures> {
    const output = await this.#run('org.apache.kafka.tools.ConsumerPerformance', [
      ...['--bootstrap-server', address],
      ...['--topic', topic],
      ...['--messages', String(records)],
    ])
    return parseConsumerPerformance(output, records)
  }

  async #run(mainClass: string, args: readonly string[]): Promise<string> {
    const { java, classPath } = this.#kafka
    const result = await execa(java, [...JVM_OPTIONS, '-cp', classPath, mainClass, ...args], {
      all: true,
      stdin: 'ignore',
      reject: false,
      timeout: TIMEOUT_MS,
      // Ctrl-C reaches the whole group of a terminal; the bench ends its tools itself.
      detached: true,
      cancelSignal: this.#signal,
      forceKillAfterDelay: 1_000,
    })
    this.#signal.throwIfAborted()
    const name = mainClass.slice(mainClass.lastIndexOf('.') + 1)
    if (result.timedOut) throw new Error(`${name} did not end within ${TIMEOUT_MS} ms`)
    if (result.failed && result.exitCode !== 0) {
      throw new Error(`${name} failed: ${result.all.trim().split('\n').at(-1)?.slice(0, 300)}`)
    }
    return result.all
  }
}
