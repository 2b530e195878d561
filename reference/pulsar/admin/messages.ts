import type { FastifyInstance, FastifyReply } from 'fastify'
import { asEntryId, asLedgerId, comparePositions, type Position } from '../../base/brand.js'
import type { StoredEntry } from '../../storage/types.js'
import type { PulsarEntry } from '../../topics/types.js'
import type { PulsarService } from '../service.js'
import { positionAfter } from '../subscriptions/dispatcher.js'
import { wholeEntry } from '../subscriptions/keyed-entry.js'
import type { PulsarTopic } from '../topic.js'
import { readHeadersAndPayload } from '../wire/entry-checksum.js'
import { decompressPayload } from '../wire/message-compression.js'
import { AdminError } from './errors.js'
import { messageHeaders } from './message-headers.js'
import { openedPartition, TOPIC_PATH, type TopicRoute, wholeOf } from './resolve.js'
import { needs } from './rights.js'
import { allSubscriptions } from './stats.js'

const readLimits = { maxEntries: 1_000, maxBytes: 1 << 20 }

/**
 * Messages as bytes: the next ones of a subscription (peek), at a place of the log (examine), by id. The answer is one
 * entry, uncompressed, its metadata as X-Pulsar headers; a batch is its single messages, which the tools take apart:
 * always whole, as Pulsar's is, also where the subscription stands inside it. An entry that Kafka wrote is as Pulsar
 * consumers get it, in either entry format.
 */
export function messages(app: FastifyInstance, service: PulsarService): void {
  type PeekRoute = TopicRoute & { Params: { readonly subscription: string; readonly position: string } }
  app.get<PeekRoute>(
    `${TOPIC_PATH}/subscription/:subscription/position/:position`,
    needs('topic-consume'),
    async ({ params }, reply) => {
      const place = wholeOf(params.position, 'The position', 1)
      const topic = await openedPartition(
        service,
        params,
        'Peek messages on a partitioned topic is not allowed',
      )
      return told(reply, topic, await peeked(topic, params.subscription, place))
    },
  )

  app.get<TopicRoute>(
    `${TOPIC_PATH}/examinemessage`,
    needs('topic-consume'),
    async ({ params, query }, reply) => {
      const place = Math.max(1, wholeOf(query.messagePosition ?? '1', 'The position', 0))
      const topic = await openedPartition(
        service,
        params,
        'Examine messages on a partitioned topic is not allowed, please try examine message on specific topic partition',
      )
      if (topic.log.ledger.last === undefined)
        throw new AdminError(412, 'Could not examine messages due to the total message is zero')
      const isEarliest = query.initialPosition === 'earliest'
      const position = isEarliest
        ? (await nthFrom(topic, topic.log.ledger.start.position, place, () => true))?.position
        : nthFromEnd(topic, place)
      return told(reply, topic, position)
    },
  )

  type IdRoute = TopicRoute & { Params: { readonly ledger: string; readonly entry: string } }
  app.get<IdRoute>(
    `${TOPIC_PATH}/ledger/:ledger/entry/:entry`,
    needs('topic-consume'),
    async ({ params }, reply) => {
      const ledgerId = asLedgerId(wholeOf(params.ledger, 'The ledger', 0))
      const entryId = asEntryId(wholeOf(params.entry, 'The entry', 0))
      const topic = await openedPartition(
        service,
        params,
        'GetMessageById on a partitioned topic is not allowed',
      )
      return told(reply, topic, { ledgerId, entryId }, 'Message id not found')
    },
  )
}

/** The n-th entry, from 1, that a subscription has not wholly acknowledged. @throws AdminError */
async function peeked(topic: PulsarTopic, name: string, place: number): Promise<Position | undefined> {
  const subscription = (await allSubscriptions(topic)).find((each) => each.name === name)
  if (subscription === undefined)
    throw new AdminError(404, `Subscription ${name} not found for topic ${topic.log.pulsarName}`)
  const { cursor } = subscription
  const found = await nthFrom(
    topic,
    cursor.position,
    place,
    ({ position }) => !cursor.isAcknowledged(position),
  )
  return found?.position
}

async function nthFrom(
  topic: PulsarTopic,
  from: Position,
  place: number,
  counts: (entry: StoredEntry) => boolean,
): Promise<StoredEntry | undefined> {
  let left = place
  for (let at = from; ; ) {
    const entries = await topic.log.ledger.read(at, readLimits)
    const last = entries.at(-1)
    if (last === undefined) return undefined
    for (const entry of entries) if (counts(entry) && --left === 0) return entry
    at = positionAfter(last.position)
  }
}

function nthFromEnd(topic: PulsarTopic, place: number): Position | undefined {
  const { ledger } = topic.log
  let left = place
  for (const { ledgerId, entries } of [...ledger.ledgers()].reverse()) {
    if (left <= entries) {
      const position = { ledgerId, entryId: asEntryId(entries - left) }
      return comparePositions(position, ledger.start.position) < 0 ? undefined : position
    }
    left -= entries
  }
  return undefined
}

async function told(
  reply: FastifyReply,
  topic: PulsarTopic,
  position: Position | undefined,
  absent = 'Message not found',
): Promise<FastifyReply> {
  const [entry] =
    position === undefined ? [] : await topic.log.readPulsar(position, { maxEntries: 1, maxBytes: 1 })
  if (position === undefined || entry === undefined || comparePositions(entry.position, position) !== 0)
    throw new AdminError(404, absent)
  const { headers, payload } = await entryAnswer(entry)
  // Set here, names keep their capitals: Java's tools look for properties' headers by them.
  for (const [name, value] of Object.entries(headers)) reply.raw.setHeader(name, value)
  return reply.type('application/octet-stream').send(payload)
}

/** @throws MalformedError when the entry is damaged */
async function entryAnswer(
  entry: PulsarEntry,
): Promise<{ headers: Record<string, string>; payload: Buffer }> {
  const data = wholeEntry(entry)
  const { metadata, payloadStart } = readHeadersAndPayload(data)
  const stored = data.subarray(payloadStart)
  // What is encrypted is compressed before, and only its reader has the key.
  const payload =
    metadata.encryption === undefined && metadata.compression !== 0
      ? await decompressPayload(metadata.compression, stored, metadata.uncompressedBytes ?? 0)
      : stored
  return { headers: messageHeaders(entry, metadata, payload.length), payload }
}
