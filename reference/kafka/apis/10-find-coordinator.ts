import { isRefusal } from '../../topics/types.js'
import { findCoordinator as table } from '../messages/10-find-coordinator.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import type { BrokerAddress } from './context.js'
import { groupIdFault, keyOfGroup } from './groups.js'
import { type Call, handler } from './handler.js'
import { openPartition } from './topics.js'

const keyType = { group: 0, transaction: 1 } as const
const batchedSinceVersion = 4

/**
 * FindCoordinator v0 to v6: a group's coordinator is the owner of its partition of the offsets topic (register GC-5), as
 * Metadata names it; being asked for gives the partition its owner. For a transactional id:
 * TRANSACTIONAL_ID_AUTHORIZATION_FAILED, final for every client, as InitProducerId. Share groups (KIP-932):
 * INVALID_REQUEST.
 */
export const findCoordinator = handler(table, async (request, call) => {
  if (call.apiVersion < batchedSinceVersion) return coordinatorOf(request.key, request.keyType, call)
  const { coordinatorKeys } = request
  return {
    coordinators: await Promise.all(
      coordinatorKeys.map(async (key) => ({ key, ...(await coordinatorOf(key, request.keyType, call)) })),
    ),
  }
})

async function coordinatorOf(key: string, type: number, call: Call) {
  const fault = keyFault(key, type)
  if (fault !== null) return refused(fault)
  const owner = await ownerOf(key, call)
  return 'error' in owner ? refused(owner.error) : { errorCode: 0, errorMessage: null, ...owner }
}

/** The address of the broker that has the group's partition. */
async function ownerOf(groupId: string, call: Call): Promise<BrokerAddress | { readonly error: Fault }> {
  const { broker, connection } = call
  const { offsetsTopic } = broker
  if (offsetsTopic !== undefined) {
    const index = offsetsTopic.partitionOf(keyOfGroup(groupId, call))
    const log = await openPartition(call, offsetsTopic.topic, index)
    if (isRefusal(log)) return { error: ['COORDINATOR_NOT_AVAILABLE', log.message] }
  }
  // What this broker can open, it owns.
  const self = broker.brokers(connection.listener).find((each) => each.nodeId === broker.nodeId)
  return self ?? { error: ['COORDINATOR_NOT_AVAILABLE', 'this listener has no advertised address'] }
}

const refused = ([error, errorMessage]: Fault) => ({
  errorCode: errorCode(error),
  errorMessage,
  nodeId: -1,
  host: '',
  port: -1,
})

type Fault = readonly [error: ErrorName, message: string]

function keyFault(key: string, type: number): Fault | null {
  if (type === keyType.transaction)
    return ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'this broker has no transactions']
  if (type !== keyType.group) return ['INVALID_REQUEST', `there is no coordinator for key type ${type}`]
  const fault = groupIdFault(key)
  return fault === null ? null : [fault, 'a group id has 1 to 249 bytes']
}
