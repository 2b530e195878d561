import type { GroupKey } from './group-key.js'
import type { GroupStore, StoredGroup } from './group-store.js'
import type { OffsetStore } from './offset-store.js'

/** A group store whose groups last as long as the process, over a store of offsets; until the offsets topic stands. */
export function volatileGroups(offsets: OffsetStore): GroupStore {
  const groups = new Map<GroupKey, StoredGroup>()
  return {
    put: (key, each) => offsets.put(key, each),
    get: (key, topic, partition) => offsets.get(key, topic, partition),
    ofGroup: (key) => offsets.ofGroup(key),
    groupIds: () => offsets.groupIds(),
    deleteOffsets: (key, partitions) => offsets.deleteOffsets(key, partitions),
    deleteTopic: (topic) => offsets.deleteTopic(topic),
    getGroup: (key) => groups.get(key),
    groups: () => groups.entries(),
    putGroup: async (key, group) => {
      groups.set(key, group)
    },
    deleteGroup: async (key) => {
      await offsets.deleteGroup(key)
      groups.delete(key)
    },
    onChange: () => () => {},
  }
}
