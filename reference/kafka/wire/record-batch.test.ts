import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lz4Frame } from '../../base/compression.js'
import { crc32, crc32c } from '../../base/crc32c.js'
import { MalformedError } from '../../base/malformed.js'
import { BatchBuilder } from './batch-builder.js'
import { errorCode, errorName, isRetriable } from './errors.js'
import { InvalidRecordError } from './invalid-record.js'
import { downConvert, upConvert } from './message-set.js'
import { readProduced } from './produced-records.js'
import {
  atOffset,
  batchField,
  beforeZstd,
  checkBatch,
  isRecordsRefusal,
  type RecordBatch,
  readBatch,
  setBaseOffset,
  splitBatches,
  withAppendTime,
} from './record-batch.js'
import { compressRecords, decompressRecords, withRightLz4Checksum } from './record-compression.js'
import { openRecords, RecordCursor, recordsOf } from './record-cursor.js'
import { xxh32OfHeader } from './xxh32.js'

interface Plain {
  readonly timestampMs: number
  readonly key: string | null
  readonly value: string | null
}

const plain: readonly Plain[] = [
  { timestampMs: 1_700_000_000_000, key: 'k1', value: 'v1' },
  { timestampMs: 1_700_000_000_005, key: null, value: 'x'.repeat(2000) },
  { timestampMs: 1_699_999_999_000, key: '', value: null },
]

async function batchOf(codec = 0, records = plain): Promise<Buffer> {
  const builder = new BatchBuilder()
  for (const { timestampMs, key, value } of records)
    builder.add(timestampMs, orNull(key), orNull(value), [
      ['h', Buffer.from('1')],
      ['h', null],
    ])
  return builder.finish({ codec, producerId: 9n, producerEpoch: 1, baseSequence: 4 })
}

const orNull = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text))

async function contents(bytes: Buffer): Promise<Plain[]> {
  const batch = readBatch(bytes)
  const cursor = await openRecords(batch)
  const found: Plain[] = []
  for (let offsetDelta = 0; offsetDelta < batch.recordCount; offsetDelta++) {
    cursor.next()
    assert.equal(cursor.offsetDelta, offsetDelta)
    found.push({
      timestampMs: batch.baseTimestampMs + cursor.timestampDelta,
      key: textAt(cursor.buffer, cursor.keyStart, cursor.keyEnd),
      value: textAt(cursor.buffer, cursor.valueStart, cursor.valueEnd),
    })
  }
  assert.ok(cursor.atEnd)
  return found
}

const textAt = (buffer: Buffer, start: number, end: number): string | null =>
  start < 0 ? null : buffer.toString('utf8', start, end)

const checked = (bytes: Buffer): RecordBatch => {
  const batch = checkBatch(bytes)
  if (isRecordsRefusal(batch)) throw new Error(batch.message)
  return batch
}
const refusal = (value: object | undefined): string =>
  value !== undefined && isRecordsRefusal(value) ? value.refused : 'none'

for (const [codec, name] of ['none', 'gzip', 'snappy', 'lz4', 'zstd'].entries())
  test(`a batch under ${name} passes its checks and gives its records back`, async () => {
    const batch = checked(await batchOf(codec))
    assert.equal(batch.codec, codec)
    assert.equal(batch.recordCount, 3)
    assert.equal(batch.producerId, 9n)
    assert.equal(batch.baseSequence, 4)
    assert.equal(batch.maxTimestampMs, 1_700_000_000_005)
    assert.deepEqual(await contents(batch.bytes), plain)
  })

test('a batch, byte by byte', async () => {
  const builder = new BatchBuilder()
  builder.add(1000, Buffer.from('k'), Buffer.from('v'), [['h', null]])
  const bytes = await builder.finish()
  const body =
    '0000 00000000 00000000000003e8 00000000000003e8 ffffffffffffffff ffff ffffffff 00000001' +
    '16 00 00 00 02 6b 02 76 02 02 68 01'
  const counted = Buffer.from(body.replaceAll(' ', ''), 'hex')
  assert.deepEqual(bytes.subarray(batchField.attributes), counted)
  assert.equal(bytes.toString('hex', 0, 17), `00000000000000000000003dffffffff02`)
  assert.equal(bytes.readUInt32BE(batchField.checksum), crc32c(counted))
})

