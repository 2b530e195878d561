import { readFileSync } from 'node:fs'
import { type Logger, pino } from 'pino'
import { type Clock, systemClock } from './base/clock.js'
import { hostAndPort } from './base/host-port.js'
import {
  type Config,
  ConfigError,
  isSaslProtocol,
  isTlsProtocol,
  type ListenerAddress,
  protocolOf,
} from './config.js'
import { ConsumerGroups } from './groups/consumer/index.js'
import type { ConsumerGroupLimits } from './groups/consumer/state.js'
import { GroupCoordinator } from './groups/coordinator.js'
import { CursorSync } from './groups/cursor-sync.js'
import type { GroupStore } from './groups/group-store.js'
import { LoadingCoordinator } from './groups/loading.js'
import { OffsetsTopic } from './groups/offsets-topic/index.js'
import { type GroupStep, step } from './groups/step.js'
import type { GroupLimits } from './groups/step-state.js'
import { withSubscriptionStarts } from './groups/subscription-starts.js'
import { dispatcher, findApi, kafkaContext, refuseApiVersions } from './kafka/apis/index.js'
import { StoredProducerIds } from './kafka/apis/producer-ids.js'
import { topicOfFullName } from './kafka/apis/topics.js'
import { type KafkaListener, startKafkaListener } from './kafka/server.js'
import { Metrics } from './metrics.js'
import { offsetMapping } from './offsets/index.js'
import { needs } from './pulsar/admin/rights.js'
import { startAdmin } from './pulsar/admin/server.js'
import type { PulsarContext } from './pulsar/context.js'
import { startPulsarListener } from './pulsar/listener.js'
import { serviceOf } from './pulsar/service.js'
import { openSecurity, readSecurityKeys, type Security } from './security/index.js'
import type { TlsKeys } from './security/tls.js'
import { openEmbeddedStorage } from './storage/embedded/index.js'
import type { Storage } from './storage/types.js'
import type { GroupSubscriptions } from './topics/group-subscriptions.js'
import { createTopics, kafkaNames, type StoredTopics, startCompactionChecks } from './topics/index.js'
import { fullName } from './topics/names.js'
import { topicCompaction } from './topics/topic-compaction.js'
import { isRefusal, type TopicCatalog } from './topics/types.js'

/** How clients reach a running broker. */
export interface BrokerEndpoints {
  /** `host:port` of the first Kafka listener. */
  readonly kafka: string
  readonly pulsar: string
  readonly admin: string
  /** Of each Kafka listener by its name; where there is more than one. */
  readonly kafkaListeners?: Readonly<Record<string, string>>
  /** `pulsar+ssl://host:port` and `https://host:port`, where these ports are served. */
  readonly pulsarTls?: string
  readonly adminTls?: string
  readonly version: string
}

export interface Broker {
  readonly endpoints: BrokerEndpoints
  /** Lets requests under way be answered, closes all connections, then the store. */
  stop(): Promise<void>
}

type KafkaDispatch = ReturnType<typeof dispatcher>

/** Puts something else in a part's place. Only tests do so: wrong variants of the broker prove that the suite sees them. */
export interface PartReplacements {
  readonly storage?: (storage: Storage) => Storage
  /** The topics as Kafka's handlers see them. */
  readonly kafkaTopics?: (topics: TopicCatalog) => TopicCatalog
  /** The topics as Pulsar's commands see them. */
  readonly pulsarTopics?: (topics: TopicCatalog) => TopicCatalog
  readonly kafkaDispatch?: (dispatch: KafkaDispatch) => KafkaDispatch
  /** The rules of the group protocol. */
  readonly groupStep?: (step: GroupStep) => GroupStep
  /** Groups and offsets as the coordinator stores and reads them. */
  readonly groupStore?: (groups: GroupStore) => GroupStore
  /** Groups as Kafka's handlers see them. */
  readonly kafkaGroups?: (groups: GroupCoordinator) => GroupCoordinator
  /** Groups and offsets as cursor sync follows and writes them. */
  readonly followedGroups?: (groups: GroupStore) => GroupStore
  /** Groups as Pulsar's commands and tools tell them of their subscriptions. */
  readonly groupSubscriptions?: (groups: GroupSubscriptions) => GroupSubscriptions
  /** Who is let in, and what they may do. */
  readonly security?: (security: Security) => Security
}

