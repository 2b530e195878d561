import { deleteGroups as table } from '../messages/42-delete-groups.js'
import { errorCode } from '../wire/errors.js'
import { coordinatorFault } from './faults.js'
import { keyOfGroup } from './groups.js'
import { type Call, handler } from './handler.js'

/** DeleteGroups v0 to v2: empty groups, with their offsets (register GC-9). */
export const deleteGroups = handler(table, async (request, call) => ({
  throttleTimeMs: 0,
  results: await Promise.all(request.groupsNames.map((groupId) => remove(groupId, call))),
}))

async function remove(groupId: string, call: Call) {
  try {
    return { groupId, errorCode: errorCode(await call.broker.coordinator.delete(keyOfGroup(groupId, call))) }
  } catch (error) {
    return { groupId, errorCode: errorCode(coordinatorFault(error, call, 'a group could not be deleted')) }
  }
}
