import type { PartReplacements } from '../broker.js'
import type { GroupStore } from '../groups/group-store.js'
import type { CommittedOffset, TopicPartition } from '../groups/offset-store.js'
import { offsetCommit } from '../kafka/messages/08-offset-commit.js'
import { offsetFetch } from '../kafka/messages/09-offset-fetch.js'
import { errorCode } from '../kafka/wire/errors.js'
import type { RequestOf, ResponseOf } from '../kafka/wire/schema.js'
import { groupStore } from './group-seams.js'
import type { Mutant } from './mutant.js'
import { answered, answersOf, type Changes } from './seams.js'

type TopicRead = NonNullable<ResponseOf<typeof offsetFetch>['groups']>[number]['topics'][number]
type PartitionRead = TopicRead['partitions'][number]
type Commit = RequestOf<typeof offsetCommit>
type PartitionCommit = Commit['topics'][number]['partitions'][number]

/** How long acknowledged commits stay in memory only: long enough to be killed in. */
const storedAfterMs = 500
const metadataBytesMax = 4096

const nameOf = (key: string, { topic, partition }: TopicPartition) => `${key}\0${topic}\0${partition}`

/** Changes each offset before it is stored. */
const stored = (
  change: (offset: CommittedOffset, before: CommittedOffset | undefined) => CommittedOffset,
): PartReplacements =>
  groupStore((store) => ({
    put: async (key, offsets) => {
      const others = offsets.map(async (each) =>
        change(each, await store.get(key, each.topic, each.partition)),
      )
      return store.put(key, await Promise.all(others))
    },
  }))

/** Acknowledges at once, and stores later; until then memory answers. */
function acknowledgesFirst(store: GroupStore): Changes<GroupStore> {
  const promised = new Map<string, CommittedOffset>()
  const forget = (key: string, gone: readonly TopicPartition[]) => {
    for (const each of gone) promised.delete(nameOf(key, each))
  }
  const ofGroup: GroupStore['ofGroup'] = async (key) => {
    const all = new Map((await store.ofGroup(key)).map((each) => [nameOf(key, each), each]))
    for (const [name, each] of promised) if (name.startsWith(`${key}\0`)) all.set(name, each)
    return [...all.values()]
  }
  return {
    put: async (key, offsets) => {
      for (const each of offsets) promised.set(nameOf(key, each), each)
      setTimeout(() => void store.put(key, offsets).catch(() => {}), storedAfterMs).unref()
    },
    get: async (key, topic, partition) =>
      promised.get(nameOf(key, { topic, partition })) ?? store.get(key, topic, partition),
    ofGroup,
    deleteOffsets: (key, partitions) => {
      forget(key, partitions)
      return store.deleteOffsets(key, partitions)
    },
    deleteGroup: async (key) => {
      forget(key, await ofGroup(key))
      return store.deleteGroup(key)
    },
  }
}

/** What is deleted is hidden until it is written again, or until the broker starts again. */
function onlyHidesDeleted(store: GroupStore): Changes<GroupStore> {
  const offsets = new Set<string>()
  const groups = new Set<string>()
  const isShown = (key: string) => (each: TopicPartition) => !offsets.has(nameOf(key, each))
  const hide = (key: string, gone: readonly TopicPartition[]) => {
    for (const each of gone) offsets.add(nameOf(key, each))
  }
  return {
    put: (key, written) => {
      for (const each of written) offsets.delete(nameOf(key, each))
      return store.put(key, written)
    },
    putGroup: (key, group) => {
      groups.delete(key)
      return store.putGroup(key, group)
    },
    get: async (key, topic, partition) =>
      isShown(key)({ topic, partition }) ? store.get(key, topic, partition) : undefined,
    ofGroup: async (key) => (await store.ofGroup(key)).filter(isShown(key)),
    getGroup: (key) => (groups.has(key) ? undefined : store.getGroup(key)),
    groups: () => [...store.groups()].filter(([key]) => !groups.has(key)),
    groupIds: async () => {
      const keys = await store.groupIds()
      const shown = await Promise.all(keys.map(async (key) => (await store.ofGroup(key)).some(isShown(key))))
      return keys.filter((_, at) => shown[at])
    },
    deleteOffsets: async (key, partitions) => hide(key, partitions),
    deleteGroup: async (key) => {
      hide(key, await store.ofGroup(key))
      groups.add(key)
    },
  }
}

/** Answers for all groups together. */
const ofEveryGroup = (store: GroupStore): Changes<GroupStore> => ({
  ofGroup: async () => {
    const keys = await store.groupIds()
    return (await Promise.all(keys.map((key) => store.ofGroup(key)))).flat()
  },
})

/** A group's members are told before its store has it. */
const groupLater = (store: GroupStore): Changes<GroupStore> => ({
  putGroup: async (key, group) => {
    setTimeout(() => void store.putGroup(key, group).catch(() => {}), storedAfterMs).unref()
  },
})

