import { api, array, int8, int16, int32, int64, records, string, struct, uuid } from '../wire/schema.js'

/**
 * Reads batches. v3: a limit of the whole answer, which the first batch may exceed (KIP-74); v4: message format 2 and
 * transactions; v7: sessions (KIP-227); v9: leader epochs (KIP-320); v10: zstd; v11: nearest replica (KIP-392);
 * v13: topics by id (KIP-516); v16: the new leader (KIP-951). Replica fields are read and mean nothing here.
 */
export const fetch = api({
  key: 1,
  name: 'Fetch',
  versions: [0, 17],
  flexibleSince: 12,
  request: {
    clusterId: string({ since: 12, nullable: 12, default: null, tag: 0 }),
    replicaId: int32({ until: 14, default: -1 }),
    replicaState: struct(
      { replicaId: int32({ default: -1 }), replicaEpoch: int64({ default: -1n }) },
      { since: 15, tag: 1 },
    ),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ since: 3, default: 0x7fffffff }),
    isolationLevel: int8({ since: 4 }),
    sessionId: int32({ since: 7 }),
    sessionEpoch: int32({ since: 7, default: -1 }),
    topics: array({
      topic: string({ until: 12 }),
      topicId: uuid({ since: 13 }),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ since: 9, default: -1 }),
        fetchOffset: int64(),
        lastFetchedEpoch: int32({ since: 12, default: -1 }),
        logStartOffset: int64({ since: 5, default: -1n }),
        partitionMaxBytes: int32(),
        replicaDirectoryId: uuid({ since: 17, tag: 0 }),
      }),
    }),
    forgottenTopicsData: array(
      { topic: string({ until: 12 }), topicId: uuid({ since: 13 }), partitions: array(int32()) },
      { since: 7 },
    ),
    rackId: string({ since: 11 }),
  },
  response: {
    throttleTimeMs: int32({ since: 1 }),
    errorCode: int16({ since: 7 }),
    sessionId: int32({ since: 7 }),
    responses: array({
      topic: string({ until: 12 }),
      topicId: uuid({ since: 13 }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        highWatermark: int64(),
        lastStableOffset: int64({ since: 4, default: -1n }),
        logStartOffset: int64({ since: 5, default: -1n }),
        divergingEpoch: struct(
          { epoch: int32({ default: -1 }), endOffset: int64({ default: -1n }) },
          { since: 12, tag: 0 },
        ),
        currentLeader: struct(
          { leaderId: int32({ default: -1 }), leaderEpoch: int32({ default: -1 }) },
          { since: 12, tag: 1 },
        ),
        snapshotId: struct(
          { endOffset: int64({ default: -1n }), epoch: int32({ default: -1 }) },
          { since: 12, tag: 2 },
        ),
        abortedTransactions: array(
          { producerId: int64(), firstOffset: int64() },
          { since: 4, nullable: 4, default: null },
        ),
        preferredReadReplica: int32({ since: 11, default: -1 }),
        records: records({ nullable: 0 }),
      }),
    }),
    nodeEndpoints: array(
      { nodeId: int32(), host: string(), port: int32(), rack: string({ nullable: 0, default: null }) },
      { since: 16, tag: 0 },
    ),
  },
})
