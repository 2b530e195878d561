import { asPartitionIndex, type Position } from '../base/brand.js'
import { isRefusal, type PartitionLog, type TopicInfo } from '../topics/types.js'
import type { PulsarContext } from './context.js'
import { asFailure, type Failure, fail, isFailure } from './failure.js'
import { type ParsedTopicName, parseTopicName } from './names.js'
import { SchemaRegistry } from './schemas.js'
import { deleteSubscriptionProperties } from './subscription-properties.js'
import { openTopic, type PulsarTopic } from './topic.js'
import { deleteTopicEpochs } from './topic-producers.js'

/** What all connections and the admin API share: open topics, schemas, and where this broker is reached. */
export class PulsarService {
  readonly context: PulsarContext
  readonly schemas: SchemaRegistry
  /** `pulsar://host:port` of the listener started first; undefined before. */
  serviceUrl: string | undefined
  /** `pulsar+ssl://host:port` and `https://host:port`, where there are such listeners. */
  serviceUrlTls: string | undefined
  httpUrlTls: string | undefined
  /** `http://host:port` of the admin server; undefined before it is started. */
  httpUrl: string | undefined
  readonly #topics = new Map<string, Promise<PulsarTopic | Failure>>()
  /** Open partitions by their Pulsar names. */
  readonly #opened = new Map<string, PulsarTopic>()
  #namesGenerated = 0

  constructor(context: PulsarContext) {
    this.context = context
    this.schemas = new SchemaRegistry(context.metadata, context.clock)
    context.groups?.follow({
      cursorMoved: ({ pulsarName }, name) => this.#opened.get(pulsarName)?.cursorMoved(name),
      groupStarted: (name) => {
        for (const topic of this.#opened.values()) topic.groupStarted(name)
      },
      removeUnused: async ({ pulsarName }, name) =>
        (await this.#opened.get(pulsarName)?.removeUnused(name)) ?? true,
    })
  }

  /** A producer name that no other producer of this cluster has. */
  generateProducerName(): string {
    const started = this.context.clock.nowMs().toString(36)
    return `${this.context.config.clusterName}-${started}-${this.#namesGenerated++}`
  }

  /** The name taken apart, when it names a topic that this broker can have. */
  parse(text: string): ParsedTopicName | Failure {
    const name = parseTopicName(text)
    if (name === undefined) return fail('InvalidTopicName', `Invalid topic name: ${text}`)
    if (name.domain === 'non-persistent')
      return fail('NotAllowedError', 'Broker does not serve non-persistent topics')
    const { tenant, namespace } = name.base
    if (!this.context.catalog.tenants.hasNamespace(tenant, namespace))
      return fail('TopicNotFound', `Namespace not found: ${tenant}/${namespace}`)
    return name
  }

  /** The topic that holds the named partition, and the partition's number; undefined when there is none. */
  resolve(name: ParsedTopicName): { readonly info: TopicInfo; readonly index: number } | Failure | undefined {
    const { catalog } = this.context
    if (name.partition !== undefined) {
      const base = catalog.find(name.base)
      if (base !== undefined && name.partition < base.partitions) return { info: base, index: name.partition }
    }
    const info = catalog.find(name.literal)
    if (info === undefined || info.partitions === 0) return info && { info, index: 0 }
    return fail('NotAllowedError', `${name.literal.local} is partitioned: name one of its partitions`)
  }

  /**
   * The open partition of that name.
   * @param options.create whether the client wants a missing topic created; the broker must allow it too.
   */
  async open(text: string, options: { create: boolean }): Promise<PulsarTopic | Failure> {
    const name = this.parse(text)
    if (isFailure(name)) return name
    const found = this.resolve(name)
    if (found !== undefined) return 'failed' in found ? found : this.openPartition(found.info, found.index)
    if (!options.create || !this.context.config.allowAutoTopicCreation || name.partition !== undefined)
      return fail('TopicNotFound', `Topic ${text} does not exist`)
    const info = await this.autoCreate(name, 0)
    return isFailure(info) ? info : this.openPartition(info, 0)
  }

  /** Creates a topic that a client asked for; one that came about meanwhile is as good. */
  async autoCreate(name: ParsedTopicName, partitions: number): Promise<TopicInfo | Failure> {
    const created = await this.context.catalog.create(name.literal, { partitions })
    if (!isRefusal(created)) return created
    if (created.refused !== 'TOPIC_ALREADY_EXISTS') return asFailure(created)
    return this.context.catalog.find(name.literal) ?? asFailure(created)
  }

  async openPartition(info: TopicInfo, index: number): Promise<PulsarTopic | Failure> {
    const key = `${info.topicId}/${index}`
    const known = this.#topics.get(key)
    if (known !== undefined) return known
    const opening = openTopic(this.context, info, asPartitionIndex(index))
    this.#topics.set(key, opening)
    let topic: PulsarTopic | Failure
    try {
      topic = await opening
    } catch (error) {
      this.#topics.delete(key)
      throw error
    }
    if (isFailure(topic)) this.#topics.delete(key)
    else this.#closeWithLog(key, topic)
    return topic
  }

  #closeWithLog(key: string, topic: PulsarTopic): void {
    const { pulsarName } = topic.log
    this.#opened.set(pulsarName, topic)
    topic.log.onClosed(() => {
      this.#topics.delete(key)
      // Recreated under the same name meanwhile, it is another.
      if (this.#opened.get(pulsarName) === topic) this.#opened.delete(pulsarName)
      topic
        .unload()
        .catch((error) =>
          this.context.log.warn({ err: error, topic: topic.log.pulsarName }, 'closing a topic failed'),
        )
    })
  }

  /** What is stored for a deleted topic, besides its data, goes too: schemas, properties of subscriptions, epochs. */
  async forgetTopic(topic: Pick<TopicInfo, 'topicId'>): Promise<void> {
    await this.schemas.delete(topic)
    await deleteSubscriptionProperties(this.context.metadata, topic.topicId)
    await deleteTopicEpochs(this.context.metadata, topic.topicId)
  }

  /** Moves a subscription over what it has no time or room for any more: see `backlog.ts`. */
  async expire(log: PartitionLog, name: string, to: Position): Promise<void> {
    const info = this.context.catalog.find(log.topic)
    const topic = info && (await this.openPartition(info, log.index))
    if (topic === undefined || isFailure(topic)) return
    const subscription = await topic.durableSubscription(name)
    if (!isFailure(subscription)) await topic.advance(subscription, { position: to, batchIndex: 0 })
  }

  /** All partitions of a topic, opened. */
  async openAll(info: TopicInfo): Promise<readonly PulsarTopic[]> {
    const opened: PulsarTopic[] = []
    for (let index = 0; index < Math.max(1, info.partitions); index++) {
      const topic = await this.openPartition(info, index)
      if (!isFailure(topic)) opened.push(topic)
    }
    return opened
  }
}

const services = new WeakMap<PulsarContext, PulsarService>()

/** The one service of a context: the listeners and the admin API meet in it. */
export function serviceOf(context: PulsarContext): PulsarService {
  const known = services.get(context)
  if (known !== undefined) return known
  const service = new PulsarService(context)
  services.set(context, service)
  return service
}
