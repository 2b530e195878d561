import { noSlots } from './slots.js'
import {
  awayEpoch,
  type ConsumerGroupError,
  type ConsumerGroupState,
  type ConsumerMember,
  type HeartbeatEvent,
  joiningEpoch,
} from './state.js'

export interface Refused {
  readonly error: ConsumerGroupError
  readonly message: string
}

export const refused = (error: ConsumerGroupError, message: string): Refused => ({ error, message })
export const isRefused = (value: object): value is Refused => 'error' in value

/**
 * The member that a heartbeat is of. For a static member that comes back it is the one whose place it takes.
 * @returns null for one that joins
 */
export function identified(
  state: ConsumerGroupState,
  event: HeartbeatEvent,
): ConsumerMember | Refused | null {
  const isJoining = event.memberEpoch === joiningEpoch
  const member =
    event.instanceId === null ? state.members.get(event.memberId) : ofInstance(state, event.instanceId)
  if (member === undefined)
    return isJoining ? null : refused('UNKNOWN_MEMBER_ID', `${event.memberId} is not a member of the group`)
  if (member.memberId !== event.memberId) {
    if (!isJoining) return refused('FENCED_INSTANCE_ID', `${event.instanceId} is another member now`)
    return member.memberEpoch === awayEpoch
      ? member
      : refused('UNRELEASED_INSTANCE_ID', `${event.instanceId} is in use by another member`)
  }
  if (event.memberEpoch > joiningEpoch && !isEpochRight(member, event))
    return refused(
      'FENCED_MEMBER_EPOCH',
      `the member's epoch is ${member.memberEpoch}, not ${event.memberEpoch}; join again with epoch 0`,
    )
  return member
}

/** Or the epoch before, if the answer that told the new one may have been lost: it then has nothing that is not its own. */
function isEpochRight(member: ConsumerMember, { memberEpoch, owned }: HeartbeatEvent): boolean {
  if (memberEpoch === member.memberEpoch) return true
  return (
    memberEpoch === member.previousEpoch &&
    memberEpoch < member.memberEpoch &&
    (owned?.every((slot) => member.assigned.has(slot)) ?? false)
  )
}

function ofInstance(state: ConsumerGroupState, instanceId: string): ConsumerMember | undefined {
  for (const member of state.members.values()) if (member.instanceId === instanceId) return member
  return undefined
}

export const newMember = ({
  memberId,
  instanceId,
  clientId,
  clientHost,
}: HeartbeatEvent): ConsumerMember => ({
  memberId,
  instanceId,
  rackId: null,
  clientId,
  clientHost,
  rebalanceTimeoutMs: -1,
  topicNames: [],
  topicRegex: null,
  assignor: null,
  memberEpoch: joiningEpoch,
  previousEpoch: -1,
  phase: 'stable',
  assigned: noSlots,
  revoking: noSlots,
  target: noSlots,
})
