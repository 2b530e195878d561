import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MalformedError } from '../../base/malformed.js'
import { brokerEntryMetadata } from './commands.js'
import { encodeBrokerEntryMetadata, encodeFrame, encodeFrameWithRest, FrameSplitter } from './frames.js'

const message = Buffer.concat(
  encodeFrameWithRest('MESSAGE', { consumerId: 7, messageId: { ledgerId: 3, entryId: 4 } }, [
    Buffer.from('head'),
    Buffer.from('payload'),
  ]),
)

test('frames are found whatever the cuts between chunks', () => {
  const stream = Buffer.concat([encodeFrame('PING', {}), message, encodeFrame('PONG', {})])
  for (let size = 1; size <= stream.length; size++) {
    const splitter = new FrameSplitter(1_000)
    const names: string[] = []
    for (let at = 0; at < stream.length; at += size) {
      splitter.push(stream.subarray(at, at + size))
      for (let frame = splitter.next(); frame !== null; frame = splitter.next()) {
        names.push(frame.command.name)
        if (frame.command.name === 'MESSAGE') assert.equal(frame.rest.toString(), 'headpayload')
      }
    }
    assert.deepEqual(names, ['PING', 'MESSAGE', 'PONG'])
  }
})

test('a frame larger than allowed is refused before it is gathered', () => {
  const splitter = new FrameSplitter(100)
  splitter.push(Buffer.from('00000065', 'hex'))
  assert.throws(() => splitter.next(), MalformedError)
})

test('a command longer than its frame is malformed', () => {
  const splitter = new FrameSplitter(100)
  splitter.push(Buffer.from('0000000400000009', 'hex'))
  assert.throws(() => splitter.next(), MalformedError)
})

test('random bytes never do anything but throw MalformedError', () => {
  let seed = 42
  const random = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    return seed >>> 16
  }
  for (let round = 0; round < 5_000; round++) {
    const splitter = new FrameSplitter(200)
    const bytes = Buffer.from(Array.from({ length: 4 + (random() % 60) }, () => random() & 255))
    bytes.writeUInt32BE(bytes.length - 4, 0)
    if (bytes.length >= 8) bytes.writeUInt32BE(random() % bytes.length, 4)
    splitter.push(bytes)
    try {
      splitter.next()
    } catch (error) {
      assert.ok(error instanceof MalformedError, String(error))
    }
  }
})

test('the broker entry metadata names the last message of the entry', () => {
  const prefix = encodeBrokerEntryMetadata(1_700_000_000_000, 41)
  assert.equal(prefix.readUInt16BE(0), 0x0e02)
  assert.equal(prefix.readUInt32BE(2), prefix.length - 6)
  assert.deepEqual(brokerEntryMetadata.decode(prefix, 6), { brokerTimestampMs: 1_700_000_000_000, index: 41 })
})
