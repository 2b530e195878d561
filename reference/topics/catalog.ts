import { randomBytes } from 'node:crypto'
import { asPartitionIndex, type PartitionIndex } from '../base/brand.js'
import type { Clock } from '../base/clock.js'
import type { Log } from '../base/log.js'
import type { EntryFormatName } from '../entry-format/types.js'
import type { OffsetMapping } from '../offsets/types.js'
import type { Storage } from '../storage/types.js'
import { StorageError } from '../storage/types.js'
import { boundsBacklog, type ExpireBacklog, expireBacklog, moveCursor } from './backlog.js'
import { checkConfigs, type TopicSettings, topicSettings } from './configs.js'
import { fullName } from './names.js'
import { StoredNamespaces } from './namespaces.js'
import { logKey, openPartitionLog, removePartitionData } from './open-partition.js'
import type { OpenPartitionLog } from './partition-log.js'
import { effectivePolicies, type StoragePolicies } from './policies.js'
import { ReadAheadMemory } from './read-ahead.js'
import { enforceRetention, type RetentionLimits, retentionOf } from './retention.js'
import { TailCache } from './tail-cache.js'
import { refusalToCreate, refusalToGrow } from './topic-refusals.js'
import {
  type CreateTopic,
  type PartitionLog,
  type Refusal,
  refuse,
  type TopicCatalog,
  type TopicInfo,
  type TopicName,
} from './types.js'

export interface TopicsOptions {
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Log
  readonly mapping: OffsetMapping
  readonly entryFormat: EntryFormatName
  /** What holds for topics without configs of their own. */
  readonly defaults: TopicSettings
  /** Made at the start if they are not there; `public/default` and `public/kafka` always are. */
  readonly namespaces: readonly (readonly [tenant: string, namespace: string])[]
  /** Memory for recently appended batches, over all partitions. */
  readonly tailCacheBytesMax: number
  /** How often retention is enforced. */
  readonly retentionCheckMs: number
  /** Compaction keeps messages without a key (Pulsar's topicCompactionRetainNullKey). */
  readonly retainsNullKeys: boolean
  readonly partitionsMax: number
}

export type TopicChange = 'created' | 'deleted' | 'partitions' | 'configs' | 'attributes'
export type TopicListener = (change: TopicChange, topic: TopicInfo) => void

const topicPrefix = 'topic/'
const deletingPrefix = 'deleting/'

/** The topics of one broker: descriptions in the metadata store and in memory, logs opened when first asked for. */
export class StoredTopics implements TopicCatalog {
  readonly tenants: StoredNamespaces
  readonly #options: TopicsOptions
  readonly #cache: TailCache
  readonly #aheadMemory: ReadAheadMemory
  readonly #byName = new Map<string, TopicInfo>()
  readonly #byId = new Map<string, TopicInfo>()
  /** Logs by topic id and partition. */
  readonly #logs = new Map<string, Promise<OpenPartitionLog>>()
  readonly #listeners = new Set<TopicListener>()
  #turn: Promise<unknown> = Promise.resolve()
  #stopRetention: () => void = () => {}
  #expire: ExpireBacklog = moveCursor
  #closed = false

  private constructor(options: TopicsOptions) {
    this.#options = options
    this.#cache = new TailCache(options.tailCacheBytesMax)
    this.#aheadMemory = new ReadAheadMemory(options.clock)
    this.tenants = new StoredNamespaces(options.storage.metadata, (tenant, namespace) =>
      this.#hasTopics(tenant, namespace),
    )
  }

  static async open(options: TopicsOptions): Promise<StoredTopics> {
    const topics = new StoredTopics(options)
    await topics.tenants.load([['public', 'default'], ['public', 'kafka'], ...options.namespaces])
    const { metadata } = options.storage
    for (const [, value] of await metadata.list(topicPrefix)) topics.#add(JSON.parse(value.toString()))
    for (const [key, value] of await metadata.list(deletingPrefix)) {
      await topics.#removeData(JSON.parse(value.toString()), key)
    }
    topics.#scheduleRetention()
    return topics
  }

  find(name: TopicName): TopicInfo | undefined {
    return this.#byName.get(fullName(name))
  }

  findById(topicId: string): TopicInfo | undefined {
    return this.#byId.get(topicId)
  }