test('raw snappy is read as well as xerial blocks, and blocks are what is written', async () => {
  const input = Buffer.from('snap '.repeat(30_000))
  const framed = await compressRecords(2, input)
  assert.equal(framed.toString('latin1', 1, 7), 'SNAPPY')
  assert.deepEqual(await decompressRecords(2, framed, input.length), input)
  await assert.rejects(decompressRecords(2, framed, input.length - 1), MalformedError)
  const raw = Buffer.from([3, 2 << 2, 0x61, 0x62, 0x63])
  assert.equal((await decompressRecords(2, raw, 10)).toString(), 'abc')
})

test('every flipped bit after the header is noticed', async () => {
  const bytes = await batchOf()
  for (let at = batchField.attributes; at < bytes.length; at += 7) {
    const broken = Buffer.from(bytes)
    broken.writeUInt8(broken.readUInt8(at) ^ 1, at)
    assert.equal(refusal(checkBatch(broken)), 'CORRUPT_MESSAGE')
  }
})

test('wrong lengths, magic and counts are refused by name', async () => {
  const bytes = await batchOf()
  assert.equal(refusal(checkBatch(bytes.subarray(0, 60))), 'CORRUPT_MESSAGE')
  assert.equal(refusal(checkBatch(bytes.subarray(0, -1))), 'CORRUPT_MESSAGE')
  assert.equal(
    refusal(checkBatch(changed(bytes, (copy) => copy.writeInt8(3, batchField.magic)))),
    'CORRUPT_MESSAGE',
  )
  const counts = changed(bytes, (copy) => copy.writeInt32BE(7, batchField.recordCount))
  assert.equal(refusal(checkBatch(counts)), 'INVALID_RECORD')
  const sequence = changed(bytes, (copy) => copy.writeInt32BE(-1, batchField.baseSequence))
  assert.equal(refusal(checkBatch(sequence)), 'INVALID_RECORD')
})

function changed(bytes: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes)
  change(copy)
  copy.writeUInt32BE(crc32c(copy.subarray(batchField.attributes)), batchField.checksum)
  return copy
}

test('records that do not fit their lengths or offsets are found', async () => {
  const bytes = await batchOf()
  const first = batchField.records
  for (const [at, value] of [
    [first, 0x7f],
    [first, 0x01],
    [first + 3, 0x06],
    [first + 4, 0x01],
    [first + 7, 0x7e],
  ] as const) {
    const { bytes: broken } = checked(changed(bytes, (copy) => copy.writeUInt8(value, at)))
    const records = new RecordCursor(broken, first, broken.length, 0)
    const walk = () => {
      for (let left = plain.length; left > 0; left--) records.next()
    }
    assert.throws(walk, InvalidRecordError, `byte ${at - first}`)
  }
})

test('a batch that would grow beyond the bound is refused', async () => {
  const batch = checked(await batchOf(1, [{ timestampMs: 0, key: null, value: 'a'.repeat(100_000) }]))
  await assert.rejects(recordsOf(batch, 50_000), InvalidRecordError)
})

test('offset and leader epoch leave the checksum right, the append time renews it', async () => {
  const bytes = await batchOf()
  setBaseOffset(bytes, 1234n, 7)
  assert.equal(bytes.readBigInt64BE(0), 1234n)
  assert.equal(bytes.readInt32BE(12), 7)
  checked(bytes)
  const before = Buffer.from(bytes)
  const batch = checked(withAppendTime(bytes, 1_800_000_000_000))
  assert.equal(batch.isLogAppendTime, true)
  assert.equal(batch.maxTimestampMs, 1_800_000_000_000)
  assert.deepEqual(checked(Buffer.concat(atOffset(bytes, 99n, 8))).bytes.readBigInt64BE(0), 99n)
  assert.deepEqual(bytes, before)
})

