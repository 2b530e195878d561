import { api, array, bool, int8, int16, int32, string, uuid } from '../wire/schema.js'

/**
 * Creates topics. v1: may only check; v4: −1 stands for the broker's defaults (KIP-464); v5: answers what was created
 * (KIP-525); v7: topic ids (KIP-516).
 */
export const createTopics = api({
  key: 19,
  name: 'CreateTopics',
  versions: [0, 7],
  flexibleSince: 5,
  request: {
    topics: array({
      name: string(),
      numPartitions: int32(),
      replicationFactor: int16(),
      assignments: array({ partitionIndex: int32(), brokerIds: array(int32()) }),
      configs: array({ name: string(), value: string({ nullable: 0 }) }),
    }),
    timeoutMs: int32(),
    validateOnly: bool({ since: 1 }),
  },
  response: {
    throttleTimeMs: int32({ since: 2 }),
    topics: array({
      name: string(),
      topicId: uuid({ since: 7 }),
      errorCode: int16(),
      errorMessage: string({ since: 1, nullable: 1, default: null }),
      topicConfigErrorCode: int16({ since: 5, tag: 0 }),
      numPartitions: int32({ since: 5, default: -1 }),
      replicationFactor: int16({ since: 5, default: -1 }),
      configs: array(
        {
          name: string(),
          value: string({ nullable: 5 }),
          readOnly: bool(),
          configSource: int8({ default: -1 }),
          isSensitive: bool(),
        },
        { since: 5, nullable: 5 },
      ),
    }),
  },
})
