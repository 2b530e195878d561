import { heartbeat as table } from '../messages/12-heartbeat.js'
import { errorCode } from '../wire/errors.js'
import { coordinatorFault } from './faults.js'
import { groupIdFault, keyOfGroup } from './groups.js'
import { handler } from './handler.js'

/** Heartbeat v0 to v4. The group instance id is not looked at (KIP-345 is left out). */
export const heartbeat = handler(table, async ({ groupId, memberId, generationId }, call) => {
  const fault = groupIdFault(groupId)
  if (fault !== null) return { errorCode: errorCode(fault) }
  try {
    const { error } = await call.broker.coordinator.heartbeat(keyOfGroup(groupId, call), {
      memberId,
      generationId,
    })
    return { errorCode: errorCode(error) }
  } catch (error) {
    return { errorCode: errorCode(coordinatorFault(error, call, 'a heartbeat could not be taken')) }
  }
})
