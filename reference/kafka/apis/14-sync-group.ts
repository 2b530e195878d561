import type { SyncReply } from '../../groups/step-state.js'
import { syncGroup as table } from '../messages/14-sync-group.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import type { RequestOf } from '../wire/schema.js'
import { coordinatorFault } from './faults.js'
import { groupIdFault, keyOfGroup } from './groups.js'
import { type Call, handler } from './handler.js'

const protocolSinceVersion = 5

/** SyncGroup v0 to v5, which must name the protocol (KIP-559). Followers wait for the leader's. */
export const syncGroup = handler(table, async (request, call) => {
  const reply = await sync(request, call)
  if (typeof reply === 'string') return { errorCode: errorCode(reply), assignment: Buffer.alloc(0) }
  const { error, protocolType, protocolName, assignment } = reply
  return { errorCode: errorCode(error), protocolType, protocolName, assignment }
})

async function sync(request: RequestOf<typeof table>, call: Call): Promise<SyncReply | ErrorName> {
  const { groupId, ...member } = request
  const fault = groupIdFault(groupId)
  if (fault !== null) return fault
  if (
    call.apiVersion >= protocolSinceVersion &&
    (member.protocolType === null || member.protocolName === null)
  )
    return 'INCONSISTENT_GROUP_PROTOCOL'
  // Views into the request's frame would keep all of it for as long as the generation lives.
  const assignments = request.assignments.map((each) => ({
    ...each,
    assignment: Buffer.from(each.assignment),
  }))
  try {
    return await call.broker.coordinator.sync(keyOfGroup(groupId, call), { ...member, assignments })
  } catch (error) {
    return coordinatorFault(error, call, 'a member could not sync')
  }
}
