import { api, array, int8, int16, int32, int64, string } from '../wire/schema.js'

/**
 * Offsets by time. Special times: −1 the end, −2 the start, −3 the largest timestamp (KIP-734, v7), −4 and −5 of tiered
 * logs (v8, v9). v0 answers a list of segment starts instead of one offset.
 */
export const listOffsets = api({
  key: 2,
  name: 'ListOffsets',
  versions: [0, 10],
  flexibleSince: 6,
  request: {
    replicaId: int32(),
    isolationLevel: int8({ since: 2 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        currentLeaderEpoch: int32({ since: 4, default: -1 }),
        timestamp: int64(),
        maxNumOffsets: int32({ until: 0, default: 1 }),
      }),
    }),
    timeoutMs: int32({ since: 10 }),
  },
  response: {
    throttleTimeMs: int32({ since: 2 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        oldStyleOffsets: array(int64(), { until: 0 }),
        timestamp: int64({ since: 1, default: -1n }),
        offset: int64({ since: 1, default: -1n }),
        leaderEpoch: int32({ since: 4, default: -1 }),
      }),
    }),
  },
})
