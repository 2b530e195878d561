import { api, array, int16, int32, int64, records, string, struct } from '../wire/schema.js'

/**
 * Record batches for partitions. With `acks` 0 nothing is answered. v3: message format 2 and transactions (KIP-98);
 * v7: zstd (KIP-110); v8: errors of single records (KIP-467); v10: the new leader (KIP-951); v12: KIP-890.
 */
export const produce = api({
  key: 0,
  name: 'Produce',
  versions: [0, 12],
  flexibleSince: 9,
  request: {
    transactionalId: string({ since: 3, nullable: 3, default: null }),
    acks: int16(),
    timeoutMs: int32(),
    topicData: array({
      name: string(),
      partitionData: array({ index: int32(), records: records({ nullable: 0 }) }),
    }),
  },
  response: {
    responses: array({
      name: string(),
      partitionResponses: array({
        index: int32(),
        errorCode: int16(),
        baseOffset: int64(),
        logAppendTimeMs: int64({ since: 2, default: -1n }),
        logStartOffset: int64({ since: 5, default: -1n }),
        recordErrors: array(
          { batchIndex: int32(), batchIndexErrorMessage: string({ nullable: 8, default: null }) },
          { since: 8 },
        ),
        errorMessage: string({ since: 8, nullable: 8, default: null }),
        currentLeader: struct(
          { leaderId: int32({ default: -1 }), leaderEpoch: int32({ default: -1 }) },
          { since: 10, tag: 0 },
        ),
      }),
    }),
    throttleTimeMs: int32({ since: 1 }),
    nodeEndpoints: array(
      { nodeId: int32(), host: string(), port: int32(), rack: string({ nullable: 0, default: null }) },
      { since: 10, tag: 0 },
    ),
  },
})
