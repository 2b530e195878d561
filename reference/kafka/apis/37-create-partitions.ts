import { isRefusal } from '../../topics/types.js'
import { createPartitions as table } from '../messages/37-create-partitions.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import type { RequestOf } from '../wire/schema.js'
import { partitionsMax } from './19-create-topics.js'
import { storageFault } from './faults.js'
import { type Call, handler } from './handler.js'
import { findTopic, partitionCount } from './topics.js'

type Asked = RequestOf<typeof table>['topics'][number]

/** CreatePartitions v0 to v3: raises the number of partitions (register MT-9). Assignments are checked, and decide nothing. */
export const createPartitions = handler(table, async (request, call) => ({
  throttleTimeMs: 0,
  results: await Promise.all(request.topics.map((asked) => raise(asked, request.validateOnly, call))),
}))

async function raise(asked: Asked, validateOnly: boolean, call: Call) {
  const { name, count } = asked
  const answer = (error: ErrorName, errorMessage: string | null) => ({
    name,
    errorCode: errorCode(error),
    errorMessage,
  })
  const topic = findTopic(call, name)
  if (isRefusal(topic)) return answer(topic.refused, topic.message)
  const present = partitionCount(topic)
  if (count <= present || count > partitionsMax)
    return answer(
      'INVALID_PARTITIONS',
      `${count} partitions: it has ${present}, expected more, up to ${partitionsMax}`,
    )
  if (asked.assignments !== null && !isAssignment(asked.assignments, count - present, call))
    return answer('INVALID_REPLICA_ASSIGNMENT', `expected ${count - present} assignments to known brokers`)
  if (validateOnly) return answer('NONE', null)
  try {
    const raised = await call.broker.catalog.setPartitions(topic.name, count)
    return isRefusal(raised) ? answer(raised.refused, raised.message) : answer('NONE', null)
  } catch (error) {
    return answer(storageFault(error, call, 'partitions could not be added'), 'the topic could not be stored')
  }
}

function isAssignment(
  assignments: readonly { readonly brokerIds: readonly number[] }[],
  count: number,
  call: Call,
): boolean {
  const known = new Set(call.broker.brokers(call.connection.listener).map((broker) => broker.nodeId))
  return (
    assignments.length === count &&
    assignments.every(({ brokerIds }) => brokerIds.length > 0 && brokerIds.every((id) => known.has(id)))
  )
}
