import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JarSet } from '../clients/maven.js'
import { unloadTopic } from './admin.js'
import { launchJava, propertiesOf, provisionJavaServer } from './java-server.js'
import { ManagedTarget } from './managed.js'
import { dataFolder, freePorts } from './places.js'
import { shippedProfile } from './profile.js'
import type { Power, StartOptions, Target, TargetKind } from './types.js'
import { isBefore, versionIn, versionsOf } from './versions.js'

/** Until then metadata were in a ZooKeeper, also of a standalone. */
const FIRST_WITHOUT_ZOOKEEPER = '2.11.0'

function pulsarJars(version: string): JarSet {
  const { pins, boms } = versionsOf('pulsar')
  return {
    name: `apache-pulsar-${version}`,
    artifacts: [`org.apache.pulsar:pulsar-broker:${version}`],
    pins: pins[version] ?? [],
    boms: [`org.apache.pulsar:pulsar:${version}`, ...(boms[version] ?? [])],
  }
}

const OPENED_PACKAGES = [
  'java.base/sun.net',
  'java.base/java.nio',
  'java.base/jdk.internal.misc',
  'java.base/jdk.internal.platform',
  'java.base/sun.nio.ch',
  'java.base/java.lang',
  'java.management/sun.management',
  'jdk.management/com.sun.management.internal',
]
const JVM_OPTIONS = [
  ...['-Xms64m', '-Xmx512m', '-XX:MaxDirectMemorySize=512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
  '-Dio.netty.tryReflectionSetAccessible=true',
  ...OPENED_PACKAGES.map((name) => `--add-opens=${name}=ALL-UNNAMED`),
]
const INTERCEPTORS = ['AppendBrokerTimestampMetadataInterceptor', 'AppendIndexMetadataInterceptor']
const STOP_GRACE_MS = 20_000
const READY_REQUEST_TIMEOUT_MS = 2_000
const POWERS: ReadonlySet<Power> = new Set<Power>(['restart', 'kill', 'roll-over'])

/**
 * A real Apache Pulsar, standalone, from Maven Central: the control of scenarios that are Pulsar's alone.
 * @param asked a version; null: the default one. @throws UsageError
 */
export function pulsarKind(asked: string | null = null): TargetKind {
  const version = versionIn('pulsar', asked)
  const name = asked === null ? 'pulsar' : `pulsar@${asked}`
  const profile = shippedProfile('pulsar', version)
  return { name, powers: POWERS, profile, start: (options) => startPulsar(name, version, options) }
}

async function startPulsar(name: string, version: string, options: StartOptions): Promise<Target> {
  const server = await provisionJavaServer(pulsarJars(version), options)
  const dataDir = await dataFolder(options.dataDir, 'pulsar')
  const [port = 0, webPort = 0, ...zooKeeperPorts] = await freePorts(4)
  const logFile = join(dataDir, 'server.log')
  const configFile = join(dataDir, 'standalone.conf')
  const admin = `http://127.0.0.1:${webPort}`
  await writeFile(configFile, propertiesOf({ ...settingsOf(port, webPort), ...options.settings }))
  await writeFile(join(dataDir, 'log4j2.xml'), LOGGING)
  options.onProgress?.(`starting Apache Pulsar ${version}`)
  const flags = [
    ...['--no-functions-worker', '--no-stream-storage', '-a', '127.0.0.1'],
    ...['--bookkeeper-dir', join(dataDir, 'bookkeeper'), ...metadataFlags(version, dataDir, zooKeeperPorts)],
  ]
  const launch = () =>
    launchJava({
      name: `Apache Pulsar ${version}`,
      server,
      jvmOptions: [...JVM_OPTIONS, `-Dlog4j2.configurationFile=${join(dataDir, 'log4j2.xml')}`],
      mainAndArgs: ['org.apache.pulsar.PulsarStandaloneStarter', '--config', configFile, ...flags],
      dataDir,
      logFile,
      signal: options.signal,
      isReady: () => hasDefaultNamespace(admin),
    })
  const parts = {
    kind: 'pulsar',
    name,
    version,
    endpoints: { pulsar: `pulsar://127.0.0.1:${port}`, admin },
    profile: shippedProfile('pulsar', version),
    powers: POWERS,
    dataDir,
    logFile,
    stopGraceMs: STOP_GRACE_MS,
    launch,
    rollOver: (topic: string) => unloadTopic(admin, topic),
  }
  return new ManagedTarget(parts, await launch())
}

function metadataFlags(version: string, dataDir: string, ports: readonly number[]): string[] {
  if (!isBefore(version, FIRST_WITHOUT_ZOOKEEPER)) return ['--metadata-dir', join(dataDir, 'metadata')]
  const [port = 0, bookiePort = 0] = ports
  const folder = ['--zookeeper-dir', join(dataDir, 'zookeeper')]
  return [...folder, '--zookeeper-port', String(port), '--bookkeeper-port', String(bookiePort)]
}

function settingsOf(port: number, webPort: number): Record<string, string | number> {
  return {
    clusterName: 'standalone',
    bindAddress: '127.0.0.1',
    advertisedAddress: '127.0.0.1',
    brokerServicePort: port,
    webServicePort: webPort,
    managedLedgerDefaultEnsembleSize: 1,
    managedLedgerDefaultWriteQuorum: 1,
    managedLedgerDefaultAckQuorum: 1,
    bookkeeperClientHealthCheckEnabled: 'false',
    allowAutoTopicCreation: 'true',
    brokerDeleteInactiveTopicsEnabled: 'false',
    loadBalancerEnabled: 'false',
    functionsWorkerEnabled: 'false',
    webSocketServiceEnabled: 'false',
    transactionCoordinatorEnabled: 'false',
    systemTopicEnabled: 'false',
    topicLevelPoliciesEnabled: 'false',
    acknowledgmentAtBatchIndexLevelEnabled: 'true',
    journalSyncData: 'false',
    httpServerEnabled: 'false',
    allowLoopback: 'true',
    listeningInterface: 'lo',
    // The bookie's own default is the largest message without its metadata: one such message would cut it off.
    nettyMaxFrameSizeBytes: 5_253_120,
    brokerEntryMetadataInterceptors: INTERCEPTORS.map(
      (name) => `org.apache.pulsar.common.intercept.${name}`,
    ).join(','),
    exposingBrokerEntryMetadataToClientEnabled: 'true',
  }
}

/** Warnings only, and none of what floods: the log is for the report of a failure. */
const LOGGING = `<Configuration status="OFF">
  <Appenders><Console name="console"><PatternLayout pattern="%d{HH:mm:ss.SSS} %p %c{1}: %m%n"/></Console></Appenders>
  <Loggers><Root level="WARN"><AppenderRef ref="console"/></Root>
    <Logger name="org.apache.pulsar.broker" level="INFO"/></Loggers>
</Configuration>
`

/** The namespace that clients begin with is made last. */
async function hasDefaultNamespace(admin: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(READY_REQUEST_TIMEOUT_MS)
    const answer = await fetch(`${admin}/admin/v2/namespaces/public`, { signal })
    return answer.ok && (await answer.text()).includes('public/default')
  } catch {
    return false
  }
}
