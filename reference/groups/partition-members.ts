import { fullName, kafkaNames } from '../topics/names.js'
import { isRefusal, type TopicName } from '../topics/types.js'
import type { GroupCoordinator } from './coordinator.js'
import { type GroupKey, groupNameOf } from './group-key.js'
import type { GroupMemberPartitions } from './group-views.js'

/** What cursor sync asks of the coordinator. */
export type GroupMembers = Pick<GroupCoordinator, 'membersOf' | 'isSubscribed' | 'resetByTool'>

export interface MembersOnTopic {
  /** Whether a member of the group subscribes to the topic, so that what is done to the group's offsets concerns it. */
  readonly isSubscribed: boolean
  /** All members of the group. */
  readonly members: readonly GroupMemberPartitions[]
}

/** A group's members, if they have to do with the topic. Short names are of the group's own namespace (register MT-3). */
export function membersOn(coordinator: GroupMembers, key: GroupKey, topic: TopicName): MembersOnTopic {
  const { tenant, namespace, local } = topic
  const path = `${tenant}/${namespace}/${local}`
  const names = [path, fullName(topic), ...(isOwn(key, topic) ? [local] : [])]
  const isSubscribed = coordinator.isSubscribed(key, names)
  return { isSubscribed, members: isSubscribed ? coordinator.membersOf(key) : [] }
}

/** The member that a partition is assigned to. */
export function ownerOf(
  members: readonly GroupMemberPartitions[],
  key: GroupKey,
  topic: TopicName,
  index: number,
): GroupMemberPartitions | undefined {
  const { tenant, namespace } = groupNameOf(key)
  const names = kafkaNames({ kafkaTenant: tenant, kafkaNamespace: namespace })
  const full = fullName(topic)
  const isTopic = (name: string): boolean => {
    const resolved = names.resolveKafkaName(name)
    return !isRefusal(resolved) && fullName(resolved) === full
  }
  return members.find(({ partitions }) =>
    partitions.some((each) => each.partition === index && isTopic(each.topic)),
  )
}

function isOwn(key: GroupKey, topic: TopicName): boolean {
  const { tenant, namespace } = groupNameOf(key)
  return tenant === topic.tenant && namespace === topic.namespace
}
