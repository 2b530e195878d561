import type { FastifyInstance } from 'fastify'
import { asMessageIndex } from '../../base/brand.js'
import type { TopicInfo } from '../../topics/types.js'
import { lastMessageIdOf } from '../commands/get-last-message-id.js'
import { topicNames } from '../commands/get-topics-of-namespace.js'
import { fullName, partitionName } from '../names.js'
import type { PulsarService } from '../service.js'
import { startPointOfTime } from '../subscriptions/message-ids.js'
import type { PulsarTopic } from '../topic.js'
import { AdminError, accepted, jsonBody } from './errors.js'
import {
  existing,
  openedPartition,
  openedPartitions,
  parsed,
  TOPIC_PATH,
  type TopicRoute,
  timestampOf,
} from './resolve.js'
import { internalStats, topicStats } from './stats.js'

/** /admin/v2/persistent: topics with and without partitions. */
export function topics(app: FastifyInstance, service: PulsarService): void {
  lists(app, service)
  partitioned(app, service)
  single(app, service)
  reading(app, service)
}

function lists(app: FastifyInstance, service: PulsarService): void {
  const { catalog } = service.context
  type Route = { Params: { tenant: string; namespace: string } }
  const mustExist = ({ tenant, namespace }: Route['Params']) => {
    if (!catalog.tenants.hasNamespace(tenant, namespace))
      throw new AdminError(404, 'Namespace does not exist')
  }
  app.get<Route>('/admin/v2/persistent/:tenant/:namespace', ({ params }) => {
    mustExist(params)
    return topicNames(service, params.tenant, params.namespace)
  })
  app.get<Route>('/admin/v2/persistent/:tenant/:namespace/partitioned', ({ params }) => {
    mustExist(params)
    return catalog
      .list(params.tenant, params.namespace)
      .filter(({ partitions, internal }) => partitions > 0 && !internal)
      .map(({ name }) => fullName(name))
  })
}

function partitioned(app: FastifyInstance, service: PulsarService): void {
  const { catalog } = service.context
  const path = `${TOPIC_PATH}/partitions`

  app.get<TopicRoute>(path, ({ params }) => ({
    partitions: existing(service, params).partitions,
    deleted: false,
  }))

  app.put<TopicRoute>(path, async ({ params, body }, reply) => {
    const name = parsed(service, params)
    if (name.partition !== undefined)
      throw new AdminError(412, "Partitioned Topic Name should not contain '-partition-'")
    accepted(await catalog.create(name.literal, { partitions: partitionCount(body) }))
    return reply.status(204).send()
  })

  app.post<TopicRoute>(path, async ({ params, body }, reply) => {
    const info = existing(service, params)
    if (info.partitions === 0) throw new AdminError(409, 'Topic is not a partitioned topic')
    const wanted = partitionCount(body)
    if (wanted < info.partitions) throw new AdminError(422, 'Number of partitions can only be increased')
    accepted(await catalog.setPartitions(info.name, wanted))
    return reply.status(204).send()
  })

  app.delete<TopicRoute>(path, async ({ params, query }, reply) => {
    const info = existing(service, params)
    if (info.partitions === 0) throw new AdminError(404, 'Partitioned Topic not found')
    await deleteTopic(service, info, query.force === 'true')
    return reply.status(204).send()
  })

  app.get<TopicRoute>(`${TOPIC_PATH}/partitioned-stats`, async ({ params, query }) => {
    const info = existing(service, params)
    if (info.partitions === 0) throw new AdminError(404, 'Partitioned Topic not found')
    const partitions: Record<string, object> = {}
    for (const topic of await service.openAll(info))
      partitions[partitionName(info.name, topic.log.index)] = await topicStats(topic)
    return {
      ...sumOf(Object.values(partitions)),
      metadata: { partitions: info.partitions, deleted: false },
      partitions: query.perPartition === 'false' ? {} : partitions,
    }
  })
}

/** A bare number, or the metadata object that newer tools send. */
function partitionCount(body: unknown): number {
  const json = jsonBody(body)
  const count = typeof json === 'object' && json !== null && 'partitions' in json ? json.partitions : json
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 1)
    throw new AdminError(406, 'Number of partitions should be more than 0')
  return count
}

