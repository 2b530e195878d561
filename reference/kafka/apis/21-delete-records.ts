import { asOffset } from '../../base/brand.js'
import { isRefusal } from '../../topics/types.js'
import { deleteRecords as table } from '../messages/21-delete-records.js'
import { errorCode } from '../wire/errors.js'
import { storageFault } from './faults.js'
import { type Call, handler } from './handler.js'
import { findPartition, findTopic, isInternal } from './topics.js'

/**
 * DeleteRecords v0 to v2: moves the start of partitions; −1 stands for the high watermark, so deletes all. System topics'
 * records are not deleted, as in Kafka.
 */
export const deleteRecords = handler(table, async (request, call) => ({
  throttleTimeMs: 0,
  topics: await Promise.all(
    request.topics.map(async ({ name, partitions }) => ({
      name,
      partitions: await Promise.all(partitions.map((each) => deleteOne(name, each, call))),
    })),
  ),
}))

async function deleteOne(name: string, asked: { partitionIndex: number; offset: bigint }, call: Call) {
  const { partitionIndex } = asked
  try {
    const topic = findTopic(call, name)
    if (!isRefusal(topic) && isInternal(topic))
      return { partitionIndex, lowWatermark: -1n, errorCode: errorCode('INVALID_TOPIC_EXCEPTION') }
    const log = await findPartition(call, name, partitionIndex)
    if (isRefusal(log)) return { partitionIndex, lowWatermark: -1n, errorCode: errorCode(log.refused) }
    const before = asked.offset === -1n ? log.endOffset() : asOffset(asked.offset)
    const start = before < 0n || before > log.endOffset() ? null : await log.deleteRecords(before)
    if (start === null)
      return { partitionIndex, lowWatermark: -1n, errorCode: errorCode('OFFSET_OUT_OF_RANGE') }
    if (typeof start === 'object')
      return { partitionIndex, lowWatermark: -1n, errorCode: errorCode(start.refused) }
    return { partitionIndex, lowWatermark: start, errorCode: 0 }
  } catch (error) {
    const fault = storageFault(error, call, 'records could not be deleted')
    return { partitionIndex, lowWatermark: -1n, errorCode: errorCode(fault) }
  }
}
