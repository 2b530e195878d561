import { type AssignorName, assignorNames, isAssignorName } from './assignors.js'
import { identified, isRefused, newMember, type Refused, refused } from './identify.js'
import { reconciled } from './reconcile.js'
import { either, noSlots, sameSlots } from './slots.js'
import {
  awayEpoch,
  type ConsumerGroupEvent,
  type ConsumerGroupState,
  type ConsumerMember,
  type HeartbeatEvent,
  joiningEpoch,
  leavingEpoch,
  type StepResult,
  type Surroundings,
  type TimerEffect,
} from './state.js'
import { isRetargetDue, retargeted, withMember, withoutMember } from './targets.js'

/**
 * The consumer protocol of KIP-848 as a pure function: what happens to one group, and what comes of it (register GC-11).
 * No clock, no sockets, no store. A member's part is looked at in its own heartbeats only: what changes for the others they
 * learn with theirs. `state` is not changed.
 */
export function step(state: ConsumerGroupState, event: ConsumerGroupEvent, around: Surroundings): StepResult {
  switch (event.type) {
    case 'heartbeat':
      return heartbeat(state, event, around)
    case 'timer':
      return putOut(state, event.timer.slice(event.timer.indexOf('/') + 1), around)
    case 'topicsChanged':
      return unasked(isRetargetDue(state, around) ? retargeted(state, around) : state)
    case 'fence':
      return unasked(fenced(state))
  }
}

const unasked = (state: ConsumerGroupState): StepResult => ({ state, answer: null, timers: [] })

function heartbeat(state: ConsumerGroupState, event: HeartbeatEvent, around: Surroundings): StepResult {
  if (event.memberEpoch === leavingEpoch || event.memberEpoch === awayEpoch)
    return leave(state, event, around)
  const found = prepared(state, event, around)
  if (isRefused(found)) return refusal(state, event, found)
  const { before, member } = found
  const isNew = before === null || before.memberId !== member.memberId
  const others = before !== null && isNew ? withoutMember(state, before.memberId) : state
  const joined = member === before ? state : withMember(others, member)
  const isResubscribed =
    before === null ||
    before.topicRegex !== member.topicRegex ||
    !sameNames(before.topicNames, member.topicNames)
  const shared = isResubscribed ? retargeted(joined, around) : joined
  const present = shared.members.get(member.memberId) ?? member
  const settled = reconciled(shared, present, event.owned === null ? null : new Set(event.owned))
  const isChanged = isNew || before === null || !sameSlots(before.assigned, settled.assigned)
  return {
    state: settled === present ? shared : withMember(shared, settled),
    answer: {
      error: 'NONE',
      message: null,
      memberId: settled.memberId,
      memberEpoch: settled.memberEpoch,
      assignment: isChanged || isWhole(event) ? settled.assigned : null,
    },
    timers: [
      ...(before !== null && isNew ? stopped(before.memberId) : []),
      ...timersOf(before, settled, around),
    ],
  }
}

/** Who it is, as it is now, and as it says that it wants to be. */
function prepared(
  state: ConsumerGroupState,
  event: HeartbeatEvent,
  { limits }: Surroundings,
): { readonly before: ConsumerMember | null; readonly member: ConsumerMember } | Refused {
  const { assignor } = event
  if (assignor !== null && !isAssignorName(assignor))
    return refused(
      'UNSUPPORTED_ASSIGNOR',
      `there is no assignor ${assignor} here; choose ${assignorNames.join(' or ')}, or none`,
    )
  const before = identified(state, event)
  if (before !== null && isRefused(before)) return before
  if (before === null && state.members.size >= limits.membersMax)
    return refused('GROUP_MAX_SIZE_REACHED', `the group has its ${limits.membersMax} members already`)
  return { before, member: updated(before, event, assignor) }
}

/** The same object when it says nothing new. */
function updated(
  before: ConsumerMember | null,
  event: HeartbeatEvent,
  assignor: AssignorName | null,
): ConsumerMember {
  const { memberId, memberEpoch, clientId, clientHost } = event
  const old = before ?? newMember(event)
  // One that takes the place of a static member has nothing to say about the epochs of the other.
  const isReplacing = before !== null && before.memberId !== memberId
  const isBack = before?.memberEpoch === awayEpoch && memberEpoch === joiningEpoch
  const member: ConsumerMember = {
    ...old,
    memberId,
    clientId,
    clientHost,
    rackId: event.rackId ?? old.rackId,
    rebalanceTimeoutMs: event.rebalanceTimeoutMs >= 0 ? event.rebalanceTimeoutMs : old.rebalanceTimeoutMs,
    topicNames: event.topicNames ?? old.topicNames,
    // An empty one takes it back.
    topicRegex: event.topicRegex === null ? old.topicRegex : event.topicRegex || null,
    assignor: assignor ?? old.assignor,
    memberEpoch: isReplacing || isBack ? joiningEpoch : old.memberEpoch,
  }
  return before !== null && isSame(before, member) ? before : member
}

