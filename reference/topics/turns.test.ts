import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stored } from '../entry-format/test-kit.js'
import type { StoredEntry } from '../storage/types.js'
import { convertedInTurns } from './turns.js'

const entryOf = (bytes: number): StoredEntry =>
  stored({ data: [Buffer.alloc(bytes)], messageCount: 1, maxTimestampMs: 0 })

/** Entries that take a millisecond each to convert. */
async function convertSlowly(entry: StoredEntry): Promise<number> {
  for (const end = performance.now() + 1; performance.now() < end; );
  return entry.data.length
}

test('a long conversion lets others have their turns, and keeps the order', async () => {
  const sizes = Array.from({ length: 100 }, (_, at) => at)
  let turns = 0
  let isOver = false
  const other = () => {
    turns++
    if (!isOver) setImmediate(other)
  }
  setImmediate(other)
  const seen: number[] = []
  for await (const size of convertedInTurns(sizes.map(entryOf), convertSlowly)) seen.push(size)
  isOver = true
  assert.deepEqual(seen, sizes)
  assert.ok(turns >= 2, `${turns} turns in 100 ms of work`)
})

test('what nobody reads any more is not converted', async () => {
  for (const [bytes, convertedMax] of [
    [10, 8],
    [100_000, 3],
    [1_000_000, 1],
  ] as const) {
    let converted = 0
    const convert = async () => converted++
    for await (const _ of convertedInTurns(new Array<StoredEntry>(100).fill(entryOf(bytes)), convert)) break
    assert.equal(converted, convertedMax)
  }
})

test('a conversion that fails is told to the reader', async () => {
  const failing = convertedInTurns([entryOf(1)], () => Promise.reject(new Error('damaged')))
  await assert.rejects(failing.next(), /damaged/)
})