export interface StartBrokerOptions {
  readonly clock?: Clock
  /** Tests: asked before each write to the store; an error makes it fail. */
  readonly failWrites?: () => Error | undefined
  readonly replace?: PartReplacements
}

/** How long clients may take to read what was answered; all listeners have it at the same time. */
const stopGraceMs = 1_500
/** How long a start waits for groups to be loaded. */
const loadGraceMs = 500
const same = <Part>(part: Part): Part => part

/**
 * Starts a broker: the only place where the parts meet. Resolves when all three ports serve.
 * @throws the store's one-line error, or the system's for an address that cannot be had; nothing stays open then.
 */
export async function startBroker(config: Config, options: StartBrokerOptions = {}): Promise<Broker> {
  const clock = options.clock ?? systemClock
  const log = pino({ name: 'reference', level: config.logLevel }, pino.destination({ fd: 2, sync: true }))
  const opened = new Opened()
  try {
    const keys = readSecurityKeys(config)
    const metrics = new Metrics()
    const storage = await openStorage(config, options, clock, log)
    opened.push(() => storage.close())
    const topics = await openTopics(config, storage, clock, log)
    opened.push(() => topics.close())
    const topicsLog = log.child({ part: 'topics' })
    const checkMs = config.logCleanerBackoffMs
    const stopChecks = startCompactionChecks({ catalog: topics, clock, log: topicsLog, checkMs })
    opened.push(async () => stopChecks())
    const offsets = await openOffsets(config, storage, topics, clock, log)
    opened.push(() => offsets.close())
    const cursors = new CursorSync({
      store: (options.replace?.followedGroups ?? same<GroupStore>)(offsets),
      catalog: topics,
      members: () => groups.coordinator,
      clock,
      log: log.child({ part: 'groups' }),
      periodMs: config.kafkaOffsetsSyncPeriodMs,
      onSynced: (lagMs) => metrics.cursorSynced(lagMs),
    })
    metrics.followCursorSync(cursors)
    opened.push(() => cursors.close())
    const groups = loadGroups({
      config,
      replace: options.replace ?? {},
      offsets,
      topics,
      cursors,
      clock,
      log,
    })
    const listeners = new Listeners()
    opened.push(() => listeners.close())
    // With the listeners: members that wait for one another are answered, and hold nobody up.
    listeners.push(async () => groups.close())
    const namespaces = topics.tenants
    const opening = openSecurity({ config, keys, clock, metadata: storage.metadata, namespaces })
    const security = (options.replace?.security ?? same)(await opening)
    const parts = {
      config,
      security,
      replace: options.replace ?? {},
      clock,
      log,
      metrics,
      storage,
      topics,
      offsets,
      groups,
      cursors,
      listeners,
    }
    const kafka = await serveKafka(parts)
    const pulsar = await servePulsar(parts)
    // Mostly they are there by now; clients of a long history are told to come again.
    await Promise.race([groups.loaded, new Promise<void>((resolve) => clock.after(loadGraceMs, resolve))])
    const endpoints = { ...kafka, ...pulsar, version: packageVersion() }
    log.info(
      { ...endpoints, entryFormat: config.entryFormat, offsetMapping: config.offsetMapping },
      'serving',
    )
    return {
      endpoints,
      stop: async () => {
        log.info({}, 'stopping')
        await opened.close()
      },
    }
  } catch (error) {
    await opened.close()
    throw error
  }
}

interface Parts {
  readonly config: Config
  readonly replace: PartReplacements
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly storage: Storage
  readonly topics: StoredTopics
  readonly offsets: OffsetsTopic
  readonly groups: LoadingCoordinator
  readonly cursors: CursorSync
  readonly listeners: Listeners
  readonly security: Security
}

/** What groups are made of. */
type GroupParts = Omit<Parts, 'groups' | 'listeners' | 'metrics' | 'security' | 'storage'>

