import type { FastifyInstance } from 'fastify'
import { isFailure } from '../failure.js'
import type { PulsarService } from '../service.js'
import { positionAfter } from '../subscriptions/dispatcher.js'
import { type StartPoint, startPointOf, startPointOfTime } from '../subscriptions/message-ids.js'
import type { Subscription } from '../subscriptions/subscription.js'
import type { PulsarTopic } from '../topic.js'
import type { MessageIdData } from '../wire/commands.js'
import { AdminError, jsonBody } from './errors.js'
import { openedPartitions, TOPIC_PATH, type TopicRoute, timestampOf } from './resolve.js'
import { allSubscriptions } from './stats.js'

interface SubscriptionRoute {
  readonly Params: TopicRoute['Params'] & { readonly subscription: string }
  readonly Querystring: TopicRoute['Querystring']
}

const LATEST = { ledgerId: Number.MAX_VALUE, entryId: Number.MAX_VALUE }

/** …/subscriptions and …/subscription/:name of a topic; on a topic with partitions, of all of them. */
export function subscriptions(app: FastifyInstance, service: PulsarService): void {
  const path = `${TOPIC_PATH}/subscription/:subscription`

  app.get<TopicRoute>(`${TOPIC_PATH}/subscriptions`, async ({ params }) => {
    const names = new Set<string>()
    for (const topic of await openedPartitions(service, params)) {
      for (const name of topic.log.ledger.cursorNames()) names.add(name)
      for (const { name } of topic.subscriptions) names.add(name)
    }
    return [...names].sort()
  })

  app.put<SubscriptionRoute>(path, async ({ params, body }, reply) => {
    const opened = await openedPartitions(service, params)
    if (opened.some(({ log }) => log.ledger.cursorNames().includes(params.subscription)))
      throw new AdminError(409, 'Subscription already exists for topic')
    const id = messageIdOf(body) ?? LATEST
    for (const topic of opened) {
      const created = await topic.subscription({
        subscription: params.subscription,
        durable: true,
        startMessageId: undefined,
        fromEarliest: false,
        rollbackSeconds: 0,
      })
      if (isFailure(created)) throw new AdminError(409, created.message)
      await topic.seek(created, startPointOf(id, topic.log.ledger))
    }
    return reply.status(204).send()
  })

  app.delete<SubscriptionRoute>(path, async ({ params, query }, reply) => {
    const pairs = await found(service, params)
    // All of them, or none: consumers of either world may use one partition's alone.
    if (query.force !== 'true' && pairs.some(([topic, subscription]) => topic.isInUse(subscription)))
      throw new AdminError(412, 'Subscription has active connected consumers')
    for (const [topic, subscription] of pairs) {
      topic.closeConsumers(subscription)
      await topic.deleteSubscription(subscription.name)
    }
    return reply.status(204).send()
  })

  type TimestampRoute = SubscriptionRoute & { Params: { readonly timestamp: string } }
  app.post<TimestampRoute>(`${path}/resetcursor/:timestamp`, async ({ params }, reply) => {
    const timestampMs = timestampOf(params.timestamp)
    for (const [topic, subscription] of await found(service, params))
      await topic.seek(subscription, await startPointOfTime(topic.log.ledger, timestampMs))
    return reply.status(204).send()
  })

  app.post<SubscriptionRoute>(`${path}/resetcursor`, async ({ params, body }, reply) => {
    const id = messageIdOf(body)
    if (id === undefined) throw new AdminError(400, 'A message id is missing')
    const isExcluded = excludes(body)
    for (const [topic, subscription] of await found(service, params)) {
      const point = startPointOf(id, topic.log.ledger)
      await topic.seek(subscription, isExcluded ? pointAfter(point, id) : point)
    }
    return reply.status(204).send()
  })

  app.post<SubscriptionRoute>(`${path}/skip_all`, async ({ params }, reply) => {
    for (const [topic, subscription] of await found(service, params))
      await topic.seek(subscription, topic.log.ledger.end)
    return reply.status(204).send()
  })

  type SkipRoute = SubscriptionRoute & { Params: { readonly count: string } }
  app.post<SkipRoute>(`${path}/skip/:count`, async ({ params }, reply) => {
    const count = Number(params.count)
    if (!Number.isSafeInteger(count) || count < 0)
      throw new AdminError(400, 'The number to skip is not valid')
    for (const [topic, subscription] of await found(service, params))
      await topic.seek(subscription, await pointBeyond(topic, subscription, count))
    return reply.status(204).send()
  })
}

async function found(
  service: PulsarService,
  params: SubscriptionRoute['Params'],
): Promise<readonly (readonly [PulsarTopic, Subscription])[]> {
  const pairs: [PulsarTopic, Subscription][] = []
  for (const topic of await openedPartitions(service, params)) {
    const all = await allSubscriptions(topic)
    const subscription = all.find(({ name }) => name === params.subscription)
    if (subscription !== undefined) pairs.push([topic, subscription])
  }
  if (pairs.length === 0) throw new AdminError(404, 'Subscription not found')
  return pairs
}

/** A message id as the admin tools write it; undefined when the body is empty. */
function messageIdOf(body: unknown): MessageIdData | undefined {
  const json = jsonBody(body)
  if (json === undefined || json === null) return undefined
  if (json === 'earliest') return { ledgerId: -1, entryId: -1 }
  if (json === 'latest') return LATEST
  if (typeof json !== 'object' || !('ledgerId' in json) || !('entryId' in json))
    throw new AdminError(400, 'The body is not a message id')
  const batchIndex = 'batchIndex' in json ? json.batchIndex : -1
  return { ledgerId: whole(json.ledgerId), entryId: whole(json.entryId), batchIndex: whole(batchIndex) }
}

/** Java's largest long, which stands for the latest id, is one too: JSON has it as the next double. */
function whole(value: unknown): number {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number))
    throw new AdminError(400, 'The body is not a message id')
  return number
}

function excludes(body: unknown): boolean {
  const json = jsonBody(body)
  return typeof json === 'object' && json !== null && 'isExcluded' in json && json.isExcluded === true
}

const pointAfter = (point: StartPoint, id: MessageIdData): StartPoint =>
  (id.batchIndex ?? -1) >= 0
    ? { position: point.position, batchIndex: point.batchIndex + 1 }
    : { position: positionAfter(point.position), batchIndex: 0 }

/** Skipping counts entries, as Pulsar's does. */
async function pointBeyond(topic: PulsarTopic, { cursor }: Subscription, count: number): Promise<StartPoint> {
  let position = cursor.position
  let left = count
  while (left > 0) {
    const entries = await topic.log.ledger.read(position, {
      maxEntries: Math.min(left, 1_000),
      maxBytes: 2 ** 20,
    })
    const last = entries.at(-1)
    if (last === undefined) break
    left -= entries.filter((entry) => !cursor.isAcknowledged(entry.position)).length
    position = positionAfter(last.position)
  }
  return { position, batchIndex: 0 }
}
