import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MalformedError } from '../base/malformed.js'
import { isText } from '../base/text.js'
import { decodeBase64, decodedBase64Bytes, encodeBase64 } from './base64.js'
import { fromKafka, InvalidRecordError, newEntryFromPulsar, toKafka, toPulsar } from './index.js'
import {
  encodeRecord,
  framePulsar,
  frameTestBatch,
  packSingles,
  reading,
  readTestBatch,
  seeded,
  stored,
  type TestRecord,
  testBatch,
  writing,
} from './test-kit.js'

const record: TestRecord = {
  timestampMs: 1000,
  key: Buffer.from('key'),
  value: Buffer.from('value'),
  headers: [['h', Buffer.from('w')]],
}
const formats = ['pulsar', 'kafka'] as const

async function refusedInBoth(records: Buffer, count: number, options = {}): Promise<void> {
  for (const format of formats) {
    const batch = frameTestBatch(records, count, 1000, 1000, options)
    await assert.rejects(fromKafka(batch, { ...writing, format }), InvalidRecordError)
  }
}

test('records that are not what the header says are refused in both formats', async () => {
  const one = encodeRecord(record, 1000, 0)
  const two = Buffer.concat([one, encodeRecord(record, 1000, 1)])
  await refusedInBoth(two, 1)
  await refusedInBoth(two, 3)
  await refusedInBoth(two, 2 ** 31 - 1)
  await refusedInBoth(two, 0)
  await refusedInBoth(two, -1)
  await refusedInBoth(Buffer.concat([one, one]), 2)
  await refusedInBoth(Buffer.concat([encodeRecord(record, 1000, 1)]), 1)
  await refusedInBoth(two.subarray(0, two.length - 1), 2)
  await refusedInBoth(Buffer.concat([two, Buffer.alloc(1)]), 2)
  await refusedInBoth(one, 1, { attributes: 8 })
  await refusedInBoth(one, 1, { codec: 4 })
  await refusedInBoth(one, 1, { codec: 7 })
})

test('header names that are no UTF-8, negative lengths and impossible timestamps are refused', async () => {
  const body = (hex: string) => {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
    return Buffer.concat([Buffer.from([bytes.length * 2]), bytes])
  }
  // attributes, timestamp delta, offset delta, key, value, header count, headers
  await refusedInBoth(body('00 00 00 01 01 02 02 ff 00'), 1)
  await refusedInBoth(body('00 00 00 03 01 00'), 1)
  await refusedInBoth(body('00 00 00 01 03 00'), 1)
  await refusedInBoth(body('00 00 00 01 01 01'), 1)
  await refusedInBoth(body('00 00 00 01 01 02 01 00'), 1)
  await refusedInBoth(body('00 00 00 01 01 02 00 03'), 1)
  await refusedInBoth(body('00 ffffffffffffffffff01 00 01 01 00'), 1)
  await refusedInBoth(body('00 00 00 01 01 ffffffff0f'), 1)
  await assert.doesNotReject(fromKafka(frameTestBatch(body('00 00 00 01 01 00'), 1, 0, 0, {}), writing))
})

test('any damage to a Kafka batch is refused or harmless, and never another error', async () => {
  const below = seeded(99)
  const batch = await testBatch(Array.from({ length: 5 }, () => record))
  let refused = 0
  for (let round = 0; round < 3000; round++) {
    const bytes = Buffer.from(batch.bytes)
    for (let hits = 1 + below(3); hits > 0; hits--) bytes[below(bytes.length)] = below(256)
    try {
      const format = formats[below(2)] ?? 'kafka'
      const entries = await fromKafka({ ...batch, bytes }, { ...writing, format })
      for (const entry of entries) {
        await toPulsar(stored(entry))
        await toKafka(stored(entry), reading)
      }
    } catch (error) {
      assert.ok(error instanceof InvalidRecordError, String(error))
      refused++
    }
  }
  assert.ok(refused > 500)
})

test('any damage to a Pulsar entry still gives Kafka batches that are right, or a refusal when it is sent', async () => {
  const below = seeded(7)
  const properties = [
    { key: 'a', value: 'b' },
    { key: 'kop.headers', value: '[["a",null]]' },
  ]
  const singles = packSingles(
    Array.from({ length: 4 }, () => ({
      metadata: { partitionKey: 'AAAA', partitionKeyB64Encoded: true, properties },
      payload: Buffer.from('payload'),
    })),
  )
  const whole = framePulsar({ numMessagesInBatch: 4 }, singles)
  let stillStored = 0
  for (let round = 0; round < 3000; round++) {
    const data = Buffer.from(whole)
    // Magic and checksum are left out, as old clients do: so nothing else guards the bytes.
    const bare = data.subarray(6)
    for (let hits = 1 + below(3); hits > 0; hits--) bare[below(bare.length)] = below(256)
    try {
      const entry = await newEntryFromPulsar(bare)
      const pieces = await toKafka(stored(entry), reading)
      if (pieces.length > 0) {
        const read = await readTestBatch(pieces)
        assert.equal(read.lastOffsetDelta, entry.messageCount - 1)
      }
      stillStored++
    } catch (error) {
      assert.ok(error instanceof InvalidRecordError, error instanceof Error ? error.stack : '')
    }
  }
  assert.ok(stillStored > 500)
  await assert.rejects(newEntryFromPulsar(Buffer.alloc(3)), InvalidRecordError)
  await assert.rejects(
    toPulsar({ ...stored({ data: [], messageCount: 1, maxTimestampMs: 0 }) }),
    MalformedError,
  )
})

test('a batch that nobody can read may not claim any number of messages', async () => {
  await assert.rejects(
    newEntryFromPulsar(framePulsar({ numMessagesInBatch: 2 ** 30 }, Buffer.from('x'))),
    InvalidRecordError,
  )
  await assert.rejects(
    newEntryFromPulsar(framePulsar({ numMessagesInBatch: 0 }, Buffer.alloc(0))),
    InvalidRecordError,
  )
})

test('text is what UTF-8 decoders accept', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const below = seeded(3)
  const leads = [
    0x00, 0x7f, 0x80, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff, 0x9f, 0xa0, 0x8f,
    0x90,
  ]
  for (let round = 0; round < 5000; round++) {
    const bytes = Buffer.from(Array.from({ length: below(7) }, () => leads[below(leads.length)] ?? 0))
    let expected = true
    try {
      decoder.decode(bytes)
    } catch {
      expected = false
    }
    assert.equal(isText(bytes, 0, bytes.length), expected, bytes.toString('hex'))
  }
})

test('base64 as Node writes it, and only base64 is decoded', () => {
  const below = seeded(11)
  for (let round = 0; round < 500; round++) {
    const bytes = Buffer.from(Array.from({ length: below(20) }, () => below(256)))
    const target = Buffer.alloc(40)
    const end = encodeBase64(bytes, 0, bytes.length, target, 0)
    assert.equal(target.toString('latin1', 0, end), bytes.toString('base64'))
    assert.equal(decodedBase64Bytes(target, 0, end), bytes.length)
    const back = Buffer.alloc(20)
    assert.equal(decodeBase64(target, 0, bytes.length, back, 0), bytes.length)
    assert.deepEqual(back.subarray(0, bytes.length), bytes)
  }
  for (const wrong of ['A', 'AAAAA', 'A=', 'AA=', 'A===', '====', 'AA A', 'AA-_', 'AAA=A'])
    assert.equal(decodedBase64Bytes(Buffer.from(wrong), 0, wrong.length), -1, wrong)
})
