import type { TopicInfo } from '../../topics/types.js'
import { isFailure } from '../failure.js'
import { type ParsedTopicName, parseTopicName } from '../names.js'
import type { PulsarService } from '../service.js'
import type { PulsarTopic } from '../topic.js'
import { AdminError } from './errors.js'

export interface TopicRoute {
  readonly Params: { readonly tenant: string; readonly namespace: string; readonly topic: string }
  readonly Querystring: Readonly<Record<string, string | undefined>>
}

export const TOPIC_PATH = '/admin/v2/persistent/:tenant/:namespace/:topic'

export const nameOf = ({ tenant, namespace, topic }: TopicRoute['Params']): string =>
  `persistent://${tenant}/${namespace}/${topic}`

/** @throws AdminError when the name is not valid or the namespace is not there. */
export function parsed(service: PulsarService, params: TopicRoute['Params']): ParsedTopicName {
  const name = parseTopicName(nameOf(params))
  if (name === undefined) throw new AdminError(412, 'Topic name is not valid')
  if (!service.context.catalog.tenants.hasNamespace(params.tenant, params.namespace))
    throw new AdminError(404, 'Namespace not found')
  return name
}

export const notFound = (params: TopicRoute['Params']): AdminError =>
  new AdminError(404, `Topic ${nameOf(params)} not found`)

/** The topic named, whatever its form; not a partition of one. @throws AdminError when there is none. */
export function existing(service: PulsarService, params: TopicRoute['Params']): TopicInfo {
  const info = service.context.catalog.find(parsed(service, params).literal)
  if (info === undefined) throw notFound(params)
  return info
}

/** The topic named, or the one that has the partition named. @throws AdminError when there is none. */
export function owner(service: PulsarService, params: TopicRoute['Params']): TopicInfo {
  const { base, literal } = parsed(service, params)
  const info = service.context.catalog.find(literal) ?? service.context.catalog.find(base)
  if (info === undefined) throw notFound(params)
  return info
}

/**
 * The one partition named, opened.
 * @param refusal why a topic with partitions cannot be named as a whole, as a 405; absent: it is not found, as Pulsar says.
 * @throws AdminError
 */
export async function openedPartition(
  service: PulsarService,
  params: TopicRoute['Params'],
  refusal?: string,
): Promise<PulsarTopic> {
  const found = service.resolve(parsed(service, params))
  if (found === undefined) throw notFound(params)
  if ('failed' in found) throw refusal === undefined ? notFound(params) : new AdminError(405, refusal)
  const topic = await service.openPartition(found.info, found.index)
  if (isFailure(topic)) throw new AdminError(404, topic.message)
  return topic
}

/** The partition named, or all of a partitioned topic's. @throws AdminError */
export async function openedPartitions(
  service: PulsarService,
  params: TopicRoute['Params'],
): Promise<readonly PulsarTopic[]> {
  const info = service.context.catalog.find(parsed(service, params).literal)
  return info === undefined ? [await openedPartition(service, params)] : service.openAll(info)
}

/** Of a topic without partitions −1, as in Pulsar's message ids. */
export const partitionIndexOf = (topic: PulsarTopic): number =>
  topic.info.partitions > 0 ? topic.log.index : -1

/** A message id as Pulsar's tools are told it. */
export const shownId = (
  topic: PulsarTopic,
  { ledgerId, entryId }: { readonly ledgerId: number; readonly entryId: number },
  batchIndex = -1,
  batchSize = 0,
) => ({ ledgerId, entryId, partitionIndex: partitionIndexOf(topic), batchIndex, batchSize })

/** A time of a path, in milliseconds. @throws AdminError */
export function timestampOf(text: string): number {
  const timestampMs = Number(text)
  if (text.trim() === '' || !Number.isFinite(timestampMs))
    throw new AdminError(400, 'The time is not a number of milliseconds')
  return timestampMs
}

/** A whole number of a path or query. @throws AdminError */
export function wholeOf(text: string | undefined, what: string, least: number): number {
  const number = Number(text)
  if (text === undefined || text.trim() === '' || !Number.isSafeInteger(number) || number < least)
    throw new AdminError(400, `${what} is not a whole number of at least ${least}`)
  return number
}
