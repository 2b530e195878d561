import { comparePositions, type Position } from '../../base/brand.js'
import type { LedgerInfo, ManagedLedger } from '../../storage/types.js'
import type { PartitionLog } from '../../topics/types.js'
import { isFailure } from '../failure.js'
import type { Producer } from '../producer.js'
import type { Consumer } from '../subscriptions/consumer.js'
import type { Subscription } from '../subscriptions/subscription.js'
import type { PulsarTopic } from '../topic.js'
import { groupStats } from './group-stats.js'

/** Opens the durable subscriptions that nobody has used since the start, so that their backlog is known. */
export async function allSubscriptions(topic: PulsarTopic): Promise<readonly Subscription[]> {
  const opened = new Map(topic.subscriptions.map((subscription) => [subscription.name, subscription]))
  for (const name of topic.log.ledger.cursorNames()) {
    if (opened.has(name)) continue
    const subscription = await topic.durableSubscription(name)
    if (!isFailure(subscription)) opened.set(name, subscription)
  }
  return [...opened.values()]
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)

/** Bytes kept from a position on. Ledgers tell only their whole size: of the one that holds it, by its share of entries. */
export function bytesFrom(ledger: ManagedLedger, position: Position): number {
  const from = comparePositions(position, ledger.start.position) < 0 ? ledger.start.position : position
  return sum(ledger.ledgers().map((info) => bytesOfPart(info, from)))
}

function bytesOfPart(
  { ledgerId, entries, bytes }: LedgerInfo,
  { ledgerId: from, entryId }: Position,
): number {
  if (ledgerId < from || entries === 0) return 0
  if (ledgerId > from) return bytes
  return Math.ceil((bytes * Math.max(0, entries - entryId)) / entries)
}

/**
 * Pulsar's topic stats. Rates are not measured: they read 0, but for Kafka groups, whose commits tell them. Backlogs
 * count entries, as Pulsar's do. The counters of bytes and of what went out are those of the producers and consumers
 * connected now.
 */
export async function topicStats(topic: PulsarTopic): Promise<object> {
  const { ledger } = topic.log
  const subscriptions = await allSubscriptions(topic)
  const consumers = subscriptions.flatMap((subscription) => subscription.consumers)
  const storageSize = sum(ledger.ledgers().map(({ bytes }) => bytes))
  const messages = ledger.end.index
  const last = await topic.log.lastEntry()
  return {
    msgRateIn: 0,
    msgThroughputIn: 0,
    msgRateOut: 0,
    msgThroughputOut: 0,
    bytesInCounter: sum(topic.producers.map(({ bytesIn }) => bytesIn)),
    msgInCounter: messages,
    systemTopicBytesInCounter: 0,
    bytesOutCounter: sum(consumers.map(({ bytesOut }) => bytesOut)),
    msgOutCounter: sum(consumers.map(({ messagesOut }) => messagesOut)),
    bytesOutInternalCounter: 0,
    averageMsgSize: 0,
    msgChunkPublished: false,
    storageSize,
    backlogSize: Math.max(0, ...subscriptions.map(({ cursor }) => bytesFrom(ledger, cursor.position))),
    backlogQuotaLimitSize: -1,
    backlogQuotaLimitTime: -1,
    oldestBacklogMessageAgeSeconds: -1,
    publishRateLimitedTimes: 0,
    earliestMsgPublishTimeInBacklogs: 0,
    offloadedStorageSize: 0,
    lastOffloadLedgerId: 0,
    lastOffloadSuccessTimeStamp: 0,
    lastOffloadFailureTimeStamp: 0,
    ongoingTxnCount: 0,
    abortedTxnCount: 0,
    committedTxnCount: 0,
    publishers: topic.producers.map(publisherStats),
    waitingPublishers: 0,
    subscriptions: Object.fromEntries(
      subscriptions.map((subscription) => [subscription.name, subscriptionStats(topic, subscription)]),
    ),
    replication: {},
    deduplicationStatus: 'Enabled',
    topicEpoch: topic.epoch,
    nonContiguousDeletedMessagesRanges: 0,
    nonContiguousDeletedMessagesRangesSerializedSize: 0,
    delayedMessageIndexSizeInBytes: 0,
    compaction: compactionStats(topic.log),
    topicCreationTimeStamp: 0,
    lastPublishTimeStamp: last?.brokerTimestampMs ?? 0,
  }
}

