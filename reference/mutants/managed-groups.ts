import type { PartReplacements } from '../broker.js'
import { GroupCoordinator } from '../groups/coordinator.js'
import type { GroupStore, StoredGroup } from '../groups/group-store.js'
import type { CommittedOffset } from '../groups/offset-store.js'
import { OffsetsTopic } from '../groups/offsets-topic/index.js'
import { findCoordinator } from '../kafka/messages/10-find-coordinator.js'
import { describeGroups } from '../kafka/messages/15-describe-groups.js'
import { groupStore, kafkaGroups } from './group-seams.js'
import type { Mutant } from './mutant.js'
import { answered } from './seams.js'

/** Whether a commit is over; `group` is undefined for one that never had members. */
type IsOver = (
  offset: CommittedOffset,
  group: StoredGroup | undefined,
  dueMs: number,
  nowMs: number,
) => boolean

const dueOf = ({ expireTimestampMs, commitTimestampMs }: CommittedOffset, retentionMs: number) =>
  expireTimestampMs ?? commitTimestampMs + retentionMs

/** Old commits go by another rule. */
function expiring(isOver: IsOver): Pick<Mutant, 'replace' | 'install'> {
  let store: GroupStore | undefined
  const expire = async (key: string, retentionMs: number) => {
    const nowMs = Date.now()
    const offsets = (await store?.ofGroup(key)) ?? []
    const group = store?.getGroup(key)
    const over = offsets.filter((each) => isOver(each, group, dueOf(each, retentionMs), nowMs))
    if (over.length > 0) await store?.deleteOffsets(key, over)
  }
  return {
    replace: {
      groupStore: (groups) => {
        store = groups
        return groups
      },
    },
    install: () => {
      GroupCoordinator.prototype.expire = async (retentionMs) => {
        for (const key of (await store?.groupIds()) ?? []) await expire(key, retentionMs)
      }
    },
  }
}

const hasMembers = (group: StoredGroup | undefined) => (group?.members.length ?? 0) > 0

const onOtherPort = <Address extends { readonly port: number }>(address: Address): Address => ({
  ...address,
  port: address.port + 1,
})

/** A group goes to the partition after its own. */
function hashOffByOne(): void {
  const { partitionOf } = OffsetsTopic.prototype
  OffsetsTopic.prototype.partitionOf = function (this: OffsetsTopic, key) {
    const partition = partitionOf.call(this, key)
    return ((partition + 1) % Math.max(1, this.topic.partitions)) as typeof partition
  }
}

const deletesAllOffsets: PartReplacements = groupStore((store) => ({
  deleteOffsets: async (key) => store.deleteOffsets(key, await store.ofGroup(key)),
}))

/** Finding, listing, describing and deleting groups, and the end of old commits (chapter GC). */
export const managedGroupMutants: readonly Mutant[] = [
  {
    name: 'coordinator-elsewhere',
    breaks: ['GC-5'],
    description: 'FindCoordinator tells another port than Metadata.',
    replace: answered(findCoordinator, ({ coordinators, ...response }) => ({
      ...(response.port === undefined ? response : { ...response, port: response.port + 1 }),
      ...(coordinators === undefined ? {} : { coordinators: coordinators.map(onOtherPort) }),
    })),
  },
  {
    name: 'coordinator-of-first-only',
    breaks: ['GC-5'],
    description: 'Of several groups in one FindCoordinator only the first is answered.',
    replace: answered(findCoordinator, ({ coordinators, ...response }) => ({
      ...response,
      ...(coordinators === undefined ? {} : { coordinators: coordinators.slice(0, 1) }),
    })),
  },
  {
    name: 'coordinator-without-key',
    breaks: ['GC-5'],
    description: 'FindCoordinator of v4 and later does not say which group it answers.',
    replace: answered(findCoordinator, ({ coordinators, ...response }) => ({
      ...response,
      ...(coordinators === undefined
        ? {}
        : { coordinators: coordinators.map((each) => ({ ...each, key: '' })) }),
    })),
  },
  {
    name: 'group-in-other-partition',
    breaks: ['GC-4'],
    description: 'A group’s records go to another partition of the offsets topic than its hash says.',
    install: hashOffByOne,
  },
  {
    name: 'group-with-members-deleted',
    breaks: ['GC-9'],
    description: 'Deleting a group that has members is answered as done.',
    replace: kafkaGroups((groups) => ({
      delete: async (key) => {
        const error = await groups.delete(key)
        return error === 'NON_EMPTY_GROUP' ? 'NONE' : error
      },
    })),
  },
  {
    name: 'deleted-group-keeps-offsets',
    breaks: ['GC-9', 'GC-4'],
    description: 'Deleting a group leaves its offsets.',
    replace: groupStore((store) => ({
      deleteGroup: async (key) => {
        const kept = await store.ofGroup(key)
        await store.deleteGroup(key)
        await store.put(key, kept)
      },
    })),
  },
  {
    name: 'offsets-of-all-topics-deleted',
    breaks: ['GC-9', 'GC-10'],
    description: 'Where some of a group’s offsets are deleted, all are.',
    replace: deletesAllOffsets,
  },
  {
    name: 'offsets-in-use-deleted',
    breaks: ['GC-9'],
    description: 'Offsets of a topic that members subscribe to are deleted.',
    replace: kafkaGroups(() => ({ isSubscribed: () => false })),
  },
  {
    name: 'empty-group-listed-stable',
    breaks: ['GC-9'],
    description: 'Groups without members are listed as if they had some.',
    replace: kafkaGroups((groups) => ({
      list: async (of) => {
        const listings = await groups.list(of)
        return listings.map((each) => (each.phase === 'Empty' ? { ...each, phase: 'Stable' as const } : each))
      },
    })),
  },
  {
    name: 'described-without-assignment',
    breaks: ['GC-9'],
    description: 'Members are described without what they have.',
    replace: answered(describeGroups, (response) => ({
      ...response,
      groups: response.groups.map((group) => ({
        ...group,
        members: group.members.map((member) => ({ ...member, memberAssignment: Buffer.alloc(0) })),
      })),
    })),
  },
  {
    name: 'old-commits-kept',
    breaks: ['GC-10'],
    description: 'No commit is ever too old.',
    ...expiring(() => false),
  },
  {
    name: 'old-commits-of-live-group-dropped',
    breaks: ['GC-10'],
    description: 'Old commits are dropped though the group has members.',
    ...expiring((_offset, _group, dueMs, nowMs) => nowMs >= dueMs),
  },
  {
    name: 'retention-counts-from-commit',
    breaks: ['GC-10'],
    description: 'When the last member has left, the time counts from the commit and not from then.',
    ...expiring((_, group, dueMs, nowMs) => !hasMembers(group) && nowMs >= dueMs),
  },
  {
    name: 'retention-of-client-ignored',
    breaks: ['GC-10'],
    description: 'The retention that a commit of v2 to v4 asks for is not heeded.',
    replace: groupStore((store) => ({
      put: (key, offsets) =>
        store.put(
          key,
          offsets.map(({ expireTimestampMs: _, ...each }) => each),
        ),
    })),
  },
]
