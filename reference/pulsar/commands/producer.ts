import { AnswerQueue } from '../answer-queue.js'
import { type Failure, fail, isFailure } from '../failure.js'
import { Producer } from '../producer.js'
import { isRealSchema, versionBytes } from '../schemas.js'
import type { Handler, HeldProducer, Session } from '../session.js'
import { AccessMode, type CommandBody } from '../wire/commands.js'

/** The request id of commands that the broker sends unasked. */
const NO_REQUEST = -1n

/**
 * PRODUCER: opens a producer. Its schema is registered; a name that is in use is refused (ProducerBusy), a missing one
 * is generated. Access modes as PIP-68 has them.
 */
export const producer: Handler<'PRODUCER'> = async (session, body) => {
  const known = session.producers.get(body.producerId)
  if (known !== undefined) return announce(session, body.requestId, known)
  const held = await open(session, body)
  if (isFailure(held)) session.sendError(body.requestId, held)
  else announce(session, body.requestId, held)
}

async function open(session: Session, body: CommandBody<'PRODUCER'>): Promise<HeldProducer | Failure> {
  const { service } = session
  const topic = await service.open(body.topic, { create: true })
  if (isFailure(topic)) return topic
  if (topic.info.internal)
    return fail('NotAllowedError', `${topic.log.pulsarName} is the broker's own: clients do not write to it`)
  if (topic.log.terminated)
    return fail('TopicTerminatedError', `Topic ${topic.log.pulsarName} was already terminated`)
  const version = isRealSchema(body.schema)
    ? await service.schemas.getOrCreate(topic.info, body.schema)
    : undefined
  if (typeof version === 'object') return version
  const generated = body.producerName === undefined || body.producerName === ''
  const created = new Producer({
    id: body.producerId,
    name: generated ? service.generateProducerName() : (body.producerName ?? ''),
    connection: session,
    epoch: body.epoch ?? 0,
    nameIsUsers: body.userProvidedProducerName ?? !generated,
    accessMode: body.producerAccessMode ?? AccessMode.Shared,
    connectedSinceMs: service.context.clock.nowMs(),
    metadata: Object.fromEntries((body.metadata ?? []).map(({ key, value }) => [key, value])),
  })
  const held: HeldProducer = {
    producer: created,
    topic,
    answers: new AnswerQueue(),
    schemaVersion: version === undefined ? undefined : versionBytes(version),
    ready: true,
  }
  const close = () => {
    session.producers.delete(created.id)
    session.send('CLOSE_PRODUCER', { producerId: created.id, requestId: NO_REQUEST })
  }
  const admitted = () => {
    held.ready = true
    announce(session, body.requestId, held)
  }
  const outcome = await topic.addProducer(created, body.topicEpoch, close, admitted)
  if (typeof outcome === 'object') return outcome
  held.ready = outcome === 'ready'
  session.producers.set(created.id, held)
  if (body.initialSubscriptionName !== undefined && body.initialSubscriptionName !== '')
    await topic.durableSubscription(body.initialSubscriptionName, { fromEarliest: true })
  return held
}

function announce(session: Session, requestId: bigint, held: HeldProducer): void {
  session.send('PRODUCER_SUCCESS', {
    requestId,
    producerName: held.producer.name,
    lastSequenceId: held.topic.log.lastSequenceId(held.producer.name),
    schemaVersion: held.schemaVersion ?? Buffer.alloc(0),
    topicEpoch: held.topic.epoch,
    producerReady: held.ready,
  })
}
