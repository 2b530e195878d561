import type { CommittedOffset } from '../../groups/offset-store.js'
import { fullName } from '../../topics/names.js'
import { isRefusal, type Refusal, type TopicInfo } from '../../topics/types.js'
import { offsetFetch as table } from '../messages/09-offset-fetch.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import type { RequestOf, ResponseOf } from '../wire/schema.js'
import { coordinatorFault } from './faults.js'
import { keyOfGroup, storedGroupIdFault } from './groups.js'
import { type Call, handler } from './handler.js'
import { findTopic, topicOfFullName } from './topics.js'

type AskedTopics = RequestOf<typeof table>['topics']
type TopicAnswer = NonNullable<ResponseOf<typeof table>['topics']>[number]
type PartitionAnswer = TopicAnswer['partitions'][number]

const groupsSinceVersion = 8
const noOffset = -1n

/**
 * OffsetFetch v0 to v9. What was never committed reads −1 without error, and null topics ask for all that is (register
 * GC-6). Commits of a topic that has been deleted since, or recreated, are none. All offsets are stable, as there are no
 * transactions. v9: a member of a next-generation group is told only in its present epoch (KIP-848).
 */
export const offsetFetch = handler(table, async (request, call) => {
  if (call.apiVersion < groupsSinceVersion) {
    const { error, topics } = await offsetsOf(request.groupId, request.topics, call)
    return { errorCode: errorCode(error), topics }
  }
  const groups = request.groups.map(async ({ groupId, topics: asked, ...member }) => {
    const { error, topics } = await offsetsOf(groupId, asked, call, member)
    return { groupId, topics, errorCode: errorCode(error) }
  })
  return { groups: await Promise.all(groups) }
})

interface Offsets {
  readonly error: ErrorName
  readonly topics: readonly TopicAnswer[]
}

interface AskingMember {
  readonly memberId: string | null
  readonly memberEpoch: number
}

const noMember: AskingMember = { memberId: null, memberEpoch: -1 }

async function offsetsOf(
  groupId: string,
  asked: AskedTopics,
  call: Call,
  { memberId, memberEpoch } = noMember,
): Promise<Offsets> {
  const fault = storedGroupIdFault(groupId)
  if (fault !== null) return failed(fault, asked)
  try {
    const refused = call.broker.coordinator.mayFetch(keyOfGroup(groupId, call), memberId, memberEpoch)
    if (refused !== 'NONE') return { error: refused, topics: [] }
    const topics = asked === null ? await allTopics(groupId, call) : await namedTopics(groupId, asked, call)
    return { error: 'NONE', topics }
  } catch (error) {
    return failed(coordinatorFault(error, call, 'offsets could not be read'), asked)
  }
}

async function allTopics(groupId: string, call: Call): Promise<readonly TopicAnswer[]> {
  const byName = new Map<string, PartitionAnswer[]>()
  for (const committed of await call.broker.coordinator.allCommitted(keyOfGroup(groupId, call))) {
    const name = kafkaNameOf(committed, call)
    if (name === undefined) continue
    const partitions = byName.get(name) ?? []
    byName.set(name, partitions)
    partitions.push(partitionAnswer(committed.partition, committed))
  }
  return [...byName].map(([name, partitions]) => ({ name, partitions }))
}

function kafkaNameOf(committed: CommittedOffset, call: Call): string | undefined {
  const name = topicOfFullName(committed.topic)
  if (name === undefined || call.broker.catalog.find(name)?.topicId !== committed.topicId) return undefined
  if (!call.access.mayOnTopic(call.topicNeed, name)) return undefined
  return call.broker.names.kafkaNameOf(name)
}

function namedTopics(
  groupId: string,
  asked: NonNullable<AskedTopics>,
  call: Call,
): Promise<readonly TopicAnswer[]> {
  return Promise.all(
    asked.map(async ({ name, partitionIndexes }) => {
      const topic = findTopic(call, name)
      if (isRefusal(topic) && topic.refused === 'TOPIC_AUTHORIZATION_FAILED')
        return failedTopic(topic.refused, name, partitionIndexes)
      const partitions = partitionIndexes.map(async (index) =>
        partitionAnswer(index, await committedFor(groupId, topic, index, call)),
      )
      return { name, partitions: await Promise.all(partitions) }
    }),
  )
}

async function committedFor(groupId: string, topic: TopicInfo | Refusal, index: number, call: Call) {
  if (isRefusal(topic)) return undefined
  const committed = await call.broker.coordinator.committed(
    keyOfGroup(groupId, call),
    fullName(topic.name),
    index,
  )
  return committed?.topicId === topic.topicId ? committed : undefined
}

const partitionAnswer = (
  partitionIndex: number,
  committed: CommittedOffset | undefined,
): PartitionAnswer => ({
  partitionIndex,
  committedOffset: committed?.offset ?? noOffset,
  committedLeaderEpoch: committed?.leaderEpoch ?? -1,
  metadata: committed?.metadata ?? '',
  errorCode: 0,
})

/** v0 and v1 have no place for the group's error but in each partition. */
function failed(error: ErrorName, asked: AskedTopics): Offsets {
  const topics = (asked ?? []).map(({ name, partitionIndexes }) => failedTopic(error, name, partitionIndexes))
  return { error, topics }
}

const failedTopic = (error: ErrorName, name: string, partitionIndexes: readonly number[]): TopicAnswer => ({
  name,
  partitions: partitionIndexes.map((index) => ({
    ...partitionAnswer(index, undefined),
    errorCode: errorCode(error),
  })),
})
