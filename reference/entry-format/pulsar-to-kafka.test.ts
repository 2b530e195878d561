import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compressPayload } from '../pulsar/wire/message-compression.js'
import type { StoredEntry } from '../storage/types.js'
import {
  describeEntry,
  fromKafka,
  InvalidRecordError,
  kafkaProducerOf,
  newEntryFromPulsar,
  pulsarProducerOf,
  timestampSearch,
  toKafka,
  toPulsar,
} from './index.js'
import {
  type Fields,
  framePulsar,
  type PulsarMessage,
  packSingles,
  reading,
  readTestBatch,
  seeded,
  stored,
  type TestRecord,
  testBatch,
  writing,
} from './test-kit.js'

const publishTimeMs = 1_600_000_000_000

async function storedPulsar(metadata: Fields, payload: Buffer): Promise<StoredEntry> {
  return stored(await newEntryFromPulsar(framePulsar(metadata, payload)))
}

async function recordsOf(entry: StoredEntry, options = reading) {
  return (await readTestBatch(await toKafka(entry, options))).records
}

test('a message that is not in a batch: key, value, event time, properties in order', async () => {
  const properties = [
    { key: 'b', value: '1' },
    { key: 'a', value: 'ü' },
    { key: 'b', value: '2' },
  ]
  const entry = await storedPulsar({ partitionKey: 'key', eventTime: 123, properties }, Buffer.from('value'))
  assert.deepEqual(await recordsOf(entry), [
    {
      timestampMs: 123,
      key: Buffer.from('key'),
      value: Buffer.from('value'),
      headers: [
        ['b', Buffer.from('1')],
        ['a', Buffer.from('ü')],
        ['b', Buffer.from('2')],
      ],
    },
  ])
  assert.equal(entry.maxTimestampMs, 123)
})

test('the rules for keys, tombstones, times and schema, batched and not', async () => {
  const cases: [Fields, Partial<TestRecord>][] = [
    [{}, { key: null, timestampMs: publishTimeMs }],
    [{ eventTime: 0 }, { timestampMs: publishTimeMs }],
    [{ partitionKey: '' }, { key: Buffer.alloc(0) }],
    [{ partitionKey: 'x', nullPartitionKey: true }, { key: null }],
    [{ partitionKey: 'AP8=', partitionKeyB64Encoded: true }, { key: Buffer.from([0, 255]) }],
    [{ partitionKey: 'no base64!', partitionKeyB64Encoded: true }, { key: Buffer.from('no base64!') }],
    [{ partitionKey: 'x', orderingKey: Buffer.from([1, 200]) }, { key: Buffer.from([1, 200]) }],
    [{ nullValue: true }, { value: null }],
  ]
  for (const [metadata, expected] of cases) {
    const payload = metadata.nullValue ? Buffer.alloc(0) : Buffer.from('v')
    const whole = { timestampMs: publishTimeMs, key: null, value: payload, headers: [], ...expected }
    assert.deepEqual(await recordsOf(await storedPulsar(metadata, payload)), [whole])
    const batch = packSingles([{ metadata, payload }])
    assert.deepEqual(await recordsOf(await storedPulsar({ numMessagesInBatch: 1 }, batch)), [whole])
  }
  const schemaVersion = Buffer.from([0, 0, 0, 0, 0, 0, 0, 9])
  for (const entry of [
    await storedPulsar({ schemaVersion }, Buffer.from('v')),
    await storedPulsar(
      { schemaVersion, numMessagesInBatch: 1 },
      packSingles([{ metadata: {}, payload: Buffer.from('v') }]),
    ),
  ])
    assert.deepEqual((await recordsOf(entry))[0]?.headers, [['kop.schema-version', schemaVersion]])
  const none = await storedPulsar({ schemaVersion: Buffer.alloc(0) }, Buffer.from('v'))
  assert.deepEqual((await recordsOf(none))[0]?.headers, [], 'of a client that has no schema and says so')
})

