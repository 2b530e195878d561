import assert from 'node:assert/strict'
import { test } from 'node:test'
import protobuf from 'protobufjs'
import { MalformedError } from '../../base/malformed.js'
import { SingleMessageCursor, singleMessageFields } from './single-message.js'

const types: Readonly<Record<keyof typeof singleMessageFields, string>> = {
  properties: 'bytes',
  partitionKey: 'string',
  payloadSize: 'int32',
  compactedOut: 'bool',
  eventTime: 'int64',
  partitionKeyIsBase64: 'bool',
  orderingKey: 'bytes',
  sequenceId: 'uint64',
  nullValue: 'bool',
  nullPartitionKey: 'bool',
}
const root = protobuf.Root.fromJSON({
  nested: {
    Single: {
      edition: 'proto2',
      fields: Object.fromEntries(
        Object.entries(singleMessageFields).map(([name, id]) => [
          name,
          {
            id,
            type: types[name as keyof typeof types],
            ...(name === 'properties' ? { rule: 'repeated' } : {}),
          },
        ]),
      ),
    },
  },
})
const single = root.lookupType('Single')

function pack(fields: Readonly<Record<string, unknown>>, payload: Buffer): Buffer {
  const metadata = Buffer.from(
    single.encode(single.create({ payloadSize: payload.length, ...fields })).finish(),
  )
  const size = Buffer.alloc(4)
  size.writeUInt32BE(metadata.length)
  return Buffer.concat([size, metadata, payload])
}

const text = (cursor: SingleMessageCursor, start: number, end: number): string | undefined =>
  start < 0 ? undefined : cursor.buffer.toString('utf8', start, end)

test('messages of usual and unusual shape are read alike', () => {
  const eventTimes = [
    undefined,
    0,
    1,
    127,
    128,
    2 ** 28 - 1,
    2 ** 28,
    2 ** 35,
    2 ** 41,
    1_700_000_000_123,
    2 ** 42,
    2 ** 50,
    -1,
    -77,
  ]
  const keys = [undefined, '', 'k', 'ü'.repeat(63), 'x'.repeat(200)]
  const payloads = [0, 1, 127, 128, 16_383, 16_384, 70_000]
  const others = [
    {},
    { nullPartitionKey: true },
    { nullValue: true, partitionKeyIsBase64: true },
    { compactedOut: true },
    { orderingKey: Buffer.from('order') },
    { sequenceId: 300 },
    { properties: [Buffer.from('p'), Buffer.alloc(300)] },
  ]
  for (const eventTime of eventTimes)
    for (const partitionKey of keys)
      for (const [index, other] of others.entries()) {
        const payload = Buffer.alloc(payloads[index] ?? 0, 7)
        const fields = {
          ...other,
          ...(eventTime === undefined ? {} : { eventTime }),
          ...(partitionKey === undefined ? {} : { partitionKey }),
        }
        const batch = Buffer.concat([pack(fields, payload), pack({}, Buffer.from('next'))])
        const cursor = new SingleMessageCursor(batch)
        cursor.next()
        assert.equal(cursor.hasEventTime, eventTime !== undefined)
        assert.equal(cursor.eventTimeMs, eventTime ?? -1)
        assert.equal(text(cursor, cursor.keyStart, cursor.keyEnd), partitionKey)
        assert.equal(cursor.position - cursor.payloadStart, payload.length)
        assert.equal(cursor.nullKey, 'nullPartitionKey' in other)
        assert.equal(cursor.nullValue, 'nullValue' in other)
        assert.equal(cursor.keyIsBase64, 'partitionKeyIsBase64' in other)
        assert.equal(cursor.compactedOut, 'compactedOut' in other)
        assert.equal(cursor.propertyCount, 'properties' in other ? 2 : 0)
        assert.equal(
          text(cursor, cursor.orderingKeyStart, cursor.orderingKeyEnd),
          'orderingKey' in other ? 'order' : undefined,
        )
        assert.equal(cursor.atEnd, false)
        cursor.next()
        assert.equal(cursor.propertyCount, 0)
        assert.equal(text(cursor, cursor.payloadStart, cursor.position), 'next')
        assert.equal(cursor.atEnd, true)
      }
})

test('lengths that lie are malformed', () => {
  const whole = pack({ partitionKey: 'key' }, Buffer.from('payload'))
  const reads = (bytes: Buffer) => () => new SingleMessageCursor(bytes).next()
  assert.doesNotThrow(reads(whole))
  for (let length = 0; length < whole.length; length++)
    assert.throws(reads(whole.subarray(0, length)), MalformedError)
  assert.throws(reads(pack({ payloadSize: -1 }, Buffer.alloc(0))), MalformedError)
  assert.throws(reads(pack({ payloadSize: 2 ** 31 - 1 }, Buffer.alloc(9))), MalformedError)
  assert.throws(reads(Buffer.from('0000000012ff', 'hex')), MalformedError)
  assert.throws(reads(Buffer.from('00000002120a', 'hex')), MalformedError)
  assert.throws(reads(Buffer.from('0000000318ffffffffffffffffffff', 'hex')), MalformedError)
})
