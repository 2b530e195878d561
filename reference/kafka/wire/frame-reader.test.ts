import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MalformedError } from '../../base/malformed.js'
import { FrameReader } from './frame-reader.js'

function framed(...bodies: readonly Buffer[]): Buffer {
  return Buffer.concat(
    bodies.flatMap((body) => {
      const length = Buffer.alloc(4)
      length.writeInt32BE(body.length)
      return [length, body]
    }),
  )
}

const bodies = [Buffer.from('first'), Buffer.alloc(0), Buffer.alloc(300, 7), Buffer.from('z')]

test('frames come out whole, however the stream is cut', () => {
  const stream = framed(...bodies)
  for (const size of [1, 2, 3, 5, 64, 1000]) {
    const reader = new FrameReader(1000)
    const found: Buffer[] = []
    for (let at = 0; at < stream.length; at += size) {
      reader.push(stream.subarray(at, at + size))
      for (let frame = reader.next(); frame !== null; frame = reader.next()) found.push(frame)
    }
    assert.deepEqual(found, bodies)
    assert.equal(reader.waitingBytes, 0)
  }
})

test('a frame that lies in one chunk is a view of it', () => {
  const chunk = framed(Buffer.from('abc'), Buffer.from('def'))
  const reader = new FrameReader(10)
  reader.push(chunk)
  for (let frame = reader.next(); frame !== null; frame = reader.next())
    assert.equal(frame.buffer, chunk.buffer)
})

test('an incomplete frame is not yet there, and a length beyond the bound is malformed', () => {
  const reader = new FrameReader(10)
  reader.push(Buffer.from([0, 0]))
  assert.equal(reader.next(), null)
  reader.push(Buffer.from([0, 2, 1]))
  assert.equal(reader.next(), null)
  for (const length of [11, -1, 0x7fffffff]) {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(length)
    const other = new FrameReader(10)
    other.push(bytes)
    assert.throws(() => other.next(), MalformedError)
  }
})