test('records are split into batches, and a piece of one is refused', async () => {
  const bytes = await batchOf()
  const split = splitBatches(Buffer.concat([bytes, bytes]))
  assert.deepEqual(split, [bytes, bytes])
  assert.equal(refusal(splitBatches(Buffer.concat([bytes, bytes.subarray(0, 30)]))), 'CORRUPT_MESSAGE')
})

test('what comes before zstd among batches, however they are cut', async () => {
  const [plainBatch, zstdBatch] = [await batchOf(), await batchOf(4)]
  const none = [plainBatch, plainBatch]
  assert.equal(beforeZstd(none), none)
  const cut = [zstdBatch.subarray(0, 17), zstdBatch.subarray(17)]
  assert.deepEqual(beforeZstd([plainBatch, ...cut, plainBatch]), [plainBatch])
  assert.deepEqual(beforeZstd([...cut, plainBatch]), [])
  assert.deepEqual(beforeZstd([zstdBatch]), [])
})

test('what a Produce version may carry', async () => {
  const bytes = await batchOf()
  const zstd = await batchOf(4)
  const control = changed(bytes, (copy) => copy.writeInt16BE(0x20, batchField.attributes))
  assert.equal(refusal(await readProduced(bytes, 3)), 'none')
  assert.equal(refusal(await readProduced(bytes, 2)), 'INVALID_RECORD')
  assert.equal(refusal(await readProduced(Buffer.concat([bytes, bytes]), 8)), 'INVALID_RECORD')
  assert.equal(refusal(await readProduced(zstd, 6)), 'UNSUPPORTED_COMPRESSION_TYPE')
  assert.equal(refusal(await readProduced(zstd, 7)), 'none')
  assert.equal(refusal(await readProduced(control, 7)), 'INVALID_RECORD')
  assert.equal(refusal(await readProduced(null, 7)), 'INVALID_RECORD')
  assert.equal(refusal(await readProduced(oldMessage(1, 0, plain[0]), 3)), 'INVALID_RECORD')
  assert.equal(refusal(await readProduced(oldMessage(1, 0, plain[0]), 2)), 'none')
})

/** A message of format 0 or 1, laid out by hand; `value` may be the bytes of an inner set. */
function oldMessage(magic: 0 | 1, attributes: number, message?: Plain | { value: Buffer }): Buffer {
  const { timestampMs, key, value } = { timestampMs: -1, key: null, value: null, ...message }
  const body = Buffer.concat([
    Buffer.from([magic, attributes]),
    magic === 1 ? int64(timestampMs) : Buffer.alloc(0),
    field(orNull(key)),
    field(typeof value === 'string' ? Buffer.from(value) : value),
  ])
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(crc32(body))
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length + 4)
  return Buffer.concat([int64(0), size, crc, body])
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

function field(bytes: Buffer | null): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes === null ? -1 : bytes.length)
  return bytes === null ? length : Buffer.concat([length, bytes])
}

test('message sets of both old formats become one batch', async () => {
  const ones = Buffer.concat(plain.map((message) => oldMessage(1, 0, message)))
  assert.deepEqual(await contents(await upConvert(ones)), plain)
  const zeros = Buffer.concat(plain.map((message) => oldMessage(0, 0, message)))
  const withoutTime = plain.map((message) => ({ ...message, timestampMs: -1 }))
  const bytes = await upConvert(zeros)
  assert.deepEqual(await contents(bytes), withoutTime)
  assert.equal(checked(bytes).maxTimestampMs, -1)
})

test('compressed messages are unwrapped, under every codec the old formats know', async () => {
  for (const magic of [0, 1] as const)
    for (const codec of [1, 2, 3]) {
      const inner = Buffer.concat(plain.map((message) => oldMessage(magic, 0, message)))
      const value = await compressRecords(codec, inner)
      const quirky = magic === 0 && codec === 3 ? withOldLz4Checksum(value) : value
      const bytes = await upConvert(oldMessage(magic, codec, { value: quirky }))
      const expected = plain.map((each) => (magic === 0 ? { ...each, timestampMs: -1 } : each))
      assert.deepEqual(await contents(bytes), expected)
    }
})