  list(tenant: string, namespace: string): readonly TopicInfo[] {
    return [...this.#byName.values()]
      .filter(({ name }) => name.tenant === tenant && name.namespace === namespace)
      .sort((a, b) => (a.name.local < b.name.local ? -1 : 1))
  }

  create(name: TopicName, options: CreateTopic): Promise<TopicInfo | Refusal> {
    return this.#change(async () => {
      const refusal = this.refusalToCreate(name, options)
      if (refusal !== undefined) return refusal
      const topic: TopicInfo = {
        name,
        topicId: randomBytes(16).toString('base64url'),
        partitions: options.partitions,
        configs: { ...options.configs },
        internal: options.internal ?? false,
        ...(options.properties === undefined ? {} : { properties: { ...options.properties } }),
      }
      await this.#put(topic)
      this.#add(topic)
      this.#tell('created', topic)
      return topic
    })
  }

  /** Why `create` would refuse it now; undefined when it would not. */
  refusalToCreate(name: TopicName, options: CreateTopic): Refusal | undefined {
    return refusalToCreate(this, name, options, this.#options.partitionsMax)
  }

  delete(name: TopicName): Promise<true | Refusal> {
    return this.#change(async () => {
      const topic = this.find(name)
      if (topic === undefined) return unknownTopic(name)
      if (topic.internal) return brokersOwn(name)
      const { metadata } = this.#options.storage
      const deleting = deletingPrefix + topic.topicId
      // Out of sight at once; the data goes next, or at the next start.
      await metadata.putAll([
        [topicKey(name), undefined],
        [deleting, Buffer.from(JSON.stringify(topic))],
      ])
      this.#byName.delete(fullName(name))
      this.#byId.delete(topic.topicId)
      await this.#closeLogs(topic)
      this.#tell('deleted', topic)
      await this.tenants.forgetTopic(name)
      await this.#removeData(topic, deleting)
      return true as const
    })
  }

  setPartitions(name: TopicName, partitions: number): Promise<TopicInfo | Refusal> {
    return this.#change(async () => {
      const topic = this.find(name)
      if (topic === undefined) return unknownTopic(name)
      if (topic.internal) return brokersOwn(name)
      const refusal = refusalToGrow(topic, partitions, this.#options.partitionsMax)
      if (refusal !== undefined) return refusal
      return this.#replace({ ...topic, partitions }, 'partitions')
    })
  }

  setConfigs(name: TopicName, configs: Readonly<Record<string, string>>): Promise<TopicInfo | Refusal> {
    return this.#change(async () => {
      const topic = this.find(name)
      if (topic === undefined) return unknownTopic(name)
      if (topic.internal) return brokersOwn(name)
      return checkConfigs(configs) ?? this.#replace({ ...topic, configs: { ...configs } }, 'configs')
    })
  }

  setAttributes(
    name: TopicName,
    change: (before: TopicInfo) => Pick<TopicInfo, 'properties' | 'policies'>,
  ): Promise<TopicInfo | Refusal> {
    return this.#change(async () => {
      const topic = this.find(name)
      return topic === undefined
        ? unknownTopic(name)
        : this.#replace({ ...topic, ...change(topic) }, 'attributes')
    })
  }

  async partition(topic: TopicInfo, index: PartitionIndex): Promise<PartitionLog | Refusal> {
    const known = this.findById(topic.topicId)
    if (
      known === undefined ||
      !Number.isInteger(index) ||
      index < 0 ||
      index >= Math.max(1, known.partitions)
    ) {
      return refuse('UNKNOWN_TOPIC_OR_PARTITION', `${fullName(topic.name)} has no partition ${index}.`)
    }
    try {
      return await this.#openLog(known, index)
    } catch (error) {
      if (error instanceof StorageError) return refuse('KAFKA_STORAGE_ERROR', error.message)
      throw error
    }
  }

  /** Called after each change, whichever side made it. The returned function ends it. */
  onChange(listener: TopicListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What the topic's configs come to, with the broker's defaults. */
  settingsOf({ configs, internal = false }: Pick<TopicInfo, 'configs'> & Partial<TopicInfo>): TopicSettings {
    const settings = topicSettings(configs, this.#options.defaults)
    // Its owner compacts it, and knows what it writes.
    return internal ? { ...settings, compaction: undefined } : settings
  }

  /** Drops what no topic's retention keeps. Runs by itself now and then. */
  async enforceRetention(): Promise<void> {
    for (const topic of [...this.#byId.values()]) {
      // Its owner compacts it.
      if (topic.internal) continue
      const { tenant, namespace } = topic.name
      const policies = effectivePolicies(this.tenants.policies(tenant, namespace), topic.policies)
      const limits = retentionOf(topic, this.settingsOf(topic), policies)
      if (limits.retentionMs < 0 && limits.retentionBytes < 0 && !boundsBacklog(policies)) continue
      for (let index = 0; index < Math.max(1, topic.partitions); index++) {
        await this.#enforceOn(topic, asPartitionIndex(index), limits, policies)
      }
    }
  }

  /** Who moves a subscription over what it has no time or room for any more; absent, its cursor is moved alone. */
  expireBy(expire: ExpireBacklog): void {
    this.#expire = expire
  }

  /** Stores what a start would otherwise have to find out again. The storage is closed by its owner, afterwards. */
  async close(): Promise<void> {
    this.#closed = true
    this.#stopRetention()
    await this.#turn
    for (const log of await Promise.allSettled(this.#logs.values())) {
      if (log.status !== 'fulfilled') continue
      await log.value.compaction.close()
      await log.value.saveProducers()
    }
  }

  /** Changes come one after another: each sees what the one before has done. */
  #change<T>(task: () => Promise<T | Refusal>): Promise<T | Refusal> {
    const mine = this.#turn.then(task).catch((error: unknown) => {
      if (error instanceof StorageError) return refuse('KAFKA_STORAGE_ERROR', error.message)
      throw error
    })
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  async #replace(topic: TopicInfo, change: TopicChange): Promise<TopicInfo> {
    await this.#put(topic)
    this.#add(topic)
    this.#tell(change, topic)
    return topic
  }

  #put(topic: TopicInfo): Promise<void> {
    return this.#options.storage.metadata.put(topicKey(topic.name), Buffer.from(JSON.stringify(topic)))
  }

  #add(topic: TopicInfo): void {
    this.#byName.set(fullName(topic.name), topic)
    this.#byId.set(topic.topicId, topic)
  }

  #hasTopics(tenant: string, namespace: string): boolean {
    return this.list(tenant, namespace).length > 0
  }

  #openLog(topic: TopicInfo, index: PartitionIndex): Promise<OpenPartitionLog> {
    const key = logKey(topic, index)
    const known = this.#logs.get(key)
    if (known !== undefined) return known
    const opening = this.#loadLog(topic, index)
    this.#logs.set(key, opening)
    opening.catch(() => this.#logs.delete(key))
    return opening
  }

  #loadLog(topic: TopicInfo, index: PartitionIndex): Promise<OpenPartitionLog> {
    const settings = this.#settingsReader(topic)
    const shared = { ...this.#options, cache: this.#cache, aheadMemory: this.#aheadMemory }
    // Only the broker itself writes and reads these, as Kafka batches: nothing is converted. Pulsar's clients see the same.
    const entryFormat = topic.internal ? 'kafka' : this.#options.entryFormat
    return openPartitionLog({ ...shared, entryFormat, topic, index, settings })
  }

  /** The topic's settings as they are when asked, worked out once a change. */
  #settingsReader({ topicId, configs, internal }: TopicInfo): () => TopicSettings {
    let from = configs
    let settings = this.settingsOf({ configs, internal })
    return () => {
      const now = this.#byId.get(topicId)?.configs ?? from
      if (now !== from) {
        from = now
        settings = this.settingsOf({ configs: now, internal })
      }
      return settings
    }
  }

  async #closeLogs(topic: TopicInfo): Promise<void> {
    for (let index = 0; index < Math.max(1, topic.partitions); index++) {
      const key = logKey(topic, asPartitionIndex(index))
      const opening = this.#logs.get(key)
      this.#logs.delete(key)
      const log = await opening?.catch(() => undefined)
      log?.close()
      await log?.compaction.close()
    }
  }

  async #removeData(topic: TopicInfo, deleting: string): Promise<void> {
    const { storage, log } = this.#options
    try {
      for (let index = 0; index < Math.max(1, topic.partitions); index++)
        await removePartitionData(storage, topic, asPartitionIndex(index))
      await storage.metadata.delete(deleting)
    } catch (error) {
      log.warn(
        { topic: fullName(topic.name), err: error },
        'data of a deleted topic remains until the next start',
      )
    }
  }

  async #enforceOn(
    topic: TopicInfo,
    index: PartitionIndex,
    limits: RetentionLimits,
    policies: StoragePolicies,
  ): Promise<void> {
    // Deleted meanwhile: opening its log would make it anew.
    if (this.#closed || !this.#byId.has(topic.topicId)) return
    try {
      const log = await this.#openLog(topic, index)
      const nowMs = this.#options.clock.nowMs()
      await expireBacklog(log, policies, nowMs, this.#expire)
      await enforceRetention(log.ledger, limits, nowMs, log.compaction.neededFrom)
    } catch (error) {
      if (!this.#byId.has(topic.topicId)) return
      this.#options.log.warn(
        { topic: fullName(topic.name), index, err: error },
        'retention could not be enforced',
      )
    }
  }

  #scheduleRetention(): void {
    if (this.#closed) return
    this.#stopRetention = this.#options.clock.after(this.#options.retentionCheckMs, () => {
      void this.enforceRetention().finally(() => this.#scheduleRetention())
    })
  }

  #tell(change: TopicChange, topic: TopicInfo): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(change, topic)
      } catch (error) {
        this.#options.log.error({ topic: fullName(topic.name), err: error }, 'a listener of topics failed')
      }
    }
  }
}

const topicKey = (name: TopicName): string => topicPrefix + fullName(name)
const brokersOwn = (name: TopicName): Refusal =>
  refuse('INVALID_TOPIC_EXCEPTION', `${fullName(name)} is the broker's own: it is not changed from outside.`)

const unknownTopic = (name: TopicName): Refusal =>
  refuse('UNKNOWN_TOPIC_OR_PARTITION', `${fullName(name)} does not exist.`)
