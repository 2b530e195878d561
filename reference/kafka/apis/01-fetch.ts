import { fetch as table } from '../messages/01-fetch.js'
import { errorCode } from '../wire/errors.js'
import type { RequestOf, ResponseOf } from '../wire/schema.js'
import { FetchRead } from './fetch-read.js'
import type { FetchPartition, FetchSessionRequest, FetchTurn } from './fetch-sessions.js'
import { type Call, handler } from './handler.js'

type Request = RequestOf<typeof table>
type Response = ResponseOf<typeof table>
type TopicAnswer = Response['responses'][number]

const topicIdsSinceVersion = 13

/**
 * Fetch v0 to v17. Waits for `minBytes` or `maxWaitMs` and answers as soon as data comes, from either side (register CO-4);
 * the first batch is whole even beyond the limits, after which they hold (KIP-74, CO-5; for all versions, as clients older
 * than v3 can read a whole batch as well). Sessions by KIP-227, a bounded number. Clients before v4 get message formats
 * 0 and 1. Without transactions the last stable offset is the high watermark, and nothing is aborted.
 *
 * Left out: other replicas to read from (KIP-392), diverging epochs (no log is ever cut back at its end).
 */
export const fetch = handler(table, async (request, call) => {
  const turn = call.broker.fetchSessions.begin(sessionRequest(request, call))
  if (turn.error !== null) return { errorCode: errorCode(turn.error), sessionId: 0, responses: [] }
  const read = new FetchRead(turn.partitions, limitsOf(request, call), call)
  try {
    await read.untilEnough()
  } finally {
    read.end()
  }
  return answer(read, turn, call)
})

function limitsOf(request: Request, call: Call) {
  const bytesMax = Math.min(Math.max(0, request.maxBytes), call.broker.fetchBytesMax)
  return { bytesMax, minBytes: Math.min(request.minBytes, bytesMax), maxWaitMs: request.maxWaitMs }
}

function sessionRequest(request: Request, call: Call): FetchSessionRequest {
  return {
    owner: call.owner,
    sessionId: request.sessionId,
    sessionEpoch: request.sessionEpoch,
    usesTopicIds: call.apiVersion >= topicIdsSinceVersion,
    partitions: request.topics.flatMap(({ topic, topicId, partitions }) =>
      partitions.map(
        (each): FetchPartition => ({
          topic,
          topicId,
          partition: each.partition,
          currentLeaderEpoch: each.currentLeaderEpoch,
          fetchOffset: each.fetchOffset,
          partitionBytesMax: Math.max(0, each.partitionMaxBytes),
        }),
      ),
    ),
    forgotten: request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
      partitions.map((partition) => ({ topic, topicId, partition })),
    ),
  }
}

function answer(read: FetchRead, turn: FetchTurn, call: Call): Response {
  const responses: { topic: string; topicId: string; partitions: TopicAnswer['partitions'][number][] }[] = []
  for (const { asked, outcome } of read.results()) {
    if (!turn.isToldOf(asked, outcome)) continue
    const last = responses.at(-1)
    const isSame = last !== undefined && last.topic === asked.topic && last.topicId === asked.topicId
    const entry = isSame ? last : { topic: asked.topic, topicId: asked.topicId, partitions: [] }
    if (!isSame) responses.push(entry)
    entry.partitions.push({
      partitionIndex: asked.partition,
      errorCode: errorCode(outcome.errorName),
      highWatermark: outcome.highWatermark,
      lastStableOffset: outcome.highWatermark,
      logStartOffset: outcome.logStartOffset,
      ...(outcome.currentLeaderEpoch === null
        ? {}
        : { currentLeader: { leaderId: call.broker.nodeId, leaderEpoch: outcome.currentLeaderEpoch } }),
      records: outcome.records,
    })
  }
  return { errorCode: 0, sessionId: turn.sessionId, responses }
}
