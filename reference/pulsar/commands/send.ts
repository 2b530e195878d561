import { StorageError } from '../../storage/types.js'
import { isRefusal, type PulsarSend } from '../../topics/types.js'
import { asFailure, type Failure, fail, isFailure } from '../failure.js'
import type { Handler, HeldProducer, Session } from '../session.js'
import { type CommandBody, ServerError } from '../wire/commands.js'
import { checksumIsRight, readHeadersAndPayload } from '../wire/entry-checksum.js'

/** Of a message that was stored before: there is no id to give. */
const DUPLICATE_ID = { ledgerId: -1, entryId: -1 }

/**
 * SEND: stores one entry: a message, a batch, or a piece of a chunked message. SEND_RECEIPT comes when it is durable.
 * Refused with SEND_ERROR: a wrong checksum; markers and transactions; too large; what the topic refuses.
 * Not answered: a producer that this broker closed, whose client finds out by CLOSE_PRODUCER.
 */
export const send: Handler<'SEND'> = (session, body, rest) => {
  const held = session.producers.get(body.producerId)
  if (held === undefined || !held.ready) return
  const settle = held.answers.enqueue()
  const message = check(session, held, body, rest)
  if (isFailure(message)) return settle(() => refuse(session, body, message))
  session.publishStarted(rest.length)
  held.producer.messagesIn += message.messageCount
  held.producer.bytesIn += rest.length
  store(held, message)
    .catch((error) => unexpected(session, error))
    .then((answer) => {
      session.publishEnded(rest.length)
      settle(() => {
        if (isFailure(answer)) refuse(session, body, answer)
        else acknowledge(session, held, body, answer)
      })
    })
  session.service.context.metrics?.messagesIn?.(message.messageCount, rest.length)
}

function check(
  session: Session,
  held: HeldProducer,
  body: CommandBody<'SEND'>,
  rest: Buffer,
): PulsarSend | Failure {
  if (!checksumIsRight(rest)) return fail('ChecksumError', 'Checksum failed on the broker')
  const { metadata, payloadStart } = readHeadersAndPayload(rest)
  if (body.marker === true || metadata.markerType !== undefined)
    return fail('NotAllowedError', 'Markers are written by brokers only')
  if (body.txnidMostBits !== undefined || body.txnidLeastBits !== undefined)
    return fail('NotAllowedError', 'Transactions are not supported')
  const payloadBytes = rest.length - payloadStart
  const { maxMessageSize } = session.service.context.config
  if (payloadBytes > maxMessageSize)
    return fail(
      'NotAllowedError',
      `A payload of ${payloadBytes} bytes exceeds maxMessageSize ${maxMessageSize}`,
    )
  const messageCount = metadata.messagesInBatch ?? 1
  if (messageCount < 1) return fail('NotAllowedError', 'A batch holds at least one message')
  const highest = body.highestSequenceId ?? 0n
  return {
    headersAndPayload: rest,
    messageCount,
    producerName: held.producer.name,
    sequenceId: body.sequenceId,
    highestSequenceId: highest > body.sequenceId ? highest : body.sequenceId,
  }
}

type Stored = { readonly ledgerId: number; readonly entryId: number; readonly partition?: number }

async function store(held: HeldProducer, message: PulsarSend): Promise<Stored | Failure> {
  const appended = await held.topic.log.appendPulsar(message)
  if (isRefusal(appended) && held.topic.log.terminated) return fail('TopicTerminatedError', appended.message)
  if (isRefusal(appended)) return asFailure(appended)
  if (appended.duplicate) return DUPLICATE_ID
  const { ledgerId, entryId } = appended.position
  return { ledgerId, entryId, partition: held.topic.info.partitions > 0 ? held.topic.log.index : -1 }
}

function unexpected(session: Session, error: unknown): Failure {
  session.service.context.log.error({ err: error }, 'storing a message failed')
  const message = error instanceof Error ? error.message : String(error)
  return fail(error instanceof StorageError ? 'PersistenceError' : 'UnknownError', message)
}

function acknowledge(
  session: Session,
  held: HeldProducer,
  body: CommandBody<'SEND'>,
  messageId: Stored,
): void {
  session.send('SEND_RECEIPT', {
    producerId: held.producer.id,
    sequenceId: body.sequenceId,
    messageId,
    highestSequenceId: body.highestSequenceId ?? 0n,
  })
}

function refuse(session: Session, body: CommandBody<'SEND'>, { failed, message }: Failure): void {
  const { producerId, sequenceId } = body
  session.send('SEND_ERROR', { producerId, sequenceId, error: ServerError[failed], message })
}
