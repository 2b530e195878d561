import { type Failure, fail, isFailure } from '../failure.js'
import { isRealSchema } from '../schemas.js'
import type { Handler, Session } from '../session.js'
import { Consumer } from '../subscriptions/consumer.js'
import type { PulsarTopic } from '../topic.js'
import {
  type CommandBody,
  InitialPosition,
  KeySharedMode,
  SubscriptionType,
  type SubscriptionTypeName,
} from '../wire/commands.js'

/** The request id of commands that the broker sends unasked. */
const NO_REQUEST = -1n

const typeNames = new Map(
  Object.entries(SubscriptionType).map(([name, number]) => [number as number, name as SubscriptionTypeName]),
)

/**
 * SUBSCRIBE: opens a consumer; readers are consumers of non-durable subscriptions. Messages come after FLOW.
 * Left out: replicated subscription state is not kept.
 */
export const subscribe: Handler<'SUBSCRIBE'> = async (session, body) => {
  if (session.consumers.has(body.consumerId)) return session.send('SUCCESS', { requestId: body.requestId })
  const refused = await open(session, body)
  if (refused === undefined) session.send('SUCCESS', { requestId: body.requestId })
  else session.sendError(body.requestId, refused)
}

async function open(session: Session, body: CommandBody<'SUBSCRIBE'>): Promise<Failure | undefined> {
  const { service } = session
  const type = typeNames.get(body.subType)
  if (type === undefined) return fail('NotAllowedError', `Unknown subscription type ${body.subType}`)
  const isShared = type !== 'Exclusive' && type !== 'Failover'
  if (body.readCompacted === true && isShared)
    return fail('NotAllowedError', 'readCompacted only allowed on failover or exclusive subscriptions')
  if (body.subscription === '') return fail('NotAllowedError', 'Empty subscription name')
  const topic = await service.open(body.topic, { create: body.forceTopicCreation ?? true })
  if (isFailure(topic)) return topic
  if (isRealSchema(body.schema)) {
    const version = await service.schemas.getOrCreate(topic.info, body.schema)
    if (typeof version === 'object') return version
  }
  const isNew = body.durable !== false && !topic.log.ledger.cursorNames().includes(body.subscription)
  const subscription = await topic.subscription({
    subscription: body.subscription,
    durable: body.durable ?? true,
    startMessageId: body.startMessageId,
    fromEarliest: body.initialPosition === InitialPosition.Earliest,
    rollbackSeconds: body.startMessageRollbackDurationSec ?? 0,
  })
  if (isFailure(subscription)) return subscription
  // The one that makes the subscription says what is attached to it; who comes later changes nothing.
  if (isNew && body.subscriptionProperties !== undefined)
    await topic.properties.set(
      body.subscription,
      Object.fromEntries(body.subscriptionProperties.map(({ key, value }) => [key, value])),
    )
  const consumer = newConsumer(session, body, type, topic)
  const refused = topic.addConsumer(subscription, consumer, () => {
    session.consumers.delete(consumer.id)
    session.send('CLOSE_CONSUMER', { consumerId: consumer.id, requestId: NO_REQUEST })
  })
  if (refused === undefined) session.consumers.set(consumer.id, { consumer, topic, subscription })
  return refused
}

function newConsumer(
  session: Session,
  body: CommandBody<'SUBSCRIBE'>,
  type: SubscriptionTypeName,
  topic: PulsarTopic,
): Consumer {
  const sticky = body.keySharedMeta?.keySharedMode === KeySharedMode.Sticky
  return new Consumer({
    id: body.consumerId,
    name: body.consumerName || Math.random().toString(36).slice(2, 7),
    type,
    connection: session,
    priority: body.priorityLevel ?? 0,
    sticky: sticky ? { ranges: body.keySharedMeta?.hashRanges ?? [] } : undefined,
    partition: topic.info.partitions > 0 ? topic.log.index : -1,
    connectedSinceMs: session.service.context.clock.nowMs(),
    readCompacted: body.readCompacted ?? false,
    epoch: body.consumerEpoch,
    metadata: Object.fromEntries((body.metadata ?? []).map(({ key, value }) => [key, value])),
  })
}