/** As a store whose keys have a topic and a partition, and forget whose they are. */
function oneGroupForAll(store: GroupStore): Changes<GroupStore> {
  const all = 'public/default/all'
  return {
    put: (_, offsets) => store.put(all, offsets),
    get: (_, topic, partition) => store.get(all, topic, partition),
    ofGroup: () => store.ofGroup(all),
  }
}

/** Changes the topics of each group that OffsetFetch answers, in every version. */
const eachGroupRead = (
  change: (topics: readonly TopicRead[], asksForAll: boolean) => readonly TopicRead[],
): PartReplacements =>
  answered(offsetFetch, (response, request) => ({
    ...response,
    ...(response.topics === undefined ? {} : { topics: change(response.topics, request.topics === null) }),
    ...(response.groups === undefined
      ? {}
      : {
          groups: response.groups.map((group, at) => ({
            ...group,
            topics: change(group.topics, request.groups[at]?.topics === null),
          })),
        }),
  }))

const eachRead = (change: (partition: PartitionRead) => PartitionRead): PartReplacements =>
  eachGroupRead((topics) => topics.map((topic) => ({ ...topic, partitions: topic.partitions.map(change) })))

const missing = (partitionIndex: number): PartitionRead => ({
  partitionIndex,
  committedOffset: -1n,
  metadata: '',
  errorCode: 0,
})

/** All partitions up to the last that is committed. */
function withoutGaps(topic: TopicRead): TopicRead {
  const last = Math.max(-1, ...topic.partitions.map(({ partitionIndex }) => partitionIndex))
  const partitions = Array.from(
    { length: last + 1 },
    (_, index) => topic.partitions.find(({ partitionIndex }) => partitionIndex === index) ?? missing(index),
  )
  return { ...topic, partitions }
}

const eachCommit = (request: Commit, change: (partition: PartitionCommit) => readonly PartitionCommit[]) => ({
  ...request,
  topics: request.topics.map((topic) => ({ ...topic, partitions: topic.partitions.flatMap(change) })),
})

const isTooLong = ({ committedMetadata }: PartitionCommit) =>
  Buffer.byteLength(committedMetadata ?? '') > metadataBytesMax

const tooLarge = errorCode('OFFSET_METADATA_TOO_LARGE')

