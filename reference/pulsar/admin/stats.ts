import type { GroupOfPartition } from '../../topics/group-subscriptions.js'
import { isFailure } from '../failure.js'
import type { Producer } from '../producer.js'
import type { Consumer } from '../subscriptions/consumer.js'
import type { Subscription } from '../subscriptions/subscription.js'
import type { PulsarTopic } from '../topic.js'

/** Opens the durable subscriptions that nobody has used since the start, so that their backlog is known. */
export async function allSubscriptions(topic: PulsarTopic): Promise<readonly Subscription[]> {
  const opened = new Map(topic.subscriptions.map((subscription) => [subscription.name, subscription]))
  for (const name of topic.log.ledger.cursorNames()) {
    if (opened.has(name)) continue
    const subscription = await topic.subscription({
      subscription: name,
      durable: true,
      startMessageId: undefined,
      fromEarliest: false,
      rollbackSeconds: 0,
    })
    if (!isFailure(subscription)) opened.set(name, subscription)
  }
  return [...opened.values()]
}

/**
 * Pulsar's topic stats. Rates are not measured: they read 0, but for Kafka groups, whose commits tell them. Backlogs count
 * entries, as Pulsar's do. A Kafka group with members is a subscription of type Failover whose consumer is the member that
 * has the partition; `kafkaGroup`, which Pulsar's own stats do not have, tells its lag in messages (register PT-8).
 */
export async function topicStats(topic: PulsarTopic): Promise<object> {
  const { ledger } = topic.log
  const publishers = topic.producers.map(publisherStats)
  const subscriptions = await allSubscriptions(topic)
  const storageSize = ledger.ledgers().reduce((sum, { bytes }) => sum + bytes, 0)
  return {
    msgRateIn: 0,
    msgThroughputIn: 0,
    msgRateOut: 0,
    msgThroughputOut: 0,
    bytesInCounter: topic.producers.reduce((sum, { bytesIn }) => sum + bytesIn, 0),
    msgInCounter: ledger.end.index,
    storageSize,
    backlogSize: storageSize,
    publishers,
    waitingPublishers: 0,
    subscriptions: Object.fromEntries(
      subscriptions.map((subscription) => [
        subscription.name,
        subscriptionStats(subscription, topic.groupOf(subscription)),
      ]),
    ),
    replication: {},
    deduplicationStatus: 'Enabled',
    topicEpoch: topic.epoch,
  }
}

const publisherStats = (producer: Producer) => ({
  accessMode: ['Shared', 'Exclusive', 'WaitForExclusive', 'ExclusiveWithFencing'][producer.accessMode],
  msgRateIn: 0,
  msgThroughputIn: 0,
  producerId: producer.id,
  producerName: producer.name,
  address: producer.connection.remoteAddress,
  connectedSince: new Date(producer.connectedSinceMs).toISOString(),
  metadata: producer.metadata,
})

const subscriptionStats = (subscription: Subscription, group: GroupOfPartition | undefined) => ({
  ...ownStats(subscription),
  ...(group === undefined ? {} : groupStats(subscription, group)),
})

function groupStats(subscription: Subscription, group: GroupOfPartition): object {
  const { members, owner, lag, messagesPerSecond } = group
  const kafkaGroup = { members, lag }
  if (members === 0) return { msgRateOut: messagesPerSecond, kafkaGroup }
  const consumers = owner === undefined ? [] : [memberStats(owner, messagesPerSecond)]
  return {
    msgRateOut: messagesPerSecond,
    type: 'Failover',
    activeConsumerName: owner?.memberId,
    consumers: [...consumers, ...subscription.consumers.map(consumerStats)],
    kafkaGroup,
  }
}

/** A member of a Kafka group in the form of a Pulsar consumer. */
const memberStats = (
  { memberId, clientId, clientHost }: NonNullable<GroupOfPartition['owner']>,
  msgRateOut: number,
) => ({
  msgRateOut,
  msgThroughputOut: 0,
  consumerName: memberId,
  availablePermits: 0,
  unackedMessages: 0,
  blockedConsumerOnUnackedMsgs: false,
  address: clientHost,
  metadata: { clientId, protocol: 'kafka' },
})

const ownStats = (subscription: Subscription) => ({
  msgRateOut: 0,
  msgThroughputOut: 0,
  msgBacklog: subscription.cursor.backlogEntries(),
  type: subscription.type ?? 'None',
  activeConsumerName: subscription.activeConsumer?.name,
  unackedMessages: subscription.consumers.reduce((sum, { unackedMessages }) => sum + unackedMessages, 0),
  consumers: subscription.consumers.map(consumerStats),
  isDurable: subscription.cursor.durable,
  isReplicated: false,
})

const consumerStats = (consumer: Consumer) => ({
  msgRateOut: 0,
  msgThroughputOut: 0,
  msgOutCounter: consumer.messagesOut,
  bytesOutCounter: consumer.bytesOut,
  consumerName: consumer.name,
  availablePermits: Math.max(0, consumer.permits),
  unackedMessages: consumer.unackedMessages,
  blockedConsumerOnUnackedMsgs: consumer.isBlocked,
  address: consumer.connection.remoteAddress,
  connectedSince: new Date(consumer.connectedSinceMs).toISOString(),
  metadata: consumer.metadata,
})

/** Pulsar's internal stats: ledgers and cursors. */
export async function internalStats(topic: PulsarTopic): Promise<object> {
  const { ledger } = topic.log
  const ledgers = ledger.ledgers()
  const current = ledgers.at(-1)
  const last = (await topic.log.lastEntry())?.position
  const cursors = (await allSubscriptions(topic)).map(({ name, cursor, activeConsumer }) => [
    name,
    {
      markDeletePosition: `${cursor.position.ledgerId}:${cursor.position.entryId - 1}`,
      readPosition: `${cursor.position.ledgerId}:${cursor.position.entryId}`,
      numberOfEntriesSinceFirstNotAckedMessage: cursor.backlogEntries(),
      active: activeConsumer !== undefined,
      state: 'Open',
    },
  ])
  return {
    entriesAddedCounter: ledgers.reduce((sum, { entries }) => sum + entries, 0),
    numberOfEntries: ledgers.reduce((sum, { entries }) => sum + entries, 0),
    totalSize: ledgers.reduce((sum, { bytes }) => sum + bytes, 0),
    currentLedgerEntries: current?.entries ?? 0,
    currentLedgerSize: current?.bytes ?? 0,
    lastConfirmedEntry:
      last === undefined ? `${ledger.end.position.ledgerId}:-1` : `${last.ledgerId}:${last.entryId}`,
    state: 'LedgerOpened',
    ledgers: ledgers.map(({ ledgerId, entries, bytes, open }) => ({
      ledgerId,
      // Pulsar shows a ledger's size only once it is closed.
      entries: open ? 0 : entries,
      size: open ? 0 : bytes,
      offloaded: false,
      underReplicated: false,
    })),
    cursors: Object.fromEntries(cursors),
  }
}
