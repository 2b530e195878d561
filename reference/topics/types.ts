import type { MessageIndex, Offset, PartitionIndex, Position } from '../base/brand.js'
import type { KafkaBatch, PulsarView, TimestampType } from '../entry-format/types.js'
import type { LogPoint, ManagedLedger, ReadLimits, StoredEntry } from '../storage/types.js'
import type { PartitionCompaction } from './compaction/types.js'
import type { NamespacePolicies, Permissions, StoragePolicies, TenantInfo } from './policies.js'

/** A refusal is a value (style 6). The names are Kafka's; the Pulsar side maps them to its ServerError. */
export type RefusalName =
  | 'CORRUPT_MESSAGE'
  | 'MESSAGE_TOO_LARGE'
  | 'INVALID_RECORD'
  | 'OFFSET_OUT_OF_RANGE'
  | 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  | 'DUPLICATE_SEQUENCE_NUMBER'
  | 'INVALID_PRODUCER_EPOCH'
  | 'UNKNOWN_PRODUCER_ID'
  | 'KAFKA_STORAGE_ERROR'
  | 'NOT_LEADER_OR_FOLLOWER'
  | 'UNKNOWN_TOPIC_OR_PARTITION'
  | 'TOPIC_ALREADY_EXISTS'
  | 'INVALID_TOPIC_EXCEPTION'
  | 'INVALID_PARTITIONS'
  | 'INVALID_CONFIG'
  | 'POLICY_VIOLATION'
  | 'TOPIC_AUTHORIZATION_FAILED'

export interface Refusal {
  readonly refused: RefusalName
  /** One sentence for the client: what, and what to do about it. */
  readonly message: string
}

export const refuse = (refused: RefusalName, message: string): Refusal => ({ refused, message })
export const isRefusal = (value: object): value is Refusal => 'refused' in value

/** `persistent://tenant/namespace/local`, without a partition. */
export interface TopicName {
  readonly tenant: string
  readonly namespace: string
  readonly local: string
}

/** What is known of a topic, durable in the metadata store. */
export interface TopicInfo {
  readonly name: TopicName
  /** Kafka's topic id: 16 bytes as Kafka's text form (base64url, 22 characters). A recreated topic has a new one. */
  readonly topicId: string
  /** 0: a Pulsar topic without partitions, which Kafka sees with one (register MT-12). */
  readonly partitions: number
  /** Kafka topic configs that were set, by name; what is absent has the broker's default. */
  readonly configs: Readonly<Record<string, string>>
  /** A system topic: hidden from lists, marked internal (register MT-11). */
  readonly internal: boolean
  /** Pulsar's topic properties: any text that its users attach. */
  readonly properties?: Readonly<Record<string, string>> | undefined
  /** Pulsar's topic-level policies, over those of the namespace. */
  readonly policies?: StoragePolicies | undefined
}

/** All topics of the broker, of both worlds. */
export interface TopicCatalog {
  /** @returns undefined when there is none. Creates nothing. */
  find(name: TopicName): TopicInfo | undefined
  findById(topicId: string): TopicInfo | undefined
  /** In name order. */
  list(tenant: string, namespace: string): readonly TopicInfo[]
  create(name: TopicName, options: CreateTopic): Promise<TopicInfo | Refusal>
  /** Why `create` would refuse it now; undefined when it would not. */
  refusalToCreate?(name: TopicName, options: CreateTopic): Refusal | undefined
  /** Deletes data, cursors and configs; readers and producers of it are told through their `closed` listeners. */
  delete(name: TopicName): Promise<true | Refusal>
  /** Raises the number of partitions; it never falls. */
  setPartitions(name: TopicName, partitions: number): Promise<TopicInfo | Refusal>
  setConfigs(name: TopicName, configs: Readonly<Record<string, string>>): Promise<TopicInfo | Refusal>
  /** Replaces the topic's properties and Pulsar policies by what `change` makes of them. */
  setAttributes(
    name: TopicName,
    change: (before: TopicInfo) => Pick<TopicInfo, 'properties' | 'policies'>,
  ): Promise<TopicInfo | Refusal>
  /** Opens a partition's log (one object a partition while it is open). Partition 0 of a topic without partitions is its log. */
  partition(topic: TopicInfo, index: PartitionIndex): Promise<PartitionLog | Refusal>
  tenants: NamespaceCatalog
}

export interface CreateTopic {
  readonly partitions: number
  readonly configs?: Readonly<Record<string, string>>
  readonly internal?: boolean
  readonly properties?: Readonly<Record<string, string>>
}

/** Tenants and namespaces, as Pulsar's admin API manages them. */
export interface NamespaceCatalog {
  listTenants(): readonly string[]
  hasNamespace(tenant: string, namespace: string): boolean
  listNamespaces(tenant: string): readonly string[]
  /** Undefined when there is no such tenant. */
  tenant(tenant: string): TenantInfo | undefined
  createTenant(tenant: string, info?: TenantInfo): Promise<boolean>
  updateTenant(tenant: string, info: TenantInfo): Promise<boolean>
  deleteTenant(tenant: string): Promise<boolean>
  createNamespace(tenant: string, namespace: string, policies?: NamespacePolicies): Promise<boolean>
  deleteNamespace(tenant: string, namespace: string): Promise<boolean>
  /** What was set on the namespace; nothing for one that is not there. */
  policies(tenant: string, namespace: string): NamespacePolicies
  /** Durable when it resolves. @returns false when there is no such namespace. */
  updatePolicies(
    tenant: string,
    namespace: string,
    change: (before: NamespacePolicies) => NamespacePolicies,
  ): Promise<boolean>
  /** What was granted on the namespace: it holds for each of its topics. */
  permissions(tenant: string, namespace: string): Permissions
  /** What was granted on the one topic, besides the namespace's. */
  topicPermissions(name: TopicName): Permissions
  /** Called after a namespace's policies or permissions changed, or it went. The returned function ends it. */
  onPolicies(listener: (tenant: string, namespace: string) => void): () => void
}

