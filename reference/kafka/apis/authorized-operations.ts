import type { TopicName } from '../../topics/types.js'
import type { Access } from './access.js'

/** What a client may do, as the bit field of KIP-430: bit N for the ACL operation with code N. */
const bits = (...operations: readonly number[]) => operations.reduce((field, each) => field | (1 << each), 0)

const read = 3
const write = 4
const create = 5
const remove = 6
const alter = 7
const describe = 8
const clusterAction = 9
const describeConfigs = 10
const alterConfigs = 11
const idempotentWrite = 12

/** Operations that make sense for a resource, as far as they are allowed. */
export function topicOperations(access: Access, topic: TopicName): number {
  return (
    (access.mayOnTopic('consume', topic) ? bits(read) : 0) |
    (access.mayOnTopic('produce', topic) ? bits(write) : 0) |
    (access.mayOnTopic('see', topic) ? bits(describe) : 0) |
    (access.mayOnTopic('administer', topic) ? bits(create, remove, alter, describeConfigs, alterConfigs) : 0)
  )
}

export const groupOperations = (access: Access): number =>
  (access.mayUseGroups() ? bits(read, describe) : 0) | (access.mayDeleteGroups() ? bits(remove) : 0)

export const clusterOperations = (access: Access): number =>
  (access.mayProduceSomewhere() ? bits(idempotentWrite) : 0) |
  (access.isSuperUser() ? bits(create, alter, describe, clusterAction, describeConfigs, alterConfigs) : 0)

/** They were not asked for. */
export const operationsOmitted = -2147483648
