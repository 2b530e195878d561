import { MalformedError } from '../../base/malformed.js'
import { upConvert } from './message-set.js'
import {
  checkBatch,
  isRecordsRefusal,
  magicAt,
  type RecordBatch,
  type RecordsRefusal,
  refuseRecords,
  splitBatches,
} from './record-batch.js'
import { uncompressedBytesMaxDefault } from './record-cursor.js'

const zstd = 4
const zstdSinceVersion = 7
const formatTwoSinceVersion = 3

/**
 * What a Produce request has for one partition, as validated v2 batches. The rules are Kafka's: from v3 on exactly one batch
 * of format 2, before that a message set of format 0 or 1, which becomes one batch (KIP-98); zstd only from v7 on (KIP-110);
 * control batches only from brokers.
 *
 * Headers and checksums are validated. Single records of format 2 are not: whoever makes an entry of them, in either
 * format, looks at each anyway.
 */
export async function readProduced(
  records: Buffer | null,
  produceVersion: number,
  uncompressedBytesMax = uncompressedBytesMaxDefault,
): Promise<readonly RecordBatch[] | RecordsRefusal> {
  if (records === null || records.length === 0)
    return refuseRecords('INVALID_RECORD', 'The partition has no records.')
  const magic = magicAt(records, 0)
  if (magic === 2) return formatTwo(records, produceVersion)
  if (produceVersion >= formatTwoSinceVersion)
    return refuseRecords(
      'INVALID_RECORD',
      `Produce v${produceVersion} takes records of magic 2, not ${magic}.`,
    )
  return formatZeroOrOne(records, uncompressedBytesMax)
}

function formatTwo(records: Buffer, produceVersion: number): readonly RecordBatch[] | RecordsRefusal {
  if (produceVersion < formatTwoSinceVersion)
    return refuseRecords('INVALID_RECORD', `Produce v${produceVersion} takes records of magic 0 or 1, not 2.`)
  const split = splitBatches(records)
  if (isRecordsRefusal(split)) return split
  const [bytes, ...more] = split
  if (bytes === undefined || more.length > 0)
    return refuseRecords('INVALID_RECORD', `A partition takes one batch a request, not ${split.length}.`)
  const batch = checkBatch(bytes)
  if (isRecordsRefusal(batch)) return batch
  if (batch.isControl) return refuseRecords('INVALID_RECORD', 'Only brokers write control batches.')
  if (batch.codec === zstd && produceVersion < zstdSinceVersion)
    return refuseRecords(
      'UNSUPPORTED_COMPRESSION_TYPE',
      `zstd needs Produce v${zstdSinceVersion}, not v${produceVersion}.`,
    )
  return [batch]
}

async function formatZeroOrOne(
  records: Buffer,
  uncompressedBytesMax: number,
): Promise<readonly RecordBatch[] | RecordsRefusal> {
  try {
    const bytes = await upConvert(records, uncompressedBytesMax)
    const batch = checkBatch(bytes)
    return isRecordsRefusal(batch) ? batch : [batch]
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return refuseRecords('CORRUPT_MESSAGE', `The message set cannot be read: ${error.message}.`)
  }
}
