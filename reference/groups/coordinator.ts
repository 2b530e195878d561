import { randomUUID } from 'node:crypto'
import type { Clock } from '../base/clock.js'
import { subscribedTopics } from './consumer-protocol.js'
import { type GroupKey, type GroupName, groupNameOf } from './group-key.js'
import type { CommittedOffset, OffsetStore, TopicPartition } from './offset-store.js'
import { step } from './step.js'
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
  type PlainReply,
  type ReplyTo,
  type SyncEvent,
  type SyncReply,
  type TimerName,
} from './step-state.js'

export interface GroupCoordinatorOptions {
  readonly clock: Clock
  readonly offsets: OffsetStore
  readonly limits?: Partial<GroupLimits>
  /** What follows the client id in a new member id; by default random. */
  readonly newMemberSuffix?: () => string
}

/** A group as DescribeGroups shows it. */
export interface GroupDescription {
  readonly key: GroupKey
  /** `Dead`: there is no such group. */
  readonly phase: GroupState['phase'] | 'Dead'
  readonly state: GroupState
}

export interface GroupListing {
  readonly groupId: string
  readonly protocolType: string
  readonly phase: GroupState['phase']
}

type Unsent<Event> = Omit<Event, 'type' | 'replyTo'>
export type JoinRequest = Omit<Unsent<JoinEvent>, 'newMemberId'>

interface Group {
  state: GroupState
  readonly timers: Map<TimerName, () => void>
}

/** What a request that is answered by a closing coordinator gets: its client looks for the coordinator again. */
export class CoordinatorClosed extends Error {
  override readonly name = 'CoordinatorClosed'
}

const closedError = () => new CoordinatorClosed('this broker stops coordinating groups')

interface Waiting {
  readonly resolve: (reply: GroupReply) => void
  readonly reject: (reason: CoordinatorClosed) => void
}

/**
 * Runs the effects of `step`: timers by the clock, waiting requests by promises, committed offsets by the store. All
 * groups of this broker; member state lives as long as the process (members of a restarted broker join again), offsets
 * are durable. A commit is acknowledged only when the store has it.
 */
export class GroupCoordinator {
  readonly #clock: Clock
  readonly #offsets: OffsetStore
  readonly #limits: GroupLimits
  readonly #newMemberSuffix: () => string
  readonly #groups = new Map<GroupKey, Group>()
  readonly #waiting = new Map<ReplyTo, Waiting>()
  #nextReplyTo: ReplyTo = 1
  #closed = false

  constructor(options: GroupCoordinatorOptions) {
    this.#clock = options.clock
    this.#offsets = options.offsets
    this.#limits = { groupInitialRebalanceDelayMs: 0, groupMembersMax: 10_000, ...options.limits }
    this.#newMemberSuffix = options.newMemberSuffix ?? randomUUID
  }

  /** Answers when the group's rebalance is complete, or at once with a refusal. */
  join(key: GroupKey, request: JoinRequest): Promise<JoinReply> {
    const newMemberId = `${request.clientId}-${this.#newMemberSuffix()}`
    return this.#ask(key, (replyTo) => ({ ...request, type: 'join', newMemberId, replyTo }))
  }

  sync(key: GroupKey, request: Unsent<SyncEvent>): Promise<SyncReply> {
    return this.#ask(key, (replyTo) => ({ ...request, type: 'sync', replyTo }))
  }

  heartbeat(key: GroupKey, request: Unsent<HeartbeatEvent>): Promise<PlainReply> {
    return this.#ask(key, (replyTo) => ({ ...request, type: 'heartbeat', replyTo }))
  }

  leave(key: GroupKey, memberIds: readonly string[]): Promise<LeaveReply> {
    return this.#ask(key, (replyTo) => ({ type: 'leave', memberIds, replyTo }))
  }

