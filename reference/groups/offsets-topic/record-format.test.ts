import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MalformedError } from '../../base/malformed.js'
import type { StoredConsumerGroup } from '../consumer/stored.js'
import type { StoredGroup } from '../group-store.js'
import { decodeConsumerGroup } from './consumer-group-format.js'
import { javaHashCode, offsetsPartitionOf } from './partition-of.js'
import { decodeGroup, decodeKey, decodeOffset, offsetValueFault, recordOf } from './record-format.js'
import { commitOf, orders } from './testing.js'

const key = 'public/default/g'
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

test('a group is in the partition that Kafka’s rule gives', () => {
  assert.equal(javaHashCode('hello'), 99_162_322)
  assert.equal(javaHashCode('naïve €'), 1_842_528_023)
  assert.equal(javaHashCode('polygenelubricants'), -(2 ** 31))
  assert.equal(offsetsPartitionOf('polygenelubricants', 50), 0)
  assert.equal(offsetsPartitionOf('hello', 50), 22)
  assert.equal(offsetsPartitionOf('naïve €', 50), 23)
})

test('GC-4: a commit’s record, byte by byte as Kafka lays it out', () => {
  const offset = commitOf(5, {
    topic: 't',
    partition: 3,
    metadata: 'm',
    leaderEpoch: 2,
    commitTimestampMs: 9,
  })
  const record = recordOf({ type: 'offset', key: 'g', topic: 't', partition: 3, offset })
  assert.deepEqual(record.key, hex('0001 0001 67 0001 74 00000003'))
  const id = '07'.repeat(16)
  assert.deepEqual(record.value, hex(`0004 0000000000000005 00000002 02 6d 0000000000000009 01 00 10 ${id}`))
})

test('records say what they were made of, and removals have no value', () => {
  const offset = commitOf(2n ** 62n, { metadata: 'ä'.repeat(100), expireTimestampMs: 77 })
  const record = recordOf({
    type: 'offset',
    key,
    topic: orders,
    partition: 7,
    offset: { ...offset, partition: 7 },
  })
  assert.deepEqual(decodeKey(record.key), { type: 'offset', group: key, topic: orders, partition: 7 })
  const value = record.value ?? Buffer.alloc(0)
  assert.equal(offsetValueFault(value, 0, value.length), undefined)
  assert.deepEqual(decodeOffset(value, orders, 7), { ...offset, partition: 7 })
  const removal = { type: 'offset', key, topic: orders, partition: 7, offset: undefined } as const
  assert.deepEqual(recordOf(removal), { key: record.key, value: null })
})

test('commits of every version that Kafka has written are read', () => {
  const tail = '0000000000000009'
  const values = {
    0: `0000 0000000000000005 0001 6d ${tail}`,
    1: `0001 0000000000000005 0001 6d ${tail} 00000000000000ff`,
    2: `0002 0000000000000005 0001 6d ${tail}`,
    3: `0003 0000000000000005 00000002 0001 6d ${tail}`,
    4: `0004 0000000000000005 00000002 02 6d ${tail} 00`,
  }
  for (const [version, text] of Object.entries(values)) {
    const value = hex(text)
    assert.equal(offsetValueFault(value, 0, value.length), undefined, version)
    const { offset, leaderEpoch, metadata, commitTimestampMs, expireTimestampMs } = decodeOffset(
      value,
      't',
      0,
    )
    assert.deepEqual([offset, metadata, commitTimestampMs], [5n, 'm', 9])
    assert.equal(leaderEpoch, Number(version) >= 3 ? 2 : -1)
    assert.equal(expireTimestampMs, version === '1' ? 255 : undefined)
    for (let cut = 0; cut < value.length; cut++)
      assert.notEqual(offsetValueFault(value, 0, cut), undefined, `${version} cut at ${cut}`)
  }
  assert.match(offsetValueFault(hex('0005 00'), 0, 3) ?? '', /version 5/)
})

const sticky = { name: 'sticky', metadata: Buffer.from([2, 3]) }
const member = {
  memberId: 'm-1',
  groupInstanceId: 'static',
  clientId: 'client',
  clientHost: '/127.0.0.1',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 60_000,
  protocols: [{ name: 'range', metadata: Buffer.from([1]) }, sticky],
  assignment: Buffer.from([4]),
}
const group: StoredGroup = {
  protocolType: 'consumer',
  protocolName: 'sticky',
  generationId: 4,
  leaderId: 'm-1',
  stateTimestampMs: 1_700_000_000_000,
  members: [member, { ...member, memberId: 'm-2', groupInstanceId: null, protocols: [sticky] }],
}

