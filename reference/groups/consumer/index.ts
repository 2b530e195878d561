import { randomUUID } from 'node:crypto'
import type { Clock } from '../../base/clock.js'
import type { Log } from '../../base/log.js'
import { fullName } from '../../topics/names.js'
import type { TopicCatalog, TopicInfo } from '../../topics/types.js'
import type { GroupKey } from '../group-key.js'
import type { GroupMemberPartitions } from '../group-views.js'
import type {
  CommittingMember,
  ConsumerGroupDescription,
  ConsumerGroupHeartbeat,
  ConsumerGroupHeartbeatReply,
  NextGenerationGroups,
  NextGenerationListing,
} from '../next-generation.js'
import type { GroupError } from '../step-state.js'
import { GroupTopics } from './group-topics.js'
import { topicPattern } from './regex.js'
import { RunningConsumerGroup } from './running-group.js'
import { byTopic, partsOf, type Slots, slotsOf, type TopicSlots } from './slots.js'
import {
  awayEpoch,
  type ConsumerGroupError,
  type ConsumerGroupLimits,
  type ConsumerGroupState,
  type ConsumerMember,
  type HeartbeatAnswer,
  joiningEpoch,
  newGroup,
} from './state.js'
import { type ConsumerGroupStore, restoredGroup } from './stored.js'

export interface ConsumerGroupsOptions {
  readonly catalog: Pick<TopicCatalog, 'find' | 'findById' | 'list'> & {
    onChange(listener: (change: string, topic: TopicInfo) => void): () => void
  }
  readonly store: ConsumerGroupStore
  readonly clock: Clock
  readonly limits: ConsumerGroupLimits
  /** Whether no classic group of that id has members: then it can become one of these. */
  readonly isReleased: (key: GroupKey) => boolean
  readonly newMemberId?: () => string
  readonly log?: Pick<Log, 'warn'>
}

interface Group {
  readonly running: RunningConsumerGroup
  readonly topics: GroupTopics
}

/**
 * The groups of the next-generation protocol (KIP-848, register GC-11): the broker makes out who has which partitions, and
 * moves single ones from member to member. An id becomes such a group when a member joins by that protocol and no classic
 * one is there, and classic when a classic member joins and nobody is there any more. Left out: taking over groups that
 * have members of the other kind (Kafka's `group.consumer.migration.policy` is `disabled` here); rack-aware assignment;
 * a pattern finds topics whatever rights a member has, and Fetch refuses it what it may not read.
 */
export class ConsumerGroups implements NextGenerationGroups {
  readonly #options: ConsumerGroupsOptions
  readonly #groups = new Map<GroupKey, Group>()
  readonly #stopFollowing: () => void

