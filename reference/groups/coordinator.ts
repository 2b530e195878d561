import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../base/clock.js'
import type { Log } from '../base/log.js'
import { assignedPartitions, subscribedTopics } from './consumer-protocol.js'
import { CoordinatorClosed, defaultLimits, type GroupCoordinatorOptions } from './coordinator-options.js'
import { expiredOffsets } from './expiry.js'
import { type GroupKey, type GroupName, groupNameOf } from './group-key.js'
import type { GroupStore } from './group-store.js'
import type { GroupDescription, GroupListing, GroupMemberPartitions } from './group-views.js'
import type {
  CommittingMember,
  ConsumerGroupDescription,
  ConsumerGroupHeartbeat,
  ConsumerGroupHeartbeatReply,
  NextGenerationGroups,
} from './next-generation.js'
import type { CommittedOffset, TopicPartition } from './offset-store.js'
import { RunningGroup } from './running-group.js'
import { type GroupStep, step } from './step.js'
import { joinRefusal } from './step-answers.js'
import {
  emptyGroup,
  type GroupError,
  type GroupEvent,
  type GroupLimits,
  type GroupReply,
  type GroupState,
  type HeartbeatEvent,
  type JoinEvent,
  type JoinReply,
  type LeaveReply,
  type LeavingMember,
  type PlainReply,
  type ReplyTo,
  type SyncEvent,
  type SyncReply,
} from './step-state.js'
import { restoredGroup } from './step-stored.js'
import { WaitingRequests } from './waiting-requests.js'

type Unsent<Event> = Omit<Event, 'type' | 'replyTo'>
export type JoinRequest = Omit<Unsent<JoinEvent>, 'newMemberId'>

const closedError = () => new CoordinatorClosed('this broker stops coordinating groups')

/**
 * All groups of this broker: runs the effects of `step`, timers by the clock, waiting requests by promises, groups and
 * offsets by the store. What is answered is durable. Groups that the store holds go on where they were: their members keep
 * generation and assignment if they are heard of within their session time-outs (register GC-3).
 */
export class GroupCoordinator {
  readonly #clock: Clock
  readonly #store: GroupStore
  readonly #limits: GroupLimits
  readonly #step: GroupStep
  readonly #newMemberSuffix: () => string
  readonly #nextGeneration: NextGenerationGroups | null
  readonly #retention: GroupCoordinatorOptions['retention']
  readonly #log: Pick<Log, 'warn'> | undefined
  readonly #groups = new Map<GroupKey, RunningGroup>()
  readonly #waiting = new WaitingRequests()
  #isClosed = false
  #stopChecks = () => {}

