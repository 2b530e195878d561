import type { GroupError, GroupReply, GroupState, JoinReply, Member } from './step-state.js'

export function joinRefusal(error: GroupError, memberId: string): JoinReply {
  return {
    type: 'join',
    error,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leaderId: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}

/** The new generation, as a member is told of it; the leader alone gets the members. */
export function joinAnswer(state: GroupState, memberId: string): JoinReply {
  const metadataOf = (member: Member) =>
    member.protocols.find((protocol) => protocol.name === state.protocolName)?.metadata ?? Buffer.alloc(0)
  const members = memberId === state.leaderId ? [...state.members.values()] : []
  return {
    type: 'join',
    error: 'NONE',
    generationId: state.generationId,
    protocolType: state.protocolType,
    protocolName: state.protocolName,
    leaderId: state.leaderId ?? '',
    skipAssignment: false,
    memberId,
    members: members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      metadata: metadataOf(member),
    })),
  }
}

export const syncRefusal = (error: GroupError): GroupReply => ({
  type: 'sync',
  error,
  protocolType: null,
  protocolName: null,
  assignment: Buffer.alloc(0),
})

export const syncAnswer = (state: GroupState, member: Member): GroupReply => ({
  type: 'sync',
  error: 'NONE',
  protocolType: state.protocolType,
  protocolName: state.protocolName,
  assignment: member.assignment,
})
