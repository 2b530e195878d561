import { setTimeout as pause } from 'node:timers/promises'
import { asMessageIndex } from '../base/brand.js'
import type { PartReplacements } from '../broker.js'
import { GroupCoordinator } from '../groups/coordinator.js'
import { CursorSync } from '../groups/cursor-sync.js'
import { groupKey } from '../groups/group-key.js'
import type { GroupChange, GroupStore } from '../groups/group-store.js'
import { EmbeddedCursor } from '../storage/embedded/cursor.js'
import type { ManagedLedger } from '../storage/types.js'
import type { GroupOfPartition, GroupSubscriptions } from '../topics/group-subscriptions.js'
import { fullName } from '../topics/names.js'
import type { Mutant } from './mutant.js'
import { type Changes, changed } from './seams.js'

type OffsetChange = Extract<GroupChange, { type: 'offset' }>

/** Changes the groups as cursor sync follows them. */
const followed = (change: (groups: GroupStore) => Changes<GroupStore>): PartReplacements => ({
  followedGroups: (groups) => changed(groups, change(groups)),
})

/** Of each change of an offset cursor sync is told another, or none. */
const toldOf = (change: (told: OffsetChange) => OffsetChange | null): PartReplacements =>
  followed((groups) => ({
    onChange: (listener) =>
      groups.onChange((told) => {
        const other = told.type === 'offset' ? change(told) : told
        if (other !== null) listener(other)
      }),
  }))

const withOffset = (told: OffsetChange, further: bigint): OffsetChange =>
  told.offset === undefined
    ? told
    : { ...told, offset: { ...told.offset, offset: told.offset.offset + further } }

/** Changes what Pulsar's side tells the groups, and is told of them. */
const subscriptions = (
  change: (groups: GroupSubscriptions) => Changes<GroupSubscriptions>,
): PartReplacements => ({
  groupSubscriptions: (groups) => changed(groups, change(groups)),
})

/** Changes what topic stats and Pulsar's commands are told of a group. */
const told = (change: (group: GroupOfPartition) => GroupOfPartition): PartReplacements =>
  subscriptions((groups) => ({
    of: (partition, subscription) => {
      const group = groups.of(partition, subscription)
      return group && change(group)
    },
  }))

function onlyForwards() {
  const furthest = new Map<string, bigint>()
  return toldOf((change) => {
    const { key, topic, partition, offset } = change
    const name = `${key} ${topic} ${partition}`
    if (offset === undefined) return change
    if (offset.offset < (furthest.get(name) ?? 0n)) return null
    furthest.set(name, offset.offset)
    return change
  })
}

/** A move by a tool is done, and then the group's last commit is brought over once more. */
function overwritesMoves(): PartReplacements {
  let store: GroupStore | undefined
  return {
    followedGroups: (groups) => {
      store = groups
      return groups
    },
    ...subscriptions((groups) => ({
      moved: async (partition, subscription, to) => {
        const key = groupKey({ ...partition.topic, groupId: subscription })
        const before = await store?.get(key, fullName(partition.topic), partition.index)
        await groups.moved(partition, subscription, to)
        if (before !== undefined) await store?.put(key, [before])
      },
    })),
  }
}

const lookAgainMs = 20

/** A commit is answered when its cursor stands there. */
function waitsForCursors(): PartReplacements {
  let sync: CursorSync | undefined
  return {
    groupSubscriptions: (groups) => {
      if (groups instanceof CursorSync) sync = groups
      return groups
    },
    groupStore: (store) =>
      changed(store, {
        put: async (key, offsets) => {
          await store.put(key, offsets)
          while ((sync?.waiting() ?? 0) > 0) await pause(lookAgainMs)
        },
      }),
  }
}

/** All before the cursor that is furthest. */
async function trimToFurthest(ledger: ManagedLedger): Promise<void> {
  const { end } = ledger
  const names = ledger.cursorNames()
  const cursors = await Promise.all(names.map((name) => ledger.openCursor(name, end.position)))
  const limits = { maxEntries: 1, maxBytes: 1 }
  const entries = await Promise.all(
    cursors.map(async ({ position }) => (await ledger.read(position, limits))[0]),
  )
  const indexes = entries.map((entry) => entry?.firstIndex ?? end.index)
  const furthest = asMessageIndex(Math.max(ledger.start.index, ...indexes))
  if (furthest > ledger.start.index) await ledger.trim(furthest)
}

/** What the fastest group has consumed is dropped, whoever lags. */
const dropsForFastest: PartReplacements = {
  storage: (storage) => {
    const opened = new Map<string, ManagedLedger>()
    const trimAll = () => {
      for (const ledger of opened.values()) trimToFurthest(ledger).catch(() => {})
    }
    setInterval(trimAll, 10 * lookAgainMs).unref()
    return changed(storage, {
      open: async (name) => {
        const ledger = await storage.open(name)
        opened.set(name, ledger)
        return ledger
      },
      delete: (name) => {
        opened.delete(name)
        return storage.delete(name)
      },
    })
  },
}

