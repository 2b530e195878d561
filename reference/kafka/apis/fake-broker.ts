import { randomBytes } from 'node:crypto'
import { asMessageIndex, asOffset, type Offset, type PartitionIndex } from '../../base/brand.js'
import { ManualClock } from '../../base/clock.js'
import type { KafkaBatch, TimestampType } from '../../entry-format/types.js'
import { GroupCoordinator } from '../../groups/coordinator.js'
import { MemoryGroupStore } from '../../groups/testing.js'
import { ScramUsers } from '../../security/scram-users.js'
import type { MetadataStore } from '../../storage/types.js'
import { fullName, kafkaNames } from '../../topics/names.js'
import {
  type CreateTopic,
  type KafkaAppended,
  type KafkaFetched,
  type PartitionLog,
  type Refusal,
  refuse,
  type TopicCatalog,
  type TopicInfo,
  type TopicName,
} from '../../topics/types.js'
import { BatchBuilder } from '../wire/batch-builder.js'
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from '../wire/frames.js'
import { setBaseOffset } from '../wire/record-batch.js'
import type { Api, RequestToWrite, ResponseToRead } from '../wire/schema.js'
import { type KafkaContextOptions, kafkaContext } from './context.js'
import { dispatcher } from './index.js'
import { StoredProducerIds } from './producer-ids.js'

/** What tests of handlers stand on: topics in memory behind the real interfaces, and the real group coordinator. */
export class MemoryMetadata implements MetadataStore {
  readonly pairs = new Map<string, Buffer>()
  /** What the next writes fail with. */
  failure: Error | null = null
  get = async (key: string) => this.pairs.get(key)
  put = (key: string, value: Buffer) => this.putAll([[key, value]])
  delete = (key: string) => this.putAll([[key, undefined]])

  async list(prefix: string) {
    return [...this.pairs].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1))
  }

  async putAll(pairs: Iterable<readonly [string, Buffer | undefined]>) {
    if (this.failure !== null) throw this.failure
    for (const [key, value] of pairs) {
      if (value === undefined) this.pairs.delete(key)
      else this.pairs.set(key, value)
    }
  }
}

const unused = (): never => {
  throw new Error('Kafka handlers have no use for this')
}

/** One partition's batches in an array. */
export class FakeLog implements PartitionLog {
  readonly topic: TopicName
  readonly index: PartitionIndex
  readonly pulsarName: string
  leaderEpoch = 3
  readonly terminated = false
  timestampType: TimestampType = 'CreateTime'
  /** What the next append gives instead of storing. */
  nextAppend: (() => Promise<KafkaAppended | Refusal>) | null = null
  /** Every batch that came, in order. */
  readonly appended: KafkaBatch[] = []
  #batches: { first: bigint; bytes: Buffer; batch: KafkaBatch }[] = []
  #start = 0n
  #end = 0n
  readonly #appendListeners = new Set<() => void>()
  readonly #closedListeners = new Set<() => void>()

  constructor(topic: TopicName, index: PartitionIndex) {
    this.topic = topic
    this.index = index
    this.pulsarName = `${fullName(topic)}-partition-${index}`
  }

  get ledger(): never {
    return unused()
  }

  /** How many listen for appends: 0 when no fetch waits. */
  get listeners(): number {
    return this.#appendListeners.size + this.#closedListeners.size
  }