  /**
   * Stores offsets, durable when it resolves with `NONE`.
   * @throws StorageError when the store cannot take them.
   */
  async commit(
    key: GroupKey,
    member: { readonly memberId: string; readonly generationId: number },
    offsets: readonly CommittedOffset[],
  ): Promise<GroupError> {
    // Kafka says of a group that it does not know that the generation is wrong, not the member.
    if (!this.#groups.has(key) && member.generationId >= 0) return 'ILLEGAL_GENERATION'
    const reply = await this.#ask<PlainReply>(key, (replyTo) => ({ ...member, type: 'commit', replyTo }))
    if (reply.error === 'NONE' && offsets.length > 0) await this.#offsets.put(key, offsets)
    return reply.error
  }

  committed(key: GroupKey, topic: string, partition: number): Promise<CommittedOffset | undefined> {
    return this.#offsets.get(key, topic, partition)
  }

  allCommitted(key: GroupKey): Promise<readonly CommittedOffset[]> {
    return this.#offsets.ofGroup(key)
  }

  async describe(key: GroupKey): Promise<GroupDescription> {
    const state = this.#groups.get(key)?.state
    if (state !== undefined) return { key, phase: state.phase, state }
    const known = (await this.#offsets.ofGroup(key)).length > 0
    return { key, phase: known ? 'Empty' : 'Dead', state: emptyGroup }
  }

  /** The groups of a namespace, those that only have offsets included, by name. */
  async list(of: Omit<GroupName, 'groupId'>): Promise<readonly GroupListing[]> {
    const keys = new Set([...this.#groups.keys(), ...(await this.#offsets.groupIds())])
    return [...keys].sort().flatMap((key) => {
      const { tenant, namespace, groupId } = groupNameOf(key)
      if (tenant !== of.tenant || namespace !== of.namespace) return []
      const state = this.#groups.get(key)?.state ?? emptyGroup
      return [{ groupId, protocolType: state.protocolType ?? '', phase: state.phase }]
    })
  }

  /** Deletes a group without members, with its offsets. */
  async delete(key: GroupKey): Promise<GroupError | 'GROUP_ID_NOT_FOUND'> {
    if ((await this.describe(key)).phase === 'Dead') return 'GROUP_ID_NOT_FOUND'
    const reply = await this.#ask<PlainReply>(key, (replyTo) => ({ type: 'delete', replyTo }))
    if (reply.error !== 'NONE') return reply.error
    this.#groups.delete(key)
    await this.#offsets.deleteGroup(key)
    return 'NONE'
  }

  /** Whether a member of a consumer group subscribes to the topic, under any of the names that Kafka has for it. */
  isSubscribed(key: GroupKey, kafkaNames: readonly string[]): boolean {
    const state = this.#groups.get(key)?.state
    if (state === undefined || state.protocolType !== 'consumer') return false
    return [...state.members.values()].some((member) =>
      member.protocols.some((protocol) =>
        subscribedTopics(protocol.metadata).some((topic) => kafkaNames.includes(topic)),
      ),
    )
  }

  deleteOffsets(key: GroupKey, partitions: readonly TopicPartition[]): Promise<void> {
    return this.#offsets.deleteOffsets(key, partitions)
  }

  /** Forgets all commits for a deleted topic. */
  forgetTopic(topic: string): Promise<void> {
    return this.#offsets.deleteTopic(topic)
  }

  /** Ends all timers and all waiting requests; later ones are refused. */
  close(): void {
    this.#closed = true
    for (const group of this.#groups.values()) for (const stop of group.timers.values()) stop()
    this.#groups.clear()
    for (const waiting of this.#waiting.values()) waiting.reject(closedError())
    this.#waiting.clear()
  }

  #ask<Reply extends GroupReply>(key: GroupKey, eventFor: (to: ReplyTo) => GroupEvent): Promise<Reply> {
    if (this.#closed) return Promise.reject(closedError())
    return new Promise((resolve, reject) => {
      const replyTo = this.#nextReplyTo++
      // The state machine answers an event with that event's own reply; the transcripts of its tests hold it to that.
      this.#waiting.set(replyTo, { resolve: (reply) => resolve(reply as Reply), reject })
      this.#apply(key, eventFor(replyTo))
    })
  }

  #apply(key: GroupKey, event: GroupEvent): void {
    const group = this.#groups.get(key) ?? { state: emptyGroup, timers: new Map() }
    this.#groups.set(key, group)
    const [state, effects] = step(group.state, event, this.#limits, this.#clock.nowMs())
    group.state = state
    for (const effect of effects) {
      if (effect.type === 'reply') this.#reply(effect.to, effect.reply)
      else if (effect.type === 'stopTimer') this.#stopTimer(group, effect.timer)
      else this.#startTimer(key, group, effect.timer, effect.afterMs)
    }
    // Of a group that nobody is in, only its offsets need remembering.
    if (state.members.size === 0 && state.pendingMembers.size === 0 && state.phase === 'Empty')
      this.#groups.delete(key)
  }

  #reply(to: ReplyTo, reply: GroupReply): void {
    this.#waiting.get(to)?.resolve(reply)
    this.#waiting.delete(to)
  }

  #startTimer(key: GroupKey, group: Group, timer: TimerName, afterMs: number): void {
    this.#stopTimer(group, timer)
    const stop = this.#clock.after(afterMs, () => {
      group.timers.delete(timer)
      this.#apply(key, { type: 'timer', timer })
    })
    group.timers.set(timer, stop)
  }

  #stopTimer(group: Group, timer: TimerName): void {
    group.timers.get(timer)?.()
    group.timers.delete(timer)
  }
}
