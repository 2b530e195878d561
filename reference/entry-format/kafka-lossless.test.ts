import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromKafka, toKafka, toPulsar } from './index.js'
import {
  type Fields,
  reading,
  readPulsarEntry,
  readTestBatch,
  recordsOf,
  seeded,
  stored,
  type TestRecord,
  testBatch,
  writing,
} from './test-kit.js'
import type { EntryFormatName } from './types.js'

const formats: readonly EntryFormatName[] = ['pulsar', 'kafka']
const codecs = [0, 1, 2, 3, 4]

/** Records of every awkward kind: any bytes, nulls, empties, repeated and reserved names, timestamps 0 and −1. */
function awkwardRecords(seed: number, count: number): TestRecord[] {
  const below = seeded(seed)
  const bytes = (bytesMax: number) => Buffer.from(Array.from({ length: below(bytesMax) }, () => below(256)))
  const text = () =>
    Buffer.from(['', 'plain', 'grüße', '日本', '😀', '"\\\u0000', 'x'.repeat(400)][below(7)] ?? '')
  const some = (bytesMax: number) => [null, bytes(bytesMax), text(), Buffer.alloc(0)][below(4)] ?? null
  const names = ['a', 'b', 'kop.headers', '', 'grüße', 'kop.encrypted', 'a']
  const times = [-1, 0, 1, 1_700_000_000_000, 1_600_000_000_000 + below(1e9), -5, 2 ** 50]
  return Array.from({ length: count }, () => ({
    timestampMs: times[below(times.length)] ?? 0,
    key: some(40),
    value: below(20) === 0 ? bytes(5000) : some(200),
    headers: Array.from({ length: below(6) === 0 ? below(30) : below(3) }, () => {
      return [names[below(names.length)] ?? '', some(50)] as const
    }),
  }))
}

for (const format of formats)
  for (const codec of codecs)
    test(`Kafka → Kafka loses nothing: format ${format}, codec ${codec}`, async () => {
      for (let seed = 1; seed <= 25; seed++) {
        const records = awkwardRecords(seed, 1 + ((seed * 7) % 60))
        const batch = await testBatch(records, { codec, producerId: 77n, producerEpoch: 3, baseSequence: 9 })
        const entries = await fromKafka(batch, { ...writing, format })
        assert.equal(entries.length, 1)
        assert.deepEqual(await recordsOf(entries), records, `seed ${seed}`)
        assert.equal(entries[0]?.maxTimestampMs, Math.max(-1, ...records.map((record) => record.timestampMs)))
      }
    })

