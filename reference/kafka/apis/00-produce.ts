import { MalformedError } from '../../base/malformed.js'
import { isRefusal, type KafkaAppended, type PartitionLog, type Refusal } from '../../topics/types.js'
import { produce as table } from '../messages/00-produce.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import { readProduced } from '../wire/produced-records.js'
import type { RecordBatch } from '../wire/record-batch.js'
import type { RequestOf, ResponseOf } from '../wire/schema.js'
import { storageFault } from './faults.js'
import { type Call, handler, type KafkaConnection } from './handler.js'
import { topicMessageBytesMax } from './topic-configs.js'
import { findTopic, isInternal, openPartition } from './topics.js'

type Request = RequestOf<typeof table>
type Asked = Request['topicData'][number]['partitionData'][number]
type Answer = ResponseOf<typeof table>['responses'][number]['partitionResponses'][number]

interface Ready {
  readonly log: PartitionLog
  readonly batches: readonly RecordBatch[]
}
interface Fault {
  readonly error: ErrorName
  readonly message: string
}
const fault = (error: ErrorName, message: string): Fault => ({ error, message })
const isFault = (value: object): value is Fault => 'error' in value

/**
 * Produce v0 to v12. Each partition succeeds or fails by itself (register PR-5), and is acknowledged when the ledger has it
 * durably, for acks 1 and −1 alike: a store that replicates has no weaker state in between (PR-3). With acks=0 nothing is
 * answered, and a failure ends the connection, as in Kafka (PR-2).
 *
 * Requests of a connection are appended in the order in which they came, whatever their checks take: idempotent producers
 * with several requests in flight depend on it.
 *
 * Left out: transactions. Transactional requests and batches get TRANSACTIONAL_ID_AUTHORIZATION_FAILED, as InitProducerId.
 */
export const produce = handler(table, async (request, call) => {
  const takeTurn = queueUp(call.connection)
  const responses = await appendAll(request, call, takeTurn)
  if (request.acks !== 0) return { responses }
  const failed = responses.flatMap((topic) => topic.partitionResponses).find((each) => each.errorCode !== 0)
  if (failed !== undefined)
    call.connection.close(`a batch with acks=0 was refused: ${failed.errorMessage ?? failed.errorCode}`)
  return null
})

async function appendAll(request: Request, call: Call, turn: Turn) {
  try {
    const whole = requestFault(request)
    const prepared = request.topicData.map(({ name, partitionData }) => ({
      name,
      partitions: partitionData.map((asked) => ({ asked, ready: whole ?? prepare(name, asked, call) })),
    }))
    const checked = await Promise.all(
      prepared.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(
          partitions.map(async ({ asked, ready }) => ({ asked, ready: await ready })),
        ),
      })),
    )
    await turn.comes
    // From here to the end of this statement nothing waits: all appends are begun before the next request's.
    const appending = checked.map(({ name, partitions }) => ({
      name,
      answers: partitions.map(({ asked, ready }) => append(asked, ready, call)),
    }))
    turn.end()
    return await Promise.all(
      appending.map(async ({ name, answers }) => ({ name, partitionResponses: await Promise.all(answers) })),
    )
  } finally {
    turn.end()
  }
}

interface Turn {
  readonly comes: Promise<void>
  end(): void
}

const lastTurns = new WeakMap<KafkaConnection, Promise<void>>()

/** Called before anything is awaited, so in the order of the requests. */
function queueUp(connection: KafkaConnection): Turn {
  const comes = lastTurns.get(connection) ?? Promise.resolve()
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  // A request whose checks fail early still waits for those before it, or the next one would overtake them.
  lastTurns.set(
    connection,
    comes.then(() => ended),
  )
  return { comes, end: () => end() }
}

function requestFault(request: Request): Fault | null {
  if (request.transactionalId !== null) return transactionsFault
  if (![-1, 0, 1].includes(request.acks))
    return fault('INVALID_REQUIRED_ACKS', `acks=${request.acks}: expected -1, 0 or 1`)
  return null
}

const transactionsFault = fault('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'this broker has no transactions')

async function prepare(name: string, asked: Asked, call: Call): Promise<Ready | Fault> {
  try {
    const topic = findTopic(call, name)
    if (isRefusal(topic)) return fault(topic.refused, topic.message)
    if (isInternal(topic))
      return fault('INVALID_TOPIC_EXCEPTION', `${name} is a system topic: clients do not write to it`)
    const log = await openPartition(call, topic, asked.index)
    if (isRefusal(log)) return fault(log.refused, log.message)
    const bytesMax = topicMessageBytesMax(topic.configs, call.broker)
    if (asked.records !== null && isTooLarge(asked.records, bytesMax))
      return tooLarge(asked.records, bytesMax)
    const batches = await readProduced(asked.records, call.apiVersion)
    if ('refused' in batches) return fault(batches.refused, batches.message)
    if (batches.some((batch) => batch.isTransactional)) return transactionsFault
    return { log, batches }
  } catch (error) {
    return fault(storageFault(error, call, 'records could not be checked'), 'the broker failed; try again')
  }
}

/** A partition takes one batch a request, so its records are as large as its batch. */
const isTooLarge = (records: Buffer, bytesMax: number) => records.length > bytesMax
const tooLarge = (records: Buffer, bytesMax: number) =>
  fault('MESSAGE_TOO_LARGE', `the batch has ${records.length} bytes, and the topic takes ${bytesMax}`)

/** Begins the appends at once; must not wait before. */
function append(asked: Asked, ready: Ready | Fault, call: Call): Promise<Answer> {
  if (isFault(ready)) return Promise.resolve(refused(asked, ready))
  const appending = ready.batches.map((batch) => ready.log.appendKafka(batch))
  return Promise.all(appending).then(
    (results) => answered(asked, results, ready.log),
    (error) => {
      if (error instanceof MalformedError) return refused(asked, fault('INVALID_RECORD', error.message))
      const failure = storageFault(error, call, 'records could not be stored')
      return refused(asked, fault(failure, 'the records could not be stored'))
    },
  )
}

function answered(asked: Asked, results: readonly (KafkaAppended | Refusal)[], log: PartitionLog): Answer {
  const refusal = results.find(isRefusal)
  if (refusal !== undefined) return refused(asked, fault(refusal.refused, refusal.message))
  const [first] = results
  if (first === undefined || isRefusal(first))
    return refused(asked, fault('INVALID_RECORD', 'there are no records'))
  const { baseOffset, logAppendTimeMs, logStartOffset } = first
  return {
    index: asked.index,
    errorCode: 0,
    baseOffset,
    logAppendTimeMs: log.timestampType === 'LogAppendTime' ? logAppendTimeMs : -1n,
    logStartOffset,
  }
}

const refused = (asked: Asked, { error, message }: Fault): Answer => ({
  index: asked.index,
  errorCode: errorCode(error),
  baseOffset: -1n,
  errorMessage: message,
})
