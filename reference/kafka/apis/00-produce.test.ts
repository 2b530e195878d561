import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asOffset } from '../../base/brand.js'
import { MalformedError } from '../../base/malformed.js'
import { StorageError } from '../../storage/types.js'
import { refuse } from '../../topics/types.js'
import { produce } from '../messages/00-produce.js'
import { errorName } from '../wire/errors.js'
import { downConvert } from '../wire/message-set.js'
import { batchOf, FakeBroker, FakeConnection } from './fake-broker.js'

type Records = Buffer | null
const requestOf = (topics: Record<string, readonly Records[]>, acks = -1) => ({
  acks,
  timeoutMs: 1000,
  topicData: Object.entries(topics).map(([name, all]) => ({
    name,
    partitionData: all.map((records, index) => ({ index, records: records === null ? null : [records] })),
  })),
})

async function produced(broker: FakeBroker, version: number, request: ReturnType<typeof requestOf>) {
  const answer = await broker.ask(produce, version, request)
  return answer.responses.flatMap((topic) => topic.partitionResponses)
}
const errorsOf = (answers: readonly { readonly errorCode: number }[]) =>
  answers.map((each) => errorName(each.errorCode))

test('every version that takes format 2 stores a batch and answers its base offset', async () => {
  const broker = new FakeBroker()
  const log = await broker.log(await broker.topic('t'))
  for (let version = 3; version <= 12; version++) {
    const [answer] = await produced(broker, version, requestOf({ t: [await batchOf(['a', 'b'])] }))
    assert.deepEqual([answer?.errorCode, answer?.baseOffset], [0, BigInt(2 * (version - 3))])
    assert.equal(answer?.logAppendTimeMs, -1n)
  }
  assert.equal(log.endOffset(), 20n)
})

test('MC-14: message formats 0 and 1 are taken by the versions that have them, and by no other', async () => {
  const broker = new FakeBroker()
  const log = await broker.log(await broker.topic('t'))
  for (const [version, magic] of [
    [0, 0],
    [1, 0],
    [2, 1],
  ] as const) {
    const old = Buffer.concat(await downConvert([await batchOf(['x'])], magic))
    assert.deepEqual(errorsOf(await produced(broker, version, requestOf({ t: [old] }))), ['NONE'])
    assert.deepEqual(errorsOf(await produced(broker, 3, requestOf({ t: [old] }))), ['INVALID_RECORD'])
  }
  assert.equal(log.endOffset(), 3n)
  assert.deepEqual(errorsOf(await produced(broker, 2, requestOf({ t: [await batchOf(['x'])] }))), [
    'INVALID_RECORD',
  ])
})

test('PR-5: good partitions are stored, bad ones named', async () => {
  const broker = new FakeBroker()
  const topic = await broker.topic('t', { partitions: 2 })
  const corrupt = await batchOf(['broken'])
  corrupt[corrupt.length - 1] = (corrupt[corrupt.length - 1] ?? 0) ^ 1
  const good = await batchOf(['good'])
  const answers = await produced(
    broker,
    9,
    requestOf({ t: [good, corrupt, good], gone: [good], 'a/b': [good] }),
  )
  assert.deepEqual(errorsOf(answers), [
    'NONE',
    'CORRUPT_MESSAGE',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'INVALID_TOPIC_EXCEPTION',
  ])
  assert.equal((await broker.log(topic, 0)).endOffset(), 1n)
  assert.equal((await broker.log(topic, 1)).endOffset(), 0n)
})

test('PR-4: an oversized batch is refused by the broker’s limit and by the topic’s, and not stored', async () => {
  const broker = new FakeBroker({ messageBytesMax: 1000 })
  const log = await broker.log(await broker.topic('t'))
  const small = await broker.topic('small', { configs: { 'max.message.bytes': '80' } })
  const large = await batchOf(['x'.repeat(1000)])
  const medium = await batchOf(['x'.repeat(100)])
  const answers = await produced(broker, 8, requestOf({ t: [large], small: [medium] }))
  assert.deepEqual(errorsOf(answers), ['MESSAGE_TOO_LARGE', 'MESSAGE_TOO_LARGE'])
  assert.match(answers[0]?.errorMessage ?? '', /1000/)
  assert.deepEqual([log.endOffset(), (await broker.log(small)).endOffset()], [0n, 0n])
  assert.deepEqual(errorsOf(await produced(broker, 8, requestOf({ t: [medium] }))), ['NONE'])
})

