import { readFileSync } from 'node:fs'
import { pino } from 'pino'
import { systemClock } from './base/clock.js'
import { followGroups, loadGroups } from './broker/groups.js'
import { serveKafka } from './broker/kafka.js'
import { Listeners, Opened } from './broker/opened.js'
import { type BrokerEndpoints, type Parts, type StartBrokerOptions, same } from './broker/parts.js'
import { servePulsar } from './broker/pulsar.js'
import { type Ground, openOffsets, openStorage, openTopics } from './broker/stores.js'
import type { Config } from './config.js'
import { Metrics } from './metrics.js'
import { openSecurity, readSecurityKeys } from './security/index.js'
import { startCompactionChecks } from './topics/index.js'

export type { BrokerEndpoints, PartReplacements, StartBrokerOptions } from './broker/parts.js'

export interface Broker {
  readonly endpoints: BrokerEndpoints
  /** Lets requests under way be answered, closes all connections, then the store. */
  stop(): Promise<void>
}

/** How long a start waits for groups to be loaded. */
const loadGraceMs = 500

/**
 * Starts a broker. Resolves when all three ports serve.
 * @throws the store's one-line error, or the system's for an address that cannot be had; nothing stays open then.
 */
export async function startBroker(config: Config, options: StartBrokerOptions = {}): Promise<Broker> {
  const clock = options.clock ?? systemClock
  const log = pino({ name: 'reference', level: config.logLevel }, pino.destination({ fd: 2, sync: true }))
  const opened = new Opened()
  try {
    const ground = { config, replace: options.replace ?? {}, clock, log }
    const parts = await openParts(ground, options.failWrites, opened)
    const kafka = await serveKafka(parts)
    const pulsar = await servePulsar(parts)
    // Mostly they are there by now; clients of a long history are told to come again.
    const patience = new Promise<void>((resolve) => clock.after(loadGraceMs, resolve))
    await Promise.race([parts.groups.loaded, patience])
    const endpoints = { ...kafka, ...pulsar, version: packageVersion() }
    const { entryFormat, offsetMapping } = config
    log.info({ ...endpoints, entryFormat, offsetMapping }, 'serving')
    const stop = (): Promise<void> => {
      log.info({}, 'stopping')
      return opened.close()
    }
    return { endpoints, stop }
  } catch (error) {
    await opened.close()
    throw error
  }
}

/** Everything that listeners serve: the only place where the parts meet. What is open is in `opened`, also on an error. */
async function openParts(
  ground: Ground,
  failWrites: StartBrokerOptions['failWrites'],
  opened: Opened,
): Promise<Parts> {
  const { config, replace, clock, log } = ground
  const keys = readSecurityKeys(config)
  const metrics = new Metrics()
  const storage = await openStorage(ground, failWrites)
  opened.push(() => storage.close())
  const topics = await openTopics(ground, storage)
  opened.push(() => topics.close())
  const topicsLog = log.child({ part: 'topics' })
  const checkMs = config.logCleanerBackoffMs
  const stopChecks = startCompactionChecks({ catalog: topics, clock, log: topicsLog, checkMs })
  opened.push(async () => stopChecks())
  const offsets = await openOffsets(ground, storage, topics)
  opened.push(() => offsets.close())
  const cursors = followGroups(ground, { offsets, topics, metrics, groups: () => groups })
  opened.push(() => cursors.close())
  const groups = loadGroups({ ...ground, offsets, topics, cursors })
  const listeners = new Listeners()
  opened.push(() => listeners.close())
  // With the listeners: members that wait for one another are answered, and hold nobody up.
  listeners.push(async () => groups.close())
  const namespaces = topics.tenants
  const opening = openSecurity({ config, keys, clock, metadata: storage.metadata, namespaces })
  const security = (replace.security ?? same)(await opening)
  return { ...ground, metrics, storage, topics, offsets, groups, cursors, listeners, security }
}

function packageVersion(): string {
  const file: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return file !== null && typeof file === 'object' && 'version' in file ? String(file.version) : 'unknown'
}
