import type { MessageIdData } from '../wire/commands.js'
import { AdminError, isObject, jsonBody } from './errors.js'

/** Java's largest long, twice: the id after every message. */
export const LATEST: MessageIdData = { ledgerId: Number.MAX_VALUE, entryId: Number.MAX_VALUE }

/** A message id as the admin tools write it; undefined when the body is empty. @throws AdminError */
export function messageIdOf(body: unknown): MessageIdData | undefined {
  const json = jsonBody(body)
  if (json === undefined || json === null) return undefined
  if (json === 'earliest') return { ledgerId: -1, entryId: -1 }
  if (json === 'latest') return LATEST
  if (!isObject(json) || !('ledgerId' in json) || !('entryId' in json))
    throw new AdminError(400, 'The body is not a message id')
  return {
    ledgerId: whole(json.ledgerId),
    entryId: whole(json.entryId),
    batchIndex: whole(json.batchIndex ?? -1),
  }
}

/** Java's largest long, which stands for the latest id, is one too: JSON has it as the next double. */
function whole(value: unknown): number {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number))
    throw new AdminError(400, 'The body is not a message id')
  return number
}

/** Whether the message itself is meant to be left out. */
export function excludes(body: unknown): boolean {
  const json = jsonBody(body)
  return isObject(json) && json.isExcluded === true
}
