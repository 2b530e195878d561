import type { StoredGroup } from './group-store.js'
import { emptyGroup, type GroupState } from './step-state.js'

/** What of a group is durable: all but who waits for what. */
export function storedGroup(state: GroupState, nowMs: number): StoredGroup {
  return {
    protocolType: state.protocolType ?? '',
    protocolName: state.protocolName,
    generationId: state.generationId,
    leaderId: state.leaderId,
    stateTimestampMs: nowMs,
    members: [...state.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      sessionTimeoutMs: member.sessionTimeoutMs,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      protocols: member.protocols,
      assignment: member.assignment,
    })),
  }
}

/**
 * The group as a coordinator goes on with it: its members keep their generation and their assignments, and have a whole
 * session time-out to be heard of (register GC-3).
 */
export function restoredGroup(stored: StoredGroup): GroupState {
  const members = stored.members.map(
    (member) =>
      [member.memberId, { ...member, awaitingJoin: null, awaitingSync: null, hasSynced: true }] as const,
  )
  return {
    ...emptyGroup,
    phase: members.length > 0 ? 'Stable' : 'Empty',
    generationId: stored.generationId,
    protocolType: stored.protocolType === '' ? null : stored.protocolType,
    protocolName: stored.protocolName,
    leaderId: stored.leaderId,
    members: new Map(members),
  }
}
