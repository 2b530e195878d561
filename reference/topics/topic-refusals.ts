import { checkConfigs } from './configs.js'
import { fullName, partitionedBase } from './names.js'
import {
  type CreateTopic,
  type Refusal,
  refuse,
  type TopicCatalog,
  type TopicInfo,
  type TopicName,
} from './types.js'

type Present = Pick<TopicCatalog, 'find' | 'list' | 'tenants'>

/** Why a topic cannot be made beside those that are there; undefined when it can. */
export function refusalToCreate(
  present: Present,
  name: TopicName,
  { partitions, configs = {} }: CreateTopic,
  partitionsMax: number,
): Refusal | undefined {
  const { tenant, namespace } = name
  if (!present.tenants.hasNamespace(tenant, namespace)) {
    return refuse('INVALID_TOPIC_EXCEPTION', `There is no namespace ${tenant}/${namespace}; create it first.`)
  }
  if (present.find(name) !== undefined)
    return refuse('TOPIC_ALREADY_EXISTS', `${fullName(name)} exists already.`)
  return (
    refusalOfAlias(present, name, partitions) ??
    refusalOfCount(partitions, partitionsMax) ??
    checkConfigs(configs)
  )
}

/** Why a topic cannot have so many partitions from now on; undefined when it can. */
export function refusalToGrow(
  topic: TopicInfo,
  partitions: number,
  partitionsMax: number,
): Refusal | undefined {
  const name = fullName(topic.name)
  if (topic.partitions === 0) {
    return refuse('INVALID_PARTITIONS', `${name} is a Pulsar topic without partitions, and stays so.`)
  }
  if (partitions <= topic.partitions) {
    return refuse(
      'INVALID_PARTITIONS',
      `${name} has ${topic.partitions} partitions; the number can only grow.`,
    )
  }
  return refusalOfCount(partitions, partitionsMax)
}

/** `foo-partition-0` is never both a topic and a part of one (register MT-8). */
function refusalOfAlias(present: Present, name: TopicName, partitions: number): Refusal | undefined {
  const base = partitionedBase(name)
  if (base !== undefined && (partitions > 0 || (present.find(base)?.partitions ?? 0) > 0)) {
    return refuse('INVALID_TOPIC_EXCEPTION', `${fullName(name)} is the name of a partition.`)
  }
  const literal = present
    .list(name.tenant, name.namespace)
    .find((topic) => partitions > 0 && partitionedBase(topic.name)?.local === name.local)
  if (literal === undefined) return undefined
  return refuse(
    'TOPIC_ALREADY_EXISTS',
    `${fullName(literal.name)} exists, and would be one of its partitions.`,
  )
}

function refusalOfCount(partitions: number, partitionsMax: number): Refusal | undefined {
  if (Number.isInteger(partitions) && partitions >= 0 && partitions <= partitionsMax) return undefined
  return refuse('INVALID_PARTITIONS', `${partitions} partitions are refused: 1 to ${partitionsMax}.`)
}
