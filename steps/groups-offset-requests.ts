import { ask, type RawMember } from './groups-requests.js'
import { Mismatch } from './verify.js'
import type { ConformanceWorld } from './world.js'

/** Offsets by single requests: committed, and read. */

export interface Commit {
  readonly topic: string
  readonly topicId?: string
  readonly partition: number
  readonly offset: string
  readonly metadata?: string | null
}

export interface Committed {
  readonly topic: string
  readonly partition: number
  readonly offset: string
  readonly metadata: string | null
  readonly error: number
}

/** As a consumer without membership does, or as `as`. Answers the errors, in the order of the commits. */
export async function commitRaw(
  world: ConformanceWorld,
  group: string,
  commits: readonly Commit[],
  options: { as?: RawMember; version?: number | undefined; retentionMs?: number; once?: boolean } = {},
): Promise<number[]> {
  const { as, version, once = false } = options
  const body = {
    groupId: group,
    generationIdOrMemberEpoch: as?.generation ?? -1,
    memberId: as?.memberId ?? '',
    groupInstanceId: as?.instanceId ?? null,
    retentionTimeMs: String(options.retentionMs ?? -1),
    topics: byTopic(commits).map(([first, partitions]) => ({
      name: first.topic,
      topicId: first.topicId,
      partitions: partitions.map(({ partition, offset, metadata = '' }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        commitTimestamp: '-1',
        committedMetadata: metadata,
      })),
    })),
  }
  const asked = { group, version, once, ...(as !== undefined && { connection: as.name }) }
  const { topics } = await ask<CommitAnswer>(world, 'OffsetCommit', body, asked)
  const errors = commits.map(({ topic, topicId, partition }) => {
    const found = topics.find((each) =>
      each.name === undefined ? each.topicId === topicId : each.name === topic,
    )
    const of = found?.partitions.find(({ partitionIndex }) => partitionIndex === partition)
    if (of === undefined) throw new Mismatch('the answer to OffsetCommit', `${topic} ${partition}`, topics)
    return of.errorCode
  })
  world.notes.set('error', errors.find((code) => code !== 0) ?? 0)
  return errors
}

interface CommitAnswer {
  readonly topics: readonly {
    readonly name?: string
    readonly topicId?: string
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
  }[]
}

interface FetchedTopic {
  readonly name?: string
  readonly topicId?: string
  readonly partitions: readonly {
    readonly partitionIndex: number
    readonly committedOffset: string
    readonly metadata: string | null
    readonly errorCode: number
  }[]
}

interface FetchAnswer {
  readonly errorCode?: number
  readonly topics?: readonly FetchedTopic[]
  readonly groups?: readonly { groupId: string; topics: readonly FetchedTopic[]; errorCode: number }[]
}

export interface AskedPartition {
  readonly topic: string
  readonly topicId?: string
  readonly partition: number
}

/** @param partitions null: all that the group has committed; answered in the order of topic and partition */
export async function fetchCommitted(
  world: ConformanceWorld,
  group: string,
  partitions: readonly AskedPartition[] | null,
  options: { version?: number | undefined; requireStable?: boolean } = {},
): Promise<Committed[]> {
  const [of] = await fetchGroups(world, [{ group, partitions }], options)
  return [...(of ?? [])]
}

/** Several groups in one request (from version 8 on). In the order of asking. */
export async function fetchGroups(
  world: ConformanceWorld,
  asked: readonly { group: string; partitions: readonly AskedPartition[] | null }[],
  options: { version?: number | undefined; requireStable?: boolean } = {},
): Promise<Committed[][]> {
  const groups = asked.map(({ group, partitions }) => ({
    groupId: group,
    memberEpoch: -1,
    topics: topicsOf(partitions),
  }))
  const [first] = groups
  if (first === undefined) return []
  const body = { ...first, groups, requireStable: options.requireStable ?? false }
  const answer = await ask<FetchAnswer>(world, 'OffsetFetch', body, {
    group: first.groupId,
    version: options.version,
  })
  const answers = answer.groups ?? [
    { groupId: first.groupId, errorCode: 0, ...answer, topics: answer.topics ?? [] },
  ]
  return asked.map(({ group }) => {
    const of = answers.find(({ groupId }) => groupId === group)
    if (of === undefined) throw new Mismatch('the answer to OffsetFetch', `the group ${group}`, answers)
    world.notes.set('error', of.errorCode ?? 0)
    return committedIn(world, of.topics)
  })
}

function topicsOf(partitions: readonly AskedPartition[] | null) {
  if (partitions === null) return null
  return byTopic(partitions).map(([first, all]) => ({
    name: first.topic,
    topicId: first.topicId,
    partitionIndexes: all.map(({ partition }) => partition),
  }))
}

function committedIn(world: ConformanceWorld, topics: readonly FetchedTopic[]): Committed[] {
  const ids = world.notes.get('topic ids') as ReadonlyMap<string, string> | undefined
  const all = topics.flatMap(({ name, topicId, partitions }) =>
    partitions.map(({ partitionIndex, committedOffset, metadata, errorCode }) => ({
      topic: name ?? ids?.get(topicId ?? '') ?? `topic id ${topicId}`,
      partition: partitionIndex,
      offset: committedOffset,
      metadata,
      error: errorCode,
    })),
  )
  return all.sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
}

/** In the order of first mention. */
function byTopic<Item extends { topic: string }>(items: readonly Item[]): [Item, Item[]][] {
  const topics = new Map<string, [Item, Item[]]>()
  for (const item of items) {
    const known = topics.get(item.topic)
    if (known === undefined) topics.set(item.topic, [item, [item]])
    else known[1].push(item)
  }
  return [...topics.values()]
}
