import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { runTool } from '../clients/tools.js'
import { type JavaServer, launchJava, propertiesOf, provisionJavaServer } from './java-server.js'
import { ManagedTarget } from './managed.js'
import { dataFolder, freePorts } from './places.js'
import { shippedProfile } from './profile.js'
import type { Power, StartOptions, Target, TargetKind } from './types.js'

export const KAFKA_VERSION = '4.1.0'
const LOG4J = '2.24.3'
/** The broker and its own tools, ProducerPerformance among them. */
export const KAFKA_JARS = {
  name: `apache-kafka-${KAFKA_VERSION}`,
  artifacts: [
    `org.apache.kafka:kafka_2.13:${KAFKA_VERSION}`,
    `org.apache.kafka:kafka-tools:${KAFKA_VERSION}`,
    `org.apache.logging.log4j:log4j-slf4j-impl:${LOG4J}`,
    `org.apache.logging.log4j:log4j-core:${LOG4J}`,
  ],
}
const JVM_OPTIONS = ['-Xms64m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
const STOP_GRACE_MS = 20_000
const POWERS: ReadonlySet<Power> = new Set<Power>(['restart', 'kill'])

/** A real Apache Kafka, one node of KRaft, from Maven Central: the control of scenarios that are Kafka's alone. */
export function kafkaKind(): TargetKind {
  return { name: 'kafka', powers: POWERS, profile: shippedProfile('kafka'), start: startKafka }
}

async function startKafka(options: StartOptions): Promise<Target> {
  const server = await provisionJavaServer(KAFKA_JARS, options)
  const dataDir = await dataFolder(options.dataDir, 'kafka')
  const [port = 0, controllerPort = 0, saslPort = 0] = await freePorts(3)
  const logFile = join(dataDir, 'server.log')
  const configFile = join(dataDir, 'server.properties')
  await writeFile(
    configFile,
    propertiesOf({
      ...kafkaSettings(dataDir, port, controllerPort),
      ...withPasswords(port, controllerPort, saslPort),
      ...options.settings,
    }),
  )
  await formatStorage(server, dataDir, configFile)
  options.onProgress?.(`starting Apache Kafka ${KAFKA_VERSION}`)
  const launch = () =>
    launchJava({
      name: `Apache Kafka ${KAFKA_VERSION}`,
      server,
      jvmOptions: JVM_OPTIONS,
      mainAndArgs: ['kafka.Kafka', configFile],
      dataDir,
      logFile,
      signal: options.signal,
      isReady: () => accepts(port),
    })
  const parts = {
    kind: 'kafka',
    version: KAFKA_VERSION,
    endpoints: { kafka: `127.0.0.1:${port}`, kafkaSasl: `127.0.0.1:${saslPort}` },
    profile: shippedProfile('kafka'),
    powers: POWERS,
    dataDir,
    logFile,
    stopGraceMs: STOP_GRACE_MS,
    launch,
  }
  return new ManagedTarget(parts, await launch())
}

/** Settings of one node that is broker and controller, with its data under `dataDir`. */
export function kafkaSettings(
  dataDir: string,
  port: number,
  controllerPort: number,
): Record<string, string | number> {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(dataDir, 'log'),
    'num.partitions': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    // Scenarios wait for members to time out, and for commits to be dropped.
    'group.min.session.timeout.ms': 100,
    'group.consumer.min.heartbeat.interval.ms': 100,
    'group.consumer.heartbeat.interval.ms': 200,
    'group.consumer.min.session.timeout.ms': 1000,
    'group.consumer.session.timeout.ms': 5000,
    'offsets.retention.check.interval.ms': 200,
    // And for logs to be compacted.
    'log.cleaner.backoff.ms': 200,
    // A killed broker is taken for alive until its session ends, and its successor must wait for that.
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
  }
}

/** A further listener that asks for a password; scenarios make its users. The first one asks nobody for anything. */
function withPasswords(port: number, controllerPort: number, saslPort: number): Record<string, string> {
  const ofClients = `PLAINTEXT://127.0.0.1:${port},SASL_PLAINTEXT://127.0.0.1:${saslPort}`
  const jaas = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  const mechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512']
  return {
    listeners: `${ofClients},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': ofClients,
    'listener.security.protocol.map':
      'PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
    'sasl.enabled.mechanisms': mechanisms.join(','),
    ...Object.fromEntries(
      mechanisms.map((each) => [`listener.name.sasl_plaintext.${each.toLowerCase()}.sasl.jaas.config`, jaas]),
    ),
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

/** A KRaft broker opens its listener when it is registered and unfenced: from then on it serves. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