/** Kafka's groups as Pulsar's subscriptions (chapter PT). */
export const subscriptionMutants: readonly Mutant[] = [
  {
    name: 'commits-not-followed',
    breaks: ['PT-1', 'PT-2'],
    description: 'Commits make no subscription and move none.',
    replace: toldOf(() => null),
  },
  {
    name: 'only-first-partition-followed',
    breaks: ['PT-1'],
    description: 'A group is a subscription on the first partition only.',
    replace: toldOf((change) => (change.partition === 0 ? change : null)),
  },
  {
    name: 'subscription-outlives-group',
    breaks: ['PT-1'],
    description: 'When Kafka’s tool deletes a group its subscriptions stay.',
    replace: toldOf((change) => (change.offset === undefined ? null : change)),
  },
  {
    name: 'cursor-one-further',
    breaks: ['PT-2'],
    description: 'The cursor stands one message after the committed one.',
    replace: toldOf((change) => withOffset(change, 1n)),
  },
  {
    name: 'cursor-at-start-of-batch',
    breaks: ['PT-2'],
    description: 'Within a batch the cursor stands at its first message.',
    install: () => {
      const { reset } = EmbeddedCursor.prototype
      EmbeddedCursor.prototype.reset = function (this: EmbeddedCursor, position) {
        return reset.call(this, position, 0)
      }
    },
  },
  {
    name: 'cursor-never-goes-back',
    breaks: ['PT-2'],
    description: 'A commit below an earlier one does not move the cursor.',
    replace: onlyForwards(),
  },
  {
    name: 'move-by-tool-not-told',
    breaks: ['PT-3'],
    description: 'A tool moves the cursor, and the group’s offset stays.',
    replace: subscriptions(() => ({ moved: async () => {} })),
  },
  {
    name: 'sync-overwrites-move',
    breaks: ['PT-3'],
    description: 'After a tool’s move the group’s last commit is brought over once more.',
    replace: overwritesMoves(),
  },
  {
    name: 'move-does-not-fence',
    breaks: ['PT-3'],
    description: 'Members go on in their generation when a tool moves their group, and undo it.',
    install: () => {
      GroupCoordinator.prototype.resetByTool = async (_key, move) => move?.()
    },
  },
  {
    name: 'deleted-subscription-keeps-offsets',
    breaks: ['PT-4'],
    description: 'Deleting the subscription leaves the group’s offsets.',
    replace: subscriptions(() => ({ deleted: (_partition, _name, removeCursor) => removeCursor() })),
  },
  {
    name: 'subscription-in-use-deleted',
    breaks: ['PT-4'],
    description: 'A subscription is deleted though members are active.',
    replace: told((group) => ({ ...group, members: 0, owner: undefined })),
  },
  {
    name: 'fastest-group-decides',
    breaks: ['PT-5'],
    description: 'What the fastest group has consumed is dropped, though another lags.',
    replace: dropsForFastest,
  },
  {
    name: 'commits-wait-for-cursors',
    breaks: ['PT-6'],
    description: 'A commit is answered only when its cursor stands there.',
    replace: waitsForCursors(),
  },
  {
    name: 'sync-does-not-catch-up',
    breaks: ['PT-6'],
    description: 'What was committed while the sync stood still, or just before a kill, is not brought over.',
    replace: followed(() => ({ groupIds: async () => [] })),
  },
  {
    name: 'members-do-not-exclude',
    breaks: ['PT-7'],
    description: 'Pulsar’s consumers are let in while the group has members.',
    replace: subscriptions((groups) => ({
      of: () => undefined,
      follow: (users) => groups.follow(changed(users, { groupStarted: () => {} })),
    })),
  },
  {
    name: 'acknowledgements-not-followed',
    breaks: ['PT-7'],
    description: 'What Pulsar’s consumers acknowledge does not move the group.',
    replace: subscriptions(() => ({ acknowledged: () => {}, left: async () => {} })),
  },
  {
    name: 'lag-not-shown',
    breaks: ['PT-8', 'PT-2'],
    description: 'Topic stats say that nothing is left to consume.',
    install: () => {
      EmbeddedCursor.prototype.backlogEntries = () => 0
    },
  },
  {
    name: 'members-not-shown',
    breaks: ['PT-8'],
    description: 'Topic stats show no members of groups.',
    replace: told((group) => ({ ...group, members: 0, owner: undefined })),
  },
  {
    name: 'group-rate-not-shown',
    breaks: ['PT-8'],
    description: 'Topic stats show no rate of groups.',
    replace: told((group) => ({ ...group, messagesPerSecond: 0 })),
  },
]
