import { crc32c } from '../base/crc32c.js'
import { produce } from '../kafka/messages/00-produce.js'
import { errorCode } from '../kafka/wire/errors.js'
import { batchField, magicAt, readBatch } from '../kafka/wire/record-batch.js'
import type { RequestOf, ResponseOf } from '../kafka/wire/schema.js'
import { isRefusal, type PartitionLog, type RefusalName, refuse } from '../topics/types.js'
import type { Mutant } from './mutant.js'
import { acknowledged } from './rewrite.js'
import { answered, answersOf, kafkaLogs } from './seams.js'

type Request = RequestOf<typeof produce>
type PartitionAnswer = ResponseOf<typeof produce>['responses'][number]['partitionResponses'][number]

/** Of a batch's attributes. */
const controlBit = 0x20

/** How long acknowledged records stay in memory only: long enough to be killed in. */
const storedAfterMs = 500

const eachAnswer = (change: (answer: PartitionAnswer) => PartitionAnswer) =>
  answered(produce, (response) => ({
    ...response,
    responses: response.responses.map((topic) => ({
      ...topic,
      partitionResponses: topic.partitionResponses.map(change),
    })),
  }))

/** A v2 batch changed, its checksum made that of its bytes. */
function changedBatch(batch: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(batch)
  change(copy)
  copy.writeUInt32BE(crc32c(copy.subarray(batchField.attributes)), batchField.checksum)
  return copy
}

/** A request of which every v2 batch is changed, and has a right checksum. */
function withBatches(request: Request, change: (copy: Buffer) => void): Request {
  const other = (records: Buffer | null) =>
    records === null || magicAt(records, 0) !== 2 ? records : changedBatch(records, change)
  return {
    ...request,
    topicData: request.topicData.map((topic) => ({
      ...topic,
      partitionData: topic.partitionData.map((each) => ({ ...each, records: other(each.records) })),
    })),
  }
}

/** The batch as a producer without an id would send it: nothing is checked against what it sent before. */
const anonymous = (bytes: Buffer) =>
  readBatch(
    changedBatch(bytes, (copy) => {
      copy.writeBigInt64BE(-1n, batchField.producerId)
      copy.writeInt16BE(-1, batchField.producerEpoch)
      copy.writeInt32BE(-1, batchField.baseSequence)
    }),
  )

/** Stores what the right broker refuses. */
const acceptsRefused = (refused: RefusalName) =>
  kafkaLogs((log) => ({
    appendKafka: async (batch) => {
      const outcome = await log.appendKafka(batch)
      return isRefusal(outcome) && outcome.refused === refused
        ? log.appendKafka(anonymous(batch.bytes))
        : outcome
    },
  }))

/** Acknowledges at once, and stores later, in order. */
function acknowledgesFirst(log: PartitionLog): Pick<PartitionLog, 'appendKafka'> {
  let promised = 0n
  let turn: Promise<unknown> = Promise.resolve()
  const later = () => new Promise((resolve) => setTimeout(resolve, storedAfterMs).unref())
  return {
    appendKafka: async (batch) => {
      const end = log.endOffset()
      const baseOffset = promised > end ? promised : end
      promised = baseOffset + BigInt(batch.recordCount)
      turn = turn.then(later).then(() => log.appendKafka(batch))
      return acknowledged(log, baseOffset)
    },
  }
}

/** How long an append waits for the next one to overtake it. */
const overtakenWithinMs = 20

/** Of two batches that are under way together the second is stored first. */
function overtaking(log: PartitionLog): Pick<PartitionLog, 'appendKafka'> {
  let held: (() => void) | null = null
  return {
    appendKafka: (batch) => {
      const release = held
      held = null
      if (release !== null) {
        const outcome = log.appendKafka(batch)
        release()
        return outcome
      }
      return new Promise((resolve, reject) => {
        const append = () => {
          clearTimeout(timer)
          if (held === append) held = null
          log.appendKafka(batch).then(resolve, reject)
        }
        const timer = setTimeout(append, overtakenWithinMs)
        held = append
      })
    },
  }
}

