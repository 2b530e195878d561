import { heartbeat as table } from '../messages/12-heartbeat.js'
import { errorCode } from '../wire/errors.js'
import { coordinatorFault } from './faults.js'
import { groupIdFault, keyOfGroup } from './groups.js'
import { handler } from './handler.js'

/** Heartbeat v0 to v4. */
export const heartbeat = handler(table, async ({ groupId, ...member }, call) => {
  const fault = groupIdFault(groupId)
  if (fault !== null) return { errorCode: errorCode(fault) }
  try {
    const { error } = await call.broker.coordinator.heartbeat(keyOfGroup(groupId, call), member)
    return { errorCode: errorCode(error) }
  } catch (error) {
    return { errorCode: errorCode(coordinatorFault(error, call, 'a heartbeat could not be taken')) }
  }
})