async function openStorage(
  config: Config,
  options: StartBrokerOptions,
  clock: Clock,
  log: Logger,
): Promise<Storage> {
  const storage = await openEmbeddedStorage({
    directory: config.dataDirectory,
    durability: config.journalSyncData ? 'sync' : 'os',
    entriesPerLedgerMax: config.managedLedgerMaxEntriesPerLedger,
    bytesPerLedgerMax: config.managedLedgerMaxSizePerLedgerMbytes * 1024 * 1024,
    clock,
    log: log.child({ part: 'storage' }),
    ...(options.failWrites === undefined ? {} : { failWrites: options.failWrites }),
  })
  return (options.replace?.storage ?? same)(storage)
}

const openTopics = (config: Config, storage: Storage, clock: Clock, log: Logger): Promise<StoredTopics> =>
  createTopics({
    storage,
    clock,
    log: log.child({ part: 'topics' }),
    mapping: offsetMapping(config.offsetMapping),
    entryFormat: config.entryFormat,
    tailCacheBytesMax: config.kafkaTailCacheSizeMb * 1024 * 1024,
    defaults: { messageBytesMax: config.maxMessageSize },
    retentionCheckMs: config.retentionCheckIntervalInSeconds * 1000,
    retainsNullKeys: config.topicCompactionRetainNullKey,
    namespaces: [
      [config.kafkaTenant, config.kafkaNamespace],
      [config.kafkaMetadataTenant, config.kafkaMetadataNamespace],
    ],
  })

/** What a record and Pulsar's metadata take of a batch, beside the records. */
const batchHeadersBytes = 512
const offsetsBatchBytesMax = 1 << 20

/** The topic of groups and their offsets, found or made; what it holds is yet to be loaded. */
async function openOffsets(
  config: Config,
  storage: Storage,
  topics: StoredTopics,
  clock: Clock,
  log: Logger,
): Promise<OffsetsTopic> {
  const { offsetsTopicName, kafkaMetadataTenant: kafkaTenant, kafkaMetadataNamespace } = config
  const names = kafkaNames({ kafkaTenant, kafkaNamespace: kafkaMetadataNamespace })
  const name = names.resolveKafkaName(offsetsTopicName)
  if (isRefusal(name)) throw new ConfigError(`offsetsTopicName=${offsetsTopicName}: ${name.message}`)
  return OffsetsTopic.open({
    catalog: topics,
    metadata: storage.metadata,
    name,
    partitions: config.offsetsTopicNumPartitions,
    batchBytesMax: Math.min(offsetsBatchBytesMax, config.maxMessageSize - batchHeadersBytes),
    legacyNamespace: { tenant: config.kafkaTenant, namespace: config.kafkaNamespace },
    clock,
    log: log.child({ part: 'groups' }),
  })
}

/** Loads groups and offsets in the background; the coordinator begins with what they are then. */
function loadGroups({
  config,
  replace,
  offsets,
  topics,
  cursors,
  clock,
  log,
}: GroupParts): LoadingCoordinator {
  const groupsLog = log.child({ part: 'groups' })
  const forget = (topic: string): Promise<void> =>
    offsets
      .deleteTopic(topic)
      .catch((err) => groupsLog.warn({ err, topic }, 'commits for a deleted topic remain'))
  const load = async () => {
    await offsets.load()
    // Deleted while nobody could say so here, or just before a crash.
    const gone = [...offsets.committedTopics()].filter((topic) => {
      const name = topicOfFullName(topic)
      return name === undefined || topics.find(name) === undefined
    })
    await Promise.all(gone.map(forget))
    return new GroupCoordinator({
      clock,
      nextGeneration: (classic) =>
        new ConsumerGroups({
          catalog: topics,
          store: offsets,
          clock,
          limits: consumerGroupLimits(config),
          isReleased: (key) => classic.isReleased(key),
          log: groupsLog,
        }),
      store: withSubscriptionStarts((replace.groupStore ?? same<GroupStore>)(offsets), topics, cursors),
      ...(replace.groupStep === undefined ? {} : { step: replace.groupStep(step) }),
      limits: groupLimits(config),
      retention: groupRetention(config),
      log: log.child({ part: 'groups' }),
    })
  }
  const groups = new LoadingCoordinator(load, { clock, log: groupsLog })
  void groups.loaded.then(() => cursors.start())
  // Whichever side deleted the topic; in turn with what comes before and after.
  topics.onChange((change, topic) => {
    if (change === 'deleted') void groups.loaded.then(() => forget(fullName(topic.name)))
  })
  return groups
}

