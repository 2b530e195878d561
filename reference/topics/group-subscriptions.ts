import type { LogPoint } from '../storage/types.js'
import type { PartitionLog } from './types.js'

/** What topic stats say of a group's part in a partition (register PT-8). */
export interface GroupOfPartition {
  readonly state: string
  readonly members: number
  /** The member that has this partition; undefined when none has. */
  readonly owner:
    | { readonly clientId: string; readonly clientHost: string; readonly memberId: string }
    | undefined
  /** Messages from the committed offset to the log's end. */
  readonly lag: number
}

/**
 * A Kafka group is a Pulsar subscription of the same name (chapter PT of the register). What Pulsar's side tells of its
 * subscriptions, for the groups to follow, and what it asks. Each promise resolves when the group's offset is durable.
 */
export interface GroupSubscriptions {
  /** Undefined when no group of that name has to do with the partition. */
  of(partition: PartitionLog, subscription: string): GroupOfPartition | undefined
  /** A tool, or a Pulsar consumer's seek, moved the subscription: the group resumes there (PT-3). */
  moved(
    partition: PartitionLog,
    subscription: string,
    to: Pick<LogPoint, 'position' | 'batchIndex'>,
  ): Promise<void>
  /** The subscription is gone: so are the group's offsets for the partition (PT-4). */
  deleted(partition: PartitionLog, subscription: string): Promise<void>
}
