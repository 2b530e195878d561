import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConsumerPerformance, parseProducerPerformance } from './perf-output.js'

const PRODUCED = `300001 records sent, 60000.2 records/sec (5.72 MB/sec), 310.5 ms avg latency, 900.0 ms max latency.
1000000 records sent, 173822.353555 records/sec (16.58 MB/sec), 812.31 ms avg latency, 1204.00 ms max latency, 845 ms 50th, 1123 ms 95th, 1190 ms 99th, 1203 ms 99.9th.
`

test('the summary of ProducerPerformance is its line with percentiles, not one of five seconds', () => {
  assert.deepEqual(parseProducerPerformance(PRODUCED, 1_000_000), {
    records: 1_000_000,
    recordsPerSecond: 173822.353555,
    averageMs: 812.31,
    maxMs: 1204,
    p50Ms: 845,
    p95Ms: 1123,
    p99Ms: 1190,
  })
})

test('decimals with a comma, as some locales print them, are read', () => {
  const line =
    '10 records sent, 9,5 records/sec (0,00 MB/sec), 1,25 ms avg latency, 4,00 ms max latency, 0 ms 50th, 3 ms 95th, 4 ms 99th, 4 ms 99.9th.'
  const figures = parseProducerPerformance(line, 10)
  assert.equal(figures.recordsPerSecond, 9.5)
  assert.equal(figures.averageMs, 1.25)
})

test('ProducerPerformance that sent fewer records than told is no measurement', () => {
  assert.throws(() => parseProducerPerformance(PRODUCED, 2_000_000), /sent 1000000 of 2000000 records/)
})

test('ProducerPerformance without a summary is told with its last line', () => {
  const output = 'org.apache.kafka.common.errors.TimeoutException: Topic bench not present\n'
  assert.throws(() => parseProducerPerformance(output, 1), /no summary: .*Topic bench not present/)
})

const CONSUMED = `WARNING: something
start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec
2026-11-22 16:00:00:000, 2026-11-22 16:00:02:000, 95.3674, 47.6837, 1000000, 500000.0000, 400, 1600, 59.6046, 625000.0000
`

test("ConsumerPerformance's columns are found by name", () => {
  assert.deepEqual(parseConsumerPerformance(CONSUMED, 1_000_000), {
    records: 1_000_000,
    recordsPerSecond: 500_000,
    joinMs: 400,
    fetchedRecordsPerSecond: 625_000,
  })
})

test('ConsumerPerformance may read a few more, but not fewer', () => {
  assert.equal(parseConsumerPerformance(CONSUMED, 999_990).records, 1_000_000)
  assert.throws(() => parseConsumerPerformance(CONSUMED, 1_000_001), /read 1000000 of 1000001 records/)
})

test('ConsumerPerformance without its line of figures is told by the column that is missing', () => {
  const header = CONSUMED.split('\n')[1] ?? ''
  assert.throws(() => parseConsumerPerformance(header, 1), /told no data.consumed.in.nMsg/)
  assert.throws(() => parseConsumerPerformance('Exception in thread "main"', 1), /told no .*Exception/)
})
