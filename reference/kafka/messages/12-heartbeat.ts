import { api, int16, int32, string } from '../wire/schema.js'

/** Keeps a member in its group, and tells it when the group rebalances. */
export const heartbeat = api({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexibleSince: 4,
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ since: 3, nullable: 3, default: null }),
  },
  response: { throttleTimeMs: int32({ since: 1 }), errorCode: int16() },
})
