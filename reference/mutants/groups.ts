import type { PartReplacements } from '../broker.js'
import { memberOfInstance } from '../groups/step-identity.js'
import type { GroupError, GroupReply, GroupState, Member } from '../groups/step-state.js'
import { leaveGroup } from '../kafka/messages/13-leave-group.js'
import { groupEvents, groupReplies, ignoredGroupEvents } from './group-seams.js'
import type { Mutant } from './mutant.js'
import { answersOf } from './seams.js'

/** What was refused with an error is answered as done. */
const forgives = (error: GroupError, ...types: readonly GroupReply['type'][]): PartReplacements =>
  groupReplies((reply) => {
    if (!types.includes(reply.type)) return reply
    if (reply.type !== 'leave') return reply.error === error ? { ...reply, error: 'NONE' } : reply
    const members = reply.members.map((each) =>
      each.error === error ? { ...each, error: 'NONE' as const } : each,
    )
    return { ...reply, members }
  })

/** A heartbeat, sync or commit of a member that is there comes as one of the present generation. */
const inPresentGeneration = (
  isForgiven: (generationId: number, present: number) => boolean,
): PartReplacements =>
  groupEvents((event, { generationId, members }) => {
    const isOfMember =
      (event.type === 'heartbeat' || event.type === 'sync' || event.type === 'commit') &&
      members.has(event.memberId) &&
      isForgiven(event.generationId, generationId)
    return isOfMember ? { ...event, generationId } : event
  })

/** What a member offers, and what those offer who are there. */
const withProtocolsOfOthers = groupEvents((event, { members, protocolType }) => {
  const [first] = members.values()
  if (event.type !== 'join' || first === undefined) return event
  const offered = new Set(event.protocols.map(({ name }) => name))
  const others = first.protocols.filter(({ name }) => !offered.has(name))
  return {
    ...event,
    protocolType: protocolType ?? event.protocolType,
    protocols: [...event.protocols, ...others],
  }
})

/** The first choice of whoever leads, though others may not offer it. */
const protocolOfLeader: PartReplacements = {
  groupStep: (step) => (state, event, limits, nowMs) => {
    const [next, effects] = step(state, event, limits, nowMs)
    const protocolName = next.protocolName === null ? null : (leaderOf(next)?.protocols[0]?.name ?? null)
    const told = effects.map((effect) =>
      effect.type === 'reply' && effect.reply.type === 'join' && effect.reply.error === 'NONE'
        ? { ...effect, reply: { ...effect.reply, protocolName } }
        : effect,
    )
    return [{ ...next, protocolName }, told]
  },
}

const leaderOf = ({ leaderId, members }: GroupState): Member | undefined =>
  leaderId === null ? undefined : members.get(leaderId)

/** A static member that starts again leaves first. */
const staticLeavesFirst: PartReplacements = {
  groupStep: (step) => (state, event, limits, nowMs) => {
    const before =
      event.type === 'join' && event.memberId === '' && event.groupInstanceId !== null
        ? memberOfInstance(state, event.groupInstanceId)
        : undefined
    if (before === undefined) return step(state, event, limits, nowMs)
    const [left, leaving] = step(state, { type: 'leave', replyTo: -1, members: [before] }, limits, nowMs)
    const [next, joining] = step(left, event, limits, nowMs)
    const heard = leaving.filter((effect) => effect.type !== 'reply' || effect.to !== -1)
    return [next, [...heard, ...joining]]
  },
}

/** A static member that takes its place again finds nothing there. */
const staticLosesAssignment: PartReplacements = {
  groupStep: (step) => (state, event, limits, nowMs) => {
    const [next, effects] = step(state, event, limits, nowMs)
    const { groupInstanceId = null } = event.type === 'join' ? event : {}
    const again = groupInstanceId === null ? undefined : memberOfInstance(next, groupInstanceId)
    if (again === undefined) return [next, effects]
    const members = new Map(next.members).set(again.memberId, { ...again, assignment: Buffer.alloc(0) })
    return [{ ...next, members }, effects]
  },
}

/** Heartbeats are answered, and prove nothing. */
const deafToHeartbeats: PartReplacements = {
  groupStep: (step) => (state, event, limits, nowMs) => {
    const [next, effects] = step(state, event, limits, nowMs)
    const kept = event.type === 'heartbeat' ? effects.filter(({ type }) => type !== 'startTimer') : effects
    return [next, kept]
  },
}

/** Nobody is taken out whom `isKept` names, though LeaveGroup says so. */
const keepsLeaving = (isKept: (member: { readonly memberId: string }) => boolean): PartReplacements =>
  answersOf(leaveGroup, async ({ request, answer }) => {
    const members = request.members.filter((member) => !isKept(member))
    const left = request.memberId === '' ? members.length : Number(!isKept(request))
    const answered = left === 0 ? { errorCode: 0, members: [] } : await answer({ ...request, members })
    const kept = request.members.filter(isKept).map((member) => ({ ...member, errorCode: 0 }))
    return answered && { ...answered, members: [...kept, ...(answered.members ?? [])] }
  })