  constructor(options: ConsumerGroupsOptions) {
    this.#options = options
    for (const [key, stored] of options.store.consumerGroups()) {
      const { running } = this.#add(key, restoredGroup(stored))
      // Topics may have come or gone while nobody looked.
      running.dispatch({ type: 'topicsChanged' })
    }
    this.#stopFollowing = options.catalog.onChange((change, topic) => {
      if (change === 'configs' || change === 'attributes') return
      for (const group of this.#groups.values())
        if (concerns(group, topic)) group.running.dispatch({ type: 'topicsChanged' })
    })
  }

  /** @throws StorageError when what would be answered cannot be stored */
  async heartbeat(key: GroupKey, request: ConsumerGroupHeartbeat): Promise<ConsumerGroupHeartbeatReply> {
    const fault = faultOf(request)
    if (fault !== null) return this.#refusal(request, ...fault)
    const { memberId: named, owned, ...said } = request
    const memberId = named || (this.#options.newMemberId ?? randomUUID)()
    const event = {
      type: 'heartbeat',
      memberId,
      owned: owned && [...slotsOf(owned)],
      ...said,
    } as const
    for (;;) {
      const group = this.#groups.get(key) ?? this.#new(key, request)
      if (group === null)
        return this.#refusal(request, 'GROUP_ID_NOT_FOUND', 'there is no group of consumers of that name')
      const answer = await group.running.inTurn(async () =>
        group.running.isGone ? null : group.running.take(event),
      )
      if (answer !== null) return this.#reply(answer)
    }
  }

  /** Undefined: there is no such group. */
  describe(key: GroupKey): ConsumerGroupDescription | undefined {
    const group = this.#groups.get(key)
    if (group === undefined) return undefined
    const { running, topics } = group
    const { state } = running
    const named = (slots: Slots) =>
      byTopic(slots).map((each) => ({ ...each, topicName: topics.nameOfId(each.topicId) ?? '' }))
    return {
      phase: phaseOf(state),
      epoch: state.epoch,
      assignor: state.assignor,
      members: [...state.members.values()].map((member) => ({
        ...member,
        assigned: named(member.assigned),
        target: named(member.target),
      })),
    }
  }

  mayFetch(key: GroupKey, memberId: string | null, memberEpoch: number): GroupError | 'STALE_MEMBER_EPOCH' {
    if (memberId === null && memberEpoch < 0) return 'NONE'
    return this.#memberError(key, memberId ?? '', memberEpoch)
  }

  owns(key: GroupKey): boolean {
    return this.#groups.has(key)
  }

  async release(key: GroupKey): Promise<boolean> {
    return (await this.delete(key)) === 'NONE'
  }

  hasMembers(key: GroupKey): boolean {
    return (this.#stateOf(key)?.members.size ?? 0) > 0
  }

  membersOf(key: GroupKey): readonly GroupMemberPartitions[] {
    const group = this.#groups.get(key)
    if (group === undefined) return []
    return [...group.running.state.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      partitions: [...member.assigned].flatMap((slot) => {
        const { topicId, partition } = partsOf(slot)
        const topic = group.topics.nameOfId(topicId)
        return topic === undefined ? [] : [{ topic, partition }]
      }),
    }))
  }

  mayCommit(key: GroupKey, member: CommittingMember): GroupError | 'STALE_MEMBER_EPOCH' {
    if (member.generationId < 0 && !this.hasMembers(key)) return 'NONE'
    return this.#memberError(key, member.memberId, member.generationId)
  }

  isSubscribed(key: GroupKey, names: readonly string[]): boolean {
    const members = [...(this.#stateOf(key)?.members.values() ?? [])]
    return members.some((member) => subscribes(member, names))
  }

  emptySinceMs(key: GroupKey): number | null {
    return this.#stateOf(key)?.emptySinceMs ?? null
  }

  async resetByTool(key: GroupKey, move: () => Promise<void>): Promise<void> {
    const running = this.#groups.get(key)?.running
    if (running === undefined) return move()
    await running.inTurn(async () => {
      await running.take({ type: 'fence' })
      await move()
    })
  }

  list(): readonly NextGenerationListing[] {
    return [...this.#groups].map(([key, { running }]) => ({
      key,
      protocolType: 'consumer',
      phase: phaseOf(running.state),
      groupType: 'consumer',
    }))
  }

  async delete(key: GroupKey): Promise<GroupError> {
    const running = this.#groups.get(key)?.running
    if (running === undefined) return 'NONE'
    return running.inTurn(async () => {
      if (running.state.members.size > 0) return 'NON_EMPTY_GROUP'
      if (running.isGone) return 'NONE'
      if (running.state !== newGroup) await this.#options.store.putConsumerGroup(key, undefined)
      this.#forget(key, running)
      return 'NONE'
    })
  }

  close(): void {
    this.#stopFollowing()
    for (const { running } of this.#groups.values()) running.close()
  }

  /** Null: it is not to be made, or the id is a classic group's. */
  #new(key: GroupKey, { memberEpoch }: ConsumerGroupHeartbeat): Group | null {
    return memberEpoch === joiningEpoch && this.#options.isReleased(key) ? this.#add(key, newGroup) : null
  }

  #add(key: GroupKey, state: ConsumerGroupState): Group {
    const { clock, limits, catalog, store, log } = this.#options
    const topics = new GroupTopics(catalog, key)
    const running: RunningConsumerGroup = new RunningConsumerGroup(state, {
      clock,
      limits,
      topics,
      store: (stored) => store.putConsumerGroup(key, stored),
      failed: (err, { type }) => log?.warn({ err, group: key, event: type }, 'a group could not be stored'),
      // Its first member was refused: there never was a group.
      rested: () => {
        if (running.state === newGroup) this.#forget(key, running)
      },
    })
    const group = { running, topics }
    this.#groups.set(key, group)
    return group
  }

  #forget(key: GroupKey, running: RunningConsumerGroup): void {
    running.forget()
    if (this.#groups.get(key)?.running === running) this.#groups.delete(key)
  }

  #stateOf(key: GroupKey): ConsumerGroupState | undefined {
    return this.#groups.get(key)?.running.state
  }

  #memberError(key: GroupKey, memberId: string, epoch: number): GroupError | 'STALE_MEMBER_EPOCH' {
    const member = this.#stateOf(key)?.members.get(memberId)
    if (member === undefined) return 'UNKNOWN_MEMBER_ID'
    return member.memberEpoch === epoch ? 'NONE' : 'STALE_MEMBER_EPOCH'
  }

  #reply({ assignment, ...answer }: HeartbeatAnswer): ConsumerGroupHeartbeatReply {
    const { heartbeatIntervalMs } = this.#options.limits
    return { ...answer, heartbeatIntervalMs, assignment: assignment && byTopic(assignment) }
  }

  #refusal(
    { memberId }: ConsumerGroupHeartbeat,
    error: ConsumerGroupError,
    message: string,
  ): ConsumerGroupHeartbeatReply {
    return this.#reply({ error, message, memberId, memberEpoch: joiningEpoch, assignment: null })
  }
}

