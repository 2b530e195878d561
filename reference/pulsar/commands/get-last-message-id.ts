import type { PartitionLog } from '../../topics/types.js'
import { fail } from '../failure.js'
import type { Handler } from '../session.js'
import { wholeEntry } from '../subscriptions/keyed-entry.js'
import type { MessageIdData } from '../wire/commands.js'
import { readHeadersAndPayload } from '../wire/entry-checksum.js'

/** GET_LAST_MESSAGE_ID: entry −1 when nothing is stored; with it, up to where the consumer's subscription is done. */
export const getLastMessageId: Handler<'GET_LAST_MESSAGE_ID'> = async (
  session,
  { consumerId, requestId },
) => {
  const held = session.consumers.get(consumerId)
  if (held === undefined)
    return session.sendError(requestId, fail('ConsumerNotFound', `Consumer ${consumerId} is not connected`))
  const partition = held.topic.info.partitions > 0 ? held.topic.log.index : -1
  const next = held.subscription.cursor.position
  session.send('GET_LAST_MESSAGE_ID_RESPONSE', {
    requestId,
    lastMessageId: { ...(await lastMessageIdOf(held.topic.log)), partition },
    consumerMarkDeletePosition: { ledgerId: next.ledgerId, entryId: next.entryId - 1 },
  })
}

/** The id of a partition's last message; batch index −1 unless the entry is a batch. */
export async function lastMessageIdOf(log: PartitionLog): Promise<MessageIdData> {
  const last = await log.lastEntry()
  if (last === undefined) {
    const { ledgerId } = log.ledger.end.position
    return { ledgerId, entryId: -1, batchIndex: -1 }
  }
  const { ledgerId, entryId } = last.position
  const [entry] = await log.readPulsar(last.position, { maxEntries: 1, maxBytes: 1 })
  const isBatch =
    entry !== undefined && readHeadersAndPayload(wholeEntry(entry)).metadata.messagesInBatch !== undefined
  return { ledgerId, entryId, batchIndex: isBatch ? last.messageCount - 1 : -1 }
}