/** What groups commit, and what is kept of it (chapter GC). */
export const committedMutants: readonly Mutant[] = [
  {
    name: 'commit-acknowledged-before-stored',
    breaks: ['GC-3', 'GC-4'],
    description: 'Commits are acknowledged half a second before they are stored.',
    replace: groupStore(acknowledgesFirst),
  },
  {
    name: 'failed-commit-acknowledged',
    breaks: ['GC-3'],
    description: 'Commits that the store could not take are acknowledged all the same.',
    replace: groupStore((store) => ({ put: (key, offsets) => store.put(key, offsets).catch(() => {}) })),
  },
  {
    name: 'group-not-stored',
    breaks: ['GC-3', 'GC-4'],
    description: 'Members and generation are kept in memory only.',
    replace: groupStore(() => ({ putGroup: async () => {} })),
  },
  {
    name: 'group-told-before-stored',
    breaks: ['GC-3'],
    description: 'Members are given their assignments half a second before the group is stored.',
    replace: groupStore(groupLater),
  },
  {
    name: 'assignment-not-stored',
    breaks: ['GC-3', 'GC-4'],
    description: 'A group is stored without what its members were given.',
    replace: groupStore((store) => ({
      putGroup: (key, group) => {
        const members = group.members.map((member) => ({ ...member, assignment: Buffer.alloc(0) }))
        return store.putGroup(key, { ...group, members })
      },
    })),
  },
  {
    name: 'deleted-without-tombstone',
    breaks: ['GC-3', 'GC-4', 'GC-10'],
    description: 'What is deleted, or old, is forgotten in memory only.',
    replace: groupStore(onlyHidesDeleted),
  },
  {
    name: 'offset-key-without-group',
    breaks: ['GC-4', 'GC-6'],
    description: 'Offsets are stored by topic and partition, whichever group commits.',
    replace: groupStore(oneGroupForAll),
  },
  {
    name: 'committed-offset-plus-one',
    breaks: ['GC-2', 'GC-6'],
    description: 'The offset after the committed one is stored: who takes over skips a record.',
    replace: stored((each) => ({ ...each, offset: each.offset + 1n })),
  },
  {
    name: 'commit-never-goes-back',
    breaks: ['GC-6'],
    description: 'A commit below the stored one is acknowledged and dropped.',
    replace: stored((each, before) => (before !== undefined && before.offset > each.offset ? before : each)),
  },
  {
    name: 'offset-as-double',
    breaks: ['GC-6'],
    description: 'Offsets go through a floating-point number.',
    replace: stored((each) => ({ ...each, offset: BigInt.asUintN(63, BigInt(Number(each.offset))) })),
  },
  {
    name: 'missing-offset-zero',
    breaks: ['GC-6'],
    description: 'A partition that was never committed reads 0.',
    replace: eachRead((each) => (each.committedOffset === -1n ? { ...each, committedOffset: 0n } : each)),
  },
  {
    name: 'missing-offset-error',
    breaks: ['GC-6'],
    description: 'A partition that was never committed reads −1 with an error.',
    replace: eachRead((each) =>
      each.committedOffset === -1n ? { ...each, errorCode: errorCode('UNKNOWN_TOPIC_OR_PARTITION') } : each,
    ),
  },
  {
    name: 'zero-offset-missing',
    breaks: ['GC-6'],
    description: 'A committed 0 is taken for nothing.',
    replace: eachRead((each) => (each.committedOffset === 0n ? missing(each.partitionIndex) : each)),
  },
  {
    name: 'all-offsets-none',
    breaks: ['GC-6'],
    description: 'OffsetFetch of all partitions answers none.',
    replace: eachGroupRead((topics, asksForAll) => (asksForAll ? [] : topics)),
  },
  {
    name: 'all-offsets-with-uncommitted',
    breaks: ['GC-6'],
    description: 'OffsetFetch of all partitions answers those too that were never committed.',
    replace: eachGroupRead((topics, asksForAll) => (asksForAll ? topics.map(withoutGaps) : topics)),
  },
  {
    name: 'all-offsets-of-every-group',
    breaks: ['GC-6'],
    description: 'OffsetFetch of all partitions answers what other groups have committed.',
    replace: groupStore(ofEveryGroup),
  },
  {
    name: 'unknown-topic-fails-all',
    breaks: ['GC-6'],
    description: 'A commit for what does not exist fails the rest of its request.',
    replace: answersOf(offsetCommit, async ({ request, answer }) => {
      // Under another group's name, to know what there is.
      const tried = await answer({ ...request, groupId: `${request.groupId}-tried` })
      const failed = tried?.topics
        .flatMap(({ partitions }) => partitions)
        .find(({ errorCode }) => errorCode !== 0)
      if (!tried || failed === undefined) return answer()
      return {
        topics: tried.topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map((each) => ({ ...each, errorCode: failed.errorCode })),
        })),
      }
    }),
  },
  {
    name: 'second-group-as-first',
    breaks: ['GC-6'],
    description: 'Of several groups in one OffsetFetch all are answered with the offsets of the first.',
    replace: answered(offsetFetch, ({ groups, ...response }) => ({
      ...response,
      ...(groups === undefined
        ? {}
        : { groups: groups.map((group) => ({ ...group, topics: groups[0]?.topics ?? [] })) }),
    })),
  },
  {
    name: 'metadata-lost',
    breaks: ['GC-8'],
    description: 'Commit metadata is not stored.',
    replace: stored((each) => ({ ...each, metadata: '' })),
  },
  {
    name: 'metadata-sticks',
    breaks: ['GC-8'],
    description: 'A commit without metadata leaves the former one’s.',
    replace: stored((each, before) => ({ ...each, metadata: each.metadata || (before?.metadata ?? '') })),
  },
  {
    name: 'metadata-latin1',
    breaks: ['GC-8'],
    description: 'Commit metadata is stored in an encoding that has not all signs.',
    replace: stored((each) => ({
      ...each,
      metadata: Buffer.from(each.metadata, 'latin1').toString('latin1'),
    })),
  },
  {
    name: 'metadata-cut',
    breaks: ['GC-8'],
    description: 'Commit metadata over the limit is cut, and stored.',
    replace: answersOf(offsetCommit, ({ request, answer }) =>
      answer(
        eachCommit(request, (each) => [
          { ...each, committedMetadata: each.committedMetadata?.slice(0, metadataBytesMax) ?? null },
        ]),
      ),
    ),
  },
  {
    name: 'metadata-limit-too-low',
    breaks: ['GC-8'],
    description: 'Commit metadata of exactly the limit is refused.',
    replace: answersOf(offsetCommit, ({ request, answer }) =>
      answer(
        eachCommit(request, (each) => [
          each.committedMetadata?.length === metadataBytesMax
            ? { ...each, committedMetadata: `${each.committedMetadata}.` }
            : each,
        ]),
      ),
    ),
  },
  {
    name: 'offset-of-refused-metadata-stored',
    breaks: ['GC-8'],
    description: 'The offset is stored though its metadata is refused.',
    replace: answersOf(offsetCommit, async ({ request, answer }) => {
      const response = await answer()
      await answer(
        eachCommit(request, (each) => (isTooLong(each) ? [{ ...each, committedMetadata: '' }] : [])),
      )
      return response
    }),
  },
  {
    name: 'refused-metadata-fails-all',
    breaks: ['GC-8'],
    description: 'Metadata over the limit for one partition fails the others of its request.',
    replace: answersOf(offsetCommit, async ({ request, answer }) => {
      if (!request.topics.some(({ partitions }) => partitions.some(isTooLong))) return answer()
      return {
        topics: request.topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: tooLarge })),
        })),
      }
    }),
  },
]