test('null records, control batches, two batches and transactions are refused by name', async () => {
  const broker = new FakeBroker()
  const log = await broker.log(await broker.topic('t'))
  const batch = await batchOf(['x'])
  const cases: readonly (readonly [Records, string])[] = [
    [null, 'INVALID_RECORD'],
    [Buffer.alloc(0), 'INVALID_RECORD'],
    [await batchOf(['x'], { isControl: true }), 'INVALID_RECORD'],
    [Buffer.concat([batch, batch]), 'INVALID_RECORD'],
    [
      await batchOf(['x'], { isTransactional: true, producerId: 1n, producerEpoch: 0, baseSequence: 0 }),
      'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    ],
  ]
  for (const [records, expected] of cases)
    assert.deepEqual(errorsOf(await produced(broker, 9, requestOf({ t: [records] }))), [expected])
  assert.equal(log.endOffset(), 0n)
})

test('PR-2: acks other than −1, 0 and 1 are refused', async () => {
  const broker = new FakeBroker()
  const log = await broker.log(await broker.topic('t'))
  const answers = await produced(broker, 7, requestOf({ t: [await batchOf(['x'])] }, 2))
  assert.deepEqual(errorsOf(answers), ['INVALID_REQUIRED_ACKS'])
  assert.equal(log.endOffset(), 0n)
})

test('PR-2: acks=0 is stored and not answered; a failure ends the connection', async () => {
  const broker = new FakeBroker()
  const log = await broker.log(await broker.topic('t'))
  const request = async (topic: string) => requestOf({ [topic]: [await batchOf(['x'])] }, 0)
  assert.equal(await broker.askMaybe(produce, 7, await request('t')), null)
  assert.deepEqual([log.endOffset(), broker.connection.closedFor], [1n, null])
  assert.equal(await broker.askMaybe(produce, 7, await request('gone')), null)
  assert.match(broker.connection.closedFor ?? '', /acks=0/)
})

test('PR-6: a duplicate is acknowledged with its first offset, a gap is refused', async () => {
  const broker = new FakeBroker()
  const log = await broker.log(await broker.topic('t'))
  const request = requestOf({
    t: [await batchOf(['x'], { producerId: 5n, producerEpoch: 0, baseSequence: 0 })],
  })
  const duplicate = {
    baseOffset: asOffset(42n),
    logAppendTimeMs: -1n,
    logStartOffset: asOffset(1n),
    duplicate: true,
  }
  log.nextAppend = async () => duplicate
  const [answer] = await produced(broker, 9, request)
  assert.deepEqual([answer?.errorCode, answer?.baseOffset, answer?.logStartOffset], [0, 42n, 1n])
  log.nextAppend = async () => refuse('OUT_OF_ORDER_SEQUENCE_NUMBER', 'a gap')
  const [gap] = await produced(broker, 9, request)
  assert.deepEqual(
    [errorName(gap?.errorCode ?? 0), gap?.errorMessage],
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'a gap'],
  )
})

test('PR-3: a failed append is an error to the client, and logged', async () => {
  const broker = new FakeBroker()
  const log = await broker.log(await broker.topic('t'))
  const request = requestOf({ t: [await batchOf(['x'])] })
  log.nextAppend = async () => Promise.reject(new StorageError('disk full'))
  assert.deepEqual(errorsOf(await produced(broker, 9, request)), ['KAFKA_STORAGE_ERROR'])
  assert.equal(broker.errors.length, 1)
  log.nextAppend = async () => Promise.reject(new MalformedError('a record runs beyond its batch'))
  assert.deepEqual(errorsOf(await produced(broker, 9, request)), ['INVALID_RECORD'])
})

test('MC-12: under LogAppendTime the broker’s time is answered', async () => {
  const broker = new FakeBroker()
  const log = await broker.log(await broker.topic('t'))
  log.timestampType = 'LogAppendTime'
  const [answer] = await produced(broker, 9, requestOf({ t: [await batchOf(['x'])] }))
  assert.equal(answer?.logAppendTimeMs, 777n)
})

test('requests of a connection are appended in their order, and another connection is not held up', async () => {
  const broker = new FakeBroker()
  const topic = await broker.topic('t')
  const log = await broker.log(topic)
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const { partition } = broker.catalog
  let isFirst = true
  broker.catalog.partition = async (...args) => {
    const waits = isFirst
    isFirst = false
    if (waits) await opened
    return partition.apply(broker.catalog, args)
  }
  const send = async (value: string, connection?: FakeConnection) =>
    broker.ask(produce, 9, requestOf({ t: [await batchOf([value])] }), connection)
  const first = send('first')
  await new Promise((resolve) => setImmediate(resolve))
  const second = send('second')
  await send('elsewhere', new FakeConnection())
  assert.equal(log.appended.length, 1)
  open()
  await Promise.all([first, second])
  const values = log.appended.map(
    (batch) => batch.bytes.toString('latin1').match(/first|second|elsewhere/)?.[0],
  )
  assert.deepEqual(values, ['elsewhere', 'first', 'second'])
})
