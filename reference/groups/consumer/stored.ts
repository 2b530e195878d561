import type { GroupKey } from '../group-key.js'
import { isAssignorName } from './assignors.js'
import { byTopic, slotsOf, type TopicSlots } from './slots.js'
import type { ConsumerGroupState, ConsumerMember, MemberPhase } from './state.js'

/** A member of a group of the next-generation protocol, as stored. */
export interface StoredConsumerMember
  extends Omit<ConsumerMember, 'assignor' | 'assigned' | 'revoking' | 'target'> {
  readonly assignor: string | null
  readonly assigned: readonly TopicSlots[]
  readonly revoking: readonly TopicSlots[]
  readonly target: readonly TopicSlots[]
}

/** A group of the next-generation protocol: all of it, so that a coordinator goes on where another was. */
export interface StoredConsumerGroup {
  readonly epoch: number
  readonly assignor: string
  readonly emptySinceMs: number | null
  readonly topics: readonly { readonly topicId: string; readonly partitions: number }[]
  readonly members: readonly StoredConsumerMember[]
}

/** Where these groups are kept (register GC-3). */
export interface ConsumerGroupStore {
  consumerGroups(): Iterable<readonly [GroupKey, StoredConsumerGroup]>
  /** Durable when it resolves. Undefined: removes it, and leaves its offsets. */
  putConsumerGroup(key: GroupKey, group: StoredConsumerGroup | undefined): Promise<void>
}

export const memberPhases: readonly MemberPhase[] = ['stable', 'unrevoked', 'unreleased']

export const storedGroup = (state: ConsumerGroupState): StoredConsumerGroup => ({
  epoch: state.epoch,
  assignor: state.assignor,
  emptySinceMs: state.emptySinceMs,
  topics: [...state.topics].map(([topicId, partitions]) => ({ topicId, partitions })),
  members: [...state.members.values()].map((member) => ({
    ...member,
    assigned: byTopic(member.assigned),
    revoking: byTopic(member.revoking),
    target: byTopic(member.target),
  })),
})

export const restoredGroup = (stored: StoredConsumerGroup): ConsumerGroupState => ({
  epoch: stored.epoch,
  assignor: isAssignorName(stored.assignor) ? stored.assignor : 'uniform',
  emptySinceMs: stored.emptySinceMs,
  topics: new Map(stored.topics.map(({ topicId, partitions }) => [topicId, partitions])),
  members: new Map(stored.members.map((member) => [member.memberId, restoredMember(member)])),
})

const restoredMember = (member: StoredConsumerMember): ConsumerMember => ({
  ...member,
  assignor: member.assignor !== null && isAssignorName(member.assignor) ? member.assignor : null,
  assigned: slotsOf(member.assigned),
  revoking: slotsOf(member.revoking),
  target: slotsOf(member.target),
})