function randomMessages(seed: number): PulsarMessage[] {
  const below = seeded(seed)
  return Array.from({ length: 1 + below(40) }, (_, index) => ({
    metadata: {
      ...(below(2) === 0 ? { partitionKey: 'ключ'.repeat(below(20)) } : {}),
      ...(below(2) === 0 ? { eventTime: 1 + below(2 ** 31) * 1000 } : {}),
      ...(below(3) === 0 ? { sequenceId: index } : {}),
      properties: Array.from({ length: below(3) }, (_, at) => ({
        key: `p${at}`,
        value: 'w'.repeat(below(300)),
      })),
      ...(below(6) === 0 ? { compactedOut: true } : {}),
    },
    payload: Buffer.alloc(below(5) === 0 ? below(9000) : below(60), index),
  }))
}

test('batches of all compressions keep every message’s own fields, and gaps where messages are compacted out', async () => {
  for (const compression of [0, 1, 2, 3, 4])
    for (let seed = 1; seed <= 20; seed++) {
      const messages = randomMessages(seed * 5 + compression)
      const plain = packSingles(messages)
      const metadata = {
        numMessagesInBatch: messages.length,
        compression,
        ...(compression === 0 ? {} : { uncompressedSize: plain.length }),
      }
      const entry = await storedPulsar(metadata, await compressPayload(compression, plain))
      const kept = messages.flatMap((message, index) =>
        message.metadata.compactedOut ? [] : [{ ...message, index }],
      )
      const pieces = await toKafka(entry, reading)
      if (kept.length === 0) {
        assert.deepEqual(pieces, [])
        continue
      }
      const read = await readTestBatch(pieces)
      assert.equal(read.lastOffsetDelta, messages.length - 1)
      assert.deepEqual(
        read.offsetDeltas,
        kept.map((message) => message.index),
      )
      const expected = kept.map(({ metadata: single, payload }) => ({
        timestampMs: single.eventTime ?? publishTimeMs,
        key: single.partitionKey === undefined ? null : Buffer.from(String(single.partitionKey)),
        value: payload,
        headers: (single.properties as { key: string; value: string }[]).map(({ key, value }) => [
          key,
          Buffer.from(value),
        ]),
      }))
      assert.deepEqual(read.records, expected)
      const max = Math.max(...expected.map((record) => Number(record.timestampMs)))
      assert.equal(entry.maxTimestampMs, max)
      assert.equal(read.maxTimestampMs, max)
    }
})

test('Pulsar → Pulsar: the very bytes', async () => {
  const data = framePulsar(
    { partitionKey: 'k', properties: [{ key: 'entry.format', value: 'kafka' }] },
    Buffer.from('v'),
  )
  const entry = await newEntryFromPulsar(data)
  assert.equal(entry.data[0], data)
  assert.deepEqual(Buffer.concat((await toPulsar(stored(entry))).headersAndPayload), data)
  assert.equal(describeEntry({ data }).writtenBy, 'pulsar')
})

test('a batch that claims to be Kafka’s is refused from a Pulsar client', async () => {
  const payload = packSingles([{ metadata: {}, payload: Buffer.from('v') }])
  for (const property of [
    { key: 'entry.format', value: 'kafka' },
    { key: 'kop.batch', value: '1:0:0:0' },
  ])
    await assert.rejects(
      newEntryFromPulsar(framePulsar({ numMessagesInBatch: 1, properties: [property] }, payload)),
      InvalidRecordError,
    )
})

