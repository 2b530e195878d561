import type { GroupKey } from './group-key.js'
import type { TopicPartition } from './offset-store.js'
import type { GroupState } from './step-state.js'

/** A group as DescribeGroups shows it. */
export interface GroupDescription {
  readonly key: GroupKey
  /** `Dead`: there is no such classic group. */
  readonly phase: GroupState['phase'] | 'Dead'
  readonly state: GroupState
}

export interface GroupListing {
  readonly groupId: string
  readonly protocolType: string
  /** Kafka's name of the state. */
  readonly phase: string
  /** `classic`, or the next generation's `consumer`. */
  readonly groupType: string
}

/** A member of a group of consumers with what is assigned to it now. */
export interface GroupMemberPartitions {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** Topics under the names that the consumers use. */
  readonly partitions: readonly TopicPartition[]
}
