import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as zlib from 'node:zlib'
import { type CompressionCodec, deflate, gzip, lz4Block, lz4Frame, snappy, zstd } from './compression.js'
import { MalformedError } from './malformed.js'

const codecs: readonly [string, CompressionCodec][] = [
  ['gzip', gzip],
  ['deflate', deflate],
  ['snappy', snappy],
  ['lz4Frame', lz4Frame],
  ['zstd', zstd],
]

const inputs = [
  Buffer.alloc(0),
  Buffer.from('x'),
  noise(100),
  Buffer.from('to be or not to be '.repeat(20_000)),
  noise(200_000),
]

for (const [name, codec] of codecs) {
  test(`${name} gives back what it was given, at once or from the thread pool`, async () => {
    for (const input of inputs) {
      const compressed = await codec.compress(input)
      assert.deepEqual(await codec.decompress(compressed, 1_000_000), input)
    }
  })

  test(`${name} refuses to grow beyond its bound`, async () => {
    const bomb = await codec.compress(Buffer.alloc(8_000_000))
    await assert.rejects(codec.decompress(bomb, 1_000_000), MalformedError)
  })

  test(`${name} refuses noise and cut-off input`, async () => {
    await assert.rejects(codec.decompress(Buffer.alloc(50, 0xfe), 1_000_000), MalformedError)
    const cut = (await codec.compress(noise(5_000))).subarray(0, 3_000)
    // Streams that are not ended are Pulsar's custom: there the size that travels beside them tells what is missing.
    if (codec === deflate) assert.ok((await codec.decompress(cut, 1_000_000)).length < 5_000)
    else await assert.rejects(codec.decompress(cut, 1_000_000), MalformedError)
  })
}

test('an lz4 block comes back when its size is right, and is refused when it is not', async () => {
  for (const input of inputs) {
    const compressed = await lz4Block.compress(input)
    assert.deepEqual(await lz4Block.decompress(compressed, input.length), input)
    await assert.rejects(lz4Block.decompress(compressed, input.length + 1), MalformedError)
  }
})

test('the formats are the well-known ones', async () => {
  const text = Buffer.from('plain')
  assert.deepEqual(zlib.gunzipSync(await gzip.compress(text)), text)
  assert.deepEqual(zlib.inflateSync(await deflate.compress(text)), text)
  assert.equal((await lz4Frame.compress(text)).readUInt32LE(0), 0x184d2204)
  assert.equal((await zstd.compress(text)).readUInt32LE(0), 0xfd2fb528)
  assert.deepEqual([...(await snappy.compress(text)).subarray(0, 2)], [5, 4 << 2])
  assert.deepEqual([...(await lz4Block.compress(text))], [5 << 4, ...text])
})

/** Bytes that do not compress, the same in each run. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = 12345
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    bytes[at] = state >>> 16
  }
  return bytes
}
