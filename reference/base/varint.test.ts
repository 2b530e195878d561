import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32, crc32c, crc32cOf } from './crc32c.js'
import { MalformedError } from './malformed.js'
import {
  unsignedVarintBytes,
  VarintCursor,
  varintBytes,
  varlongBytes,
  writeUnsignedVarint,
  writeVarint,
  writeVarlong,
} from './varint.js'

const buffer = Buffer.alloc(16)

test('signed varints have their published bytes', () => {
  const known: readonly [number, string][] = [
    [0, '00'],
    [-1, '01'],
    [1, '02'],
    [63, '7e'],
    [-64, '7f'],
    [64, '8001'],
    [2147483647, 'feffffff0f'],
    [-2147483648, 'ffffffff0f'],
  ]
  for (const [value, hex] of known) {
    const end = writeVarint(buffer, value, 0)
    assert.equal(buffer.toString('hex', 0, end), hex)
    assert.equal(varintBytes(value), end)
    assert.equal(new VarintCursor(buffer).signed(), value)
  }
})

test('varlongs keep every value of up to 52 bits', () => {
  for (let exponent = 0; exponent < 52; exponent++)
    for (const value of [2 ** exponent, -(2 ** exponent), 2 ** exponent - 1, -(2 ** exponent) - 1]) {
      const end = writeVarlong(buffer, value, 0)
      assert.equal(varlongBytes(value), end)
      const cursor = new VarintCursor(buffer)
      assert.equal(cursor.signedLong(), value)
      assert.equal(cursor.position, end)
    }
})

test('unsigned varints keep every value of 32 bits', () => {
  for (const value of [0, 127, 128, 16383, 16384, 2097151, 2097152, 268435455, 268435456, 4294967295]) {
    const end = writeUnsignedVarint(buffer, value, 0)
    assert.equal(unsignedVarintBytes(value), end)
    assert.equal(new VarintCursor(buffer).unsigned(), value)
  }
})

test('a varint that does not end, or ends too late, is malformed', () => {
  assert.throws(() => new VarintCursor(Buffer.from([0x80])).unsigned(), MalformedError)
  assert.throws(() => new VarintCursor(Buffer.alloc(9, 0xff)).unsigned(), MalformedError)
  assert.throws(() => new VarintCursor(Buffer.alloc(20, 0xff)).signedLong(), MalformedError)
  assert.throws(() => new VarintCursor(Buffer.from([1, 2]), 0, 0).unsigned(), MalformedError)
})

test('checksums match their published check values, whole and in pieces', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
  assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926)
  assert.equal(crc32cOf([Buffer.from('1234'), Buffer.alloc(0), Buffer.from('56789')]), 0xe3069283)
})
