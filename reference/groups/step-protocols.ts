import type { GroupProtocol, GroupState, JoinEvent, Member } from './step-state.js'

/**
 * Whether a member with these protocols can share the group with its members. A member that joins again counts with what it
 * offered before, as in Kafka: to change all of its protocols it has to leave.
 */
export function acceptsProtocols(state: GroupState, event: JoinEvent): boolean {
  if (event.protocols.length === 0 || event.protocolType === '') return false
  if (state.members.size === 0) return true
  if (state.protocolType !== event.protocolType) return false
  const common = commonProtocols([...state.members.values()])
  return event.protocols.some((protocol) => common.has(protocol.name))
}

function commonProtocols(members: readonly Member[]): Set<string> {
  const [first, ...rest] = members.map((member) => new Set(member.protocols.map((each) => each.name)))
  return new Set([...(first ?? [])].filter((name) => rest.every((names) => names.has(name))))
}

/** Each member votes for the first of its protocols that all have; the earliest of those with most votes is taken. */
export function chosenProtocol(state: GroupState): string {
  const members = [...state.members.values()]
  const common = commonProtocols(members)
  const votes = new Map<string, number>()
  for (const member of members) {
    const vote = member.protocols.find((protocol) => common.has(protocol.name))
    if (vote !== undefined) votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1)
  }
  const [winner] = [...votes].sort((a, b) => b[1] - a[1])
  return winner?.[0] ?? ''
}

export function sameProtocols(a: readonly GroupProtocol[], b: readonly GroupProtocol[]): boolean {
  if (a.length !== b.length) return false
  return a.every((each, i) => each.name === b[i]?.name && each.metadata.equals(b[i].metadata))
}
