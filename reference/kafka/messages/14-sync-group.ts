import { api, array, bytes, int16, int32, string } from '../wire/schema.js'

/** The leader hands in the assignment of a generation, each member gets its own. v5: protocol names are checked (KIP-559). */
export const syncGroup = api({
  key: 14,
  name: 'SyncGroup',
  versions: [0, 5],
  flexibleSince: 4,
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ since: 3, nullable: 3, default: null }),
    protocolType: string({ since: 5, nullable: 5, default: null }),
    protocolName: string({ since: 5, nullable: 5, default: null }),
    assignments: array({ memberId: string(), assignment: bytes() }),
  },
  response: {
    throttleTimeMs: int32({ since: 1 }),
    errorCode: int16(),
    protocolType: string({ since: 5, nullable: 5, default: null }),
    protocolName: string({ since: 5, nullable: 5, default: null }),
    assignment: bytes(),
  },
})