const groupLimits = (config: Config): GroupLimits => ({
  groupInitialRebalanceDelayMs: config.groupInitialRebalanceDelayMs,
  groupMembersMax: config.groupMaxSize,
  sessionTimeoutMsMin: config.groupMinSessionTimeoutMs,
  sessionTimeoutMsMax: config.groupMaxSessionTimeoutMs,
})

const consumerGroupLimits = (config: Config): ConsumerGroupLimits => ({
  heartbeatIntervalMs: config.consumerGroupHeartbeatIntervalMs,
  sessionTimeoutMs: config.consumerGroupSessionTimeoutMs,
  membersMax: config.groupMaxSize,
})

const groupRetention = (config: Config) => ({
  retentionMs: config.offsetsRetentionMinutes * 60_000,
  checkIntervalMs: config.offsetsRetentionCheckIntervalMs,
})

async function serveKafka(parts: Parts): Promise<Pick<BrokerEndpoints, 'kafka' | 'kafkaListeners'>> {
  const { config, replace, clock, log, metrics, listeners, security } = parts
  const running: KafkaListener[] = []
  const context = kafkaContext({
    clusterId: config.clusterName,
    nodeId: config.brokerId,
    brokers: (listener) => [{ nodeId: config.brokerId, ...advertised(config, running, listener) }],
    kafkaTenant: config.kafkaTenant,
    kafkaNamespace: config.kafkaNamespace,
    defaultNumPartitions: config.defaultNumPartitions,
    allowAutoTopicCreation: config.allowAutoTopicCreation,
    messageBytesMax: config.maxMessageSize,
    names: kafkaNames(config),
    catalog: (replace.kafkaTopics ?? same)(parts.topics),
    coordinator: (replace.kafkaGroups ?? same)(parts.groups.coordinator),
    offsetsTopic: parts.offsets,
    offsetMetadataBytesMax: config.offsetMetadataMaxSize,
    producerIds: new StoredProducerIds(parts.storage.metadata),
    authorizer: security.authorizer,
    users: security.users,
    clock,
    log: log.child({ part: 'kafka' }),
  })
  const dispatch = (replace.kafkaDispatch ?? same)(dispatcher(context))
  for (const address of config.kafkaListeners) {
    const protocol = protocolOf(config, address.name)
    const listening = startKafkaListener({
      listener: address.name,
      host: address.host,
      port: address.port,
      tls: isTlsProtocol(protocol) ? security.tls : undefined,
      sasl: isSaslProtocol(protocol) ? { ...security, clock } : undefined,
      clock,
      log: context.log,
      frameBytesMax: config.maxFrameSize,
      idleMs: config.connectionMaxIdleMs,
      find: findApi,
      apiVersionsRefusal: refuseApiVersions,
      dispatch,
      onConnection: (change) => metrics.connection('kafka', change),
      onRequest: ({ apiName, requestBytes, durationMs }) =>
        metrics.request('kafka', apiName, requestBytes, durationMs),
    })
    const listener = await naming(
      `kafkaListeners=${address.name}://${address.host}:${address.port}`,
      listening,
    )
    running.push(listener)
    listeners.push(() => listener.stop(stopGraceMs))
  }
  const first = running[0]
  if (first === undefined) throw new Error('kafkaListeners names no listener')
  const addresses = running.map(({ name, host, port }) => [name, hostAndPort(host, port)])
  return {
    kafka: hostAndPort(first.host, first.port),
    ...(running.length > 1 ? { kafkaListeners: Object.fromEntries(addresses) } : {}),
  }
}

/** What clients of a listener are told (register TL-6): its advertised address, or else the bound one. */
function advertised(
  config: Config,
  running: readonly KafkaListener[],
  listener: string,
): Omit<ListenerAddress, 'name'> {
  const told = config.kafkaAdvertisedListeners.find(({ name }) => name === listener)
  const bound = running.find(({ name }) => name === listener)
  const address = told ?? bound
  if (address === undefined) throw new Error(`no listener is called ${listener}`)
  return { host: address.host, port: address.port }
}

