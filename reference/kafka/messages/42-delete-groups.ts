import { api, array, int16, int32, string } from '../wire/schema.js'

/** Deletes empty groups (KIP-229). */
export const deleteGroups = api({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 2],
  flexibleSince: 2,
  request: { groupsNames: array(string()) },
  response: { throttleTimeMs: int32(), results: array({ groupId: string(), errorCode: int16() }) },
})
