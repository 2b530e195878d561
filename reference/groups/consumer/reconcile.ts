import { both, either, noSlots, overlap, type Slot, type Slots, sameSlots, without } from './slots.js'
import type { ConsumerGroupState, ConsumerMember } from './state.js'

/**
 * Brings a member as near to its target as may be: first it lets go what is not its own any more, and only when it has said
 * so it comes to the group's epoch; then it gets what no other member has, or has still to let go. So a partition never
 * has two owners, and what stays with a member is never taken from it.
 *
 * @param owned what it says that it has; null: it does not say
 * @returns the same object when nothing changes for it
 */
export function reconciled(
  state: ConsumerGroupState,
  member: ConsumerMember,
  owned: Slots | null,
): ConsumerMember {
  const has = (slots: Slots) => slots.size > 0 && (owned === null || overlap(owned, slots))
  if (member.phase === 'unrevoked' && has(member.revoking)) return member
  const kept = both(member.assigned, member.target)
  const revoking = without(member.assigned, member.target)
  if (has(revoking)) return { ...member, phase: 'unrevoked', assigned: kept, revoking }
  const wanted = without(member.target, kept)
  const free = wanted.size === 0 ? wanted : without(wanted, takenByOthers(state, member.memberId))
  const phase = free.size < wanted.size ? 'unreleased' : 'stable'
  const assigned = either(kept, free)
  const isSame =
    phase === member.phase && member.memberEpoch === state.epoch && sameSlots(assigned, member.assigned)
  if (isSame) return member
  return {
    ...member,
    previousEpoch: member.memberEpoch,
    memberEpoch: state.epoch,
    phase,
    assigned,
    revoking: noSlots,
  }
}

function takenByOthers(state: ConsumerGroupState, memberId: string): Slots {
  const taken = new Set<Slot>()
  for (const other of state.members.values()) {
    if (other.memberId === memberId) continue
    for (const slot of other.assigned) taken.add(slot)
    for (const slot of other.revoking) taken.add(slot)
  }
  return taken
}
