import { type CommittedOffset, TooLargeToStore } from '../../groups/offset-store.js'
import { fullName } from '../../topics/names.js'
import { isRefusal } from '../../topics/types.js'
import { offsetCommit as table } from '../messages/08-offset-commit.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import type { RequestOf } from '../wire/schema.js'
import { coordinatorFault } from './faults.js'
import { keyOfGroup, storedGroupIdFault } from './groups.js'
import { type Call, handler } from './handler.js'
import { findTopic, partitionCount } from './topics.js'

type Request = RequestOf<typeof table>
type Asked = Request['topics'][number]['partitions'][number]

const metadataBytesMaxDefault = 4096
const memberEpochsSinceVersion = 9

/**
 * OffsetCommit v0 to v9, answered when the offsets are durable. Kept under the topic's full name, so that its short and its
 * full name share commits (register MT-3). The retention of v2 to v4 is kept to, as the time when the commit ends (register
 * GC-10); the member epochs of v9 are those of next-generation groups (KIP-848).
 */
export const offsetCommit = handler(table, async (request, call) => {
  const checked = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((asked) => ({
      asked,
      result: check(name, asked, request.retentionTimeMs, call),
    })),
  }))
  const offsets = checked.flatMap(({ partitions }) =>
    partitions.flatMap(({ result }) => (typeof result === 'string' ? [] : [result])),
  )
  const error = await commit(request, offsets, call)
  return {
    topics: checked.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ asked, result }) => ({
        partitionIndex: asked.partitionIndex,
        errorCode: errorCode(error === 'NONE' && typeof result === 'string' ? result : error),
      })),
    })),
  }
})

async function commit(request: Request, offsets: readonly CommittedOffset[], call: Call): Promise<ErrorName> {
  const fault = storedGroupIdFault(request.groupId)
  if (fault !== null) return fault
  const { memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = request
  const member = { memberId, groupInstanceId, generationId }
  try {
    const error = await call.broker.coordinator.commit(keyOfGroup(request.groupId, call), member, offsets)
    // Older clients know nothing of member epochs.
    return error === 'STALE_MEMBER_EPOCH' && call.apiVersion < memberEpochsSinceVersion
      ? 'UNSUPPORTED_VERSION'
      : error
  } catch (error) {
    if (error instanceof TooLargeToStore) return 'INVALID_COMMIT_OFFSET_SIZE'
    return coordinatorFault(error, call, 'offsets could not be stored')
  }
}

function check(name: string, asked: Asked, retentionTimeMs: bigint, call: Call): CommittedOffset | ErrorName {
  const topic = findTopic(call, name)
  if (isRefusal(topic)) return topic.refused
  const { partitionIndex } = asked
  if (partitionIndex < 0 || partitionIndex >= partitionCount(topic)) return 'UNKNOWN_TOPIC_OR_PARTITION'
  const metadata = asked.committedMetadata ?? ''
  const { offsetMetadataBytesMax = metadataBytesMaxDefault } = call.broker
  if (Buffer.byteLength(metadata) > offsetMetadataBytesMax) return 'OFFSET_METADATA_TOO_LARGE'
  const nowMs = call.broker.clock.nowMs()
  return {
    topic: fullName(topic.name),
    topicId: topic.topicId,
    partition: partitionIndex,
    offset: asked.committedOffset,
    leaderEpoch: asked.committedLeaderEpoch,
    metadata,
    // v1 says itself when it was; -1 is now.
    commitTimestampMs:
      asked.commitTimestamp < 0n ? nowMs : Math.min(Number(asked.commitTimestamp), Number.MAX_SAFE_INTEGER),
    ...(retentionTimeMs < 0n
      ? {}
      : { expireTimestampMs: Math.min(nowMs + Number(retentionTimeMs), Number.MAX_SAFE_INTEGER) }),
  }
}
