import { asOffset } from '../base/brand.js'
import { fetch } from '../kafka/messages/01-fetch.js'
import { batchField } from '../kafka/wire/record-batch.js'
import type { ResponseOf } from '../kafka/wire/schema.js'
import { isRefusal } from '../topics/types.js'
import type { Mutant } from './mutant.js'
import { changedBatches, fetchedBatches } from './rewrite.js'
import { answered, answersOf, kafkaLogs } from './seams.js'

type Topics = ResponseOf<typeof fetch>['responses']

const hasRecords = (partition: Topics[number]['partitions'][number]) =>
  (partition.records ?? []).some(({ length }) => length > 0)

/** Answers an incremental fetch for every partition of its session, changed or not. */
function tellsAllOfSession() {
  const sessions = new Map<number, Topics>()
  return answered(fetch, (response, request) => {
    const { sessionId = 0, responses } = response
    if (sessionId === 0) return response
    if (request.sessionEpoch === 0) sessions.set(sessionId, responses)
    const isTold = (topic: Topics[number], index: number) =>
      responses.some(
        (other) =>
          other.topic === topic.topic &&
          other.topicId === topic.topicId &&
          other.partitions.some(({ partitionIndex }) => partitionIndex === index),
      )
    const untold = (sessions.get(sessionId) ?? []).map((topic) => ({
      ...topic,
      partitions: topic.partitions
        .filter(({ partitionIndex }) => !isTold(topic, partitionIndex))
        .map((partition) => ({ ...partition, records: [] })),
    }))
    return {
      ...response,
      responses: [...responses, ...untold.filter(({ partitions }) => partitions.length > 0)],
    }
  })
}

/** Fetches hear of what Kafka's producers append, and of nothing else. */
const wokenByKafkaOnly = kafkaLogs((log) => {
  const listeners = new Set<() => void>()
  return {
    appendKafka: async (batch) => {
      const outcome = await log.appendKafka(batch)
      for (const listener of listeners) listener()
      return outcome
    },
    onAppend: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
})

/** What Kafka consumers are given (chapter CO, from Kafka's side). */
export const consumeMutants: readonly Mutant[] = [
  {
    name: 'first-batch-withheld',
    breaks: ['CO-1'],
    description: 'Of several batches the first is not sent.',
    replace: kafkaLogs((log) => ({
      fetchKafka: async (offset, limits) => {
        const answer = await log.fetchKafka(offset, limits)
        if (isRefusal(answer)) return answer
        const all = await changedBatches(answer, (batch) => [batch])
        const records = all.records.length > 1 ? all.records.slice(1) : all.records
        return { ...all, records, bytes: records.reduce((sum, { length }) => sum + length, 0) }
      },
    })),
  },
  {
    name: 'batch-entered-midway-skipped',
    breaks: ['CO-2', 'ID-5'],
    description: 'A fetch from the middle of a batch starts with the batch after it.',
    replace: kafkaLogs((log) => ({
      fetchKafka: async (offset, limits) => {
        const answer = await log.fetchKafka(offset, limits)
        if (isRefusal(answer)) return answer
        return changedBatches(answer, (batch) =>
          batch.readBigInt64BE(batchField.baseOffset) < offset ? [] : [batch],
        )
      },
    })),
  },
  {
    name: 'reading-leaves-subscription',
    breaks: ['CO-3'],
    description: 'A fetch opens a durable cursor.',
    replace: kafkaLogs((log) => ({
      fetchKafka: async (offset, limits) => {
        await log.ledger.openCursor('kafka-reader', log.ledger.start.position)
        return log.fetchKafka(offset, limits)
      },
    })),
  },
  {
    name: 'fetch-does-not-wait',
    breaks: ['CO-4'],
    description: 'A fetch at the log’s end is answered at once.',
    replace: answersOf(fetch, ({ request, answer }) => answer({ ...request, maxWaitMs: 0 })),
  },
  {
    name: 'fetch-does-not-wake',
    breaks: ['CO-4'],
    description: 'A waiting fetch waits to the end of its time, though data has come.',
    replace: kafkaLogs(() => ({ onAppend: () => () => {} })),
  },
  {
    name: 'pulsar-wakes-no-fetch',
    breaks: ['CO-4'],
    description: 'A waiting fetch hears of what Kafka’s producers send, and not of what Pulsar’s do.',
    replace: wokenByKafkaOnly,
  },
  {
    name: 'min-bytes-ignored',
    breaks: ['CO-4'],
    description: 'A fetch is answered with the first byte, whatever it was told to wait for.',
    replace: answersOf(fetch, ({ request, answer }) =>
      answer({ ...request, minBytes: Math.min(1, request.minBytes) }),
    ),
  },
  {
    name: 'large-batch-never-sent',
    breaks: ['CO-5'],
    description: 'A batch larger than the limit is never sent.',
    replace: kafkaLogs((log) => ({
      fetchKafka: (offset, limits) => log.fetchKafka(offset, { ...limits, atLeastOne: false }),
    })),
  },
  {
    name: 'limits-ignored',
    breaks: ['CO-5'],
    description: 'A fetch is answered with more bytes than its limits allow.',
    replace: kafkaLogs((log) => ({
      fetchKafka: (offset, limits) => log.fetchKafka(offset, { ...limits, maxBytes: 1 << 30 }),
    })),
  },
  {
    name: 'partitions-without-data-left-out',
    breaks: ['CO-6'],
    description: 'A fetch outside a session does not answer for partitions without data.',
    replace: answered(fetch, (response) =>
      response.sessionId
        ? response
        : {
            ...response,
            responses: response.responses.map((topic) => ({
              ...topic,
              partitions: topic.partitions.filter(
                (partition) => partition.errorCode !== 0 || hasRecords(partition),
              ),
            })),
          },
    ),
  },
  {
    name: 'session-tells-unchanged',
    breaks: ['CO-6'],
    description: 'An incremental fetch is answered for partitions without change.',
    replace: tellsAllOfSession(),
  },
  {
    name: 'one-place-for-all-consumers',
    breaks: ['CO-7', 'CO-2'],
    description: 'A consumer behind another one is given what comes after the other’s place.',
    replace: kafkaLogs((log) => {
      let furthest = 0n
      return {
        fetchKafka: (offset, limits) => {
          if (offset > furthest) furthest = offset
          return log.fetchKafka(asOffset(furthest), limits)
        },
      }
    }),
  },
  {
    name: 'wrong-crc',
    breaks: ['CO-8'],
    description: 'Fetched batches carry a wrong checksum.',
    replace: fetchedBatches((batch) => {
      batch.writeUInt32BE((batch.readUInt32BE(batchField.checksum) ^ 1) >>> 0, batchField.checksum)
      return [batch]
    }),
  },
  {
    name: 'base-offset-of-producer',
    breaks: ['CO-8', 'ID-4'],
    description: 'Fetched batches carry the base offset that their producer wrote, which is 0.',
    replace: fetchedBatches((batch) => {
      batch.writeBigInt64BE(0n, batchField.baseOffset)
      return [batch]
    }),
  },
]
