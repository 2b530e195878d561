import { asEntryId, asLedgerId, asOffset } from '../base/brand.js'
import { listOffsets } from '../kafka/messages/02-list-offsets.js'
import { batchField, readBatch } from '../kafka/wire/record-batch.js'
import type { OffsetMapping } from '../offsets/types.js'
import { wrapperMapping } from '../offsets/wrapper.js'
import { isRefusal, type PartitionLog } from '../topics/types.js'
import type { Mutant } from './mutant.js'
import { changedBatches, fetchedBatches, looseRecords, rebuilt } from './rewrite.js'
import { answered, type Changes, kafkaLogs, pulsarLogs } from './seams.js'

const latest = -1n

/** A log that is empty when it is opened begins at 0 again, whatever was in it. */
function restartsAtZero(log: PartitionLog): Changes<PartitionLog> {
  const start = log.startOffset()
  const gone = start === log.endOffset() ? start : 0n
  if (gone === 0n) return {}
  const told = (offset: bigint) => asOffset(offset - gone)
  const real = (offset: bigint) => asOffset(offset + gone)
  return {
    startOffset: () => told(log.startOffset()),
    endOffset: () => told(log.endOffset()),
    deleteRecords: async (before) => {
      const outcome = await log.deleteRecords(real(before))
      return isRefusal(outcome) ? outcome : told(outcome)
    },
    appendKafka: async (batch) => {
      const outcome = await log.appendKafka(batch)
      return isRefusal(outcome) ? outcome : { ...outcome, baseOffset: told(outcome.baseOffset) }
    },
    fetchKafka: async (offset, limits) => {
      const answer = await log.fetchKafka(real(offset), limits)
      if (isRefusal(answer)) return answer
      return changedBatches(answer, (batch) => {
        batch.writeBigInt64BE(told(batch.readBigInt64BE(batchField.baseOffset)), batchField.baseOffset)
        return [batch]
      })
    },
  }
}

/** The wrapper's mapping with fewer bits for entries. */
function fewerEntryBits(): void {
  const bits = 20n
  const changes: Pick<OffsetMapping, 'offsetOf' | 'targetOf'> = {
    offsetOf: ({ position: { ledgerId, entryId } }) => asOffset((BigInt(ledgerId) << bits) | BigInt(entryId)),
    targetOf: (offset) => ({
      by: 'id',
      position: {
        ledgerId: asLedgerId(Number(offset >> bits)),
        entryId: asEntryId(Number(BigInt.asUintN(Number(bits), offset))),
      },
      batchIndex: 0,
    }),
  }
  Object.assign(wrapperMapping, changes)
}

/** Offsets and message ids (chapter ID). */
export const offsetMutants: readonly Mutant[] = [
  {
    name: 'offset-off-by-one-in-batch',
    breaks: ['ID-4', 'ID-5'],
    description: 'Within a batch, all records but the first are consumed under the offset of the next one.',
    replace: fetchedBatches(async (bytes) => {
      const batch = readBatch(bytes)
      const [first, ...rest] = await looseRecords(batch)
      if (first === undefined || rest.length === 0) return [bytes]
      const baseOffset = bytes.readBigInt64BE(batchField.baseOffset)
      return [await rebuilt(batch, [first], baseOffset), await rebuilt(batch, rest, baseOffset + 2n)]
    }),
  },
  {
    name: 'acknowledged-offset-plus-one',
    breaks: ['ID-4'],
    description: 'Producers are told the offset after the one under which their records are consumed.',
    replace: kafkaLogs((log) => ({
      appendKafka: async (batch) => {
        const outcome = await log.appendKafka(batch)
        return isRefusal(outcome) ? outcome : { ...outcome, baseOffset: asOffset(outcome.baseOffset + 1n) }
      },
    })),
  },
  {
    name: 'message-id-of-next-entry',
    breaks: ['ID-1'],
    description: 'Pulsar producers are told the id of the entry after theirs.',
    replace: pulsarLogs((log) => ({
      appendPulsar: async (send) => {
        const outcome = await log.appendPulsar(send)
        if (isRefusal(outcome)) return outcome
        const { ledgerId, entryId } = outcome.position
        return { ...outcome, position: { ledgerId, entryId: asEntryId(entryId + 1) } }
      },
    })),
  },
  {
    name: 'latest-beyond-end',
    breaks: ['ID-7'],
    description: 'The latest offset is one more than the log’s end.',
    replace: answered(listOffsets, (response, request) => ({
      ...response,
      topics: response.topics.map((topic, at) => ({
        ...topic,
        partitions: topic.partitions.map((partition, index) =>
          request.topics[at]?.partitions[index]?.timestamp === latest
            ? { ...partition, offset: (partition.offset ?? 0n) + 1n }
            : partition,
        ),
      })),
    })),
  },
  {
    name: 'end-counts-batches',
    breaks: ['ID-10'],
    description: 'A batch raises the log end by one, however many records it has.',
    replace: kafkaLogs((log) => {
      let batches = 0n
      return {
        appendKafka: (batch) => {
          batches++
          return log.appendKafka(batch)
        },
        endOffset: () => asOffset(batches),
      }
    }),
  },
  {
    name: 'timestamp-lookup-off-by-one',
    breaks: ['ID-8'],
    description: 'Timestamp look-up answers the offset after the right one.',
    replace: kafkaLogs((log) => ({
      offsetOfTimestamp: async (timestampMs) => {
        const found = await log.offsetOfTimestamp(timestampMs)
        return found && { ...found, offset: asOffset(found.offset + 1n) }
      },
    })),
  },
  {
    name: 'timestamp-lookup-strictly-later',
    breaks: ['ID-8'],
    description: 'Timestamp look-up leaves out records of exactly the target time.',
    replace: kafkaLogs((log) => ({
      offsetOfTimestamp: (timestampMs) => log.offsetOfTimestamp(timestampMs + 1n),
    })),
  },
  {
    name: 'timestamp-lookup-answers-end',
    breaks: ['ID-8'],
    description: 'Timestamp look-up beyond the last record answers the log’s end in place of −1.',
    replace: kafkaLogs((log) => ({
      offsetOfTimestamp: async (timestampMs) =>
        (await log.offsetOfTimestamp(timestampMs)) ?? { offset: log.endOffset(), timestampMs },
    })),
  },
  {
    name: 'out-of-range-reset-silently',
    breaks: ['ID-9'],
    description: 'A fetch beyond the log’s ends reads from its start in place of OFFSET_OUT_OF_RANGE.',
    replace: kafkaLogs((log) => ({
      fetchKafka: async (offset, limits) => {
        const answer = await log.fetchKafka(offset, limits)
        if (!isRefusal(answer) || answer.refused !== 'OFFSET_OUT_OF_RANGE') return answer
        return log.fetchKafka(log.startOffset(), limits)
      },
    })),
  },
  {
    name: 'offsets-restart-at-zero',
    breaks: ['ID-2', 'ID-13'],
    description: 'Offsets begin at 0 again when all has been deleted and the broker is started again.',
    replace: kafkaLogs(restartsAtZero),
  },
  {
    name: 'delete-records-ignored',
    breaks: ['ID-13'],
    description: 'DeleteRecords is answered as done, and deletes nothing.',
    replace: kafkaLogs(() => ({ deleteRecords: async (before) => before })),
  },
  {
    name: 'wrapper-with-fewer-entry-bits',
    breaks: ['ID-12'],
    description:
      'Under the mapping `wrapper` an offset has another place for the entry than the wrapper computes.',
    install: fewerEntryBits,
  },
]
