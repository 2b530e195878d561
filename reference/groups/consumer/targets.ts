import { type AssignorName, assignorNames, assignors, type Subscriber } from './assignors.js'
import type {
  AssignableTopic,
  ConsumerGroupState,
  ConsumerMember,
  SubscribableTopics,
  Surroundings,
} from './state.js'

export const withMember = (state: ConsumerGroupState, member: ConsumerMember): ConsumerGroupState => ({
  ...state,
  emptySinceMs: null,
  members: new Map(state.members).set(member.memberId, member),
})

export function withoutMember(state: ConsumerGroupState, memberId: string): ConsumerGroupState {
  const members = new Map(state.members)
  members.delete(memberId)
  return { ...state, members }
}

/** Whether topics came, went or grew since the targets were made out. */
export function isRetargetDue(state: ConsumerGroupState, { topics }: Surroundings): boolean {
  const now = partitionsOf(subscriptions(state, topics).values())
  return (
    now.size !== state.topics.size ||
    [...now].some(([topicId, partitions]) => state.topics.get(topicId) !== partitions)
  )
}

/** The next epoch, with what each member is to have in it. */
export function retargeted(state: ConsumerGroupState, { topics, nowMs }: Surroundings): ConsumerGroupState {
  const subscribed = subscriptions(state, topics)
  const partitions = partitionsOf(subscribed.values())
  const assignor = preferred([...state.members.values()])
  const targets = assignors[assignor](
    [...state.members.values()].map((member) => subscriberOf(member, subscribed.get(member.memberId) ?? [])),
    partitions,
  )
  const members = [...state.members.values()].map((member): [string, ConsumerMember] => [
    member.memberId,
    { ...member, target: targets.get(member.memberId) ?? new Set() },
  ])
  return {
    epoch: state.epoch + 1,
    assignor,
    emptySinceMs: members.length === 0 ? nowMs : null,
    topics: partitions,
    members: new Map(members),
  }
}

const subscriberOf = (
  { memberId, instanceId, target }: ConsumerMember,
  topics: readonly AssignableTopic[],
): Subscriber => ({
  memberId,
  instanceId,
  topicIds: new Set(topics.map(({ topicId }) => topicId)),
  previous: target,
})

function subscriptions(
  state: ConsumerGroupState,
  topics: SubscribableTopics,
): ReadonlyMap<string, readonly AssignableTopic[]> {
  // Members mostly subscribe to the same.
  const known = new Map<string, readonly AssignableTopic[]>()
  return new Map(
    [...state.members.values()].map((member) => {
      const text = JSON.stringify([member.topicNames, member.topicRegex])
      const found = known.get(text) ?? topicsOf(member, topics)
      known.set(text, found)
      return [member.memberId, found]
    }),
  )
}

/** Topics that are not there yet are theirs when they come. */
const topicsOf = (
  { topicNames, topicRegex }: ConsumerMember,
  topics: SubscribableTopics,
): readonly AssignableTopic[] => [
  ...topicNames.flatMap((name) => topics.named(name) ?? []),
  ...(topicRegex === null ? [] : topics.matching(topicRegex)),
]

const partitionsOf = (all: Iterable<readonly AssignableTopic[]>): ReadonlyMap<string, number> =>
  new Map([...new Set(all)].flat().map(({ topicId, partitions }) => [topicId, partitions]))

/** What most of those prefer who prefer one. */
function preferred(members: readonly ConsumerMember[]): AssignorName {
  const votes = (name: AssignorName) => members.filter(({ assignor }) => assignor === name).length
  return assignorNames.reduce((best, name) => (votes(name) > votes(best) ? name : best))
}
