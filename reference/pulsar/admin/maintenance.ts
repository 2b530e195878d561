import type { FastifyInstance } from 'fastify'
import { lastMessageIdOf } from '../commands/get-last-message-id.js'
import type { PulsarService } from '../service.js'
import type { PulsarTopic } from '../topic.js'
import { done } from './answers.js'
import { AdminError } from './errors.js'
import {
  existing,
  openedPartition,
  openedPartitions,
  shownId,
  TOPIC_PATH,
  type TopicRoute,
} from './resolve.js'
import { needs } from './rights.js'
import { allSubscriptions } from './stats.js'

/**
 * What is done to a topic's log: terminate, truncate, compact. The broker's own topics are left alone: what groups have
 * committed is in one. Offloading is refused: there is nowhere to offload to.
 */
export function maintenance(app: FastifyInstance, service: PulsarService): void {
  termination(app, service)
  compaction(app, service)
  offload(app, service)

  app.delete<TopicRoute>(`${TOPIC_PATH}/truncate`, needs('tenant-admin'), async ({ params }, reply) => {
    for (const topic of await clientsPartitions(service, params)) await truncate(topic)
    return done(reply)
  })
}

function termination(app: FastifyInstance, service: PulsarService): void {
  const terminate = async (topic: PulsarTopic) => {
    await topic.log.terminate()
    for (const producer of topic.producers) topic.closeProducer(producer)
    const { ledgerId, entryId } = await lastMessageIdOf(topic.log)
    return shownId(topic, { ledgerId, entryId })
  }
  app.post<TopicRoute>(`${TOPIC_PATH}/terminate`, needs('tenant-admin'), async ({ params }) =>
    terminate(
      ofClients(await openedPartition(service, params, 'Termination of a partitioned topic is not allowed')),
    ),
  )
  app.post<TopicRoute>(`${TOPIC_PATH}/terminate/partitions`, needs('tenant-admin'), async ({ params }) => {
    const info = existing(service, params)
    if (info.partitions === 0)
      throw new AdminError(
        405,
        'Termination of a non-partitioned topic is not allowed using partitioned-terminate',
      )
    const ids: Record<string, object> = {}
    for (const topic of await clientsPartitions(service, params))
      ids[topic.log.index] = await terminate(topic)
    return ids
  })
}

/** @throws AdminError for a topic of the broker's own. */
function ofClients(topic: PulsarTopic): PulsarTopic {
  if (topic.info.internal) throw new AdminError(412, `${topic.log.pulsarName} is the broker's own topic`)
  return topic
}

const clientsPartitions = async (service: PulsarService, params: TopicRoute['Params']) =>
  (await openedPartitions(service, params)).map(ofClients)

/** Everything goes that is there: subscriptions stand at the end then. */
async function truncate(topic: PulsarTopic): Promise<void> {
  const { ledger } = topic.log
  const { end } = ledger
  for (const subscription of await allSubscriptions(topic)) await topic.advance(subscription, end)
  await ledger.rollOver()
  await ledger.trim(end.index)
}

function compaction(app: FastifyInstance, service: PulsarService): void {
  const path = `${TOPIC_PATH}/compaction`
  const { context } = service
  app.put<TopicRoute>(path, needs('topic-produce'), async ({ params }, reply) => {
    const opened = await clientsPartitions(service, params)
    if (context.compaction === undefined) throw new AdminError(405, 'This broker does not compact topics')
    for (const { log } of opened)
      if (!context.compaction.start(log)) throw new AdminError(409, 'Compaction already in progress')
    return done(reply)
  })
  app.get<TopicRoute>(path, needs('topic-produce'), async ({ params }) => {
    const { log } = await openedPartition(service, params)
    return context.compaction?.status(log) ?? { status: 'NOT_RUN', lastError: '' }
  })
}

function offload(app: FastifyInstance, service: PulsarService): void {
  const path = `${TOPIC_PATH}/offload`
  app.put<TopicRoute>(path, needs('tenant-admin'), async ({ params }) => {
    await openedPartition(service, params)
    throw new AdminError(412, 'This broker has no storage to offload to')
  })
  app.get<TopicRoute>(path, needs('tenant-admin'), async ({ params }) => {
    const topic = await openedPartition(service, params)
    const firstUnoffloadedMessage = shownId(topic, topic.log.ledger.start.position)
    return { status: 'NOT_RUN', lastError: '', firstUnoffloadedMessage }
  })
}
