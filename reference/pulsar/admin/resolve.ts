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

/** The topic named, whatever its form. @throws AdminError when there is none. */
export function existing(service: PulsarService, params: TopicRoute['Params']): TopicInfo {
  const info = service.context.catalog.find(parsed(service, params).literal)
  if (info === undefined) throw new AdminError(404, `Topic ${nameOf(params)} not found`)
  return info
}

/** The one partition named, opened. @throws AdminError */
export async function openedPartition(
  service: PulsarService,
  params: TopicRoute['Params'],
): Promise<PulsarTopic> {
  const found = service.resolve(parsed(service, params))
  if (found === undefined) throw new AdminError(404, `Topic ${nameOf(params)} not found`)
  if ('failed' in found) throw new AdminError(405, found.message)
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

/** A time of a path, in milliseconds. @throws AdminError */
export function timestampOf(text: string): number {
  const timestampMs = Number(text)
  if (text.trim() === '' || !Number.isFinite(timestampMs))
    throw new AdminError(400, 'The time is not a number of milliseconds')
  return timestampMs
}
