import type { GroupError, GroupState, Member } from './step-state.js'

/** Who a request says it is. */
export interface Identity {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export function memberOfInstance(state: GroupState, groupInstanceId: string): Member | undefined {
  for (const member of state.members.values()) if (member.groupInstanceId === groupInstanceId) return member
  return undefined
}

/**
 * The member that a request is of (register GC-7). A static member whose place another client took is FENCED_INSTANCE_ID
 * for good (KIP-345).
 */
export function identify(state: GroupState, { memberId, groupInstanceId }: Identity): Member | GroupError {
  if (groupInstanceId === null) return state.members.get(memberId) ?? 'UNKNOWN_MEMBER_ID'
  const member = memberOfInstance(state, groupInstanceId)
  if (member === undefined) return 'UNKNOWN_MEMBER_ID'
  return member.memberId === memberId ? member : 'FENCED_INSTANCE_ID'
}

/** The same for requests that belong to a generation. */
export function identifyNow(
  state: GroupState,
  identity: Identity & { readonly generationId: number },
): Member | GroupError {
  const member = identify(state, identity)
  if (typeof member === 'string') return member
  return identity.generationId === state.generationId ? member : 'ILLEGAL_GENERATION'
}