  constructor(options: GroupCoordinatorOptions) {
    this.#clock = options.clock
    this.#store = options.store
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#step = options.step ?? step
    this.#newMemberSuffix = options.newMemberSuffix ?? randomUUID
    this.#nextGeneration = options.nextGeneration?.(this) ?? null
    this.#retention = options.retention
    this.#log = options.log
    for (const [key, group] of this.#store.groups()) if (group.members.length > 0) this.#group(key)
    this.#checkLater()
  }

  /** Answers when the group's rebalance is complete, or at once with a refusal. */
  async join(key: GroupKey, request: JoinRequest): Promise<JoinReply> {
    const nextGeneration = this.#ownerOf(key)
    if (nextGeneration !== null && !(await nextGeneration.release(key)))
      return joinRefusal('INCONSISTENT_GROUP_PROTOCOL', request.memberId)
    const newMemberId = `${request.groupInstanceId ?? request.clientId}-${this.#newMemberSuffix()}`
    return this.#ask(key, (replyTo) => ({ type: 'join', newMemberId, replyTo, ...request }))
  }

  sync(key: GroupKey, request: Unsent<SyncEvent>): Promise<SyncReply> {
    return this.#ask(key, (replyTo) => ({ type: 'sync', replyTo, ...request }))
  }

  heartbeat(key: GroupKey, request: Unsent<HeartbeatEvent>): Promise<PlainReply> {
    return this.#ask(key, (replyTo) => ({ type: 'heartbeat', replyTo, ...request }))
  }

  leave(key: GroupKey, members: readonly LeavingMember[]): Promise<LeaveReply> {
    return this.#ask(key, (replyTo) => ({ type: 'leave', members, replyTo }))
  }

  /**
   * Stores offsets, durable when it resolves with `NONE`. Between the check of the member and the store nothing comes.
   * @throws StorageError when the store cannot take them.
   */
  async commit(
    key: GroupKey,
    member: CommittingMember,
    offsets: readonly CommittedOffset[],
  ): Promise<GroupError | 'STALE_MEMBER_EPOCH'> {
    if (this.#isClosed) throw closedError()
    const nextGeneration = this.#ownerOf(key)
    if (nextGeneration !== null) {
      const error = nextGeneration.mayCommit(key, member)
      if (error === 'NONE') await this.#put(key, offsets)
      return error
    }
    // Kafka says of a group that it does not know that the generation is wrong, not the member.
    if (!this.#isKnown(key) && member.generationId >= 0) return 'ILLEGAL_GENERATION'
    return new Promise((resolve, reject) => {
      const put = (reply: GroupReply) => {
        if (reply.type !== 'commit') return reject(new Error('a commit was answered as something else'))
        if (reply.error !== 'NONE') return resolve(reply.error)
        this.#put(key, offsets).then(() => resolve('NONE'), reject)
      }
      const replyTo = this.#waiting.add(put, reject)
      this.#group(key).dispatch({ type: 'commit', replyTo, ...member })
    })
  }

  /** The protocol of KIP-848. Null: there is none here. @throws StorageError when the store cannot take what came of it. */
  async consumerGroupHeartbeat(
    key: GroupKey,
    request: ConsumerGroupHeartbeat,
  ): Promise<ConsumerGroupHeartbeatReply | null> {
    if (this.#isClosed) throw closedError()
    return (await this.#nextGeneration?.heartbeat(key, request)) ?? null
  }

  /** A group of the next generation; undefined: there is no such group of that kind. */
  describeConsumerGroup(key: GroupKey): ConsumerGroupDescription | undefined {
    return this.#nextGeneration?.describe(key)
  }

  /** Whether a client may be told the group's offsets now (KIP-848). `memberId` null: it is no member. */
  mayFetch(key: GroupKey, memberId: string | null, memberEpoch: number): GroupError | 'STALE_MEMBER_EPOCH' {
    return this.#ownerOf(key)?.mayFetch(key, memberId, memberEpoch) ?? 'NONE'
  }

  committed(key: GroupKey, topic: string, partition: number): Promise<CommittedOffset | undefined> {
    return this.#store.get(key, topic, partition)
  }

  allCommitted(key: GroupKey): Promise<readonly CommittedOffset[]> {
    return this.#store.ofGroup(key)
  }

  /** A classic group. One of the next generation is `Dead` here, as its own requests describe it. */
  async describe(key: GroupKey): Promise<GroupDescription> {
    if (this.#ownerOf(key) !== null) return { key, phase: 'Dead', state: emptyGroup }
    const state = this.#stateOf(key)
    const isKnown = this.#isKnown(key) || (await this.#store.ofGroup(key)).length > 0
    return { key, phase: isKnown ? state.phase : 'Dead', state }
  }

  /** The groups of a namespace, of both kinds and those that only have offsets included, by name. */
  async list(of: Omit<GroupName, 'groupId'>): Promise<readonly GroupListing[]> {
    const stored = [...this.#store.groups()].map(([key]) => key)
    const running = [...this.#groups.keys()].filter((key) => !isDeserted(this.#stateOf(key)))
    const keys = [...running, ...stored, ...(await this.#store.groupIds())]
    const listings = new Map<GroupKey, Omit<GroupListing, 'groupId'>>()
    for (const key of keys) {
      const { protocolType, phase } = this.#stateOf(key)
      listings.set(key, { protocolType: protocolType ?? '', phase, groupType: 'classic' })
    }
    for (const { key, ...listing } of this.#nextGeneration?.list() ?? []) listings.set(key, listing)
    return [...listings]
      .map(([key, listing]) => ({ ...groupNameOf(key), listing }))
      .filter(({ tenant, namespace }) => tenant === of.tenant && namespace === of.namespace)
      .map(({ groupId, listing }) => ({ groupId, ...listing }))
      .sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
  }

  /** Deletes a group without members, with its offsets. */
  async delete(key: GroupKey): Promise<GroupError | 'GROUP_ID_NOT_FOUND'> {
    const nextGeneration = this.#ownerOf(key)
    if (nextGeneration !== null) {
      const error = await nextGeneration.delete(key)
      if (error === 'NONE') await this.#store.deleteGroup(key)
      return error
    }
    return this.#exclusively(key, async () => {
      if ((await this.describe(key)).phase === 'Dead') return 'GROUP_ID_NOT_FOUND'
      // An id that was handed out and not used yet is no member.
      if (this.#stateOf(key).phase !== 'Empty') return 'NON_EMPTY_GROUP'
      await this.#forget(key)
      return 'NONE'
    })
  }

  /**
   * Moves offsets by a tool, and the tool wins: members of the present generation are fenced first, so that their commits
   * are refused with ILLEGAL_GENERATION, and get their next assignment only when `move` has ended.
   * @throws what `move` throws; StorageError when the fence cannot be stored, and then nothing is moved.
   */
  async resetByTool(key: GroupKey, move: () => Promise<void> = async () => {}): Promise<void> {
    const nextGeneration = this.#ownerOf(key)
    if (nextGeneration !== null) return nextGeneration.resetByTool(key, move)
    const fenced = this.#ask<PlainReply>(key, (replyTo) => ({ type: 'fence', replyTo }))
    // In the queue right behind the fence, so that no member comes between.
    const moved = this.#exclusively(key, async () => {
      await fenced
      await move()
    })
    await Promise.all([fenced, moved])
  }

  /** The members of a group of consumers and their partitions, while there is an assignment; none of other groups. */
  membersOf(key: GroupKey): readonly GroupMemberPartitions[] {
    const nextGeneration = this.#ownerOf(key)
    if (nextGeneration !== null) return nextGeneration.membersOf(key)
    const { members, protocolType } = this.#stateOf(key)
    if (protocolType !== 'consumer') return []
    return [...members.values()].map(({ memberId, groupInstanceId, clientId, clientHost, assignment }) => ({
      memberId,
      groupInstanceId,
      clientId,
      clientHost,
      partitions: assignedPartitions(assignment),
    }))
  }

  hasMembers(key: GroupKey): boolean {
    return this.#ownerOf(key)?.hasMembers(key) ?? this.#stateOf(key).members.size > 0
  }

  /** Whether a member of a consumer group subscribes to the topic, under any of the names that Kafka has for it. */
  isSubscribed(key: GroupKey, kafkaNames: readonly string[]): boolean {
    const nextGeneration = this.#ownerOf(key)
    if (nextGeneration !== null) return nextGeneration.isSubscribed(key, kafkaNames)
    const { members, protocolType } = this.#stateOf(key)
    if (protocolType !== 'consumer') return false
    return [...members.values()].some((member) =>
      member.protocols.some((protocol) =>
        subscribedTopics(protocol.metadata).some((topic) => kafkaNames.includes(topic)),
      ),
    )
  }

  /** KIP-496: of a group that is not of consumers, the broker cannot know what its members read. */
  async mayDeleteOffsets(key: GroupKey): Promise<'NONE' | 'GROUP_ID_NOT_FOUND' | 'NON_EMPTY_GROUP'> {
    if (this.#ownerOf(key) !== null) return 'NONE'
    const { phase, state } = await this.describe(key)
    if (phase === 'Dead') return 'GROUP_ID_NOT_FOUND'
    return state.members.size > 0 && state.protocolType !== 'consumer' ? 'NON_EMPTY_GROUP' : 'NONE'
  }

  deleteOffsets(key: GroupKey, partitions: readonly TopicPartition[]): Promise<void> {
    return this.#store.deleteOffsets(key, partitions)
  }

  /** Forgets all commits for a deleted topic. */
  forgetTopic(topic: string): Promise<void> {
    return this.#store.deleteTopic(topic)
  }

  /** Whether a classic group has no members, so that the id can become one of the next generation. */
  isReleased(key: GroupKey): boolean {
    return isDeserted(this.#stateOf(key))
  }

  /** Drops what is older than the retention, as the checks at intervals do (register GC-10). */
  async expire(retentionMs: number): Promise<void> {
    const stored = [...this.#store.groups()].map(([key]) => key)
    const nextGeneration = (this.#nextGeneration?.list() ?? []).map(({ key }) => key)
    for (const key of new Set([...stored, ...nextGeneration, ...(await this.#store.groupIds())])) {
      if (this.#isClosed) return
      await this.#exclusively(key, () => this.#expireGroup(key, retentionMs)).catch((err) => {
        // One that cannot be looked at keeps nobody else's commits.
        if (!this.#isClosed) this.#log?.warn({ err, group: key }, 'old commits could not be dropped')
      })
      // A store that has all in memory answers without a pause, and there may be many groups: requests come first.
      await setImmediate()
    }
  }

  /** Ends all timers and all waiting requests; later ones are refused. */
  close(): void {
    this.#isClosed = true
    this.#stopChecks()
    this.#nextGeneration?.close()
    for (const group of this.#groups.values()) group.close()
    this.#groups.clear()
    this.#waiting.rejectAll(closedError())
  }

  async #expireGroup(key: GroupKey, retentionMs: number): Promise<void> {
    const offsets = await this.#store.ofGroup(key)
    const state = this.#stateOf(key)
    const nextGeneration = this.#ownerOf(key)
    const isEmpty = nextGeneration === null && isDeserted(state)
    const emptySinceMs = isEmpty ? (this.#store.getGroup(key)?.stateTimestampMs ?? null) : null
    const facts = {
      protocolType: nextGeneration === null ? (state.protocolType ?? '') : 'consumer',
      emptySinceMs: nextGeneration?.emptySinceMs(key) ?? emptySinceMs,
      isStable: nextGeneration !== null || state.phase === 'Stable',
      isSubscribed: (names: readonly string[]) => this.isSubscribed(key, names),
    }
    const expired = expiredOffsets(key, offsets, facts, this.#clock.nowMs(), retentionMs)
    if (isEmpty && expired.length === offsets.length) return this.#forget(key)
    const isAll = nextGeneration !== null && expired.length === offsets.length
    if (isAll && (await nextGeneration.delete(key)) === 'NONE') return this.#store.deleteGroup(key)
    if (expired.length > 0) await this.#store.deleteOffsets(key, expired)
  }

  #checkLater(): void {
    const retention = this.#retention
    if (retention === undefined || this.#isClosed) return
    this.#stopChecks = this.#clock.after(retention.checkIntervalMs, () => {
      this.expire(retention.retentionMs)
        .catch((err) => this.#log?.warn({ err }, 'old commits could not be dropped'))
        .finally(() => this.#checkLater())
    })
  }

  /** Everything about a group without members. To be run exclusively. */
  async #forget(key: GroupKey): Promise<void> {
    await this.#store.deleteGroup(key)
    this.#groups.get(key)?.forget()
  }

  /** Whatever the store does, a failure is the commit's alone: it is called in the middle of the group's own work. */
  async #put(key: GroupKey, offsets: readonly CommittedOffset[]): Promise<void> {
    if (offsets.length > 0) await this.#store.put(key, offsets)
  }

  #ownerOf(key: GroupKey): NextGenerationGroups | null {
    return this.#nextGeneration?.owns(key) === true ? this.#nextGeneration : null
  }

  #isKnown(key: GroupKey): boolean {
    return !isDeserted(this.#stateOf(key)) || this.#store.getGroup(key) !== undefined
  }

  #stateOf(key: GroupKey): GroupState {
    return this.#groups.get(key)?.state ?? this.#storedState(key)
  }

  #storedState(key: GroupKey): GroupState {
    const stored = this.#store.getGroup(key)
    return stored === undefined ? emptyGroup : restoredGroup(stored)
  }

  #group(key: GroupKey): RunningGroup {
    const running = this.#groups.get(key)
    if (running !== undefined) return running
    const group: RunningGroup = new RunningGroup(this.#storedState(key), {
      clock: this.#clock,
      limits: this.#limits,
      step: this.#step,
      store: (stored) => this.#store.putGroup(key, stored),
      reply: (to, reply) => this.#waiting.resolve(to, reply),
      fail: (to, error) => this.#waiting.reject(to, error),
      storeFailed: (err, purpose) =>
        this.#log?.warn({ err, group: key, purpose }, 'a group could not be stored'),
      // Of a group that nobody is in, the store knows all.
      rested: () => {
        if (group.isIdle && isDeserted(group.state)) this.#groups.delete(key)
      },
    })
    this.#groups.set(key, group)
    return group
  }

  #ask<Reply extends GroupReply>(key: GroupKey, eventFor: (to: ReplyTo) => GroupEvent): Promise<Reply> {
    if (this.#isClosed) return Promise.reject(closedError())
    // The state machine answers an event with that event's own reply; the transcripts of its tests hold it to that.
    return new Promise((resolve, reject) => {
      const replyTo = this.#waiting.add((reply) => resolve(reply as Reply), reject)
      this.#group(key).dispatch(eventFor(replyTo))
    })
  }

  /** Runs a task while nothing else happens to the group. */
  #exclusively<Result>(key: GroupKey, task: () => Promise<Result>): Promise<Result> {
    if (this.#isClosed) return Promise.reject(closedError())
    return new Promise((resolve, reject) => {
      // A closing coordinator has no turn for it any more.
      const closing = this.#waiting.add(() => {}, reject)
      this.#group(key).exclusively(() =>
        task()
          .then(resolve, reject)
          .finally(() => this.#waiting.reject(closing, null)),
      )
    })
  }
}

/** Nobody is in the group, or about to be. */
const isDeserted = (state: GroupState) =>
  state.members.size === 0 && state.pendingMembers.size === 0 && state.phase === 'Empty'
