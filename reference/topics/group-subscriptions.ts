import type { LogPoint } from '../storage/types.js'
import type { PartitionLog } from './types.js'

/** What topic stats say of a group's part in a partition (register PT-8). */
export interface GroupOfPartition {
  /** The group's members, while at least one subscribes to the topic; else 0. */
  readonly members: number
  /** The member that has this partition; undefined when none has. */
  readonly owner:
    | { readonly clientId: string; readonly clientHost: string; readonly memberId: string }
    | undefined
  /** Messages from the committed offset to the log's end. */
  readonly lag: number
  /** Messages a second that the group's commits passed, between its last two that moved on. */
  readonly messagesPerSecond: number
}

/** The Pulsar side, as the groups see it: what uses a subscription besides the group. */
export interface SubscriptionUsers {
  /** The group's offset moved the cursor: consumers of Pulsar go on from the new place. */
  cursorMoved(partition: PartitionLog, subscription: string): void
  /** A group has members: consumers of Pulsar that use its subscriptions have to go (register PT-7). */
  groupStarted(subscription: string): void
  /** Removes the cursor of a group that has no offset any more. False when consumers of Pulsar use it: it stays theirs. */
  removeUnused(partition: PartitionLog, subscription: string): Promise<boolean>
}

/**
 * A Kafka group is a Pulsar subscription of the same name (chapter PT of the register). What Pulsar's side tells of its
 * subscriptions, for the groups to follow, and what it asks. Each promise resolves when the group's offset is durable.
 */
export interface GroupSubscriptions {
  /** Undefined when no group of that name has to do with the partition. */
  of(partition: PartitionLog, subscription: string): GroupOfPartition | undefined
  /**
   * A tool, or a Pulsar consumer's seek, moved the subscription: the group resumes there (PT-3). To be called in the
   * same turn of the event loop as the cursor was moved in, so that no commit comes between the two.
   */
  moved(
    partition: PartitionLog,
    subscription: string,
    to: Pick<LogPoint, 'position' | 'batchIndex'>,
  ): Promise<void>
  /**
   * The subscription goes: so do the group's offsets for the partition (PT-4).
   * @param removeCursor removes the cursor; no commit brings it back before the offsets are gone.
   */
  deleted(partition: PartitionLog, subscription: string, removeCursor: () => Promise<void>): Promise<void>
  /** Consumers of Pulsar acknowledged: a group that has an offset here follows, within the sync period (PT-7). */
  acknowledged(partition: PartitionLog, subscription: string): void
  /** The last consumer of Pulsar left: the group follows at once. */
  left(partition: PartitionLog, subscription: string): Promise<void>
  /** Tells the Pulsar side of what groups do; the returned function ends it. */
  follow(users: SubscriptionUsers): () => void
}