/** What no group would take. */
function faultOf(request: ConsumerGroupHeartbeat): readonly [ConsumerGroupError, string] | null {
  const { memberEpoch, topicRegex } = request
  const wrong = (message: string) => ['INVALID_REQUEST', message] as const
  if (memberEpoch < awayEpoch) return wrong(`there is no member epoch ${memberEpoch}`)
  if (request.memberId === '' && memberEpoch !== joiningEpoch) return wrong('a member id is missing')
  if (request.instanceId === '' || request.rackId === '')
    return wrong('instance id and rack id are null, or not empty')
  if (memberEpoch === awayEpoch && request.instanceId === null)
    return wrong('only a member with an instance id can be away')
  if (topicRegex && topicPattern(topicRegex) === null)
    return [
      'INVALID_REGULAR_EXPRESSION',
      `"${topicRegex}" is no pattern of RE2's, or of a kind that is not known here`,
    ]
  if (memberEpoch !== joiningEpoch) return null
  if (request.rebalanceTimeoutMs < 0) return wrong('a member that joins has to give a rebalance time-out')
  if (request.topicNames === null && topicRegex === null)
    return wrong('a member that joins has to subscribe to names or to a pattern')
  if (request.owned === null || slotCount(request.owned) > 0)
    return wrong('a member that joins has no partitions, and has to say so')
  return null
}

const slotCount = (topics: readonly TopicSlots[]): number =>
  topics.reduce((sum, { partitions }) => sum + partitions.length, 0)

/** Kafka's names. There is no `Assigning`: targets are made out at once. */
function phaseOf({ members, epoch }: ConsumerGroupState): string {
  if (members.size === 0) return 'Empty'
  const isSettled = [...members.values()].every(
    ({ phase, memberEpoch }) => phase === 'stable' && memberEpoch === epoch,
  )
  return isSettled ? 'Stable' : 'Reconciling'
}

function concerns({ running, topics }: Group, topic: TopicInfo): boolean {
  const { state } = running
  const { tenant, namespace, local } = topic.name
  const names = [topics.nameOf(topic), `${tenant}/${namespace}/${local}`, fullName(topic.name)]
  return (
    state.topics.has(topic.topicId) || [...state.members.values()].some((member) => subscribes(member, names))
  )
}

function subscribes({ topicNames, topicRegex }: ConsumerMember, names: readonly string[]): boolean {
  if (topicNames.some((name) => names.includes(name))) return true
  const matches = topicRegex === null ? null : topicPattern(topicRegex)
  return matches !== null && names.some(matches)
}