export interface KafkaAppended {
  /** The offset of the batch's first record; of the first time for a duplicate (register PR-6). */
  readonly baseOffset: Offset
  /** Under LogAppendTime the broker's time, else −1. */
  readonly logAppendTimeMs: bigint
  readonly logStartOffset: Offset
  readonly duplicate: boolean
}

export interface KafkaFetched {
  /** Whole batches, in pieces, first offset at or before the one asked for. Empty at the log's end. */
  readonly records: readonly Buffer[]
  readonly bytes: number
  readonly highWatermark: Offset
  readonly logStartOffset: Offset
}

/** An entry for a Pulsar consumer, with what dispatching needs. */
export interface PulsarEntry {
  readonly position: Position
  readonly firstIndex: MessageIndex
  readonly brokerTimestampMs: number
  readonly view: PulsarView
}

/** What a Pulsar producer sends, decoded as far as the broker must. */
export interface PulsarSend {
  /** Magic and checksum (verified), metadata, payload. Stored byte for byte, except for what the broker must stamp. */
  readonly headersAndPayload: Buffer
  readonly messageCount: number
  readonly producerName: string
  readonly sequenceId: bigint
  /** Of the last message of a batch; equals `sequenceId` when the client gives none. */
  readonly highestSequenceId: bigint
}

export interface PulsarAppended {
  readonly position: Position
  readonly firstIndex: MessageIndex
  /** De-duplicated by producer name and sequence id (Pulsar's deduplication): nothing was stored. */
  readonly duplicate: boolean
}

/**
 * The log as it was written, or what compaction has kept of it up to its horizon, and the log after that. Kafka's consumers
 * see the one or the other by the topic's `cleanup.policy`; Pulsar's choose.
 */
export type LogView = 'log' | 'compacted'

/** One partition, as both protocols use it. The only place where a batch becomes an entry and an entry a batch. */
export interface PartitionLog {
  readonly topic: TopicName
  readonly index: PartitionIndex
  /** `persistent://t/n/l-partition-0`, or without the suffix for a topic without partitions. */
  readonly pulsarName: string
  readonly ledger: ManagedLedger
  readonly leaderEpoch: number
  readonly timestampType: TimestampType

  /** Checks producer state, converts, appends. Calls for one partition take effect in the order they are made. */
  appendKafka(batch: KafkaBatch): Promise<KafkaAppended | Refusal>
  /**
   * Whole batches from the one that holds `offset`, at most `maxBytes` of them, but always the first when `atLeastOne`
   * (KIP-74). At the log's end: none. Beyond either end: OFFSET_OUT_OF_RANGE.
   */
  fetchKafka(
    offset: Offset,
    limits: { maxBytes: number; atLeastOne: boolean },
  ): Promise<KafkaFetched | Refusal>
  startOffset(): Offset
  /** One past the last record: Kafka's log end offset and high watermark. */
  endOffset(): Offset
  /** The first offset whose timestamp is at or after `timestampMs`, with that record's timestamp (register ID-8). */
  offsetOfTimestamp(timestampMs: bigint): Promise<{ offset: Offset; timestampMs: bigint } | undefined>
  /** The largest timestamp and its offset (ListOffsets −3). */
  offsetOfMaxTimestamp(): Promise<{ offset: Offset; timestampMs: bigint } | undefined>
  /** DeleteRecords. @returns the new log start offset. */
  deleteRecords(before: Offset): Promise<Offset | Refusal>
  /** The message at or after an offset, as a place in the ledger. */
  pointOfOffset(offset: Offset): Promise<LogPoint | undefined>
  offsetOfPoint(point: { position: Position; batchIndex: number }): Promise<Offset | undefined>

  appendPulsar(send: PulsarSend): Promise<PulsarAppended | Refusal>
  readPulsar(from: Position, limits: ReadLimits, view?: LogView): Promise<readonly PulsarEntry[]>
  /** The last sequence id stored for a producer name; −1n when none. */
  lastSequenceId(producerName: string): bigint
  lastEntry(view?: LogView): Promise<StoredEntry | undefined>
  /** Absent: this log cannot be compacted. */
  readonly compaction?: PartitionCompaction | undefined

  /** No more messages are taken, for ever (Pulsar's terminated topic): appends of both sides are refused. */
  readonly terminated: boolean
  /** Durable when it resolves; what was being appended before is stored then. Repeating it changes nothing. */
  terminate(): Promise<void>
  /** Called when messages became readable, or will not any more: wakes waiting fetches and dispatchers. Returns how to stop. */
  onAppend(listener: () => void): () => void
  /** Called once when the topic was deleted or this broker ceased to own it. */
  onClosed(listener: () => void): () => void
}
