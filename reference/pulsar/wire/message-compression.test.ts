import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, deflateSync } from 'node:zlib'
import { MalformedError } from '../../base/malformed.js'
import { compressionTypes, compressPayload, decompressPayload } from './message-compression.js'

test('every type gives back what it took, also nothing and much', async () => {
  for (const type of Object.values(compressionTypes))
    for (const length of [0, 1, 1000, 300_000]) {
      const payload = Buffer.alloc(length, 'compressible ')
      const packed = await compressPayload(type, payload)
      if (length === 300_000 && type !== 0) assert.ok(packed.length < 30_000)
      assert.deepEqual(await decompressPayload(type, packed, length), payload)
    }
})

test('a size other than announced is malformed, and so is what cannot be decompressed', async () => {
  const payload = Buffer.alloc(5000, 'x')
  for (const type of [1, 2, 3, 4]) {
    const packed = await compressPayload(type, payload)
    for (const bytes of [0, 4999, 5001, -1, 2 ** 40, Number.NaN])
      await assert.rejects(decompressPayload(type, packed, bytes), MalformedError)
    await assert.rejects(decompressPayload(type, Buffer.from('garbage'), 20), MalformedError)
  }
  await assert.rejects(decompressPayload(9, payload, 5000), MalformedError)
  await assert.rejects(compressPayload(9, payload), MalformedError)
})

test('a bomb is not blown up', async () => {
  const bomb = deflateSync(Buffer.alloc(50 * 1024 * 1024))
  await assert.rejects(decompressPayload(compressionTypes.zlib, bomb, 1000), MalformedError)
})

test('a zlib stream that is flushed but not ended, as Pulsar’s Java client writes it, is whole', async () => {
  const payload = Buffer.from('pulsar '.repeat(2000))
  const packed = deflateSync(payload, { finishFlush: constants.Z_SYNC_FLUSH })
  assert.deepEqual(await decompressPayload(compressionTypes.zlib, packed, payload.length), payload)
  const cut = packed.subarray(0, packed.length - 20)
  await assert.rejects(decompressPayload(compressionTypes.zlib, cut, payload.length), MalformedError)
})
