import type { PartitionIndex } from '../base/brand.js'
import { type Refusal, refuse, type TopicName } from './types.js'

/** Where short Kafka names live: KoP's settings of these names (register MT-1). */
export interface KafkaNamespace {
  readonly kafkaTenant: string
  readonly kafkaNamespace: string
}

export interface KafkaNames {
  /** The topic that a Kafka name means, or INVALID_TOPIC_EXCEPTION. */
  resolveKafkaName(name: string): TopicName | Refusal
  /** The name under which Kafka clients are shown a topic: short in the configured namespace, else the full one. */
  kafkaNameOf(name: TopicName): string
}

const localLengthMax = 249
const localRule = /^[a-zA-Z0-9._-]+$/
/** As Pulsar names tenants and namespaces. */
const entityRule = /^[-=:.\w]{1,250}$/
const partitionSuffix = /^(.+)-partition-(\d+)$/
const scheme = 'persistent://'

/**
 * Kafka's flat names and Pulsar's full ones (register MT-1 to MT-3, MT-7, MT-8). `orders`, `tenant/ns/orders` and
 * `persistent://tenant/ns/orders` are offered; the local part follows Kafka's rules. `orders-partition-0` is refused:
 * Pulsar has no way to tell it from partition 0 of `orders`.
 */
export function kafkaNames({ kafkaTenant, kafkaNamespace }: KafkaNamespace): KafkaNames {
  return {
    resolveKafkaName: (name) => resolve(name, kafkaTenant, kafkaNamespace),
    kafkaNameOf: (name) =>
      name.tenant === kafkaTenant && name.namespace === kafkaNamespace ? name.local : fullName(name),
  }
}

function resolve(name: string, kafkaTenant: string, kafkaNamespace: string): TopicName | Refusal {
  const path = name.startsWith(scheme) ? name.slice(scheme.length) : name
  const parts = path.split('/')
  const isFull = parts.length === 3
  if (path.includes('://') || !(isFull || (parts.length === 1 && path === name))) return refuseForm(name)
  const [tenant = '', namespace = '', local = ''] = isFull ? parts : [kafkaTenant, kafkaNamespace, path]
  if (!entityRule.test(tenant) || !entityRule.test(namespace)) return refuseForm(name)
  const problem = problemOf(local)
  if (problem !== undefined) return refuse('INVALID_TOPIC_EXCEPTION', problem)
  return { tenant, namespace, local }
}

const refuseForm = (name: string): Refusal =>
  refuse(
    'INVALID_TOPIC_EXCEPTION',
    `"${name.slice(0, localLengthMax)}" is none of: topic, tenant/namespace/topic, persistent://tenant/namespace/topic.`,
  )

/** Kafka's rules for topic names (MT-7), and ours for Pulsar's partition names (MT-8). */
function problemOf(local: string): string | undefined {
  if (local === '') return 'A topic name must not be empty.'
  if (local === '.' || local === '..') return `"${local}" is not a topic name.`
  if (local.length > localLengthMax) return `A topic name has at most ${localLengthMax} characters.`
  if (!localRule.test(local)) return 'A topic name consists of ASCII letters, digits, ".", "_" and "-".'
  const [, base, partition] = partitionSuffix.exec(local) ?? []
  if (base === undefined) return undefined
  return `"${local}" is Pulsar's name of partition ${partition} of "${base}"; use topic "${base}" with that partition.`
}

/** `persistent://tenant/namespace/local`. */
export const fullName = ({ tenant, namespace, local }: TopicName): string =>
  `${scheme}${tenant}/${namespace}/${local}`

/** Pulsar's name of one partition; of a topic without partitions, its own. */
export const pulsarNameOf = (name: TopicName, partitions: number, index: PartitionIndex): string =>
  partitions === 0 ? fullName(name) : `${fullName(name)}-partition-${index}`

/** The topic of which a name is a partition's, if it has that form. */
export function partitionedBase(name: TopicName): TopicName | undefined {
  const base = partitionSuffix.exec(name.local)?.[1]
  return base === undefined ? undefined : { ...name, local: base }
}

export const isEntityName = (name: string): boolean => entityRule.test(name)
