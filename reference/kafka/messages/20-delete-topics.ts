import { api, array, int16, int32, string, uuid } from '../wire/schema.js'

/** Deletes topics, by name up to v5, by name or id from v6 on (KIP-516). */
export const deleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  versions: [0, 6],
  flexibleSince: 4,
  request: {
    topics: array({ name: string({ nullable: 6, default: null }), topicId: uuid() }, { since: 6 }),
    topicNames: array(string(), { until: 5 }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32({ since: 1 }),
    responses: array({
      name: string({ nullable: 6 }),
      topicId: uuid({ since: 6 }),
      errorCode: int16(),
      errorMessage: string({ since: 5, nullable: 5, default: null }),
    }),
  },
})
