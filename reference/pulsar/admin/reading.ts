import type { FastifyInstance } from 'fastify'
import { asEntryId, asLedgerId, asMessageIndex } from '../../base/brand.js'
import { lastMessageIdOf } from '../commands/get-last-message-id.js'
import type { PulsarService } from '../service.js'
import { startPointOf, startPointOfTime } from '../subscriptions/message-ids.js'
import type { PulsarTopic } from '../topic.js'
import { AdminError } from './errors.js'
import { messageIdOf } from './message-id.js'
import { nameOf, openedPartition, shownId, TOPIC_PATH, type TopicRoute, timestampOf } from './resolve.js'
import { needs } from './rights.js'
import { allSubscriptions, bytesFrom, internalStats, topicStats } from './stats.js'

const notAsAWhole = (what: string): string =>
  `${what} on a partitioned topic is not allowed, please try do it on specific topic partition`

/** What is read of a topic without partitions, or of one partition: stats, and ids by place, index and time. */
export function reading(app: FastifyInstance, service: PulsarService): void {
  const read = needs('topic-any')
  app.get<TopicRoute>(`${TOPIC_PATH}/stats`, read, async ({ params }) =>
    topicStats(await openedPartition(service, params)),
  )
  app.get<TopicRoute>(`${TOPIC_PATH}/internalStats`, read, async ({ params }) =>
    internalStats(await openedPartition(service, params)),
  )
  app.get<TopicRoute>(`${TOPIC_PATH}/internal-info`, read, async ({ params }) =>
    internalInfo(await openedPartition(service, params)),
  )
  ids(app, service)
  backlogs(app, service)
}

function ids(app: FastifyInstance, service: PulsarService): void {
  app.get<TopicRoute>(`${TOPIC_PATH}/lastMessageId`, needs('topic-any'), async ({ params }) => {
    const topic = await openedPartition(service, params, notAsAWhole('GetLastMessageId'))
    const { batchIndex = -1, ...place } = await lastMessageIdOf(topic.log)
    return shownId(topic, place, batchIndex, batchIndex < 0 ? 0 : batchIndex + 1)
  })

  /** The id of the entry that holds the message of an index (PIP-70), or of a Kafka offset where that is the index. */
  app.get<TopicRoute>(
    `${TOPIC_PATH}/getMessageIdByIndex`,
    needs('topic-consume'),
    async ({ params, query }) => {
      const index = Number(query.index)
      if (query.index === undefined || !Number.isSafeInteger(index) || index < 0)
        throw new AdminError(400, 'Invalid message index')
      const topic = await openedPartition(service, params, notAsAWhole('Get messageId by index'))
      const entry = await topic.log.ledger.entryOfIndex(asMessageIndex(index))
      if (entry === undefined) throw new AdminError(404, `Message not found for index ${index}`)
      return shownId(topic, entry.position)
    },
  )

  app.get<TopicRoute & { Params: { timestamp: string } }>(
    `${TOPIC_PATH}/messageid/:timestamp`,
    needs('topic-consume'),
    async ({ params }) => {
      const timestampMs = timestampOf(params.timestamp)
      const topic = await openedPartition(service, params, notAsAWhole('Get message ID by timestamp'))
      const { position } = await startPointOfTime(topic.log.ledger, timestampMs)
      return shownId(topic, position)
    },
  )
}

/** What is stored of a log, without its contents. Versions and dates of it are not kept. */
async function internalInfo(topic: PulsarTopic): Promise<object> {
  const { ledger, terminated } = topic.log
  const cursors = (await allSubscriptions(topic)).map(({ name, cursor: { position } }) => [
    name,
    {
      cursorsLedgerId: -1,
      markDelete: { ledgerId: position.ledgerId, entryId: position.entryId - 1 },
    },
  ])
  return {
    version: 0,
    ledgers: ledger
      .ledgers()
      .map(({ ledgerId, entries, bytes, open }) =>
        open ? { ledgerId } : { ledgerId, entries, size: bytes },
      ),
    terminatedPosition: terminated ? ledger.last?.position : undefined,
    cursors: Object.fromEntries(cursors),
    properties: { ...topic.info.properties },
  }
}

const next = ({ ledgerId, entryId }: { readonly ledgerId: number; readonly entryId: number }) => ({
  ledgerId: asLedgerId(ledgerId),
  entryId: asEntryId(entryId + 1),
})

function backlogs(app: FastifyInstance, service: PulsarService): void {
  /** Bytes that follow a message. */
  app.put<TopicRoute>(
    `${TOPIC_PATH}/backlogSize`,
    needs('topic-consume'),
    async ({ params, body }, reply) => {
      const id = messageIdOf(body)
      if (id === undefined) throw new AdminError(400, 'A message id is missing')
      const topic = await openedPartition(service, params, notAsAWhole('Get backlog size'))
      const { ledger } = topic.log
      const after =
        id.ledgerId < 0 || id.ledgerId > Number.MAX_SAFE_INTEGER
          ? startPointOf(id, ledger).position
          : next(id)
      return reply.type('application/json').send(String(bytesFrom(ledger, after)))
    },
  )

  app.get<TopicRoute>(`${TOPIC_PATH}/backlog`, needs('topic-consume'), async ({ params }) => {
    const topic = await openedPartition(service, params)
    const ledgers = topic.log.ledger.ledgers()
    const cursors = (await allSubscriptions(topic)).map(
      ({ name, cursor }) => [name, { cursorBacklog: cursor.backlogEntries(), cursorLedgerId: -1 }] as const,
    )
    return {
      topicName: nameOf(params),
      brokerName: service.context.config.advertisedAddress ?? 'localhost',
      storageSize: ledgers.reduce((sum, { bytes }) => sum + bytes, 0),
      totalMessages: ledgers.reduce((sum, { entries }) => sum + entries, 0),
      messageBacklog: Math.max(0, ...cursors.map(([, { cursorBacklog }]) => cursorBacklog)),
      dataLedgerDetails: ledgers.map(({ ledgerId, entries, bytes }) => ({
        ledgerId,
        entries,
        size: bytes,
        timestamp: 0,
      })),
      cursorDetails: Object.fromEntries(cursors),
      statGeneratedAt: service.context.clock.nowMs(),
    }
  })
}
