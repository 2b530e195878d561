import type { GroupOfPartition } from '../../topics/group-subscriptions.js'

/**
 * What a Kafka group adds to its subscription's stats: one with members is of type Failover, its consumer the member that
 * has the partition. `kafkaGroup`, which Pulsar's own stats do not have, tells its lag in messages (register PT-8).
 * @param consumers of Pulsar, as their stats
 */
export function groupStats(group: GroupOfPartition | undefined, consumers: readonly object[]): object {
  if (group === undefined) return {}
  const { members, owner, lag, messagesPerSecond } = group
  const kafkaGroup = { members, lag }
  if (members === 0) return { msgRateOut: messagesPerSecond, kafkaGroup }
  const member = owner === undefined ? [] : [memberStats(owner, messagesPerSecond)]
  return {
    msgRateOut: messagesPerSecond,
    type: 'Failover',
    activeConsumerName: owner?.memberId,
    consumers: [...member, ...consumers],
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
