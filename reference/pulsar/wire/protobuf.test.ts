import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MalformedError } from '../../base/malformed.js'
import { decodeCommand, encodeCommand } from './commands.js'
import { MessageType, optional, optionalMessage, repeated, required } from './protobuf.js'

const inner = new MessageType({ text: required(1, 'string') })
const sample = new MessageType({
  long: optional(1, 'long'),
  int32: optional(2, 'int32'),
  int64: optional(3, 'int64'),
  bool: optional(4, 'bool'),
  double: optional(5, 'double'),
  bytes: optional(6, 'bytes'),
  inner: optionalMessage(7, inner),
  words: repeated(8, 'int64'),
})

test('every kind of field comes back, with the edges of 64 bits', () => {
  const value = {
    long: 2 ** 53 - 1,
    int32: -1,
    int64: -(2n ** 63n),
    bool: true,
    double: 0.5,
    bytes: Buffer.from([0, 255]),
    inner: { text: 'käse'.repeat(60) },
    words: [0n, -1n, 2n ** 62n],
  }
  assert.deepEqual(sample.decode(sample.encode(value)), value)
})

test('−1 is sent as ten bytes, as protobuf says, and read as −1', () => {
  const encoded = sample.encode({ long: -1 })
  assert.deepEqual(encoded, Buffer.from('08ffffffffffffffffff01', 'hex'))
  assert.equal(sample.decode(encoded).long, -1)
})

test('Long.MAX reads as a number beyond the safe ones', () => {
  const latest = sample.decode(Buffer.from('08ffffffffffffffff7f', 'hex')).long
  assert.ok(latest !== undefined && latest > Number.MAX_SAFE_INTEGER)
})

test('a packed repeat and an unknown field are understood', () => {
  const bytes = Buffer.from('4203010203' + 'f80763', 'hex')
  assert.deepEqual(sample.decode(bytes), { words: [1n, 2n, 3n] })
})

for (const [what, hex] of [
  ['a length beyond the end', '3205aa'],
  ['an endless varint', '08ffffffffffffffffffffff01'],
  ['a wrong wire type', '0a0100'],
  ['a missing required field', '3a00'],
  ['a group', '0b'],
] as const)
  test(`${what} is malformed`, () => {
    assert.throws(() => sample.decode(Buffer.from(hex, 'hex')), MalformedError)
  })

test('a command is found in its envelope by its type', () => {
  const requestId = 2n ** 62n + 1n
  const bytes = encodeCommand('LOOKUP', { topic: 'persistent://a/b/c', requestId })
  assert.deepEqual(decodeCommand(bytes, 0, bytes.length), {
    name: 'LOOKUP',
    body: { topic: 'persistent://a/b/c', requestId },
  })
})

test('a command of an unknown type is told apart from a broken one', () => {
  assert.deepEqual(decodeCommand(Buffer.from('087f', 'hex'), 0, 2), { name: 'UNKNOWN', type: 127 })
  assert.throws(() => decodeCommand(Buffer.from('0804', 'hex'), 0, 2), MalformedError)
})
