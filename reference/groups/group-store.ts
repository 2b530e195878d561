import type { StoredConsumerGroup } from './consumer/stored.js'
import type { GroupKey } from './group-key.js'
import type { CommittedOffset, OffsetStore } from './offset-store.js'

/** A member of a classic group, as stored: what a coordinator needs to go on with it after a restart. */
export interface StoredMember {
  readonly memberId: string
  /** Not null: a static member, whose place outlives restarts of its client (KIP-345). */
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  /** The protocols that it offers, in its order of preference. */
  readonly protocols: readonly { readonly name: string; readonly metadata: Buffer }[]
  readonly assignment: Buffer
}

/** A classic group as of its last completed rebalance, or empty. */
export interface StoredGroup {
  readonly protocolType: string
  readonly protocolName: string | null
  readonly generationId: number
  readonly leaderId: string | null
  /** When it came to be as it is; commits of a group that is empty for long expire (register GC-10). */
  readonly stateTimestampMs: number
  readonly members: readonly StoredMember[]
}

/** A change that is durable. `offset` and `group` are undefined for what was removed. */
export type GroupChange =
  | {
      readonly type: 'offset'
      readonly key: GroupKey
      readonly topic: string
      readonly partition: number
      readonly offset: CommittedOffset | undefined
    }
  | { readonly type: 'group'; readonly key: GroupKey; readonly group: StoredGroup | undefined }
  /** Of the next-generation protocol (register GC-11). */
  | {
      readonly type: 'consumerGroup'
      readonly key: GroupKey
      readonly group: StoredConsumerGroup | undefined
    }

/**
 * Groups and their offsets (register GC-3, GC-4). What a promise says is done, is durable: it is written to the offsets
 * topic before it resolves. Changes of one group take effect in the order of the calls.
 */
export interface GroupStore extends OffsetStore {
  /** @returns undefined when nothing but offsets, or nothing at all, is known of it. */
  getGroup(key: GroupKey): StoredGroup | undefined
  /** All groups that have a stored state. */
  groups(): Iterable<readonly [GroupKey, StoredGroup]>
  putGroup(key: GroupKey, group: StoredGroup): Promise<void>
  /** Called after each change became durable, in order; the returned function ends it. */
  onChange(listener: (change: GroupChange) => void): () => void
}
