import { findCoordinator as table } from '../messages/10-find-coordinator.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import { groupIdFault } from './groups.js'
import { type Call, handler } from './handler.js'

const keyType = { group: 0, transaction: 1 } as const
const batchedSinceVersion = 4

/**
 * FindCoordinator v0 to v6: this broker coordinates all groups, until the offsets topic decides (register GC-5). For a
 * transactional id: TRANSACTIONAL_ID_AUTHORIZATION_FAILED, final for every client, as InitProducerId. Share groups
 * (KIP-932): INVALID_REQUEST.
 */
export const findCoordinator = handler(table, async (request, call) => {
  if (call.apiVersion < batchedSinceVersion) return coordinatorOf(request.key, request.keyType, call)
  const { coordinatorKeys } = request
  return {
    coordinators: coordinatorKeys.map((key) => ({ key, ...coordinatorOf(key, request.keyType, call) })),
  }
})

function coordinatorOf(key: string, type: number, call: Call) {
  const { broker, connection } = call
  const self = broker.brokers(connection.listener).find((each) => each.nodeId === broker.nodeId)
  const fault = keyFault(key, type) ?? (self === undefined ? notAvailable : null)
  if (fault !== null || self === undefined) {
    const [error, errorMessage] = fault ?? notAvailable
    return { errorCode: errorCode(error), errorMessage, nodeId: -1, host: '', port: -1 }
  }
  return { errorCode: 0, errorMessage: null, ...self }
}

type Fault = readonly [error: ErrorName, message: string]
const notAvailable: Fault = ['COORDINATOR_NOT_AVAILABLE', 'this listener has no advertised address']

function keyFault(key: string, type: number): Fault | null {
  if (type === keyType.transaction)
    return ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'this broker has no transactions']
  if (type !== keyType.group) return ['INVALID_REQUEST', `there is no coordinator for key type ${type}`]
  const fault = groupIdFault(key)
  return fault === null ? null : [fault, 'a group id has 1 to 249 bytes']
}
