import { MalformedError } from '../../base/malformed.js'
import type { LogView, PartitionLog } from '../../topics/types.js'
import { fail } from '../failure.js'
import type { Handler } from '../session.js'
import { wholeEntry } from '../subscriptions/keyed-entry.js'
import type { MessageIdData } from '../wire/commands.js'
import { readHeadersAndPayload } from '../wire/entry-checksum.js'
import { decompressPayload } from '../wire/message-compression.js'
import { SingleMessageCursor } from '../wire/single-message.js'

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
    lastMessageId: { ...(await lastMessageIdOf(held.topic.log, held.consumer.view)), partition },
    consumerMarkDeletePosition: { ledgerId: next.ledgerId, entryId: next.entryId - 1 },
  })
}

/** The id of the last message that a consumer can read; batch index −1 unless the entry is a batch. */
export async function lastMessageIdOf(log: PartitionLog, view: LogView = 'log'): Promise<MessageIdData> {
  const last = await log.lastEntry(view)
  if (last === undefined) {
    const { ledgerId } = log.ledger.end.position
    return { ledgerId, entryId: -1, batchIndex: -1 }
  }
  const { ledgerId, entryId } = last.position
  const [entry] = await log.readPulsar(last.position, { maxEntries: 1, maxBytes: 1 }, view)
  return { ledgerId, entryId, batchIndex: entry === undefined ? -1 : await lastBatchIndex(wholeEntry(entry)) }
}

/** Of the last message that was not compacted out; −1 unless the entry is a batch. */
async function lastBatchIndex(data: Buffer): Promise<number> {
  const { metadata, payloadStart } = readHeadersAndPayload(data)
  const { messagesInBatch, compression, uncompressedBytes = 0 } = metadata
  if (messagesInBatch === undefined) return -1
  if (metadata.encryption !== undefined) return messagesInBatch - 1
  try {
    const payload = await decompressPayload(compression, data.subarray(payloadStart), uncompressedBytes)
    const message = new SingleMessageCursor(payload)
    let last = messagesInBatch - 1
    for (let index = 0; index < messagesInBatch; index++) {
      message.next()
      if (!message.compactedOut) last = index
    }
    return last
  } catch (error) {
    if (error instanceof MalformedError) return messagesInBatch - 1
    throw error
  }
}
