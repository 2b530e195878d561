import assert from 'node:assert/strict'
import { test } from 'node:test'
import { murmur3 } from './murmur3.js'

/** Published test vectors of MurmurHash3_x86_32 with seed 0; the sign bit is cleared as Pulsar does. */
for (const [text, hash] of [
  ['', 0],
  ['test', 0xba6bd213],
  ['Hello, world!', 0xc0363e43],
  ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
] as const)
  test(`murmur3 of ${JSON.stringify(text)}`, () => {
    assert.equal(murmur3(Buffer.from(text)), hash & 0x7fffffff)
  })
