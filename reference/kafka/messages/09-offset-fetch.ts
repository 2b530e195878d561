import { api, array, bool, int16, int32, int64, string } from '../wire/schema.js'

/**
 * A group's committed offsets; null topics ask for all (v2). Up to v7 one group, in the outer fields; from v8 on several,
 * in `groups` (KIP-709). v7: only stable ones (KIP-447); v9: member epochs (KIP-848).
 */
export const offsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  versions: [0, 9],
  flexibleSince: 6,
  request: {
    groupId: string({ until: 7 }),
    topics: array({ name: string(), partitionIndexes: array(int32()) }, { until: 7, nullable: 2 }),
    groups: array(
      {
        groupId: string(),
        memberId: string({ since: 9, nullable: 9, default: null }),
        memberEpoch: int32({ since: 9, default: -1 }),
        topics: array({ name: string(), partitionIndexes: array(int32()) }, { nullable: 8 }),
      },
      { since: 8 },
    ),
    requireStable: bool({ since: 7 }),
  },
  response: {
    throttleTimeMs: int32({ since: 3 }),
    topics: array(
      {
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          committedOffset: int64(),
          committedLeaderEpoch: int32({ since: 5, default: -1 }),
          metadata: string({ nullable: 0 }),
          errorCode: int16(),
        }),
      },
      { until: 7 },
    ),
    errorCode: int16({ since: 2, until: 7 }),
    groups: array(
      {
        groupId: string(),
        topics: array({
          name: string(),
          partitions: array({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: int32({ default: -1 }),
            metadata: string({ nullable: 8 }),
            errorCode: int16(),
          }),
        }),
        errorCode: int16(),
      },
      { since: 8 },
    ),
  },
})