/** Members, generations and assignments (chapter GC). */
export const groupMutants: readonly Mutant[] = [
  {
    name: 'generation-not-checked',
    breaks: ['GC-7'],
    description: 'Requests of a member are taken whatever generation they name.',
    replace: inPresentGeneration((generationId) => generationId >= 0),
  },
  {
    name: 'newer-generation-accepted',
    breaks: ['GC-7'],
    description: 'Only generations below the present one are refused.',
    replace: inPresentGeneration((generationId, present) => generationId > present),
  },
  {
    name: 'stranger-may-commit',
    breaks: ['GC-7'],
    description: 'A commit for a member that the group does not have is stored.',
    replace: groupEvents((event, { members, phase }) =>
      event.type === 'commit' && event.generationId >= 0 && !members.has(event.memberId) && phase === 'Stable'
        ? { ...event, ...asMember(members) }
        : event,
    ),
  },
  {
    name: 'commit-into-live-group',
    breaks: ['GC-7'],
    description: 'A commit without membership is stored while the group has members.',
    replace: groupEvents((event, state) =>
      event.type === 'commit' && event.generationId < 0 && state.members.size > 0
        ? { ...event, ...asMember(state.members), generationId: state.generationId }
        : event,
    ),
  },
  {
    name: 'member-id-not-required',
    breaks: ['GC-7'],
    description: 'First joins of v4 and later are let in at once.',
    replace: groupEvents((event) =>
      event.type === 'join' ? { ...event, requiresKnownMemberId: false } : event,
    ),
  },
  {
    name: 'member-id-required-of-all',
    breaks: ['GC-7'],
    description: 'First joins of v0 to v3 are told to come again with an id.',
    replace: groupEvents((event) =>
      event.type === 'join' ? { ...event, requiresKnownMemberId: true } : event,
    ),
  },
  {
    name: 'other-protocol-let-in',
    breaks: ['GC-7'],
    description: 'A member that offers nothing that the group’s others offer is let in.',
    replace: withProtocolsOfOthers,
  },
  {
    name: 'protocol-of-leader',
    breaks: ['GC-7'],
    description: 'The group takes the leader’s first protocol, though others do not offer it.',
    replace: protocolOfLeader,
  },
  {
    name: 'followers-told-of-members',
    breaks: ['GC-7'],
    description: 'Not the leader alone is told who is in the group.',
    replace: groupReplies((reply, together) => {
      if (reply.type !== 'join' || reply.error !== 'NONE') return reply
      const told = together.flatMap((each) => (each.type === 'join' ? [each.members] : []))
      return { ...reply, members: told.find((members) => members.length > 0) ?? reply.members }
    }),
  },
  {
    name: 'static-member-rebalances',
    breaks: ['GC-7', 'GC-2'],
    description: 'A static member that starts again begins a new generation.',
    replace: staticLeavesFirst,
  },
  {
    name: 'static-member-loses-assignment',
    breaks: ['GC-7', 'GC-2'],
    description: 'A static member that starts again keeps its generation, and is given nothing.',
    replace: staticLosesAssignment,
  },
  {
    name: 'static-member-not-fenced',
    breaks: ['GC-7'],
    description: 'Who has lost a static member’s place is answered as if it had it.',
    replace: forgives('FENCED_INSTANCE_ID', 'heartbeat', 'commit', 'leave'),
  },
  {
    name: 'instance-cannot-be-taken-out',
    breaks: ['GC-7'],
    description: 'LeaveGroup by an instance id is answered as done, and takes nobody out.',
    replace: keepsLeaving(({ memberId }) => memberId === ''),
  },
  {
    name: 'rebalance-not-told',
    breaks: ['GC-1', 'GC-2'],
    description: 'Heartbeats are answered without an error while the group is being rebalanced.',
    replace: forgives('REBALANCE_IN_PROGRESS', 'heartbeat'),
  },
  {
    name: 'member-left-out',
    breaks: ['GC-1'],
    description: 'The leader is not told of the last member.',
    replace: groupReplies((reply) =>
      reply.type === 'join' && reply.members.length > 1
        ? { ...reply, members: reply.members.slice(0, -1) }
        : reply,
    ),
  },
  {
    name: 'assignments-swapped',
    breaks: ['GC-1'],
    description: 'Members are given one another’s assignments.',
    replace: groupEvents((event) => {
      if (event.type !== 'sync') return event
      const [first, ...rest] = event.assignments.map(({ assignment }) => assignment)
      if (first === undefined) return event
      const moved = [...rest, first]
      const assignments = event.assignments.map((each, at) => ({ ...each, assignment: moved[at] ?? first }))
      return { ...event, assignments }
    }),
  },
  {
    name: 'session-never-ends',
    breaks: ['GC-2'],
    description: 'A silent member is kept.',
    replace: ignoredGroupEvents((event) => event.type === 'timer' && event.timer.startsWith('session/')),
  },
  {
    name: 'heartbeat-proves-nothing',
    breaks: ['GC-2'],
    description: 'A member that beats is taken for dead when its session time-out has passed.',
    replace: deafToHeartbeats,
  },
  {
    name: 'rebalance-waits-for-ever',
    breaks: ['GC-2'],
    description: 'A member that does not join again holds the others up for good.',
    replace: ignoredGroupEvents(
      (event, { phase, initialDelay }) =>
        event.type === 'timer' &&
        event.timer === 'rebalance' &&
        phase === 'PreparingRebalance' &&
        initialDelay === null,
    ),
  },
  {
    name: 'leaver-stays',
    breaks: ['GC-2', 'GC-7'],
    description: 'LeaveGroup is answered as done, and the member stays until its session ends.',
    replace: keepsLeaving(() => true),
  },
]

/** Somebody who is in the group. */
function asMember(members: GroupState['members']) {
  const [{ memberId, groupInstanceId } = { memberId: '', groupInstanceId: null }] = members.values()
  return { memberId, groupInstanceId }
}
