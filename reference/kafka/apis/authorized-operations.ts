/**
 * What a client may do, as the bit field of KIP-430: bit N for the ACL operation with code N. Without an authorizer
 * everything is allowed, and these are all operations that make sense for a resource.
 */
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

export const topicOperations = bits(
  read,
  write,
  create,
  remove,
  alter,
  describe,
  describeConfigs,
  alterConfigs,
)
export const groupOperations = bits(read, remove, describe)
export const clusterOperations = bits(
  create,
  alter,
  describe,
  clusterAction,
  describeConfigs,
  alterConfigs,
  idempotentWrite,
)
/** They were not asked for. */
export const operationsOmitted = -2147483648
