import type { FastifyInstance } from 'fastify'
import { comparePositions } from '../../base/brand.js'
import type { PulsarService } from '../service.js'
import { positionAfter } from '../subscriptions/dispatcher.js'
import { type StartPoint, startPointOf, startPointOfTime } from '../subscriptions/message-ids.js'
import type { Subscription } from '../subscriptions/subscription.js'
import type { PulsarTopic } from '../topic.js'
import type { MessageIdData } from '../wire/commands.js'
import { done } from './answers.js'
import { AdminError } from './errors.js'
import { excludes, messageIdOf } from './message-id.js'
import {
  openedPartition,
  openedPartitions,
  TOPIC_PATH,
  type TopicRoute,
  timestampOf,
  wholeOf,
} from './resolve.js'
import { needs } from './rights.js'
import { allSubscriptions } from './stats.js'
import { found, SUBSCRIPTION_PATH, type SubscriptionRoute } from './subscriptions.js'

const consume = needs('topic-consume')
const readLimits = { maxEntries: 1_000, maxBytes: 1 << 20 }

/**
 * Where a subscription stands: resetting closes its consumers, which come back to the new place; skipping, clearing and
 * expiring acknowledge for them. Numbers count entries, as Pulsar's do. By id only on one partition, by time on all.
 */
export function cursors(app: FastifyInstance, service: PulsarService): void {
  resetting(app, service)
  skipping(app, service)
  expiring(app, service)
  analysing(app, service)
}

function resetting(app: FastifyInstance, service: PulsarService): void {
  type TimestampRoute = SubscriptionRoute & { Params: { readonly timestamp: string } }
  app.post<TimestampRoute>(
    `${SUBSCRIPTION_PATH}/resetcursor/:timestamp`,
    consume,
    async ({ params }, reply) => {
      const timestampMs = timestampOf(params.timestamp)
      for (const [topic, subscription] of await found(service, params))
        await topic.seek(subscription, await startPointOfTime(topic.log.ledger, timestampMs))
      return done(reply)
    },
  )

  app.post<SubscriptionRoute>(
    `${SUBSCRIPTION_PATH}/resetcursor`,
    consume,
    async ({ params, body }, reply) => {
      const id = givenId(body)
      if (hasPlace(id))
        await openedPartition(
          service,
          params,
          'Reset-cursor at position is not allowed for partitioned-topic',
        )
      for (const [topic, subscription] of await found(service, params))
        await topic.seek(subscription, pointOf(topic, id, excludes(body)))
      return done(reply)
    },
  )
}

function givenId(body: unknown): MessageIdData {
  const id = messageIdOf(body)
  if (id === undefined) throw new AdminError(400, 'A message id is missing')
  return id
}

/** Neither the earliest nor the latest, which every partition has. */
const hasPlace = ({ ledgerId }: MessageIdData): boolean =>
  ledgerId >= 0 && ledgerId <= Number.MAX_SAFE_INTEGER

function pointOf(topic: PulsarTopic, id: MessageIdData, isExcluded: boolean): StartPoint {
  const point = startPointOf(id, topic.log.ledger)
  if (!isExcluded) return point
  return (id.batchIndex ?? -1) >= 0
    ? { position: point.position, batchIndex: point.batchIndex + 1 }
    : { position: positionAfter(point.position), batchIndex: 0 }
}

function skipping(app: FastifyInstance, service: PulsarService): void {
  app.post<SubscriptionRoute>(`${SUBSCRIPTION_PATH}/skip_all`, consume, async ({ params }, reply) => {
    for (const [topic, subscription] of await found(service, params))
      await topic.advance(subscription, topic.log.ledger.end)
    return done(reply)
  })

  type SkipRoute = SubscriptionRoute & { Params: { readonly count: string } }
  app.post<SkipRoute>(`${SUBSCRIPTION_PATH}/skip/:count`, consume, async ({ params }, reply) => {
    const count = wholeOf(params.count, 'The number to skip', 0)
    await openedPartition(service, params, 'Skip messages on a partitioned topic is not allowed')
    for (const [topic, subscription] of await found(service, params))
      await topic.advance(subscription, await pointBeyond(topic, subscription, count))
    return done(reply)
  })
}

async function pointBeyond(topic: PulsarTopic, { cursor }: Subscription, count: number): Promise<StartPoint> {
  let position = cursor.position
  for (let left = count; left > 0; ) {
    const limits = { ...readLimits, maxEntries: Math.min(left, readLimits.maxEntries) }
    const entries = await topic.log.ledger.read(position, limits)
    const last = entries.at(-1)
    if (last === undefined) break
    left -= entries.filter((entry) => !cursor.isAcknowledged(entry.position)).length
    position = positionAfter(last.position)
  }
  return { position, batchIndex: 0 }
}