test('the batch around the records keeps its producer, sequence, offsets and epoch', async () => {
  for (const format of formats) {
    const options = { producerId: 77n, producerEpoch: 3, baseSequence: 9, attributes: 0x10 }
    const batch = await testBatch(awkwardRecords(5, 10), options)
    const [entry] = await fromKafka(batch, { ...writing, format })
    assert.ok(entry)
    const read = await readTestBatch(await toKafka(stored(entry), reading))
    const { producerId, producerEpoch, baseSequence, attributes, baseOffset, leaderEpoch, lastOffsetDelta } =
      read
    assert.deepEqual({ producerId, producerEpoch, baseSequence, attributes }, options)
    assert.deepEqual(
      { baseOffset, leaderEpoch, lastOffsetDelta },
      { baseOffset: 1000n, leaderEpoch: 5, lastOffsetDelta: 9 },
    )
    assert.deepEqual(read.offsetDeltas, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  }
})

test('a batch stored as Kafka’s goes out with only its first 16 bytes changed', async () => {
  const batch = await testBatch(awkwardRecords(6, 20), { codec: 4 })
  const [entry] = await fromKafka(batch, { ...writing, format: 'kafka' })
  assert.ok(entry)
  const out = Buffer.concat(await toKafka(stored(entry), reading))
  assert.deepEqual(out.subarray(16), batch.bytes.subarray(16))
})

test('Pulsar clients see the same bytes, whichever format stored the batch', async () => {
  for (const codec of codecs)
    for (const messagesPerEntryMax of [1, 7, 4096])
      for (const timestampType of ['CreateTime', 'LogAppendTime'] as const) {
        const batch = await testBatch(awkwardRecords(codec + 10, 23), {
          codec,
          producerId: 4n,
          producerEpoch: 1,
          baseSequence: 2 ** 31 - 5,
        })
        const options = { ...writing, messagesPerEntryMax, timestampType }
        const asPulsar = await fromKafka(batch, { ...options, format: 'pulsar' })
        const asKafka = await fromKafka(batch, { ...options, format: 'kafka' })
        assert.equal(asPulsar.length, asKafka.length)
        for (const [index, entry] of asKafka.entries()) {
          const same = asPulsar[index]
          assert.ok(same)
          const view = await toPulsar(stored(entry))
          assert.deepEqual(Buffer.concat(view.headersAndPayload), Buffer.concat(same.data))
          assert.equal(view.messageCount, same.messageCount)
          assert.equal(entry.maxTimestampMs, same.maxTimestampMs)
          assert.equal(view.isMarker, false)
        }
      }
})

for (const format of formats)
  test(`an offset mapping’s limit cuts a batch without loss: ${format}`, async () => {
    const records = awkwardRecords(31, 50)
    for (const codec of [0, 3])
      for (const messagesPerEntryMax of [1, 16, 49, 50]) {
        const batch = await testBatch(records, { codec, producerId: 4n, producerEpoch: 1, baseSequence: 100 })
        const entries = await fromKafka(batch, { ...writing, format, messagesPerEntryMax })
        assert.equal(entries.length, Math.ceil(50 / messagesPerEntryMax))
        assert.ok(entries.every((entry) => entry.messageCount <= messagesPerEntryMax))
        assert.deepEqual(await recordsOf(entries), records)
        const last = entries.at(-1)
        assert.ok(last)
        const read = await readTestBatch(await toKafka(stored(last), reading))
        assert.equal(read.baseSequence, 150 - last.messageCount)
      }
  })

test('LogAppendTime puts the broker’s time in place of the client’s, in both formats', async () => {
  const records = awkwardRecords(8, 12)
  for (const format of formats) {
    const batch = await testBatch(records)
    const [entry] = await fromKafka(batch, { ...writing, format, timestampType: 'LogAppendTime' })
    assert.ok(entry)
    assert.equal(entry.maxTimestampMs, writing.appendTimeMs)
    const read = await readTestBatch(await toKafka(stored(entry), reading))
    assert.equal(read.attributes & 8, 8)
    assert.equal(read.maxTimestampMs, writing.appendTimeMs)
    const view = await readPulsarEntry((await toPulsar(stored(entry))).headersAndPayload)
    assert.ok(view.singles.every((single) => single.metadata.eventTime === writing.appendTimeMs))
  }
})

/** What a Pulsar client must see of a record, by the rules, computed the simple way. */
function expectedSingle(record: TestRecord): Fields {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const asText = (bytes: Buffer): string | undefined => {
    try {
      return utf8.decode(bytes)
    } catch {
      return undefined
    }
  }
  const names = record.headers.map(([name]) => name)
  const plain =
    new Set(names).size === names.length &&
    record.headers.every(
      ([name, value]) => name !== 'kop.headers' && value !== null && asText(value) !== undefined,
    )
  const properties = new Map<string, string>()
  for (const [name, value] of record.headers) {
    const text = value === null ? undefined : asText(value)
    if (text !== undefined && name !== 'kop.headers') properties.set(name, text)
  }
  if (!plain)
    properties.set(
      'kop.headers',
      JSON.stringify(
        record.headers.map(([name, value]) => [name, value === null ? null : value.toString('base64')]),
      ),
    )
  const keyText = record.key === null ? undefined : asText(record.key)
  return {
    ...(properties.size === 0 ? {} : { properties: [...properties].map(([key, value]) => ({ key, value })) }),
    ...(record.key === null
      ? { nullPartitionKey: true }
      : { partitionKey: keyText ?? record.key.toString('base64') }),
    ...(record.key !== null && keyText === undefined ? { partitionKeyB64Encoded: true } : {}),
    payloadSize: record.value?.length ?? 0,
    ...(record.timestampMs < 0 ? {} : { eventTime: record.timestampMs }),
    ...(record.value === null ? { nullValue: true } : {}),
  }
}

test('Kafka → Pulsar: protobufjs reads every field where the rules put it', async () => {
  for (const codec of codecs) {
    const records = awkwardRecords(codec + 40, 80).map((record) => ({
      ...record,
      timestampMs: Math.max(-1, record.timestampMs),
    }))
    const batch = await testBatch(records, { codec, producerId: 12n, producerEpoch: 0, baseSequence: 5 })
    const [entry] = await fromKafka(batch, writing)
    assert.ok(entry)
    const read = await readPulsarEntry(entry.data)
    assert.equal(read.metadata.numMessagesInBatch, 80)
    assert.equal(read.metadata.producerName, 'kafka-12')
    assert.equal(read.metadata.sequenceId, 5)
    assert.equal(read.metadata.highestSequenceId, 84)
    assert.equal(read.metadata.publishTime, writing.appendTimeMs)
    assert.equal(read.metadata.compression ?? 0, [0, 2, 4, 1, 3][codec])
    assert.equal(read.singles.length, 80)
    for (const [index, single] of read.singles.entries()) {
      const record = records[index]
      assert.ok(record)
      assert.deepEqual(single.metadata, expectedSingle(record))
      assert.deepEqual(single.payload, record.value ?? Buffer.alloc(0))
    }
  }
})

test('a hand-derived batch: one record with text key, value, one header, timestamp 1', async () => {
  const batch = await testBatch([
    { timestampMs: 1, key: Buffer.from('k'), value: Buffer.from('v'), headers: [['h', Buffer.from('w')]] },
  ])
  const [entry] = await fromKafka(batch, { ...writing, appendTimeMs: 2 })
  assert.ok(entry)
  const metadata =
    '0a05' +
    Buffer.from('kafka').toString('hex') + // producer_name
    '1000' + // sequence_id 0
    '1802' + // publish_time 2
    '2217' +
    '0a09' +
    Buffer.from('kop.batch').toString('hex') +
    '120a' +
    Buffer.from('-1:-1:-1:0').toString('hex') +
    '5801' // num_messages_in_batch 1
  const single =
    '0a06' +
    '0a0168' +
    '120177' + // property h = w
    '12016b' + // partition_key k
    '1801' + // payload_size 1
    '2801' // event_time 1
  const expected = `00000026${metadata}0000000f${single}76`
  assert.equal(Buffer.concat(entry.data).subarray(6).toString('hex'), expected)
})

test('a control batch is an entry that no client sees as a message', async () => {
  const records = [{ timestampMs: 5, key: Buffer.from([0, 0, 0, 1]), value: Buffer.alloc(6), headers: [] }]
  const batch = await testBatch(records, { attributes: 0x30, producerId: 9n, producerEpoch: 0 })
  const [entry] = await fromKafka(batch, writing)
  assert.ok(entry)
  assert.equal((await toPulsar(stored(entry))).isMarker, true)
  const read = await readTestBatch(await toKafka(stored(entry), reading))
  assert.equal(read.attributes, 0x30)
})
