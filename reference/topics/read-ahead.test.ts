import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asOffset } from '../base/brand.js'
import { ManualClock } from '../base/clock.js'
import { ReadAheadMemory, ReadAheads } from './read-ahead.js'
import { accepted, batchOf, everything, openPartition, recordsIn, TestTopics } from './testing.js'
import type { PartitionLog } from './types.js'

const megabyte = 1 << 20
const settled = () => new Promise((resolve) => setImmediate(resolve))
const fail = () => Promise.reject(new Error('read again'))

test('what was read ahead is given once, and only to a fetch of the same size', async () => {
  const aheads = new ReadAheads<string>(new ReadAheadMemory(new ManualClock()))
  aheads.begin(asOffset(7n), megabyte, async () => 'ahead')
  assert.equal(await aheads.take(asOffset(7n), 2 * megabyte), undefined)
  assert.equal(await aheads.take(asOffset(8n), megabyte), undefined)
  assert.equal(await aheads.take(asOffset(7n), megabyte), 'ahead')
  assert.equal(await aheads.take(asOffset(7n), megabyte), undefined)
})

test('what nobody asks for is dropped, and its memory given back', async () => {
  const clock = new ManualClock()
  const memory = new ReadAheadMemory(clock)
  const aheads = new ReadAheads<string>(memory)
  for (let at = 0n; at < 40n; at++) aheads.begin(asOffset(at), megabyte, async () => 'ahead')
  await settled()
  assert.equal(await aheads.take(asOffset(35n), megabyte), undefined, 'beyond the memory')
  assert.equal(await aheads.take(asOffset(31n), megabyte), 'ahead')
  assert.ok(memory.take(megabyte))
  assert.ok(!memory.take(1))
  clock.advance(1000)
  assert.equal(await aheads.take(asOffset(0n), megabyte), undefined)
  assert.ok(memory.take(31 * megabyte))
  assert.ok(!memory.take(1))
})

test('a read that fails ahead of time is left to whoever asks', async () => {
  const memory = new ReadAheadMemory(new ManualClock())
  const aheads = new ReadAheads<string>(memory)
  aheads.begin(asOffset(0n), 32 * megabyte, fail)
  assert.equal(await aheads.take(asOffset(0n), 32 * megabyte), undefined)
  assert.ok(memory.take(32 * megabyte))
})

/** Counts the store's reads under a log. */
function countReads(log: PartitionLog): () => number {
  const { ledger } = log
  const read = ledger.read.bind(ledger)
  let reads = 0
  ledger.read = (from, limits) => {
    reads++
    return read(from, limits)
  }
  return () => reads
}

async function storeOf(batches: number) {
  const topics = new TestTopics()
  const log = await openPartition(await topics.open({ tailCacheBytesMax: 0 }), 't')
  const append = async (at: number) => accepted(await log.appendKafka(await batchOf([`a${at}`, `b${at}`])))
  for (let at = 0; at < batches; at++) await append(at)
  return { topics, log, append }
}

const valuesOf = (batches: number) =>
  Array.from({ length: batches }, (_, at) => [`${2 * at}:a${at}`, `${2 * at + 1}:b${at}`]).flat()

test('a consumer that goes on where it was finds its records read, the same ones, to the end', async () => {
  const { topics, log } = await storeOf(20)
  const one = accepted(await log.fetchKafka(asOffset(0n), { maxBytes: 1, atLeastOne: true })).bytes
  await settled()
  const reads = countReads(log)
  const limits = { maxBytes: 3 * one + 10, atLeastOne: true }
  const seen: string[] = []
  const readsOf: number[] = []
  while (seen.length < 40) {
    const before = reads()
    const fetched = accepted(await log.fetchKafka(asOffset(BigInt(seen.length)), limits))
    readsOf.push(reads() - before)
    seen.push(...(await recordsIn(fetched)))
    // The consumer is at work; until it asks again there is time to read.
    for (let turns = 0; turns < 50; turns++) await settled()
  }
  assert.deepEqual(seen, valuesOf(20))
  assert.ok(readsOf.length > 4)
  assert.deepEqual(
    new Set(readsOf.slice(1)),
    new Set([0]),
    'each fetch but the first was read before it came',
  )
  await topics.remove()
})

test('what has come since it was read ahead is not missing, and what was deleted is not there', async () => {
  const { topics, log, append } = await storeOf(2)
  const first = accepted(await log.fetchKafka(asOffset(0n), { maxBytes: 1, atLeastOne: true }))
  assert.deepEqual(await recordsIn(first), valuesOf(1))
  await settled()
  await append(2)
  const second = accepted(await log.fetchKafka(asOffset(2n), { maxBytes: 1, atLeastOne: true }))
  assert.deepEqual(await recordsIn(second), valuesOf(3).slice(2, 4))
  const rest = accepted(await log.fetchKafka(asOffset(2n), { ...everything, maxBytes: megabyte }))
  assert.deepEqual(await recordsIn(rest), valuesOf(3).slice(2))

  await log.fetchKafka(asOffset(0n), { maxBytes: 1, atLeastOne: true })
  await settled()
  await log.deleteRecords(asOffset(4n))
  const gone = await log.fetchKafka(asOffset(2n), { maxBytes: 1, atLeastOne: true })
  assert.equal('refused' in gone && gone.refused, 'OFFSET_OUT_OF_RANGE')
  await topics.remove()
})