function expiring(app: FastifyInstance, service: PulsarService): void {
  const { clock } = service.context
  type SecondsRoute = SubscriptionRoute & { Params: { readonly seconds: string } }
  const expire = async (
    pairs: readonly (readonly [PulsarTopic, Subscription])[],
    seconds: number,
  ): Promise<void> => {
    const idle: string[] = []
    for (const [topic, subscription] of pairs) {
      if (subscription.cursor.backlogEntries() === 0) idle.push(notExpired(topic, subscription))
      const point = await startPointOfTime(topic.log.ledger, clock.nowMs() - seconds * 1000)
      await topic.advance(subscription, point)
    }
    const [reason] = idle
    if (reason !== undefined) throw new AdminError(409, reason)
  }

  app.post<SecondsRoute>(
    `${SUBSCRIPTION_PATH}/expireMessages/:seconds`,
    consume,
    async ({ params }, reply) => {
      const seconds = wholeOf(params.seconds, 'The age', 0)
      await expire(await found(service, params), seconds)
      return done(reply)
    },
  )

  app.post<SubscriptionRoute>(
    `${SUBSCRIPTION_PATH}/expireMessages`,
    consume,
    async ({ params, body }, reply) => {
      const id = givenId(body)
      await openedPartition(
        service,
        params,
        'Expire message at position is not supported for partitioned-topic',
      )
      for (const [topic, subscription] of await found(service, params))
        await topic.advance(subscription, expiredUpTo(topic, id, excludes(body)))
      return done(reply)
    },
  )

  type AllRoute = TopicRoute & { Params: { readonly seconds: string } }
  app.post<AllRoute>(
    `${TOPIC_PATH}/all_subscription/expireMessages/:seconds`,
    consume,
    async ({ params }, reply) => {
      const seconds = wholeOf(params.seconds, 'The age', 0)
      const pairs: [PulsarTopic, Subscription][] = []
      for (const topic of await openedPartitions(service, params))
        for (const subscription of await allSubscriptions(topic)) pairs.push([topic, subscription])
      await expire(pairs, seconds)
      return done(reply)
    },
  )
}

/** Expiring takes the message named with it; resetting starts at it. */
function expiredUpTo(topic: PulsarTopic, id: MessageIdData, isExcluded: boolean): StartPoint {
  const { end, start } = topic.log.ledger
  const point = pointOf(topic, id, !isExcluded)
  if (comparePositions(point.position, start.position) < 0 || id.ledgerId < 0) return start
  return comparePositions(point.position, end.position) > 0 ? end : point
}

const notExpired = (topic: PulsarTopic, { name }: Subscription): string =>
  `Expire message by timestamp not issued on topic ${topic.log.pulsarName} for subscription ${name} due to ongoing message expiration not finished or subscription almost catch  up. If it's performed on a partitioned topic operation might succeeded on other partitions, please check stats of individual partition.`

/** Counts what a subscription has before it, entry by entry: nothing is sent, nothing moves. */
function analysing(app: FastifyInstance, service: PulsarService): void {
  app.post<SubscriptionRoute>(`${SUBSCRIPTION_PATH}/analyzeBacklog`, consume, async ({ params, body }) => {
    const id = messageIdOf(body)
    const topic = await openedPartition(
      service,
      params,
      'Analyze backlog on a partitioned topic is not allowed',
    )
    const subscription = (await found(service, params))[0]?.[1]
    if (subscription === undefined) throw new AdminError(404, 'Subscription not found')
    const { cursor } = subscription
    const from = id === undefined ? cursor.position : startPointOf(id, topic.log.ledger).position
    const { entries, messages, first, last } = await backlogFrom(topic, subscription, from)
    return {
      entries,
      messages,
      markerMessages: 0,
      filterRejectedEntries: 0,
      filterAcceptedEntries: entries,
      filterRescheduledEntries: 0,
      filterRejectedMessages: 0,
      filterAcceptedMessages: messages,
      filterRescheduledMessages: 0,
      aborted: false,
      firstMessageId: first,
      lastMessageId: last,
    }
  })
}

async function backlogFrom(
  topic: PulsarTopic,
  { cursor }: Subscription,
  from: StartPoint['position'],
): Promise<{ entries: number; messages: number; first?: string; last?: string }> {
  const counted: { entries: number; messages: number; first?: string; last?: string } = {
    entries: 0,
    messages: 0,
  }
  for (let at = from; ; ) {
    const entries = await topic.log.ledger.read(at, readLimits)
    const end = entries.at(-1)
    if (end === undefined) return counted
    for (const { position, messageCount } of entries) {
      if (cursor.isAcknowledged(position)) continue
      const text = `${position.ledgerId}:${position.entryId}`
      counted.entries++
      counted.messages += messageCount - (cursor.acknowledgedBatchIndexes(position)?.size ?? 0)
      counted.first ??= text
      counted.last = text
    }
    at = positionAfter(end.position)
  }
}