function compactionStats({ compaction }: PartitionLog): object {
  const report = compaction?.report
  return {
    lastCompactionRemovedEventCount: report?.removedMessages ?? 0,
    lastCompactionSucceedTimestamp: report?.succeededAtMs ?? 0,
    lastCompactionFailedTimestamp: report?.failedAtMs ?? 0,
    lastCompactionDurationTimeInMills: report?.durationMs ?? 0,
  }
}

/** −1 where there is none. A compacted ledger that had to roll over is shown by its first part, with all entries. */
function compactedLedger({ compaction }: PartitionLog): object {
  const ledgers = compaction?.ledgers
  return {
    ledgerId: ledgers?.[0]?.ledgerId ?? -1,
    entries: ledgers === undefined ? -1 : sum(ledgers.map(({ entries }) => entries)),
    size: ledgers === undefined ? -1 : sum(ledgers.map(({ bytes }) => bytes)),
    offloaded: false,
    underReplicated: false,
  }
}

const publisherStats = (producer: Producer) => ({
  accessMode: ['Shared', 'Exclusive', 'WaitForExclusive', 'ExclusiveWithFencing'][producer.accessMode],
  msgRateIn: 0,
  msgThroughputIn: 0,
  averageMsgSize: producer.messagesIn === 0 ? 0 : producer.bytesIn / producer.messagesIn,
  chunkedMessageRate: 0,
  producerId: producer.id,
  supportsPartialProducer: false,
  producerName: producer.name,
  address: producer.connection.remoteAddress,
  connectedSince: new Date(producer.connectedSinceMs).toISOString(),
  metadata: producer.metadata,
})

export function subscriptionStats(topic: PulsarTopic, subscription: Subscription): object {
  const { cursor, consumers } = subscription
  const backlog = cursor.backlogEntries()
  return {
    msgRateOut: 0,
    msgThroughputOut: 0,
    bytesOutCounter: sum(consumers.map(({ bytesOut }) => bytesOut)),
    msgOutCounter: sum(consumers.map(({ messagesOut }) => messagesOut)),
    msgRateRedeliver: 0,
    messageAckRate: 0,
    chunkedMessageRate: 0,
    msgBacklog: backlog,
    backlogSize: backlog === 0 ? 0 : bytesFrom(topic.log.ledger, cursor.position),
    earliestMsgPublishTimeInBacklog: 0,
    msgBacklogNoDelayed: backlog,
    blockedSubscriptionOnUnackedMsgs: false,
    msgDelayed: 0,
    msgInReplay: 0,
    unackedMessages: sum(consumers.map(({ unackedMessages }) => unackedMessages)),
    type: subscription.type ?? 'None',
    activeConsumerName: subscription.activeConsumer?.name,
    msgRateExpired: 0,
    totalMsgExpired: 0,
    lastExpireTimestamp: 0,
    lastConsumedFlowTimestamp: 0,
    lastConsumedTimestamp: 0,
    lastAckedTimestamp: 0,
    lastMarkDeleteAdvancedTimestamp: 0,
    consumers: consumers.map(consumerStats),
    isDurable: cursor.durable,
    isReplicated: false,
    allowOutOfOrderDelivery: false,
    consumersAfterMarkDeletePosition: {},
    nonContiguousDeletedMessagesRanges: 0,
    nonContiguousDeletedMessagesRangesSerializedSize: 0,
    delayedMessageIndexSizeInBytes: 0,
    subscriptionProperties: topic.properties.of(subscription.name),
    filterProcessedMsgCount: 0,
    filterAcceptedMsgCount: 0,
    filterRejectedMsgCount: 0,
    filterRescheduledMsgCount: 0,
    replicated: false,
    durable: cursor.durable,
    ...groupStats(topic.groupOf(subscription), consumers.map(consumerStats)),
  }
}

const consumerStats = (consumer: Consumer) => ({
  msgRateOut: 0,
  msgThroughputOut: 0,
  msgOutCounter: consumer.messagesOut,
  bytesOutCounter: consumer.bytesOut,
  msgRateRedeliver: 0,
  messageAckRate: 0,
  chunkedMessageRate: 0,
  consumerName: consumer.name,
  availablePermits: Math.max(0, consumer.permits),
  unackedMessages: consumer.unackedMessages,
  avgMessagesPerEntry: 0,
  blockedConsumerOnUnackedMsgs: consumer.isBlocked,
  address: consumer.connection.remoteAddress,
  connectedSince: new Date(consumer.connectedSinceMs).toISOString(),
  lastAckedTimestamp: 0,
  lastConsumedTimestamp: 0,
  metadata: consumer.metadata,
})

