import { api, array, int16, int32, string } from '../wire/schema.js'

/** Leaves a group: one member up to v2, several from v3 on (KIP-345); v5: why (KIP-800). */
export const leaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexibleSince: 4,
  request: {
    groupId: string(),
    memberId: string({ until: 2 }),
    members: array(
      {
        memberId: string(),
        groupInstanceId: string({ nullable: 3, default: null }),
        reason: string({ since: 5, nullable: 5, default: null }),
      },
      { since: 3 },
    ),
  },
  response: {
    throttleTimeMs: int32({ since: 1 }),
    errorCode: int16(),
    members: array(
      { memberId: string(), groupInstanceId: string({ nullable: 3 }), errorCode: int16() },
      { since: 3 },
    ),
  },
})