async function servePulsar(
  parts: Parts,
): Promise<Omit<BrokerEndpoints, 'version' | 'kafka' | 'kafkaListeners'>> {
  const { config, replace, clock, log, metrics, security } = parts
  const context = {
    catalog: (replace.pulsarTopics ?? same)(parts.topics),
    clock,
    log: log.child({ part: 'pulsar' }),
    config,
    metadata: parts.storage.metadata,
    security,
    compaction: topicCompaction,
    groups: (replace.groupSubscriptions ?? same<GroupSubscriptions>)(parts.cursors),
    metrics: {
      connectionOpened: () => metrics.connection('pulsar', 1),
      connectionClosed: () => metrics.connection('pulsar', -1),
    },
  }
  parts.topics.onChange((change, topic) => {
    if (change !== 'deleted') return
    serviceOf(context)
      .forgetTopic(topic)
      .catch((err) => log.warn({ err, topic: topic.topicId }, 'schemas of a deleted topic remain'))
  })
  parts.topics.expireBy((...expired) => serviceOf(context).expire(...expired))
  const host = config.advertisedAddress ?? config.bindAddress
  const pulsar = await listenPulsar(parts, context, 'brokerServicePort', undefined)
  const admin = await listenAdmin(parts, context, 'webServicePort', undefined)
  const pulsarTls = await listenPulsar(parts, context, 'brokerServicePortTls', security.tls)
  const adminTls = await listenAdmin(parts, context, 'webServicePortTls', security.tls)
  return {
    pulsar: `pulsar://${hostAndPort(host, pulsar)}`,
    admin: `http://${hostAndPort(host, admin)}`,
    ...(pulsarTls === 0 ? {} : { pulsarTls: `pulsar+ssl://${hostAndPort(host, pulsarTls)}` }),
    ...(adminTls === 0 ? {} : { adminTls: `https://${hostAndPort(host, adminTls)}` }),
  }
}

/** @returns the port in use; 0 when the setting is absent. */
async function listenPulsar(
  { config, listeners }: Parts,
  context: PulsarContext,
  setting: 'brokerServicePort' | 'brokerServicePortTls',
  tls: TlsKeys | undefined,
): Promise<number> {
  const port = config[setting]
  if (port === undefined) return 0
  const listening = startPulsarListener(context, { host: config.bindAddress, port, tls })
  const pulsar = await naming(`${setting}=${port}`, listening)
  listeners.push(() => pulsar.close(stopGraceMs))
  return pulsar.port
}

/** @returns as `listenPulsar`. */
async function listenAdmin(
  { config, metrics, listeners }: Parts,
  context: PulsarContext,
  setting: 'webServicePort' | 'webServicePortTls',
  tls: TlsKeys | undefined,
): Promise<number> {
  const port = config[setting]
  if (port === undefined) return 0
  const right = needs(config.authenticateMetricsEndpoint ? 'login' : 'nothing')
  const listening = startAdmin(context, {
    host: config.bindAddress,
    port,
    tls,
    extend: (app) => {
      app.get('/metrics', right, async (_request, reply) =>
        reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
      )
    },
  })
  const admin = await naming(`${setting}=${port}`, listening)
  listeners.push(() => admin.close())
  return admin.port
}

/** Names the setting whose address cannot be had. */
async function naming<Listener>(setting: string, listening: Promise<Listener>): Promise<Listener> {
  try {
    return await listening
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EADDRINUSE')
      throw new ConfigError(`${setting}: in use; stop what uses it, or choose another port`)
    if (code === 'EADDRNOTAVAIL') throw new ConfigError(`${setting}: not an address of this machine`)
    if (code === 'EACCES') throw new ConfigError(`${setting}: not allowed; choose a port from 1024`)
    throw error
  }
}

/** What serves clients: closed all at once, so that none waits for another's clients. */
class Listeners {
  readonly #closers: (() => Promise<unknown>)[] = []

  push(close: () => Promise<unknown>): void {
    this.#closers.push(close)
  }

  async close(): Promise<void> {
    await Promise.all(this.#closers.splice(0).map((close) => close()))
  }
}

/** What was opened, to be closed in the reverse order. */
class Opened {
  readonly #closers: (() => Promise<unknown>)[] = []

  push(close: () => Promise<unknown>): void {
    this.#closers.push(close)
  }

  async close(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) await close()
  }
}

function packageVersion(): string {
  const file: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return file !== null && typeof file === 'object' && 'version' in file ? String(file.version) : 'unknown'
}
