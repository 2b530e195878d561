import { type GroupKey, groupNameOf } from './group-key.js'
import type { CommittedOffset } from './offset-store.js'

/** What decides over a group's commits when they are old. */
export interface ExpiryFacts {
  /** Empty for a group that never had members: consumers that assign their partitions themselves. */
  readonly protocolType: string
  /** Since when it has no members; null while it has. */
  readonly emptySinceMs: number | null
  /** Whether its members and their subscriptions are settled. */
  readonly isStable: boolean
  /** Whether a member subscribes to the topic, under any of these names. */
  isSubscribed(kafkaNames: readonly string[]): boolean
}

/**
 * The commits that are over (register GC-10, KIP-211). Of a group without members: those that are older than the retention,
 * counted from when the last member went. Of a group that never had members: counted from each commit. Of a settled group
 * of consumers: commits for topics that no member subscribes to any more. A commit that came with a time to end (OffsetCommit
 * v2 to v4) ends then instead. Unlike Kafka, a commit by a tool to a group that has long been empty counts from that commit.
 */
export function expiredOffsets(
  key: GroupKey,
  offsets: readonly CommittedOffset[],
  facts: ExpiryFacts,
  nowMs: number,
  retentionMs: number,
): readonly CommittedOffset[] {
  const { emptySinceMs, protocolType } = facts
  const isOver = ({ commitTimestampMs, expireTimestampMs }: CommittedOffset) =>
    nowMs >= (expireTimestampMs ?? Math.max(commitTimestampMs, emptySinceMs ?? 0) + retentionMs)
  if (emptySinceMs !== null || protocolType === '') return offsets.filter(isOver)
  if (protocolType !== 'consumer' || !facts.isStable) return []
  return offsets.filter((each) => isOver(each) && !facts.isSubscribed(kafkaNamesOf(key, each.topic)))
}

/** All names under which members of the group may know the topic (register MT-3). */
function kafkaNamesOf(key: GroupKey, topic: string): readonly string[] {
  const { tenant, namespace } = groupNameOf(key)
  const path = topic.slice(topic.indexOf('://') + '://'.length)
  const home = `${tenant}/${namespace}/`
  return path.startsWith(home) ? [topic, path, path.slice(home.length)] : [topic, path]
}
