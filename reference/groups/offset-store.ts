/** One committed offset, as stored and as answered. */
export interface CommittedOffset {
  /** The topic's canonical full name, so that its short and its full name share commits (register MT-3). */
  readonly topic: string
  /** The id of the topic that was committed for: a recreated topic has another, and starts without commits. */
  readonly topicId: string
  readonly partition: number
  readonly offset: bigint
  /** −1 when the consumer gave none. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestampMs: number
  /** When it is to be dropped, if its client asked for a time of its own (OffsetCommit v2 to v4). */
  readonly expireTimestampMs?: number
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Committed offsets by group. What a promise says is done, is durable. */
export interface OffsetStore {
  put(groupId: string, offsets: readonly CommittedOffset[]): Promise<void>
  get(groupId: string, topic: string, partition: number): Promise<CommittedOffset | undefined>
  ofGroup(groupId: string): Promise<readonly CommittedOffset[]>
  /** Groups with at least one committed offset. */
  groupIds(): Promise<readonly string[]>
  deleteOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void>
  deleteGroup(groupId: string): Promise<void>
  deleteTopic(topic: string): Promise<void>
}

/** A group, or what is committed with an offset, is more than the store takes: trying again does not help. */
export class TooLargeToStore extends Error {
  override readonly name = 'TooLargeToStore'
}