/** As the first clients wrote it: the header's hash over the frame's magic, too. */
function withOldLz4Checksum(frame: Buffer): Buffer {
  const copy = Buffer.from(frame)
  copy[6] = (xxh32OfHeader(frame.subarray(0, 6)) >>> 8) & 0xff
  assert.notEqual(copy[6], frame[6])
  return copy
}

test('the LZ4 header checksum is computed as the format says', async () => {
  assert.equal(xxh32OfHeader(Buffer.alloc(0)), 0x02cc5d05)
  assert.equal(xxh32OfHeader(Buffer.from('abc')), 0x32d153ff)
  const frame = await lz4Frame.compress(Buffer.from('some text, some text'))
  assert.equal(withRightLz4Checksum(frame), frame)
  assert.deepEqual(withRightLz4Checksum(withOldLz4Checksum(frame)), frame)
})

test('a broken message set is malformed: checksum, length, nesting, emptiness', async () => {
  const good = oldMessage(1, 0, plain[0])
  const flipped = Buffer.from(good)
  flipped.writeUInt8(flipped.readUInt8(good.length - 1) ^ 1, good.length - 1)
  await assert.rejects(upConvert(flipped), MalformedError)
  await assert.rejects(upConvert(good.subarray(0, -1)), MalformedError)
  const once = oldMessage(1, 1, { value: await compressRecords(1, good) })
  const twice = oldMessage(1, 1, { value: await compressRecords(1, once) })
  await assert.rejects(upConvert(twice), MalformedError)
  await assert.rejects(
    upConvert(oldMessage(1, 1, { value: await compressRecords(1, Buffer.alloc(0)) })),
    MalformedError,
  )
  const bomb = oldMessage(1, 1, { value: await compressRecords(1, Buffer.alloc(100_000)) })
  await assert.rejects(upConvert(bomb, 50_000), MalformedError)
})

test('batches become message sets again for old clients, offsets kept', async () => {
  const [first, second] = [await batchOf(4), await batchOf()]
  setBaseOffset(first, 10n, 0)
  setBaseOffset(second, 13n, 0)
  for (const magic of [0, 1] as const) {
    const messages = await downConvert([first, second], magic)
    assert.deepEqual(
      messages.map((message) => message.readBigInt64BE(0)),
      [10n, 11n, 12n, 13n, 14n, 15n],
    )
    const again = await contents(await upConvert(Buffer.concat(messages)))
    const expected = plain.map((each) => (magic === 0 ? { ...each, timestampMs: -1 } : each))
    assert.deepEqual(again, [...expected, ...expected])
  }
})

test('an old message written for an old client, byte by byte', async () => {
  const builder = new BatchBuilder()
  builder.add(1000, null, Buffer.from('v'))
  const [message] = await downConvert([await builder.finish({ baseOffset: 5n })], 1)
  const body = Buffer.from('010000000000000003e8ffffffff0000000176', 'hex')
  assert.deepEqual(message?.subarray(16), body)
  assert.equal(message?.toString('hex', 0, 12), '000000000000000500000017')
  assert.equal(message?.readUInt32BE(12), crc32(body))
})

test('errors have their published codes', () => {
  assert.equal(errorCode('NONE'), 0)
  assert.equal(errorCode('UNKNOWN_SERVER_ERROR'), -1)
  assert.equal(errorCode('UNSUPPORTED_VERSION'), 35)
  assert.equal(errorCode('INVALID_RECORD'), 87)
  assert.equal(errorCode('UNKNOWN_TOPIC_ID'), 100)
  assert.equal(errorName(76), 'UNSUPPORTED_COMPRESSION_TYPE')
  assert.equal(errorName(-1), 'UNKNOWN_SERVER_ERROR')
  assert.equal(errorName(9999), 'UNKNOWN_SERVER_ERROR')
  assert.deepEqual([isRetriable('NOT_LEADER_OR_FOLLOWER'), isRetriable('INVALID_RECORD')], [true, false])
})
