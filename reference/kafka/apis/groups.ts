import { type GroupKey, groupKey } from '../../groups/group-key.js'
import type { ErrorName } from '../wire/errors.js'
import type { Call } from './handler.js'

/** A group's name is also that of a subscription and part of stored keys, so it is bounded as topic names are. */
const groupIdBytesMax = 249

/** The group that a client means: groups are of the namespace that it works in (register MT-4). */
export const keyOfGroup = (groupId: string, call: Pick<Call, 'namespace'>): GroupKey =>
  groupKey({ groupId, ...call.namespace })

/** @returns INVALID_GROUP_ID, or null for a name that a group with members can have. */
export function groupIdFault(groupId: string): ErrorName | null {
  return groupId === '' ? 'INVALID_GROUP_ID' : storedGroupIdFault(groupId)
}

/** Offsets may be committed under the empty name too, as consumers without a group of old did. */
export const storedGroupIdFault = (groupId: string): ErrorName | null =>
  Buffer.byteLength(groupId) > groupIdBytesMax ? 'INVALID_GROUP_ID' : null
