import { fullName } from '../topics/names.js'
import type { TopicCatalog, TopicInfo } from '../topics/types.js'
import type { CursorSync } from './cursor-sync.js'
import { topicOfFullName } from './cursor-sync-slots.js'
import type { GroupKey } from './group-key.js'
import type { GroupStore } from './group-store.js'
import type { CommittedOffset } from './offset-store.js'

/**
 * The store as clients ask it for single offsets: one that a tool is moving is answered when it is stored, and a group
 * without an offset begins where the subscription of its name stands, so that a subscription of Pulsar's can be taken
 * over by a Kafka group. Asking for all offsets of a group gives those that are committed (register GC-6).
 */
export function withSubscriptionStarts(
  store: GroupStore,
  catalog: Pick<TopicCatalog, 'find'>,
  sync: CursorSync,
): GroupStore {
  return {
    get: async (key, topic, partition) => {
      await sync.settled(key, topic, partition)
      const committed = await store.get(key, topic, partition)
      const name = topicOfFullName(topic)
      const info = name && catalog.find(name)
      if (info === undefined || committed?.topicId === info.topicId) return committed
      return (await startOf(sync, key, info, partition)) ?? committed
    },
    put: (key, offsets) => store.put(key, offsets),
    ofGroup: (key) => store.ofGroup(key),
    groupIds: () => store.groupIds(),
    deleteOffsets: (key, partitions) => store.deleteOffsets(key, partitions),
    deleteGroup: (key) => store.deleteGroup(key),
    deleteTopic: (topic) => store.deleteTopic(topic),
    getGroup: (key) => store.getGroup(key),
    groups: () => store.groups(),
    putGroup: (key, group) => store.putGroup(key, group),
    onChange: (listener) => store.onChange(listener),
  }
}

async function startOf(
  sync: CursorSync,
  key: GroupKey,
  info: TopicInfo,
  partition: number,
): Promise<CommittedOffset | undefined> {
  const offset = await sync.startOf(key, info, partition)
  if (offset === undefined) return undefined
  const { topicId } = info
  const topic = fullName(info.name)
  return { topic, topicId, partition, offset, leaderEpoch: -1, metadata: '', commitTimestampMs: -1 }
}