  async appendKafka(batch: KafkaBatch): Promise<KafkaAppended | Refusal> {
    this.appended.push(batch)
    const instead = this.nextAppend
    this.nextAppend = null
    if (instead !== null) return instead()
    const bytes = Buffer.from(batch.bytes)
    setBaseOffset(bytes, this.#end, this.leaderEpoch)
    this.#batches.push({ first: this.#end, bytes, batch })
    this.#end += BigInt(batch.recordCount)
    const logAppendTimeMs = this.timestampType === 'LogAppendTime' ? 777n : -1n
    const baseOffset = asOffset(this.#end - BigInt(batch.recordCount))
    for (const listener of [...this.#appendListeners]) listener()
    return { baseOffset, logAppendTimeMs, logStartOffset: this.startOffset(), duplicate: false }
  }

  async fetchKafka(
    offset: Offset,
    limits: { maxBytes: number; atLeastOne: boolean },
  ): Promise<KafkaFetched | Refusal> {
    if (offset < this.#start || offset > this.#end)
      return refuse('OFFSET_OUT_OF_RANGE', `${offset} is not from ${this.#start} to ${this.#end}`)
    const records: Buffer[] = []
    let bytes = 0
    for (const each of this.#batches) {
      if (each.first + BigInt(each.batch.recordCount) <= offset) continue
      const isFirst = records.length === 0 && limits.atLeastOne
      if (!isFirst && bytes + each.bytes.length > limits.maxBytes) break
      records.push(each.bytes)
      bytes += each.bytes.length
    }
    return { records, bytes, highWatermark: this.endOffset(), logStartOffset: this.startOffset() }
  }

  startOffset = () => asOffset(this.#start)
  endOffset = () => asOffset(this.#end)

  async offsetOfTimestamp(timestampMs: bigint) {
    const found = this.#batches.find((each) => BigInt(each.batch.maxTimestampMs) >= timestampMs)
    return found && { offset: asOffset(found.first), timestampMs: BigInt(found.batch.maxTimestampMs) }
  }

  async offsetOfMaxTimestamp() {
    const [found] = [...this.#batches].sort((a, b) => b.batch.maxTimestampMs - a.batch.maxTimestampMs)
    return found && { offset: asOffset(found.first), timestampMs: BigInt(found.batch.maxTimestampMs) }
  }

  async deleteRecords(before: Offset) {
    this.#start = before
    this.#batches = this.#batches.filter((each) => each.first >= before)
    return before
  }

  onAppend(listener: () => void) {
    this.#appendListeners.add(listener)
    return () => this.#appendListeners.delete(listener)
  }

  onClosed(listener: () => void) {
    this.#closedListeners.add(listener)
    return () => this.#closedListeners.delete(listener)
  }

  close(): void {
    for (const listener of [...this.#closedListeners]) listener()
  }

  pointOfOffset = async () => ({
    position: unused(),
    batchIndex: 0,
    index: asMessageIndex(0),
  })
  offsetOfPoint = async () => unused()
  appendPulsar = async () => unused()
  terminate = async () => unused()
  readPulsar = async () => unused()
  lastSequenceId = () => unused()
  lastEntry = async () => unused()
}

export class FakeCatalog implements TopicCatalog {
  readonly topics = new Map<string, TopicInfo>()
  readonly logs = new Map<string, FakeLog>()

  find = (name: TopicName) => this.topics.get(fullName(name))
  findById = (topicId: string) => [...this.topics.values()].find((topic) => topic.topicId === topicId)

  list(tenant: string, namespace: string) {
    return [...this.topics.values()]
      .filter(({ name }) => name.tenant === tenant && name.namespace === namespace)
      .sort((a, b) => (a.name.local < b.name.local ? -1 : 1))
  }

  async create(name: TopicName, { partitions, configs = {}, internal = false }: CreateTopic) {
    if (this.find(name) !== undefined) return refuse('TOPIC_ALREADY_EXISTS', 'there is one')
    const topicId = randomBytes(16).toString('base64url')
    return this.#set({ name, topicId, partitions, configs, internal })
  }

  async delete(name: TopicName) {
    this.topics.delete(fullName(name))
    for (const [key, log] of this.logs) {
      if (!key.startsWith(`${fullName(name)}#`)) continue
      this.logs.delete(key)
      log.close()
    }
    return true as const
  }

  setPartitions = async (name: TopicName, partitions: number) => this.#change(name, { partitions })
  setConfigs = async (name: TopicName, configs: Readonly<Record<string, string>>) =>
    this.#change(name, { configs })
  setAttributes = async () => unused()

  async partition(topic: TopicInfo, index: PartitionIndex) {
    const key = `${fullName(topic.name)}#${index}`
    const log = this.logs.get(key) ?? new FakeLog(topic.name, index)
    this.logs.set(key, log)
    return log
  }

  get tenants(): never {
    return unused()
  }

  #change(name: TopicName, part: Partial<TopicInfo>) {
    const topic = this.find(name)
    return topic === undefined
      ? refuse('UNKNOWN_TOPIC_OR_PARTITION', 'there is none')
      : this.#set({ ...topic, ...part })
  }

  #set(topic: TopicInfo): TopicInfo {
    this.topics.set(fullName(topic.name), topic)
    return topic
  }
}

/** A connection whose end is recorded. */
export class FakeConnection {
  readonly listener = 'PLAINTEXT'
  readonly clientHost = '/127.0.0.1'
  readonly #controller = new AbortController()
  closedFor: string | null = null

  get closed(): AbortSignal {
    return this.#controller.signal
  }

  close(reason: string): void {
    this.closedFor = reason
    this.#controller.abort()
  }
}

export class FakeBroker {
  readonly clock = new ManualClock(1_000_000)
  readonly metadata = new MemoryMetadata()
  readonly groups = new MemoryGroupStore()
  readonly catalog = new FakeCatalog()
  readonly connection = new FakeConnection()
  readonly errors: string[] = []
  readonly coordinator = new GroupCoordinator({
    clock: this.clock,
    store: this.groups,
  })
  readonly #dispatch: ReturnType<typeof dispatcher>
  #correlationId = 0

  constructor(options: Partial<KafkaContextOptions> = {}) {
    const namespace = { kafkaTenant: 'public', kafkaNamespace: 'default' }
    const quiet = () => {}
    this.#dispatch = dispatcher(
      kafkaContext({
        clusterId: 'cluster',
        nodeId: 7,
        brokers: (listener) => [{ nodeId: 7, host: `${listener.toLowerCase()}.example`, port: 9092 }],
        ...namespace,
        defaultNumPartitions: 2,
        allowAutoTopicCreation: true,
        messageBytesMax: 100_000,
        names: kafkaNames(namespace),
        catalog: this.catalog,
        coordinator: this.coordinator,
        producerIds: new StoredProducerIds(this.metadata),
        users: new ScramUsers(this.metadata),
        clock: this.clock,
        log: { debug: quiet, info: quiet, warn: quiet, error: (_, message) => this.errors.push(message) },
        ...options,
      }),
    )
  }

  /** Sends a request through the codec, as a client does. @returns the answer as the client reads it, or null for none. */
  async askMaybe<A extends Api>(
    api: A,
    apiVersion: number,
    body: RequestToWrite<A>,
    connection = this.connection,
  ): Promise<ResponseToRead<A> | null> {
    const header = { apiVersion, correlationId: ++this.#correlationId, clientId: 'client' }
    const frame = Buffer.concat(encodeRequest(api, header, body)).subarray(4)
    const response = await this.#dispatch(decodeRequest<Api>(frame, api), connection)
    if (response === null) return null
    const answer = Buffer.concat(encodeResponse<Api>(api, apiVersion, header.correlationId, response))
    return decodeResponse(answer.subarray(4), api, apiVersion).body
  }

  async ask<A extends Api>(
    api: A,
    apiVersion: number,
    body: RequestToWrite<A>,
    connection = this.connection,
  ): Promise<ResponseToRead<A>> {
    const answer = await this.askMaybe(api, apiVersion, body, connection)
    if (answer === null) throw new Error(`${api.name} was not answered`)
    return answer
  }

  /** A topic in the namespace of short names. */
  async topic(local: string, options: Partial<CreateTopic> = {}): Promise<TopicInfo> {
    const name = { tenant: 'public', namespace: 'default', local }
    const topic = await this.catalog.create(name, { partitions: 1, ...options })
    if ('refused' in topic) throw new Error(topic.message)
    return topic
  }

  async log(topic: TopicInfo, index = 0): Promise<FakeLog> {
    return this.catalog.partition(topic, index as PartitionIndex)
  }
}

/** A v2 batch of records with these values. */
export async function batchOf(
  values: readonly string[],
  fields: Parameters<BatchBuilder['finish']>[0] = {},
  timestampMs = 1000,
): Promise<Buffer> {
  const builder = new BatchBuilder()
  for (const value of values) builder.add(timestampMs, null, Buffer.from(value))
  return builder.finish(fields)
}
