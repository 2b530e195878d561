import type { MetadataStore } from '../../storage/types.js'
import { type GroupName, groupKey } from '../group-key.js'
import type { CommittedOffset, OffsetStore } from '../offset-store.js'

/**
 * Where committed offsets were before there was an offsets topic: one key of the metadata store a group, topic and
 * partition, `group-offset/GROUP/TOPIC/PARTITION`, group and full topic name URI-encoded; the value JSON, 64-bit numbers
 * as text. Groups were known by their id alone.
 */
const root = 'group-offset/'

/**
 * Moves such offsets to `to`, once: they are removed when they are durable there. Broken off in between, it is repeated,
 * before anyone can have committed anything newer.
 * @returns how many there were
 */
export async function moveLegacyOffsets(
  metadata: MetadataStore,
  to: Pick<OffsetStore, 'put'>,
  namespace: Omit<GroupName, 'groupId'>,
): Promise<number> {
  const pairs = await metadata.list(root)
  const byGroup = new Map<string, CommittedOffset[]>()
  for (const [key, value] of pairs) {
    const [groupId = ''] = key.slice(root.length).split('/')
    const offsets = byGroup.get(groupId) ?? []
    byGroup.set(groupId, offsets)
    offsets.push(decode(value))
  }
  const puts = [...byGroup].map(([groupId, offsets]) =>
    to.put(groupKey({ ...namespace, groupId: decodeURIComponent(groupId) }), offsets),
  )
  await Promise.all(puts)
  if (pairs.length > 0) await metadata.putAll(pairs.map(([key]) => [key, undefined] as const))
  return pairs.length
}

function decode(value: Buffer): CommittedOffset {
  const stored = JSON.parse(value.toString()) as Omit<CommittedOffset, 'offset'> & { offset: string }
  return { ...stored, offset: BigInt(stored.offset) }
}
