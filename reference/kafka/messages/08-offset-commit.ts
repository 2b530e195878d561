import { api, array, int16, int32, int64, string } from '../wire/schema.js'

/** Commits a group's offsets. v1: by members; v2 to v4: own retention; v6: leader epochs; v9: member epochs (KIP-848). */
export const offsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  versions: [0, 9],
  flexibleSince: 8,
  request: {
    groupId: string(),
    generationIdOrMemberEpoch: int32({ since: 1, default: -1 }),
    memberId: string({ since: 1 }),
    groupInstanceId: string({ since: 7, nullable: 7, default: null }),
    retentionTimeMs: int64({ since: 2, until: 4, default: -1n }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32({ since: 6, default: -1 }),
        commitTimestamp: int64({ since: 1, until: 1, default: -1n }),
        committedMetadata: string({ nullable: 0 }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ since: 3 }),
    topics: array({
      name: string(),
      partitions: array({ partitionIndex: int32(), errorCode: int16() }),
    }),
  },
})
