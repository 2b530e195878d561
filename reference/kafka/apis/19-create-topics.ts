import { isRefusal, type TopicInfo } from '../../topics/types.js'
import { createTopics as table } from '../messages/19-create-topics.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import type { RequestOf, ResponseOf } from '../wire/schema.js'
import { topicFault } from './access.js'
import { storageFault } from './faults.js'
import { type Call, handler } from './handler.js'
import { checkTopicConfigs, effectiveConfigs } from './topic-configs.js'
import { findTopic, partitionCount } from './topics.js'

type Asked = RequestOf<typeof table>['topics'][number]
type Answer = ResponseOf<typeof table>['topics'][number]

/** The most partitions of one topic. */
export const partitionsMax = 10_000
const brokersDefault = -1

interface Plan {
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
}
interface Fault {
  readonly error: ErrorName
  readonly message: string
}
const fault = (error: ErrorName, message: string): Fault => ({ error, message })
const isFault = (value: Plan | Fault): value is Fault => 'error' in value

/**
 * CreateTopics v0 to v7. Replication is the store's: a factor of −1, or of up to as many as there are brokers, is accepted
 * and answered as 1. An assignment by hand is checked, and decides no more than the number of partitions.
 */
export const createTopics = handler(table, async (request, call) => {
  const counts = new Map<string, number>()
  for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1)
  const once = [...new Map(request.topics.map((topic) => [topic.name, topic])).values()]
  const answers = once.map((asked) =>
    (counts.get(asked.name) ?? 0) > 1
      ? refused(asked.name, fault('INVALID_REQUEST', 'the request names this topic twice'))
      : create(asked, request.validateOnly, call),
  )
  return { topics: await Promise.all(answers) }
})

async function create(asked: Asked, validateOnly: boolean, call: Call): Promise<Answer> {
  const { catalog, names } = call.broker
  const name = names.resolveKafkaName(asked.name)
  if (isRefusal(name)) return refused(asked.name, fault(name.refused, name.message))
  const denied = topicFault(call, name)
  if (denied !== null) return refused(asked.name, fault(denied.refused, denied.message))
  if (!isRefusal(findTopic(call, asked.name)))
    return refused(asked.name, fault('TOPIC_ALREADY_EXISTS', `there is already a topic ${asked.name}`))
  const plan = planOf(asked, call)
  if (isFault(plan)) return refused(asked.name, plan)
  const unmakable = validateOnly ? catalog.refusalToCreate?.(name, plan) : undefined
  if (unmakable !== undefined) return refused(asked.name, fault(unmakable.refused, unmakable.message))
  if (validateOnly) return answered(asked.name, plan.partitions, plan.configs, undefined, call)
  try {
    const created = await catalog.create(name, plan)
    if (isRefusal(created)) return refused(asked.name, fault(created.refused, created.message))
    return answered(asked.name, partitionCount(created), created.configs, created, call)
  } catch (error) {
    const failure = storageFault(error, call, 'a topic could not be created')
    return refused(asked.name, fault(failure, 'the topic could not be stored'))
  }
}

function planOf(asked: Asked, call: Call): Plan | Fault {
  const partitions =
    asked.assignments.length > 0 ? assignedPartitions(asked, call) : countedPartitions(asked, call)
  if (typeof partitions !== 'number') return partitions
  const empty = asked.configs.find((config) => config.value === null)
  if (empty !== undefined) return fault('INVALID_CONFIG', `${empty.name} has no value`)
  const configs = Object.fromEntries(asked.configs.map(({ name, value }) => [name, value ?? '']))
  const wrong = checkTopicConfigs(configs, call.broker)
  return wrong === null ? { partitions, configs } : fault(wrong.refused, wrong.message)
}

/** −1 stands for the broker's default: officially from v4 on (KIP-464), but Kafka takes it, and clients send it, before. */
function countedPartitions(asked: Asked, call: Call): number | Fault {
  const { numPartitions, replicationFactor } = asked
  const brokers = call.broker.brokers(call.connection.listener).length
  if (replicationFactor !== brokersDefault && (replicationFactor < 1 || replicationFactor > brokers))
    return fault(
      'INVALID_REPLICATION_FACTOR',
      `replication factor ${replicationFactor}: expected -1, or 1 to ${brokers}`,
    )
  if (numPartitions === brokersDefault) return call.broker.defaultNumPartitions
  if (numPartitions < 1 || numPartitions > partitionsMax)
    return fault('INVALID_PARTITIONS', `${numPartitions} partitions: expected 1 to ${partitionsMax}`)
  return numPartitions
}

function assignedPartitions(asked: Asked, call: Call): number | Fault {
  const { assignments, numPartitions, replicationFactor } = asked
  if (numPartitions !== brokersDefault || replicationFactor !== brokersDefault)
    return fault('INVALID_REQUEST', 'with an assignment, partitions and replication factor must be -1')
  const known = new Set(call.broker.brokers(call.connection.listener).map((broker) => broker.nodeId))
  const indexes = new Set(assignments.map((each) => each.partitionIndex))
  const isWhole = assignments.every((_, index) => indexes.has(index))
  if (!isWhole || indexes.size < assignments.length)
    return fault('INVALID_REPLICA_ASSIGNMENT', 'partitions must be numbered 0, 1, 2 … without gaps')
  const areKnown = assignments.every(
    ({ brokerIds }) =>
      brokerIds.length > 0 &&
      new Set(brokerIds).size === brokerIds.length &&
      brokerIds.every((id) => known.has(id)),
  )
  if (!areKnown)
    return fault('INVALID_REPLICA_ASSIGNMENT', 'an assignment names no, an unknown or the same broker')
  if (assignments.length > partitionsMax)
    return fault('INVALID_PARTITIONS', `${assignments.length} partitions: expected 1 to ${partitionsMax}`)
  return assignments.length
}

function answered(
  name: string,
  numPartitions: number,
  configs: Readonly<Record<string, string>>,
  created: TopicInfo | undefined,
  call: Call,
): Answer {
  return {
    name,
    ...(created === undefined ? {} : { topicId: created.topicId }),
    errorCode: 0,
    numPartitions,
    replicationFactor: 1,
    configs: effectiveConfigs(configs, call.broker).map(({ config, value, source }) => ({
      name: config.name,
      value,
      readOnly: false,
      configSource: source,
      isSensitive: false,
    })),
  }
}

const refused = (name: string, { error, message }: Fault): Answer => ({
  name,
  errorCode: errorCode(error),
  errorMessage: message,
  configs: null,
})
