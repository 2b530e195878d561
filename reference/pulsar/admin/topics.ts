import type { FastifyInstance } from 'fastify'
import type { TopicInfo } from '../../topics/types.js'
import { topicNames } from '../commands/get-topics-of-namespace.js'
import { fullName } from '../names.js'
import type { PulsarService } from '../service.js'
import type { PulsarTopic } from '../topic.js'
import { done } from './answers.js'
import { AdminError, accepted, objectBody, textsOf } from './errors.js'
import { mustExist, type NamespaceRoute } from './namespace-route.js'
import { existing, nameOf, openedPartitions, owner, parsed, TOPIC_PATH, type TopicRoute } from './resolve.js'
import { needs } from './rights.js'

/** /admin/v2/persistent: lists, topics without partitions, unloading, properties. */
export function topics(app: FastifyInstance, service: PulsarService): void {
  lists(app, service)
  single(app, service)
  properties(app, service)
}

function lists(app: FastifyInstance, service: PulsarService): void {
  const { catalog } = service.context
  const base = '/admin/v2/persistent/:tenant/:namespace'
  app.get<NamespaceRoute>(base, needs('namespace-any'), ({ params }) => {
    mustExist(service, params)
    return topicNames(service, params.tenant, params.namespace)
  })
  app.get<NamespaceRoute>(`${base}/partitioned`, needs('namespace-any'), ({ params }) => {
    mustExist(service, params)
    return catalog
      .list(params.tenant, params.namespace)
      .filter(({ partitions, internal }) => partitions > 0 && !internal)
      .map(({ name }) => fullName(name))
  })
  // Tools ask for both kinds together; of these this broker has none.
  for (const path of ['', '/partitioned'])
    app.get<NamespaceRoute>(
      `/admin/v2/non-persistent/:tenant/:namespace${path}`,
      needs('namespace-any'),
      ({ params }) => {
        mustExist(service, params)
        return []
      },
    )
}

function single(app: FastifyInstance, service: PulsarService): void {
  const { catalog } = service.context

  app.put<TopicRoute>(TOPIC_PATH, needs('tenant-admin'), async ({ params, body }, reply) => {
    const name = parsed(service, params)
    if (service.resolve(name) !== undefined) throw new AdminError(409, 'This topic already exists')
    accepted(await catalog.create(name.literal, { partitions: 0, properties: textsOf(objectBody(body)) }))
    return done(reply)
  })

  app.delete<TopicRoute>(TOPIC_PATH, needs('tenant-admin'), async ({ params, query }, reply) => {
    const name = parsed(service, params)
    const info = service.resolve(name)
    if (info !== undefined && 'info' in info && info.info.partitions > 0)
      throw new AdminError(412, `${nameOf(params)} is a partition: it goes with its topic`)
    const topic = existing(service, params)
    if (topic.partitions > 0)
      throw new AdminError(
        409,
        `${nameOf(params)} is a partitioned topic, instead of calling delete topic, please call delete-partitioned-topic.`,
      )
    await deleteTopic(service, topic, query.force === 'true')
    return done(reply)
  })

  app.put<TopicRoute>(`${TOPIC_PATH}/unload`, needs('tenant-admin'), async ({ params }, reply) => {
    for (const topic of await openedPartitions(service, params)) await unloadPartition(topic)
    return done(reply)
  })
}

/** @throws AdminError when clients use it, unless `force`; or when it cannot be deleted. */
export async function deleteTopic(service: PulsarService, info: TopicInfo, force: boolean): Promise<void> {
  const open = await service.openAll(info)
  if (!force && open.some(({ producers }) => producers.length > 0))
    throw new AdminError(412, 'Topic has active producers/subscriptions')
  if (!force && open.some((topic) => topic.subscriptions.some((each) => topic.isInUse(each))))
    throw new AdminError(412, 'Topic has active producers/subscriptions')
  accepted(await service.context.catalog.delete(info.name))
  await service.forgetTopic(info)
}

/** What unloading means with one broker: clients are closed and come back, and the ledger rolls over. */
export async function unloadPartition(topic: PulsarTopic): Promise<void> {
  await topic.unload()
  await topic.log.ledger.rollOver()
}

/** Kept with the topic, whichever of its partitions is named. */
function properties(app: FastifyInstance, service: PulsarService): void {
  const path = `${TOPIC_PATH}/properties`
  const { catalog } = service.context
  const change = async (
    params: TopicRoute['Params'],
    how: (before: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
  ) => {
    const { name } = owner(service, params)
    accepted(
      await catalog.setAttributes(name, (before) => ({
        policies: before.policies,
        properties: how(before.properties ?? {}),
      })),
    )
  }
  app.get<TopicRoute>(path, needs('topic-any'), ({ params }) => owner(service, params).properties ?? {})
  app.put<TopicRoute>(path, needs('tenant-admin'), async ({ params, body }, reply) => {
    const given = textsOf(objectBody(body))
    await change(params, (before) => ({ ...before, ...given }))
    return done(reply)
  })
  app.delete<TopicRoute>(path, needs('tenant-admin'), async ({ params, query }, reply) => {
    const { key = '' } = query
    await change(params, ({ [key]: _gone, ...others }) => others)
    return done(reply)
  })
}
