import { isRefusal } from '../../topics/types.js'
import { offsetForLeaderEpoch as table } from '../messages/23-offset-for-leader-epoch.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import type { RequestOf } from '../wire/schema.js'
import { type Call, handler } from './handler.js'
import { epochFault, findPartition } from './topics.js'

type Asked = RequestOf<typeof table>['topics'][number]['partitions'][number]

/**
 * OffsetForLeaderEpoch v0 to v4. A managed ledger is never cut back at its end, so every epoch up to the current one is
 * whole, and ends for all a client needs to know at the log's end; a later epoch than the current is unknown (−1).
 */
export const offsetForLeaderEpoch = handler(table, async (request, call) => ({
  topics: await Promise.all(
    request.topics.map(async ({ topic, partitions }) => ({
      topic,
      partitions: await Promise.all(partitions.map((asked) => answer(topic, asked, call))),
    })),
  ),
}))

async function answer(topic: string, asked: Asked, call: Call) {
  const { partition } = asked
  const refused = (error: ErrorName) => ({
    partition,
    errorCode: errorCode(error),
    leaderEpoch: -1,
    endOffset: -1n,
  })
  const log = await findPartition(call, topic, partition)
  if (isRefusal(log)) return refused(log.refused)
  const fault = epochFault(log, asked.currentLeaderEpoch)
  if (fault !== null) return refused(fault)
  if (asked.leaderEpoch < 0 || asked.leaderEpoch > log.leaderEpoch)
    return { partition, errorCode: 0, leaderEpoch: -1, endOffset: -1n }
  return { partition, errorCode: 0, leaderEpoch: asked.leaderEpoch, endOffset: log.endOffset() }
}