test('a reserved property restores all headers; one that a Pulsar application wrote by chance is a plain one', async () => {
  const list = JSON.stringify([
    ['a', null],
    ['a', 'AA=='],
  ])
  const withList = [
    { key: 'a', value: 'x' },
    { key: 'kop.headers', value: list },
    { key: 'added', value: 'y' },
  ]
  const restored = [
    ['a', null],
    ['a', Buffer.from([0])],
    ['added', Buffer.from('y')],
  ]
  const byChance = [{ key: 'kop.headers', value: '{"no":"list"}' }]
  for (const [properties, headers] of [
    [withList, restored],
    [byChance, [['kop.headers', Buffer.from('{"no":"list"}')]]],
  ]) {
    assert.deepEqual(
      (await recordsOf(await storedPulsar({ properties }, Buffer.from('v'))))[0]?.headers,
      headers,
    )
    const batch = packSingles([{ metadata: { properties }, payload: Buffer.from('v') }])
    assert.deepEqual(
      (await recordsOf(await storedPulsar({ numMessagesInBatch: 1 }, batch)))[0]?.headers,
      headers,
    )
  }
})

test('a chunked message appears once, whole, at its last chunk; without all pieces it is an error, never a fragment', async () => {
  const plain = Buffer.from('a large message '.repeat(500))
  const packed = await compressPayload(2, plain)
  const cut = [0, 20, 40, packed.length]
  const entries = await Promise.all(
    [0, 1, 2].map((chunkId) =>
      storedPulsar(
        {
          uuid: 'p-4',
          chunkId,
          numChunksFromMsg: 3,
          totalChunkMsgSize: packed.length,
          compression: 2,
          uncompressedSize: plain.length,
          partitionKey: 'k',
        },
        packed.subarray(cut[chunkId], cut[chunkId + 1]),
      ),
    ),
  )
  const [first, second, last] = entries
  assert.ok(first && second && last)
  assert.deepEqual(await toKafka(first, reading), [])
  assert.deepEqual(await toKafka(second, reading), [])
  const [record] = await recordsOf(last, { ...reading, earlierChunks: async () => [first, second] })
  assert.deepEqual(record?.value, plain)
  assert.deepEqual(record?.key, Buffer.from('k'))
  assert.equal(describeEntry(last).chunk?.uuid, 'p-4')
  const reasons: string[] = []
  const onUnconvertible = (_entry: StoredEntry, reason: string) => reasons.push(reason)
  const [broken] = await recordsOf(last, { ...reading, earlierChunks: async () => [first], onUnconvertible })
  assert.equal(broken?.value, null)
  assert.equal(broken?.headers[0]?.[0], 'kop.unconvertible')
  assert.deepEqual(reasons, ['piece 2 of 3 of a chunked message is missing'])
})

