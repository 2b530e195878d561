import { readFileSync } from 'node:fs'
import { type Logger, pino } from 'pino'
import { type Clock, systemClock } from './base/clock.js'
import { hostAndPort } from './base/host-port.js'
import { type Config, ConfigError, type ListenerAddress } from './config.js'
import { GroupCoordinator } from './groups/coordinator.js'
import { MetadataOffsetStore } from './groups/offset-store.js'
import { volatileGroups } from './groups/volatile-groups.js'
import { dispatcher, findApi, kafkaContext, refuseApiVersions } from './kafka/apis/index.js'
import { StoredProducerIds } from './kafka/apis/producer-ids.js'
import { type KafkaListener, startKafkaListener } from './kafka/server.js'
import { Metrics } from './metrics.js'
import { offsetMapping } from './offsets/index.js'
import { startAdmin } from './pulsar/admin/server.js'
import { startPulsarListener } from './pulsar/listener.js'
import { serviceOf } from './pulsar/service.js'
import { openEmbeddedStorage } from './storage/embedded/index.js'
import type { Storage } from './storage/types.js'
import { createTopics, kafkaNames, type StoredTopics } from './topics/index.js'
import { fullName } from './topics/names.js'
import type { TopicCatalog } from './topics/types.js'

/** How clients reach a running broker. */
export interface BrokerEndpoints {
  /** `host:port` of the first Kafka listener. */
  readonly kafka: string
  readonly pulsar: string
  readonly admin: string
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
}

export interface StartBrokerOptions {
  readonly clock?: Clock
  /** Tests: asked before each write to the store; an error makes it fail. */
  readonly failWrites?: () => Error | undefined
  readonly replace?: PartReplacements
}

/** How long clients may take to read what was answered; all listeners have it at the same time. */
const stopGraceMs = 1_500
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
    const metrics = new Metrics()
    const storage = await openStorage(config, options, clock, log)
    opened.push(() => storage.close())
    const topics = await openTopics(config, storage, clock, log)
    opened.push(() => topics.close())
    const listeners = new Listeners()
    opened.push(() => listeners.close())
    const parts = { config, replace: options.replace ?? {}, clock, log, metrics, storage, topics, listeners }
    const kafka = await serveKafka(parts)
    const { pulsar, admin } = await servePulsar(parts)
    const endpoints = { kafka, pulsar, admin, version: packageVersion() }
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
  readonly listeners: Listeners
}

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
    namespaces: [[config.kafkaTenant, config.kafkaNamespace]],
  })

/** @returns `host:port` of the first listener. */
async function serveKafka(parts: Parts): Promise<string> {
  const { config, replace, clock, log, metrics, listeners } = parts
  const coordinator = new GroupCoordinator({
    clock,
    store: volatileGroups(new MetadataOffsetStore(parts.storage.metadata)),
    limits: { groupInitialRebalanceDelayMs: config.groupInitialRebalanceDelayMs },
  })
  // With the listeners: members that wait for one another are answered, and hold nobody up.
  listeners.push(async () => coordinator.close())
  // Whichever side deleted the topic.
  parts.topics.onChange((change, topic) => {
    if (change !== 'deleted') return
    coordinator
      .forgetTopic(fullName(topic.name))
      .catch((err) => log.warn({ err, topic: topic.topicId }, 'commits for a deleted topic remain'))
  })
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
    coordinator,
    producerIds: new StoredProducerIds(parts.storage.metadata),
    clock,
    log: log.child({ part: 'kafka' }),
  })
  const dispatch = (replace.kafkaDispatch ?? same)(dispatcher(context))
  for (const address of config.kafkaListeners) {
    const listening = startKafkaListener({
      listener: address.name,
      host: address.host,
      port: address.port,
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
  return hostAndPort(first.host, first.port)
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

async function servePulsar(parts: Parts): Promise<{ pulsar: string; admin: string }> {
  const { config, replace, clock, log, metrics, listeners } = parts
  const context = {
    catalog: (replace.pulsarTopics ?? same)(parts.topics),
    clock,
    log: log.child({ part: 'pulsar' }),
    config,
    metadata: parts.storage.metadata,
    metrics: {
      connectionOpened: () => metrics.connection('pulsar', 1),
      connectionClosed: () => metrics.connection('pulsar', -1),
    },
  }
  parts.topics.onChange((change, topic) => {
    if (change !== 'deleted') return
    serviceOf(context)
      .schemas.delete(topic)
      .catch((err) => log.warn({ err, topic: topic.topicId }, 'schemas of a deleted topic remain'))
  })
  const pulsar = await naming(
    `brokerServicePort=${config.brokerServicePort}`,
    startPulsarListener(context, { host: config.bindAddress, port: config.brokerServicePort }),
  )
  listeners.push(() => pulsar.close(stopGraceMs))
  const admin = await naming(
    `webServicePort=${config.webServicePort}`,
    startAdmin(context, {
      host: config.bindAddress,
      port: config.webServicePort,
      extend: (app) => {
        app.get('/metrics', async (_request, reply) =>
          reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
        )
      },
    }),
  )
  listeners.push(() => admin.close())
  const host = config.advertisedAddress ?? config.bindAddress
  return {
    pulsar: `pulsar://${hostAndPort(host, pulsar.port)}`,
    admin: `http://${hostAndPort(host, admin.port)}`,
  }
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
