import { MalformedError } from '../base/malformed.js'
import { describeEntry, fromKafka, InvalidRecordError, newEntryFromPulsar } from '../entry-format/index.js'
import type { EntryFormatName, KafkaBatch, TimestampType } from '../entry-format/types.js'
import { readBatch } from '../kafka/wire/record-batch.js'
import { openRecords } from '../kafka/wire/record-cursor.js'
import type { OffsetMapping } from '../offsets/types.js'
import type { NewEntry } from '../storage/types.js'
import { type PulsarSend, type Refusal, refuse } from './types.js'

/**
 * What comes in, as entries to append; needs nothing of the log, so it is done before an append's turn.
 * @param needsKeys a record without a key is refused, as Kafka does where the topic is compacted
 */
export async function entriesOfBatch(
  batch: KafkaBatch,
  {
    entryFormat: format,
    mapping,
  }: { readonly entryFormat: EntryFormatName; readonly mapping: OffsetMapping },
  timestampType: TimestampType,
  appendTimeMs: number,
  needsKeys: boolean,
): Promise<readonly NewEntry[] | Refusal> {
  try {
    if (needsKeys && (await hasNullKey(batch)))
      return refuse('INVALID_RECORD', 'A compacted topic takes no records without a key; give each one.')
    const { messagesPerEntryMax } = mapping
    return await fromKafka(batch, { format, messagesPerEntryMax, timestampType, appendTimeMs })
  } catch (error) {
    return formatRefusal(error)
  }
}

async function hasNullKey(batch: KafkaBatch): Promise<boolean> {
  if (batch.isControl) return false
  const record = await openRecords(readBatch(batch.bytes))
  while (!record.atEnd) {
    record.next()
    if (record.keyStart < 0) return true
  }
  return false
}

export interface PreparedSend {
  readonly entry: NewEntry
  /** A piece of a chunked message that is not its last. */
  readonly isEarlierChunk: boolean
}

export async function entryOfSend(
  { headersAndPayload }: PulsarSend,
  { name, messagesPerEntryMax }: OffsetMapping,
  timestampType: TimestampType,
  nowMs: number,
): Promise<PreparedSend | Refusal> {
  try {
    const times = timestampType === 'LogAppendTime' ? { appendTimeMs: nowMs } : {}
    const entry = await newEntryFromPulsar(headersAndPayload, times)
    if (entry.messageCount > messagesPerEntryMax) {
      const message = `A batch of ${entry.messageCount} messages has no offsets under ${name}, which allows ${messagesPerEntryMax}; send smaller batches.`
      return refuse('INVALID_RECORD', message)
    }
    const { chunk } = describeEntry({ data: headersAndPayload })
    return { entry, isEarlierChunk: chunk !== undefined && chunk.chunkId < chunk.chunkCount - 1 }
  } catch (error) {
    return formatRefusal(error)
  }
}

function formatRefusal(error: unknown): Refusal {
  if (error instanceof InvalidRecordError) return refuse('INVALID_RECORD', error.message)
  if (error instanceof MalformedError) return refuse('CORRUPT_MESSAGE', error.message)
  throw error
}