test('ciphertext is never passed off as plain text', async () => {
  const encryption = {
    encryptionKeys: [{ key: 'main', value: Buffer.from([1, 2]), metadata: [{ key: 'v', value: '1' }] }],
    encryptionParam: Buffer.from([3]),
  }
  const cipher = Buffer.from([9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
  for (const metadata of [
    { ...encryption, compression: 1, uncompressedSize: 99 },
    { ...encryption, numMessagesInBatch: 3 },
  ]) {
    const entry = await storedPulsar(metadata, cipher)
    assert.equal(describeEntry(entry).isEncrypted, true)
    const read = await readTestBatch(await toKafka(entry, reading))
    assert.equal(read.lastOffsetDelta, entry.messageCount - 1)
    assert.deepEqual(read.records[0]?.value, cipher)
    const [name, description] = read.records[0]?.headers[0] ?? []
    assert.equal(name, 'kop.encrypted')
    assert.deepEqual(JSON.parse(String(description)).keys, ['main'])
  }
})

test('what cannot be converted is reported, one record an offset, with what is stored', async () => {
  const garbage = Buffer.from('this is no batch')
  const reasons: string[] = []
  const options = {
    ...reading,
    onUnconvertible: (_entry: StoredEntry, reason: string) => reasons.push(reason),
  }
  for (const metadata of [
    { numMessagesInBatch: 3 },
    { numMessagesInBatch: 2, compression: 3, uncompressedSize: 50 },
    { compression: 1, uncompressedSize: 1000 },
    { compression: 77, uncompressedSize: 10 },
  ]) {
    const entry = await storedPulsar(metadata, garbage)
    const read = await readTestBatch(await toKafka(entry, options))
    assert.equal(read.records.length, entry.messageCount)
    assert.deepEqual(read.records[0]?.value, garbage)
    assert.ok(read.records.every((record) => record.headers[0]?.[0] === 'kop.unconvertible'))
  }
  assert.equal(reasons.length, 4)
  const damaged = await storedPulsar({}, Buffer.from('value'))
  damaged.data[damaged.data.length - 1] = 0
  await toKafka(damaged, options)
  assert.equal(reasons[4], 'the entry’s checksum is wrong')
})

test('markers have nothing for either side', async () => {
  const entry = await storedPulsar({ markerType: 21 }, Buffer.alloc(0))
  assert.deepEqual(await toKafka(entry, reading), [])
  assert.equal((await toPulsar(entry)).isMarker, true)
})

test('under LogAppendTime Kafka sees the broker’s time of Pulsar’s messages', async () => {
  const payload = packSingles([{ metadata: { eventTime: 5 }, payload: Buffer.from('v') }])
  for (const entry of [
    await storedPulsar({ numMessagesInBatch: 1 }, payload),
    await storedPulsar({ eventTime: 5 }, payload),
  ]) {
    const read = await readTestBatch(await toKafka(entry, { ...reading, timestampType: 'LogAppendTime' }))
    assert.equal(read.attributes, 8)
    assert.equal(read.maxTimestampMs, entry.brokerTimestampMs)
    assert.equal(read.records[0]?.timestampMs, entry.brokerTimestampMs)
  }
})

test('a timestamp is searched inside the entry, as Kafka will see it', async () => {
  const times = [5, 30, 20, 40]
  const records = times.map((timestampMs) => ({ timestampMs, key: null, value: null, headers: [] }))
  const entries: StoredEntry[] = []
  for (const format of ['pulsar', 'kafka'] as const)
    for (const codec of [0, 4]) {
      const [entry] = await fromKafka(await testBatch(records, { codec }), { ...writing, format })
      assert.ok(entry)
      entries.push(stored(entry))
    }
  const singles = packSingles(
    times.map((eventTime) => ({ metadata: { eventTime }, payload: Buffer.alloc(1) })),
  )
  entries.push(await storedPulsar({ numMessagesInBatch: 4 }, singles))
  for (const entry of entries) {
    assert.deepEqual(await timestampSearch(entry, 6n), { batchIndex: 1, timestampMs: 30n })
    assert.deepEqual(await timestampSearch(entry, 0n), { batchIndex: 0, timestampMs: 5n })
    assert.deepEqual(await timestampSearch(entry, 40n), { batchIndex: 3, timestampMs: 40n })
    assert.equal(await timestampSearch(entry, 41n), undefined)
  }
})

test('producers of either side are told from entries alone', async () => {
  const facts = { producerId: 2n ** 40n, producerEpoch: 2, baseSequence: 7 }
  const records = [1, 2].map((timestampMs) => ({ timestampMs, key: null, value: null, headers: [] }))
  for (const format of ['pulsar', 'kafka'] as const) {
    const [entry] = await fromKafka(await testBatch(records, { ...facts, attributes: 0x10 }), {
      ...writing,
      format,
    })
    assert.ok(entry)
    const { data } = stored(entry)
    assert.deepEqual(kafkaProducerOf(data), { ...facts, recordCount: 2, isTransactional: true })
    assert.equal(pulsarProducerOf(data), undefined)
  }
  const data = framePulsar({ producerName: 'p1', sequenceId: 10, highestSequenceId: 14 }, Buffer.alloc(1))
  assert.equal(kafkaProducerOf(data), undefined)
  assert.deepEqual(pulsarProducerOf(data), { producerName: 'p1', sequenceId: 10n, highestSequenceId: 14n })
})
