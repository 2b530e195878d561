import { offsetCommit } from '../messages/08-offset-commit.js'
import { offsetFetch } from '../messages/09-offset-fetch.js'
import { findCoordinator } from '../messages/10-find-coordinator.js'
import { joinGroup } from '../messages/11-join-group.js'
import { heartbeat } from '../messages/12-heartbeat.js'
import { leaveGroup } from '../messages/13-leave-group.js'
import { syncGroup } from '../messages/14-sync-group.js'
import { describeGroups } from '../messages/15-describe-groups.js'
import { listGroups } from '../messages/16-list-groups.js'
import { initProducerId } from '../messages/22-init-producer-id.js'
import { deleteGroups } from '../messages/42-delete-groups.js'
import { offsetDelete } from '../messages/47-offset-delete.js'
import { consumerGroupHeartbeat } from '../messages/68-consumer-group-heartbeat.js'
import { consumerGroupDescribe } from '../messages/69-consumer-group-describe.js'
import { errorCode } from '../wire/errors.js'
import type { Api, RequestOf, ResponseOf } from '../wire/schema.js'
import type { Access } from './access.js'
import type { Call } from './handler.js'

/*
 * Rights that a whole request needs, in one place. Groups are of the client's own namespace, so there is nothing to check of
 * their names: other tenants' cannot be named (register MT-5). The answers are Kafka's to a client that lacks them.
 */

interface Gate {
  readonly key: number
  readonly isOpen: (access: Access) => boolean
  /** The answer without the right; undefined: the request needs it not. */
  readonly refuse: (request: RequestOf<Api>, call: Call) => ResponseOf<Api> | undefined
}

function gate<A extends Api>(
  api: A,
  isOpen: Gate['isOpen'],
  refuse: (request: RequestOf<A>, call: Call) => ResponseOf<A> | undefined,
): Gate {
  return { key: api.key, isOpen, refuse: refuse as Gate['refuse'] }
}

const groupFailed = errorCode('GROUP_AUTHORIZATION_FAILED')
const mayUse = (access: Access) => access.mayUseGroups()
const coordinatorOfGroups = 0

const offsetsFailed = (partitionIndex: number) => ({
  partitionIndex,
  committedOffset: -1n,
  committedLeaderEpoch: -1,
  metadata: '',
  errorCode: groupFailed,
})

const gates: readonly Gate[] = [
  gate(offsetCommit, mayUse, ({ topics }) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: groupFailed })),
    })),
  })),
  gate(offsetFetch, mayUse, ({ groups, topics }) => ({
    errorCode: groupFailed,
    topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(offsetsFailed),
    })),
    groups: groups.map(({ groupId }) => ({ groupId, topics: [], errorCode: groupFailed })),
  })),
  gate(findCoordinator, mayUse, ({ keyType, coordinatorKeys }) => {
    if (keyType !== coordinatorOfGroups) return undefined
    const errorMessage = 'Not authorized to use groups in this namespace'
    const none = { errorCode: groupFailed, errorMessage, nodeId: -1, host: '', port: -1 }
    return { ...none, coordinators: coordinatorKeys.map((key) => ({ key, ...none })) }
  }),
  gate(joinGroup, mayUse, ({ memberId }, { apiVersion }) => ({
    errorCode: groupFailed,
    generationId: -1,
    protocolType: null,
    protocolName: apiVersion >= 7 ? null : '',
    leader: '',
    memberId,
    members: [],
  })),
  gate(heartbeat, mayUse, () => ({ errorCode: groupFailed })),
  gate(leaveGroup, mayUse, () => ({ errorCode: groupFailed, members: [] })),
  gate(syncGroup, mayUse, () => ({ errorCode: groupFailed, assignment: Buffer.alloc(0) })),
  gate(describeGroups, mayUse, ({ groups }) => ({
    groups: groups.map((groupId) => ({
      groupId,
      errorCode: groupFailed,
      groupState: '',
      protocolType: '',
      protocolData: '',
      members: [],
    })),
  })),
  gate(consumerGroupHeartbeat, mayUse, ({ memberId }) => ({
    errorCode: groupFailed,
    memberId,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
  })),
  gate(consumerGroupDescribe, mayUse, ({ groupIds }) => ({
    groups: groupIds.map((groupId) => ({
      groupId,
      errorCode: groupFailed,
      groupState: '',
      groupEpoch: 0,
      assignmentEpoch: 0,
      assignorName: '',
      members: [],
    })),
  })),
  gate(listGroups, mayUse, () => ({ errorCode: 0, groups: [] })),
  gate(
    deleteGroups,
    (access) => access.mayDeleteGroups(),
    ({ groupsNames }) => ({
      throttleTimeMs: 0,
      results: groupsNames.map((groupId) => ({ groupId, errorCode: groupFailed })),
    }),
  ),
  gate(offsetDelete, mayUse, () => ({ errorCode: groupFailed, throttleTimeMs: 0, topics: [] })),
  gate(
    initProducerId,
    (access) => access.mayProduceSomewhere(),
    ({ transactionalId }) =>
      transactionalId !== null
        ? undefined
        : {
            throttleTimeMs: 0,
            errorCode: errorCode('CLUSTER_AUTHORIZATION_FAILED'),
            producerId: -1n,
            producerEpoch: -1,
          },
  ),
]

const byKey: ReadonlyMap<number, Gate> = new Map(gates.map((each) => [each.key, each]))

/** @returns the refusal of a request whose client lacks the right that all of it needs; undefined: it is to be handled. */
export function refusedWhole(
  apiKey: number,
  request: RequestOf<Api>,
  call: Call,
): ResponseOf<Api> | undefined {
  const found = byKey.get(apiKey)
  return found === undefined || found.isOpen(call.access) ? undefined : found.refuse(request, call)
}