test('groups are kept with all that their members offered', () => {
  const record = recordOf({ type: 'group', key, group })
  assert.deepEqual(decodeKey(record.key), { type: 'group', group: key })
  assert.deepEqual(decodeGroup(record.value ?? Buffer.alloc(0)), group)
  const empty = { ...group, protocolName: null, leaderId: null, members: [] }
  assert.deepEqual(
    decodeGroup(recordOf({ type: 'group', key, group: empty }).value ?? Buffer.alloc(0)),
    empty,
  )
})

test('a group of version 3, as Kafka’s brokers write it, is read', () => {
  const text = (value: string) =>
    `${value.length.toString(16).padStart(4, '0')}${Buffer.from(value).toString('hex')}`
  const value = hex(
    `0003 ${text('consumer')} 00000004 ${text('range')} ${text('m-1')} 0000000000000009 00000001
     ${text('m-1')} ffff ${text('client')} ${text('/host')} 0000ea60 00002710 00000002 0102 00000001 03`.replaceAll(
      /\s/g,
      '',
    ),
  )
  const read = decodeGroup(value)
  assert.deepEqual([read.generationId, read.leaderId, read.stateTimestampMs], [4, 'm-1', 9])
  const [only] = read.members
  assert.deepEqual(only?.protocols, [{ name: 'range', metadata: Buffer.from([1, 2]) }])
  assert.deepEqual(
    [only?.rebalanceTimeoutMs, only?.sessionTimeoutMs, only?.groupInstanceId],
    [60_000, 10_000, null],
  )
  for (let cut = 0; cut < value.length; cut++)
    assert.throws(() => decodeGroup(value.subarray(0, cut)), MalformedError, `cut at ${cut}`)
})

test('keys of later kinds are told from broken ones', () => {
  assert.deepEqual(decodeKey(hex('0003 0001 67')), { type: 'other', version: 3 })
  assert.throws(() => decodeKey(hex('0002 0009 67')), MalformedError)
  assert.throws(() => decodeKey(hex('0001 0001 67 0001 74 00000003 00')), MalformedError)
})

const consumerGroup: StoredConsumerGroup = {
  epoch: 7,
  assignor: 'range',
  emptySinceMs: null,
  topics: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: 300 }],
  members: [
    {
      memberId: 'm',
      instanceId: 'i',
      rackId: null,
      clientId: 'ä',
      clientHost: '/::1',
      rebalanceTimeoutMs: 5,
      topicNames: ['t', 'u'],
      topicRegex: 'x.*',
      assignor: null,
      memberEpoch: -2,
      previousEpoch: 6,
      phase: 'unreleased',
      assigned: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: [0, 299] }],
      revoking: [],
      target: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: [] }],
    },
  ],
}

test('GC-11: a group of the consumer protocol is one record, under a key of its own', () => {
  for (const group of [consumerGroup, { ...consumerGroup, members: [], emptySinceMs: 1_700_000_000_000 }]) {
    const record = recordOf({ type: 'consumerGroup', key, group })
    assert.deepEqual(decodeKey(record.key), { type: 'consumerGroup', group: key })
    assert.deepEqual(decodeConsumerGroup(record.value ?? assert.fail()), group)
  }
  assert.equal(recordOf({ type: 'consumerGroup', key, group: undefined }).value, null)
})

test('a consumer group’s value that is cut short, too long or of a later version is malformed', () => {
  const { value } = recordOf({ type: 'consumerGroup', key, group: consumerGroup })
  assert.ok(value !== null)
  for (let end = 0; end < value.length; end++)
    assert.throws(() => decodeConsumerGroup(value.subarray(0, end)), MalformedError, `${end} bytes`)
  assert.throws(() => decodeConsumerGroup(Buffer.concat([value, Buffer.of(0)])), MalformedError)
  assert.throws(() => decodeConsumerGroup(Buffer.concat([hex('0001'), value.subarray(2)])), MalformedError)
})