const isSame = (one: ConsumerMember, other: ConsumerMember): boolean =>
  one.memberId === other.memberId &&
  one.clientId === other.clientId &&
  one.clientHost === other.clientHost &&
  one.rackId === other.rackId &&
  one.rebalanceTimeoutMs === other.rebalanceTimeoutMs &&
  one.topicRegex === other.topicRegex &&
  one.assignor === other.assignor &&
  one.memberEpoch === other.memberEpoch &&
  sameNames(one.topicNames, other.topicNames)

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  const names = new Set(one)
  return names.size === new Set(other).size && other.every((name) => names.has(name))
}

/** A request that says everything wants everything: its client does not know whether the last answer was its own. */
const isWhole = (event: HeartbeatEvent): boolean =>
  event.memberEpoch === joiningEpoch ||
  (event.rebalanceTimeoutMs >= 0 &&
    (event.topicNames !== null || event.topicRegex !== null) &&
    event.owned !== null)

function leave(state: ConsumerGroupState, event: HeartbeatEvent, around: Surroundings): StepResult {
  const member = identified(state, event)
  if (member === null)
    return refusal(state, event, refused('UNKNOWN_MEMBER_ID', 'the group has no such member'))
  if (isRefused(member)) return refusal(state, event, member)
  const { memberId, memberEpoch } = event
  const answer = { error: 'NONE', message: null, memberId, memberEpoch, assignment: null } as const
  if (memberEpoch === leavingEpoch) return { ...putOut(state, memberId, around), answer }
  // It keeps its place until its session ends; what it was letting go, it has.
  const away: ConsumerMember = { ...member, memberEpoch: awayEpoch, phase: 'stable', revoking: noSlots }
  return {
    state: withMember(state, away),
    answer,
    timers: [{ timer: `rebalance/${memberId}`, afterMs: null }],
  }
}

function putOut(state: ConsumerGroupState, memberId: string, around: Surroundings): StepResult {
  const left = state.members.has(memberId) ? retargeted(withoutMember(state, memberId), around) : state
  return { state: left, answer: null, timers: stopped(memberId) }
}

/**
 * Ends all epochs now. Members learn it from their next heartbeats, give up their partitions, and come back for them: then
 * they ask for the offsets anew. Until then nobody else gets what they have.
 */
function fenced(state: ConsumerGroupState): ConsumerGroupState {
  if (state.members.size === 0) return state
  const epoch = state.epoch + 1
  const members = [...state.members.values()].map((member): [string, ConsumerMember] => [
    member.memberId,
    member.memberEpoch === awayEpoch ? member : fencedMember(member, epoch),
  ])
  return { ...state, epoch, members: new Map(members) }
}

function fencedMember(member: ConsumerMember, epoch: number): ConsumerMember {
  const revoking = either(member.assigned, member.revoking)
  return {
    ...member,
    memberEpoch: epoch,
    previousEpoch: leavingEpoch,
    phase: revoking.size > 0 ? 'unrevoked' : 'stable',
    assigned: noSlots,
    revoking,
  }
}

const refusal = (
  state: ConsumerGroupState,
  { memberId }: HeartbeatEvent,
  { error, message }: Refused,
): StepResult => ({
  state,
  answer: { error, message, memberId, memberEpoch: joiningEpoch, assignment: null },
  timers: [],
})

const stopped = (memberId: string): readonly TimerEffect[] => [
  { timer: `session/${memberId}`, afterMs: null },
  { timer: `rebalance/${memberId}`, afterMs: null },
]

/** It was heard of; and what it has to let go, it has to in time. */
function timersOf(
  before: ConsumerMember | null,
  { memberId, phase, memberEpoch, rebalanceTimeoutMs }: ConsumerMember,
  { limits }: Surroundings,
): readonly TimerEffect[] {
  const session: TimerEffect = { timer: `session/${memberId}`, afterMs: limits.sessionTimeoutMs }
  const timer = `rebalance/${memberId}` as const
  if (phase !== 'unrevoked') return [session, { timer, afterMs: null }]
  const wasLate = before?.phase === 'unrevoked' && before.memberEpoch === memberEpoch
  return wasLate ? [session] : [session, { timer, afterMs: rebalanceTimeoutMs }]
}