/** What producers are told, and what is stored (chapter PR). */
export const produceMutants: readonly Mutant[] = [
  {
    name: 'acks-0-answered',
    breaks: ['PR-2'],
    description: 'A produce request with acks 0 gets a response.',
    replace: answersOf(produce, async ({ request, answer }) => {
      if (request.acks !== 0) return answer()
      await answer()
      return {
        responses: request.topicData.map(({ name, partitionData }) => ({
          name,
          partitionResponses: partitionData.map(({ index }) => ({ index, errorCode: 0, baseOffset: 0n })),
        })),
      }
    }),
  },
  {
    name: 'acks-0-not-stored',
    breaks: ['PR-2'],
    description: 'Records sent with acks 0 are thrown away.',
    replace: answersOf(produce, async ({ request, answer }) => (request.acks === 0 ? null : answer())),
  },
  {
    name: 'acknowledged-before-stored',
    breaks: ['PR-3'],
    description: 'Records are acknowledged half a second before they are stored.',
    replace: kafkaLogs(acknowledgesFirst),
  },
  {
    name: 'failed-append-acknowledged',
    breaks: ['PR-3'],
    description: 'What the store could not take is acknowledged all the same.',
    replace: kafkaLogs((log) => ({
      appendKafka: async (batch) => {
        const outcome = await log.appendKafka(batch)
        const failed = isRefusal(outcome) && outcome.refused === 'KAFKA_STORAGE_ERROR'
        return failed ? acknowledged(log, log.endOffset()) : outcome
      },
    })),
  },
  {
    name: 'pipelined-batches-reordered',
    breaks: ['PR-1'],
    description: 'Of two batches of a partition that are under way together the second is stored first.',
    replace: kafkaLogs(overtaking),
  },
  {
    name: 'corrupt-batch-accepted',
    breaks: ['PR-4', 'PR-5'],
    description: 'A batch with a wrong checksum is stored.',
    replace: answersOf(produce, ({ request, answer }) => answer(withBatches(request, () => {}))),
  },
  {
    name: 'oversized-batch-dropped',
    breaks: ['PR-4'],
    description: 'A batch that is too large is acknowledged, and not stored.',
    replace: eachAnswer((answer) =>
      answer.errorCode === errorCode('MESSAGE_TOO_LARGE')
        ? { ...answer, errorCode: 0, baseOffset: 0n }
        : answer,
    ),
  },
  {
    name: 'bad-partition-fails-all',
    breaks: ['PR-5'],
    description: 'One bad partition fails all partitions of its request.',
    replace: answered(produce, (response) => {
      const all = response.responses.flatMap((topic) => topic.partitionResponses)
      const bad = all.find((answer) => answer.errorCode !== 0)
      if (bad === undefined) return response
      const failed = (answer: PartitionAnswer) => ({ ...answer, errorCode: bad.errorCode, baseOffset: -1n })
      return {
        ...response,
        responses: response.responses.map((topic) => ({
          ...topic,
          partitionResponses: topic.partitionResponses.map(failed),
        })),
      }
    }),
  },
  {
    name: 'duplicate-stored-twice',
    breaks: ['PR-6'],
    description: 'A batch that an idempotent producer repeats is stored again.',
    replace: kafkaLogs((log) => ({
      appendKafka: async (batch) => {
        const outcome = await log.appendKafka(batch)
        if (!isRefusal(outcome) && outcome.duplicate) await log.appendKafka(anonymous(batch.bytes))
        return outcome
      },
    })),
  },
  {
    name: 'sequence-gap-accepted',
    breaks: ['PR-6'],
    description: 'A batch of an idempotent producer that skips a sequence number is stored.',
    replace: acceptsRefused('OUT_OF_ORDER_SEQUENCE_NUMBER'),
  },
  {
    name: 'older-epoch-accepted',
    breaks: ['PR-6'],
    description: 'A producer that has been replaced by a newer epoch may go on writing.',
    replace: acceptsRefused('INVALID_PRODUCER_EPOCH'),
  },
  {
    name: 'duplicates-forgotten',
    breaks: ['PR-6'],
    description: 'Idempotent producers are treated as all others.',
    replace: kafkaLogs((log) => ({ appendKafka: (batch) => log.appendKafka(anonymous(batch.bytes)) })),
  },
  {
    name: 'control-batch-shown',
    breaks: ['MC-18'],
    description: 'A control batch is stored as a batch of records, which both sides see.',
    replace: answersOf(produce, ({ request, answer }) =>
      answer(
        withBatches(request, (copy) => {
          const attributes = copy.readInt16BE(batchField.attributes)
          copy.writeInt16BE(attributes & ~controlBit, batchField.attributes)
        }),
      ),
    ),
  },
  {
    name: 'zstd-refused',
    breaks: ['MC-13'],
    description: 'Batches compressed with zstd are refused.',
    replace: kafkaLogs((log) => ({
      appendKafka: async (batch) =>
        readBatch(batch.bytes).codec === 4
          ? refuse('INVALID_RECORD', 'no zstd here')
          : log.appendKafka(batch),
    })),
  },
  {
    name: 'old-formats-refused',
    breaks: ['MC-14', 'PH-3'],
    description: 'Message formats 0 and 1 are refused, though their Produce versions are listed.',
    replace: answered(produce, (response, _, apiVersion) => ({
      ...response,
      responses: response.responses.map((topic) => ({
        ...topic,
        partitionResponses: topic.partitionResponses.map((answer) =>
          apiVersion < 3
            ? { ...answer, errorCode: errorCode('UNSUPPORTED_FOR_MESSAGE_FORMAT'), baseOffset: -1n }
            : answer,
        ),
      })),
    })),
  },
]
