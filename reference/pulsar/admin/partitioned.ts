import type { FastifyInstance } from 'fastify'
import type { TopicInfo } from '../../topics/types.js'
import { partitionName } from '../names.js'
import type { PulsarService } from '../service.js'
import { done } from './answers.js'
import { AdminError, accepted, isObject, jsonBody, textsOf } from './errors.js'
import { existing, nameOf, notFound, parsed, TOPIC_PATH, type TopicRoute } from './resolve.js'
import { needs } from './rights.js'
import { internalStats, sumOf, topicStats } from './stats.js'
import { deleteTopic } from './topics.js'

/** /admin/v2/persistent/…/partitions, and the stats of all partitions together. */
export function partitioned(app: FastifyInstance, service: PulsarService): void {
  making(app, service)
  statsOfAll(app, service)
}

const metadataOf = ({ partitions, properties }: TopicInfo) => ({
  partitions,
  deleted: false,
  ...(properties === undefined || Object.keys(properties).length === 0 ? {} : { properties }),
})

function making(app: FastifyInstance, service: PulsarService): void {
  const { catalog } = service.context
  const path = `${TOPIC_PATH}/partitions`

  app.get<TopicRoute>(path, needs('topic-any'), ({ params }) => {
    const name = parsed(service, params)
    const info = catalog.find(name.literal)
    if (info !== undefined) return metadataOf(info)
    // A partition has none of its own.
    if (service.resolve(name) === undefined) throw notFound(params)
    return { partitions: 0, deleted: false }
  })

  app.put<TopicRoute>(path, needs('tenant-admin'), async ({ params, body }, reply) => {
    const name = parsed(service, params)
    if (name.partition !== undefined)
      throw new AdminError(412, "Partitioned Topic Name should not contain '-partition-'")
    const json = jsonBody(body)
    const properties = textsOf(isObject(json) ? json.properties : undefined)
    accepted(await catalog.create(name.literal, { partitions: partitionCount(json), properties }))
    return done(reply)
  })

  app.post<TopicRoute>(path, needs('tenant-admin'), async ({ params, body }, reply) => {
    const info = catalog.find(parsed(service, params).literal)
    if (info === undefined || info.partitions === 0)
      throw new AdminError(409, `Topic ${nameOf(params)} is not the partitioned topic.`)
    const wanted = partitionCount(jsonBody(body))
    if (wanted < info.partitions)
      throw new AdminError(
        422,
        `Desired partitions ${wanted} can't be less than the current partitions ${info.partitions}.`,
      )
    if (wanted > info.partitions) accepted(await catalog.setPartitions(info.name, wanted))
    return done(reply)
  })

  app.delete<TopicRoute>(path, needs('tenant-admin'), async ({ params, query }, reply) => {
    const info = existing(service, params)
    if (info.partitions === 0) throw new AdminError(404, `Topic ${nameOf(params)} is not a partitioned topic`)
    await deleteTopic(service, info, query.force === 'true')
    return done(reply)
  })

  // Partitions are there as soon as the topic is: none is ever missed.
  app.post<TopicRoute>(`${TOPIC_PATH}/createMissedPartitions`, needs('tenant-admin'), ({ params }, reply) => {
    const info = catalog.find(parsed(service, params).literal)
    if (info === undefined || info.partitions === 0)
      throw new AdminError(404, `Topic ${nameOf(params)} does not exist`)
    return done(reply)
  })
}

/** A bare number, or the metadata object that newer tools send. */
function partitionCount(json: unknown): number {
  const count = isObject(json) ? json.partitions : json
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 1)
    throw new AdminError(406, 'Number of partitions should be more than 0')
  return count
}

function statsOfAll(app: FastifyInstance, service: PulsarService): void {
  const partitionedTopic = (params: TopicRoute['Params']) => {
    const info = service.context.catalog.find(parsed(service, params).literal)
    if (info === undefined || info.partitions === 0)
      throw new AdminError(404, `Partitioned topic ${nameOf(params)} not found`)
    return info
  }

  app.get<TopicRoute>(`${TOPIC_PATH}/partitioned-stats`, needs('topic-any'), async ({ params, query }) => {
    const info = partitionedTopic(params)
    const partitions: Record<string, object> = {}
    for (const topic of await service.openAll(info))
      partitions[partitionName(info.name, topic.log.index)] = await topicStats(topic)
    return {
      ...sumOf(Object.values(partitions)),
      metadata: metadataOf(info),
      partitions: query.perPartition === 'false' ? {} : partitions,
    }
  })

  app.get<TopicRoute>(`${TOPIC_PATH}/partitioned-internalStats`, needs('topic-any'), async ({ params }) => {
    const info = partitionedTopic(params)
    const partitions: Record<string, object> = {}
    for (const topic of await service.openAll(info))
      partitions[partitionName(info.name, topic.log.index)] = await internalStats(topic)
    return { metadata: metadataOf(info), partitions }
  })
}
