import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../root.js'
import type { JavaServer } from '../targets/java-server.js'
import { propertiesOf } from '../targets/java-server.js'
import { formatStorage } from '../targets/kafka.js'
import { kafkaSettings } from '../targets/kafka-settings.js'
import { dataFolder, freePorts, removeFolder, tailOf } from '../targets/places.js'
import { Server, type ServerCommand } from '../targets/server.js'
import { untilAnswers } from './answers.js'
import type { Cell, Policy } from './plan.js'
import { type ProcessUsage, usageOf } from './process-usage.js'

const START_TIMEOUT_MS = 90_000
const STOP_GRACE_MS = 30_000

/**
 * What Kafka's own start script gives to a broker (`kafka-server-start.sh`, `kafka-run-class.sh`): the targets of the
 * suite start it with less, to be quick, which would be no fair rival here.
 */
const KAFKA_JVM_OPTIONS = [
  '-Xms1G',
  '-Xmx1G',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Djava.awt.headless=true',
]

/** Kafka flushes a segment after so many messages; unset, it never does itself. */
const KAFKA_FLUSH: Record<Policy, Record<string, string>> = {
  os: {},
  sync: { 'log.flush.interval.messages': '1' },
}
const REFERENCE_FLUSH: Record<Policy, string> = { os: 'false', sync: 'true' }

/** A broker that was started for a round and is stopped after it. */
export interface BenchBroker {
  readonly address: string
  readonly port: number
  /** Of the reference; null: a Kafka has none. */
  readonly metricsUrl: string | null
  /** From the start of its process to the answer to a client's first request. */
  readonly startMs: number
  usage(): Promise<ProcessUsage | null>
  /** In good order; resolves when it answers again, over the same data. */
  restart(): Promise<void>
  /** Stops it and removes its data. */
  stop(): Promise<void>
}

export interface BrokerOptions {
  readonly kafka: JavaServer
  /** Where the reference writes a CPU profile when it stops. */
  readonly profileFolder?: string | undefined
  readonly signal: AbortSignal
}

/** Starts the broker of a cell over empty data. @throws Error when it does not come to serve */
export async function startBroker(cell: Cell, options: BrokerOptions): Promise<BenchBroker> {
  const dataDir = await dataFolder(undefined, `bench-${cell.system}`)
  try {
    const [port = 0, ...others] = await freePorts(3)
    const [, web = 0] = others
    const metricsUrl = cell.system === 'kafka' ? null : `http://127.0.0.1:${web}/metrics`
    const command =
      cell.system === 'kafka'
        ? await kafkaCommand(options.kafka, cell, dataDir, [port, ...others])
        : await referenceCommand(cell, dataDir, [port, ...others], options.profileFolder)
    return await launch(cell, command, { port, metricsUrl }, options.signal)
  } catch (error) {
    await removeFolder(dataDir)
    throw error
  }
}

async function kafkaCommand(
  server: JavaServer,
  { policy }: Cell,
  dataDir: string,
  [port = 0, controllerPort = 0]: readonly number[],
): Promise<ServerCommand> {
  const configFile = join(dataDir, 'server.properties')
  const settings = { ...kafkaSettings(dataDir, port, controllerPort), ...KAFKA_FLUSH[policy] }
  await writeFile(configFile, propertiesOf(settings))
  await formatStorage(server, dataDir, configFile)
  const args = [...KAFKA_JVM_OPTIONS, '-cp', server.classPath, 'kafka.Kafka', configFile]
  return { program: server.java, args, ...placesOf(dataDir) }
}

async function referenceCommand(
  { system, policy }: Cell,
  dataDir: string,
  [kafka = 0, pulsar = 0, web = 0]: readonly number[],
  profileFolder: string | undefined,
): Promise<ServerCommand> {
  const configFile = join(dataDir, 'reference.properties')
  const settings = {
    kafkaListeners: `PLAINTEXT://127.0.0.1:${kafka}`,
    brokerServicePort: pulsar,
    webServicePort: web,
    dataDirectory: join(dataDir, 'data'),
    entryFormat: system === 'reference-kafka' ? 'kafka' : 'pulsar',
    journalSyncData: REFERENCE_FLUSH[policy],
  }
  await writeFile(configFile, propertiesOf(settings))
  const profile = profileFolder
    ? [
        '--cpu-prof',
        `--cpu-prof-dir=${profileFolder}`,
        `--cpu-prof-name=${system}-${policy}-${Date.now()}.cpuprofile`,
      ]
    : []
  const main = join(packageRoot, 'dist', 'reference', 'main.js')
  return { program: process.execPath, args: [...profile, main, '--config', configFile], ...placesOf(dataDir) }
}

const placesOf = (dataDir: string) => ({
  cwd: dataDir,
  logFile: join(dataDir, 'broker.log'),
  removeWhenOrphaned: dataDir,
})

async function launch(
  cell: Cell,
  command: ServerCommand,
  { port, metricsUrl }: Pick<BenchBroker, 'port' | 'metricsUrl'>,
  signal: AbortSignal,
): Promise<BenchBroker> {
  signal.throwIfAborted()
  let server = await Server.start(command)
  const stop = async () => {
    await server.stop(STOP_GRACE_MS)
    await removeFolder(command.cwd)
  }
  const check = () => {
    if (server.exit !== null) throw new Error(`${cell.system} ended (${server.exit})`)
  }
  try {
    const startMs = await untilAnswers(port, { timeoutMs: START_TIMEOUT_MS, signal, check })
    return {
      ...{ address: `127.0.0.1:${port}`, port, metricsUrl, startMs, stop },
      usage: () => usageOf(server.pid),
      async restart() {
        await server.stop(STOP_GRACE_MS)
        server = await Server.start(command)
        await untilAnswers(port, { timeoutMs: START_TIMEOUT_MS, signal, check })
      },
    }
  } catch (error) {
    const last = (await tailOf(command.logFile)).trimEnd().split('\n').at(-1)?.slice(0, 300) ?? ''
    await server.kill()
    if (signal.aborted) throw error
    throw new Error(`${error instanceof Error ? error.message : error}; its last log line: ${last}`)
  }
}