const positionText = ({ ledgerId, entryId }: { readonly ledgerId: number; readonly entryId: number }) =>
  `${ledgerId}:${entryId}`

/** Pulsar's internal stats: ledgers and cursors. */
export async function internalStats(topic: PulsarTopic): Promise<object> {
  const { ledger } = topic.log
  const ledgers = ledger.ledgers()
  const current = ledgers.at(-1)
  const last = (await topic.log.lastEntry())?.position
  const entries = sum(ledgers.map((info) => info.entries))
  const cursors = (await allSubscriptions(topic)).map((subscription) => [
    subscription.name,
    cursorStats(subscription),
  ])
  return {
    entriesAddedCounter: entries,
    numberOfEntries: entries,
    totalSize: sum(ledgers.map(({ bytes }) => bytes)),
    currentLedgerEntries: current?.entries ?? 0,
    currentLedgerSize: current?.bytes ?? 0,
    waitingCursorsCount: 0,
    pendingAddEntriesCount: 0,
    lastConfirmedEntry: last === undefined ? `${ledger.end.position.ledgerId}:-1` : positionText(last),
    state: topic.log.terminated ? 'Terminated' : 'LedgerOpened',
    ledgers: ledgers.map(({ ledgerId, entries: count, bytes, open }) => ({
      ledgerId,
      // Pulsar shows a ledger's size only once it is closed.
      entries: open ? 0 : count,
      size: open ? 0 : bytes,
      offloaded: false,
      underReplicated: false,
    })),
    cursors: Object.fromEntries(cursors),
    properties: { ...topic.info.properties },
    schemaLedgers: [],
    compactedLedger: compactedLedger(topic.log),
  }
}

function cursorStats({ cursor, activeConsumer }: Subscription): object {
  return {
    markDeletePosition: positionText({ ...cursor.position, entryId: cursor.position.entryId - 1 }),
    readPosition: positionText(cursor.position),
    waitingReadOp: false,
    pendingReadOps: 0,
    messagesConsumedCounter: 0,
    cursorLedger: -1,
    cursorLedgerLastEntry: -1,
    individuallyDeletedMessages: '[]',
    state: 'Open',
    active: activeConsumer !== undefined,
    numberOfEntriesSinceFirstNotAckedMessage: cursor.backlogEntries(),
    totalNonContiguousDeletedMessagesRange: 0,
    subscriptionHavePendingRead: false,
    subscriptionHavePendingReplayRead: false,
    // Of the cursor, which are numbers: not those that users attach to subscriptions.
    properties: {},
  }
}

const largest: ReadonlySet<string> = new Set([
  'lastPublishTimeStamp',
  'backlogQuotaLimitSize',
  'backlogQuotaLimitTime',
])

/** Adds up what partitions' stats count, subscription by subscription. */
export function sumOf(all: readonly object[]): object {
  const added: Record<string, unknown> = {}
  for (const stats of all)
    for (const [name, value] of Object.entries(stats)) {
      const before = added[name]
      if (typeof value === 'number' && (typeof before === 'number' || before === undefined))
        added[name] = plus(name, before, value)
      else if (Array.isArray(value)) added[name] = [...(Array.isArray(before) ? before : []), ...value]
      else if (name === 'subscriptions') added[name] = merged(before ?? {}, value)
      else if (name === 'kafkaGroup') added[name] = sumOf([before ?? {}, value])
      else added[name] ??= value
    }
  return added
}

function plus(name: string, before: number | undefined, value: number): number {
  if (before === undefined) return value
  // What is not known stays so: −1 times the number of partitions would say something.
  if (name === 'members') return Math.max(before, value)
  return largest.has(name) || (before < 0 && value < 0) ? Math.max(before, value) : before + value
}

function merged(a: object, b: object): object {
  const [before, more] = [new Map(Object.entries(a)), new Map(Object.entries(b))]
  const names = new Set([...before.keys(), ...more.keys()])
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      sumOf([before.get(name), more.get(name)].filter((stats) => stats !== undefined)),
    ]),
  )
}
