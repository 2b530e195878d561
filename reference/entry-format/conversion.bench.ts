import { fromKafka, toKafka, toPulsar } from './index.js'
import { reading, stored, type TestRecord, testBatch, writing } from './test-kit.js'
import type { EntryFormatName } from './types.js'

/**
 * Nanoseconds a record of 100 bytes, converted each way: `node dist/reference/entry-format/conversion.bench.js`. The best of
 * many rounds, so that a busy machine disturbs little.
 */
const recordCount = 550
const rounds = 60
const batchesPerRound = 8

async function bestNanoseconds(work: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint()
    for (let batch = 0; batch < batchesPerRound; batch++) await work()
    const spent = Number(process.hrtime.bigint() - start)
    best = Math.min(best, spent / (batchesPerRound * recordCount))
  }
  return best
}

async function measure(shape: string, make: (index: number) => Partial<TestRecord>): Promise<void> {
  const records = Array.from({ length: recordCount }, (_, index) => ({
    timestampMs: 1_700_000_000_000 + (index >> 4),
    key: null,
    value: Buffer.alloc(100, 'v'),
    headers: [],
    ...make(index),
  }))
  const batch = await testBatch(records, { producerId: 5n, producerEpoch: 0, baseSequence: 0 })
  for (const format of ['pulsar', 'kafka'] satisfies EntryFormatName[]) {
    const [entry] = await fromKafka(batch, { ...writing, format })
    if (entry === undefined) throw new TypeError('a batch without entries')
    const kept = stored(entry)
    const times = [
      await bestNanoseconds(() => fromKafka(batch, { ...writing, format })),
      await bestNanoseconds(() => toKafka(kept, reading)),
      await bestNanoseconds(() => toPulsar(kept)),
    ].map((time) => time.toFixed(1).padStart(8))
    console.log(`${shape.padEnd(12)} ${format.padEnd(8)} ${times.join(' ')}`)
  }
}

console.log('ns a record           fromKafka  toKafka toPulsar')
await measure('no key', () => ({}))
await measure('text key', (index) => ({ key: Buffer.from(`key-${100_000 + index}`) }))
await measure('binary key', (index) => ({
  key: Buffer.from([0, 0, 0, 0, 255, 254, index >> 8, index & 255]),
}))
await measure('two headers', () => ({
  headers: [
    ['a', Buffer.from('x')],
    ['trace', Buffer.from('0123456789')],
  ],
}))
