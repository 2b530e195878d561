import type { FastifyInstance } from 'fastify'
import { isFailure } from '../failure.js'
import type { PulsarService } from '../service.js'
import { startPointOf } from '../subscriptions/message-ids.js'
import type { Subscription } from '../subscriptions/subscription.js'
import type { PulsarTopic } from '../topic.js'
import { done } from './answers.js'
import { AdminError, isObject, jsonBody, objectBody, textsOf } from './errors.js'
import { LATEST, messageIdOf } from './message-id.js'
import { nameOf, openedPartitions, parsed, TOPIC_PATH, type TopicRoute } from './resolve.js'
import { needs } from './rights.js'
import { allSubscriptions } from './stats.js'

export interface SubscriptionRoute {
  readonly Params: TopicRoute['Params'] & { readonly subscription: string }
  readonly Querystring: TopicRoute['Querystring']
}

export const SUBSCRIPTION_PATH = `${TOPIC_PATH}/subscription/:subscription`

/** …/subscriptions and …/subscription/:name of a topic; on a topic with partitions, of all of them. */
export function subscriptions(app: FastifyInstance, service: PulsarService): void {
  const consume = needs('topic-consume')

  app.get<TopicRoute>(`${TOPIC_PATH}/subscriptions`, consume, async ({ params }) => {
    const names = new Set<string>()
    for (const topic of await openedPartitions(service, params)) {
      for (const name of topic.log.ledger.cursorNames()) names.add(name)
      for (const { name } of topic.subscriptions) names.add(name)
    }
    return [...names].sort()
  })

  app.put<SubscriptionRoute>(SUBSCRIPTION_PATH, consume, async ({ params, query, body }, reply) => {
    if (query.replicated === 'true') throw new AdminError(412, 'There is one cluster: nothing is replicated')
    const id = messageIdOf(body) ?? LATEST
    const json = jsonBody(body)
    const properties = textsOf(isObject(json) ? json.properties : undefined)
    const opened = await openedOrCreated(service, params)
    if (opened.every(({ log }) => log.ledger.cursorNames().includes(params.subscription)))
      throw new AdminError(409, 'Subscription already exists for topic')
    for (const topic of opened) await create(topic, params.subscription, id, properties)
    return done(reply)
  })

  app.delete<SubscriptionRoute>(SUBSCRIPTION_PATH, consume, async ({ params, query }, reply) => {
    const pairs = await found(service, params)
    if (query.force !== 'true' && pairs.some(([topic, subscription]) => topic.isInUse(subscription)))
      throw new AdminError(412, 'Subscription has active connected consumers')
    for (const [topic, subscription] of pairs) {
      topic.closeConsumers(subscription)
      await topic.deleteSubscription(subscription.name)
    }
    return done(reply)
  })

  const path = `${SUBSCRIPTION_PATH}/properties`
  app.get<SubscriptionRoute>(path, consume, async ({ params }) => {
    const all = (await found(service, params)).map(([topic, { name }]) => topic.properties.of(name))
    return Object.assign({}, ...all)
  })
  app.put<SubscriptionRoute>(path, consume, async ({ params, body }, reply) => {
    const properties = textsOf(objectBody(body))
    for (const [topic, { name }] of await found(service, params)) await topic.properties.set(name, properties)
    return done(reply)
  })

  app.get<SubscriptionRoute>(
    `${SUBSCRIPTION_PATH}/replicatedSubscriptionStatus`,
    consume,
    async ({ params }) =>
      Object.fromEntries((await found(service, params)).map(([topic]) => [topic.log.pulsarName, false])),
  )
  app.post(`${SUBSCRIPTION_PATH}/replicatedSubscriptionStatus`, needs('tenant-admin'), () => {
    throw new AdminError(412, 'There is one cluster: nothing is replicated')
  })
}

/** As a consumer that subscribes does, a tool makes the topic when the broker allows it. */
async function openedOrCreated(
  service: PulsarService,
  params: TopicRoute['Params'],
): Promise<readonly PulsarTopic[]> {
  const name = parsed(service, params)
  const { catalog } = service.context
  if (catalog.find(name.literal) === undefined && service.resolve(name) === undefined) {
    const opened = await service.open(nameOf(params), { create: true })
    if (isFailure(opened)) throw new AdminError(404, `Topic ${nameOf(params)} not found`)
  }
  return openedPartitions(service, params)
}

async function create(
  topic: PulsarTopic,
  name: string,
  id: ReturnType<typeof messageIdOf> & object,
  properties: Readonly<Record<string, string>>,
): Promise<void> {
  if (topic.log.ledger.cursorNames().includes(name)) return
  const created = await topic.durableSubscription(name)
  if (isFailure(created)) throw new AdminError(409, created.message)
  await topic.seek(created, startPointOf(id, topic.log.ledger))
  await topic.properties.set(name, properties)
}

/** The subscription on the partition named, or on all that have it. @throws AdminError when none has. */
export async function found(
  service: PulsarService,
  params: SubscriptionRoute['Params'],
): Promise<readonly (readonly [PulsarTopic, Subscription])[]> {
  const pairs: [PulsarTopic, Subscription][] = []
  for (const topic of await openedPartitions(service, params)) {
    const all = await allSubscriptions(topic)
    const subscription = all.find(({ name }) => name === params.subscription)
    if (subscription !== undefined) pairs.push([topic, subscription])
  }
  if (pairs.length === 0)
    throw new AdminError(404, `Subscription ${params.subscription} not found for topic ${nameOf(params)}`)
  return pairs
}