/** Adds up what partitions' stats count, subscription by subscription. */
function sumOf(all: readonly object[]): object {
  const sum: Record<string, unknown> = {}
  for (const stats of all)
    for (const [name, value] of Object.entries(stats)) {
      const before = sum[name]
      if (typeof value === 'number') sum[name] = (typeof before === 'number' ? before : 0) + value
      else if (Array.isArray(value)) sum[name] = [...(Array.isArray(before) ? before : []), ...value]
      else if (name === 'subscriptions')
        sum[name] = merged((before ?? {}) as Record<string, object>, value as Record<string, object>)
      else sum[name] ??= value
    }
  return sum
}

function merged(a: Readonly<Record<string, object>>, b: Readonly<Record<string, object>>): object {
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return Object.fromEntries(
    [...names].map((name) => [name, sumOf([a[name], b[name]].filter((stats) => stats !== undefined))]),
  )
}

function single(app: FastifyInstance, service: PulsarService): void {
  const { catalog } = service.context

  app.put<TopicRoute>(TOPIC_PATH, async ({ params }, reply) => {
    const name = parsed(service, params)
    if (service.resolve(name) !== undefined) throw new AdminError(409, 'This topic already exists')
    accepted(await catalog.create(name.literal, { partitions: 0 }))
    return reply.status(204).send()
  })

  app.delete<TopicRoute>(TOPIC_PATH, async ({ params, query }, reply) => {
    const info = existing(service, params)
    if (info.partitions > 0) throw new AdminError(412, 'Topic is partitioned: delete its partitions')
    await deleteTopic(service, info, query.force === 'true')
    return reply.status(204).send()
  })

  app.put<TopicRoute>(`${TOPIC_PATH}/unload`, async ({ params }, reply) => {
    for (const topic of await openedPartitions(service, params)) await unloadPartition(topic)
    return reply.status(204).send()
  })
}

async function deleteTopic(service: PulsarService, info: TopicInfo, force: boolean): Promise<void> {
  const open = await service.openAll(info)
  const inUse = open.some(
    (topic) =>
      topic.producers.length > 0 ||
      topic.subscriptions.some((subscription) => subscription.consumers.length > 0),
  )
  if (inUse && !force) throw new AdminError(412, 'Topic has active producers/subscriptions')
  accepted(await service.context.catalog.delete(info.name))
  await service.schemas.delete(info)
}

/** What unloading means with one broker: clients are closed and come back, and the ledger rolls over. */
async function unloadPartition(topic: PulsarTopic): Promise<void> {
  await topic.unload()
  await topic.log.ledger.rollOver()
}

export async function unloadTopic(service: PulsarService, info: TopicInfo): Promise<void> {
  for (const topic of await service.openAll(info)) await unloadPartition(topic)
}

function reading(app: FastifyInstance, service: PulsarService): void {
  app.get<TopicRoute>(`${TOPIC_PATH}/stats`, async ({ params }) =>
    topicStats(await openedPartition(service, params)),
  )
  app.get<TopicRoute>(`${TOPIC_PATH}/internalStats`, async ({ params }) =>
    internalStats(await openedPartition(service, params)),
  )

  app.get<TopicRoute>(`${TOPIC_PATH}/lastMessageId`, async ({ params }) => {
    const topic = await openedPartition(service, params)
    const { ledgerId, entryId, batchIndex } = await lastMessageIdOf(topic.log)
    const id = { ledgerId, entryId, partitionIndex: partitionIndexOf(topic) }
    return batchIndex === undefined || batchIndex < 0 ? id : { ...id, batchIndex }
  })

  /** The id of the entry that holds the message of an index (PIP-70). */
  app.get<TopicRoute>(`${TOPIC_PATH}/getMessageIdByIndex`, async ({ params, query }) => {
    const index = Number(query.index)
    if (query.index === undefined || !Number.isSafeInteger(index) || index < 0)
      throw new AdminError(400, 'Invalid message index')
    const topic = await openedPartition(service, params)
    const entry = await topic.log.ledger.entryOfIndex(asMessageIndex(index))
    if (entry === undefined) throw new AdminError(404, `No message has index ${index}`)
    const { ledgerId, entryId } = entry.position
    return { ledgerId, entryId, partitionIndex: partitionIndexOf(topic) }
  })

  app.get<TopicRoute & { Params: { timestamp: string } }>(
    `${TOPIC_PATH}/messageid/:timestamp`,
    async ({ params }) => {
      const timestampMs = timestampOf(params.timestamp)
      const topic = await openedPartition(service, params)
      const { position } = await startPointOfTime(topic.log.ledger, timestampMs)
      return { ...position, partitionIndex: partitionIndexOf(topic) }
    },
  )
}

const partitionIndexOf = (topic: PulsarTopic): number => (topic.info.partitions > 0 ? topic.log.index : -1)
