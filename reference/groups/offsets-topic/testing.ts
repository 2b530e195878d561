import { asPartitionIndex } from '../../base/brand.js'
import { systemClock } from '../../base/clock.js'
import type { StoredTopics } from '../../topics/index.js'
import { accepted, type TestTopics } from '../../topics/testing.js'
import type { PartitionLog } from '../../topics/types.js'
import type { CommittedOffset } from '../offset-store.js'
import { OffsetsTopic, type OffsetsTopicOptions } from './index.js'

/* For tests and measurements. */

export const orders = 'persistent://public/default/orders'
export const offsetsTopicName = { tenant: 'public', namespace: 'kafka', local: '__offsets' }
export const ordersId = Buffer.alloc(16, 7).toString('base64url')

export const commitOf = (offset: number | bigint, part: Partial<CommittedOffset> = {}): CommittedOffset => ({
  topic: orders,
  topicId: ordersId,
  partition: 0,
  offset: BigInt(offset),
  leaderEpoch: -1,
  metadata: '',
  commitTimestampMs: 1_700_000_000_000,
  ...part,
})

/** The offsets topic over such topics, loaded; what is not given is small. */
export async function openOffsets(
  test: TestTopics,
  topics: StoredTopics,
  metadata: OffsetsTopicOptions['metadata'],
  options: Partial<OffsetsTopicOptions> = {},
): Promise<OffsetsTopic> {
  const offsets = await OffsetsTopic.open({
    catalog: topics,
    metadata,
    name: offsetsTopicName,
    partitions: 2,
    batchBytesMax: 1 << 20,
    legacyNamespace: { tenant: 'public', namespace: 'default' },
    clock: systemClock,
    log: test.log,
    ...options,
  })
  await offsets.load()
  return offsets
}

export const partitionLog = async (
  topics: StoredTopics,
  offsets: OffsetsTopic,
  index = 0,
): Promise<PartitionLog> => accepted(await topics.partition(offsets.topic, asPartitionIndex(index)))
