import { fullName, kafkaNames } from '../topics/names.js'
import { isRefusal, type TopicName } from '../topics/types.js'
import { type GroupKey, groupNameOf } from './group-key.js'

/** A member of a consumer group, with topics by the names that it uses itself. */
export interface ConsumerMember {
  readonly memberId: string
  readonly clientId: string
  readonly clientHost: string
  readonly subscribed: readonly string[]
  readonly assigned: readonly { readonly topic: string; readonly partitions: readonly number[] }[]
}

/** What cursor sync asks of the coordinator. */
export interface GroupMembers {
  /** Undefined when the coordinator has no such group in memory: it is without members then. */
  of(key: GroupKey): { readonly state: string; readonly members: readonly ConsumerMember[] } | undefined
  /** A tool moves the group: members start again under a new generation, and the older's commits are refused. */
  resetByTool(key: GroupKey): Promise<void> | void
}

export interface MembersOnPartition {
  /** Kafka's name of the group's state. */
  readonly state: string
  /** Those that subscribe to the topic. */
  readonly subscribers: readonly ConsumerMember[]
  readonly owner: ConsumerMember | undefined
}

/** Which members of a group have to do with a partition. Short topic names are of the group's namespace (register MT-3). */
export function membersOn(
  members: GroupMembers,
  key: GroupKey,
  topic: TopicName,
  partition: number,
): MembersOnPartition {
  const group = members.of(key)
  if (group === undefined) return { state: 'Empty', subscribers: [], owner: undefined }
  const { tenant, namespace } = groupNameOf(key)
  const names = kafkaNames({ kafkaTenant: tenant, kafkaNamespace: namespace })
  const full = fullName(topic)
  const isTopic = (name: string): boolean => {
    const resolved = names.resolveKafkaName(name)
    return !isRefusal(resolved) && fullName(resolved) === full
  }
  return {
    state: group.state,
    subscribers: group.members.filter(({ subscribed }) => subscribed.some(isTopic)),
    owner: group.members.find(({ assigned }) =>
      assigned.some((each) => each.partitions.includes(partition) && isTopic(each.topic)),
    ),
  }
}
