import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JarSet } from '../clients/maven.js'
import { runTool } from '../clients/tools.js'
import { type JavaServer, launchJava, propertiesOf, provisionJavaServer } from './java-server.js'
import { askMetadata } from './kafka-answers.js'
import { type NodePorts, settingsWithController, settingsWithZooKeeper } from './kafka-settings.js'
import { ManagedTarget, type Running } from './managed.js'
import { dataFolder, freePorts } from './places.js'
import { shippedProfile } from './profile.js'
import type { Power, StartOptions, Target, TargetKind } from './types.js'
import { isBefore, versionIn, versionsOf } from './versions.js'
import { launchZooKeeper } from './zookeeper.js'

const LOG4J = '2.24.3'
/** Without a controller of its own until then; and until 3.5 that one knew no users with passwords. */
const FIRST_WITH_CONTROLLER = '3.5.0'
const FIRST_WITH_LOG4J_2 = '4.0.0'
const JVM_OPTIONS = ['-Xms64m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
const STOP_GRACE_MS = 20_000
const POWERS: ReadonlySet<Power> = new Set<Power>(['restart', 'kill'])

export const KAFKA_VERSION = versionsOf('kafka').default
/** The broker and its own tools, ProducerPerformance among them. */
export const KAFKA_JARS = kafkaJars(KAFKA_VERSION)

function kafkaJars(version: string): JarSet {
  const logging = isBefore(version, FIRST_WITH_LOG4J_2)
    ? []
    : [`org.apache.logging.log4j:log4j-slf4j-impl:${LOG4J}`, `org.apache.logging.log4j:log4j-core:${LOG4J}`]
  const own = [`org.apache.kafka:kafka_2.13:${version}`, `org.apache.kafka:kafka-tools:${version}`]
  return { name: `apache-kafka-${version}`, artifacts: [...own, ...logging] }
}

/**
 * A real Apache Kafka, one node, from Maven Central: the control of scenarios that are Kafka's alone.
 * @param asked a version; null: the default one. @throws UsageError
 */
export function kafkaKind(asked: string | null = null): TargetKind {
  const version = versionIn('kafka', asked)
  const name = asked === null ? 'kafka' : `kafka@${asked}`
  const profile = shippedProfile('kafka', version)
  return { name, powers: POWERS, profile, start: (options) => startKafka(name, version, options) }
}

async function startKafka(name: string, version: string, options: StartOptions): Promise<Target> {
  const server = await provisionJavaServer(kafkaJars(version), options)
  const dataDir = await dataFolder(options.dataDir, 'kafka')
  const [plain = 0, metadata = 0, sasl = 0] = await freePorts(3)
  const ports = { plain, metadata, sasl }
  const hasController = !isBefore(version, FIRST_WITH_CONTROLLER)
  const configFile = join(dataDir, 'server.properties')
  const own = hasController ? settingsWithController(dataDir, ports) : settingsWithZooKeeper(dataDir, ports)
  await writeFile(configFile, propertiesOf({ ...own, ...options.settings }))
  if (hasController) await formatStorage(server, dataDir, configFile)
  options.onProgress?.(`starting Apache Kafka ${version}`)
  const broker = { version, server, dataDir, configFile, ports, signal: options.signal }
  const launch = () => (hasController ? launchBroker(broker) : launchWithZooKeeper(broker))
  const parts = {
    kind: 'kafka',
    name,
    version,
    endpoints: { kafka: `127.0.0.1:${plain}`, kafkaSasl: `127.0.0.1:${sasl}` },
    profile: shippedProfile('kafka', version),
    powers: POWERS,
    dataDir,
    logFile: join(dataDir, 'server.log'),
    stopGraceMs: STOP_GRACE_MS,
    launch,
  }
  return new ManagedTarget(parts, await launch())
}

interface Broker {
  readonly version: string
  readonly server: JavaServer
  readonly dataDir: string
  readonly configFile: string
  readonly ports: NodePorts
  readonly signal: AbortSignal | undefined
}

function launchBroker(broker: Broker): Promise<Running> {
  return launchJava({
    name: `Apache Kafka ${broker.version}`,
    server: broker.server,
    jvmOptions: JVM_OPTIONS,
    mainAndArgs: ['kafka.Kafka', broker.configFile],
    dataDir: broker.dataDir,
    logFile: join(broker.dataDir, 'server.log'),
    signal: broker.signal,
    isReady: () => serves(broker),
  })
}

/** Over old data it serves when every partition has a leader again: who asks before is told that there is none. */
async function serves({ dataDir, ports }: Broker): Promise<boolean> {
  const seen = await askMetadata(ports.plain)
  return seen !== null && seen.brokers > 0 && seen.led >= (await partitionFolders(dataDir)).length
}

async function partitionFolders(dataDir: string): Promise<string[]> {
  const names = await readdir(join(dataDir, 'log')).catch(() => [])
  return names.filter((name) => /-\d+$/.test(name) && !name.startsWith('__cluster_metadata-'))
}

/** Both end together: a ZooKeeper that is started again still knows whose sessions it has to wait for. */
async function launchWithZooKeeper(broker: Broker): Promise<Running> {
  const zooKeeper = await launchZooKeeper({ ...broker, port: broker.ports.metadata, jvmOptions: JVM_OPTIONS })
  try {
    const running = await launchBroker(broker)
    return {
      async kill() {
        await Promise.all([running.kill(), zooKeeper.kill()])
      },
      async stop(graceMs) {
        await running.stop(graceMs)
        await zooKeeper.stop(graceMs)
      },
    }
  } catch (error) {
    await zooKeeper.kill()
    throw error
  }
}

/** Makes an empty data folder a node's, once. */
export async function formatStorage(server: JavaServer, dataDir: string, configFile: string): Promise<void> {
  if (existsSync(join(dataDir, 'log', 'meta.properties'))) return
  const id = randomBytes(16)
  // An id that begins with `-` would be taken for an option.
  id.writeUInt8(id.readUInt8(0) & 0x7f)
  const clusterId = id.toString('base64url')
  const tool = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', configFile]
  await runTool(server.java, ['-XX:TieredStopAtLevel=1', '-Xshare:auto', '-cp', server.classPath, ...tool], {
    cwd: dataDir,
    failure: 'Apache Kafka could not format its storage',
    remedy: `look into ${configFile}`,
  })
}
