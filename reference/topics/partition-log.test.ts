import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { asEntryId, asLedgerId, asOffset } from '../base/brand.js'
import { ManualClock } from '../base/clock.js'
import { encodeRecord, frameTestBatch } from '../entry-format/test-kit.js'
import type { EntryFormatName } from '../entry-format/types.js'
import { compressRecords } from '../kafka/wire/record-compression.js'
import { offsetMapping } from '../offsets/index.js'
import {
  accepted,
  batchOf,
  everything,
  openPartition,
  recordsIn,
  refusedAs,
  sendOf,
  TestTopics,
  topicName,
} from './testing.js'
import type { PartitionLog } from './types.js'

let scene: TestTopics
beforeEach(() => {
  scene = new TestTopics()
})
afterEach(() => scene.remove())

const origin = { ledgerId: asLedgerId(0), entryId: asEntryId(0) }
const fetchAll = async (log: PartitionLog, offset = log.startOffset(), limits = everything) =>
  recordsIn(accepted(await log.fetchKafka(offset, limits)))

const formats = ['pulsar', 'kafka'] as const satisfies readonly EntryFormatName[]

for (const entryFormat of formats) {
  for (const tailCacheBytesMax of [0, 1 << 20]) {
    describe(`a partition, entryFormat=${entryFormat}, ${tailCacheBytesMax > 0 ? 'with' : 'without'} tail cache`, () => {
      test('gives Kafka its own records and Pulsar’s, in one order, from any offset', async () => {
        const log = await openPartition(await scene.open({ entryFormat, tailCacheBytesMax }), 'orders')
        const appended = await Promise.all([
          log.appendKafka(await batchOf(['a', 'b', 'c'])),
          log.appendPulsar(sendOf('d', 0)),
          log.appendKafka(await batchOf(['e', 'f'])),
        ])
        assert.deepEqual(
          [
            accepted(appended[0]).baseOffset,
            accepted(appended[1]).firstIndex,
            accepted(appended[2]).baseOffset,
          ],
          [0n, 3, 4n],
        )
        const all = ['0:a', '1:b', '2:c', '3:d', '4:e', '5:f']
        assert.deepEqual(await fetchAll(log), all)
        assert.deepEqual(await fetchAll(log, asOffset(1n)), all, 'the batch that holds offset 1 comes whole')
        assert.deepEqual(await fetchAll(log, asOffset(3n)), all.slice(3))
        assert.deepEqual(await fetchAll(log, asOffset(5n)), all.slice(4))
        assert.deepEqual([log.startOffset(), log.endOffset()], [0n, 6n])
        assert.deepEqual(await fetchAll(log, asOffset(6n)), [])
        assert.equal(refusedAs(await log.fetchKafka(asOffset(7n), everything)), 'OFFSET_OUT_OF_RANGE')
        const entries = await log.readPulsar(origin, { maxEntries: 10, maxBytes: 1 << 20 })
        assert.deepEqual(
          entries.map(({ firstIndex, view }) => [firstIndex, view.messageCount]),
          [
            [0, 3],
            [3, 1],
            [4, 2],
          ],
        )
      })

      test('keeps its records and offsets when it is opened again, and goes on after them', async () => {
        const before = await openPartition(await scene.open({ entryFormat, tailCacheBytesMax }), 'orders')
        await before.appendKafka(await batchOf(['a', 'b']))
        await before.appendPulsar(sendOf('c', 0))
        const after = await openPartition(await scene.open({ entryFormat, tailCacheBytesMax }), 'orders')
        assert.equal(accepted(await after.appendKafka(await batchOf(['d']))).baseOffset, 3n)
        assert.deepEqual(await fetchAll(after), ['0:a', '1:b', '2:c', '3:d'])
      })

      test('holds to the limits of a fetch, but gives the first batch when asked to', async () => {
        const log = await openPartition(await scene.open({ entryFormat, tailCacheBytesMax }), 'orders')
        const texts = ['a', 'b', 'c', 'd'].map((text) => text.repeat(1000))
        for (const text of texts) await log.appendKafka(await batchOf([text]))
        const fetch = async (maxBytes: number, atLeastOne: boolean) =>
          (await fetchAll(log, asOffset(0n), { maxBytes, atLeastOne })).length
        assert.deepEqual(
          await Promise.all([fetch(2500, true), fetch(10, true), fetch(10, false), fetch(9000, false)]),
          [2, 1, 0, 4],
        )
      })

      test('under LogAppendTime consumers see the broker’s time, whichever side wrote', async () => {
        const clock = new ManualClock(5_000)
        const defaults = { timestampType: 'LogAppendTime' } as const
        const log = await openPartition(
          await scene.open({ entryFormat, tailCacheBytesMax, clock, defaults }),
          'orders',
        )
        const kafka = accepted(await log.appendKafka(await batchOf(['a'])))
        await log.appendPulsar(sendOf('b', 0))
        assert.equal(kafka.logAppendTimeMs, 5_000n)
        const found = await log.offsetOfTimestamp(5_000n)
        assert.deepEqual(found, { offset: 0n, timestampMs: 5_000n })
        assert.equal(await log.offsetOfTimestamp(5_001n), undefined)
        assert.deepEqual(await fetchAll(log), ['0:a', '1:b'])
      })
    })
  }
}

describe('an idempotent Kafka producer', () => {
  const of = (baseSequence: number, count = 2, producerEpoch = 0) =>
    batchOf(
      Array.from({ length: count }, (_, at) => `s${baseSequence + at}`),
      { producerId: 9n, baseSequence, producerEpoch },
    )

  test('has a repeated batch of its last five acknowledged with its first offset, and stored once', async () => {
    const log = await openPartition(await scene.open(), 'orders')
    for (let i = 0; i < 6; i++) await log.appendKafka(await of(i * 2))
    for (let i = 1; i < 6; i++) {
      const again = accepted(await log.appendKafka(await of(i * 2)))
      assert.deepEqual([again.baseOffset, again.duplicate], [BigInt(i * 2), true])
    }
    assert.equal(refusedAs(await log.appendKafka(await of(0))), 'OUT_OF_ORDER_SEQUENCE_NUMBER')
    assert.equal(log.endOffset(), 12n)
  })

  test('is refused after a gap and with an old epoch, and begins anew with a new one', async () => {
    const log = await openPartition(await scene.open(), 'orders')
    await log.appendKafka(await of(0))
    assert.equal(refusedAs(await log.appendKafka(await of(3))), 'OUT_OF_ORDER_SEQUENCE_NUMBER')
    assert.equal(refusedAs(await log.appendKafka(await of(2, 1, 1))), 'OUT_OF_ORDER_SEQUENCE_NUMBER')
    assert.equal(accepted(await log.appendKafka(await of(0, 1, 1))).baseOffset, 2n)
    assert.equal(refusedAs(await log.appendKafka(await of(2))), 'INVALID_PRODUCER_EPOCH')
    assert.equal(log.endOffset(), 3n)
  })

  test('goes on at 0 after sequence number 2^31 − 1, also inside a batch', async () => {
    const log = await openPartition(await scene.open(), 'orders')
    await log.appendKafka(await of(2 ** 31 - 3))
    const wrapping = await of(2 ** 31 - 1)
    assert.equal(accepted(await log.appendKafka(wrapping)).duplicate, false)
    assert.equal(accepted(await log.appendKafka(await of(1))).baseOffset, 4n)
    assert.equal(accepted(await log.appendKafka(await of(2 ** 31 - 1))).baseOffset, 2n)
  })

  test('with a batch repeated while in flight gets one answer for both', async () => {
    const log = await openPartition(await scene.open(), 'orders')
    const results = await Promise.all([
      log.appendKafka(await of(0)),
      log.appendKafka(await of(0)),
      log.appendKafka(await of(2)),
    ])
    assert.deepEqual(
      results.map((result) => [accepted(result).baseOffset, accepted(result).duplicate]),
      [
        [0n, false],
        [0n, true],
        [2n, false],
      ],
    )
  })

  test('whose append failed may send it again, and nothing behind it was stored', async () => {
    let failing = false
    const failWrites = () => (failing ? new Error('no space left') : undefined)
    const log = await openPartition(await scene.open({}, { failWrites }), 'orders')
    failing = true
    const refused = await Promise.all([
      log.appendKafka(await of(0)),
      log.appendKafka(await of(0)),
      log.appendKafka(await of(2)),
    ])
    assert.deepEqual(refused.map(refusedAs), [
      'KAFKA_STORAGE_ERROR',
      'KAFKA_STORAGE_ERROR',
      'KAFKA_STORAGE_ERROR',
    ])
    failing = false
    assert.equal(accepted(await log.appendKafka(await of(0))).duplicate, false)
    assert.equal(accepted(await log.appendKafka(await of(2))).baseOffset, 2n)
    assert.deepEqual(await fetchAll(log), ['0:s0', '1:s1', '2:s2', '3:s3'])
  })

  for (const entryFormat of ['pulsar', 'kafka'] as const) {
    for (const name of ['index', 'packed', 'wrapper'] as const) {
      for (const saveProducers of [true, false]) {
        test(`is known again after a ${saveProducers ? 'stop' : 'crash'} (${entryFormat}, ${name})`, async () => {
          const options = { entryFormat, mapping: offsetMapping(name) }
          const before = await openPartition(await scene.open(options), 'orders')
          const first = accepted(await before.appendKafka(await of(0, 3)))
          const second = accepted(await before.appendKafka(await of(3, 3)))
          await before.appendPulsar(sendOf('pulsar', 5))
          await scene.close(saveProducers)
          const after = await openPartition(await scene.open(options), 'orders')
          const end = after.endOffset()
          for (const [sequence, known] of [
            [0, first],
            [3, second],
          ] as const) {
            const again = accepted(await after.appendKafka(await of(sequence, 3)))
            assert.equal(again.duplicate, true)
            assert.equal(again.baseOffset, known.baseOffset)
          }
          assert.equal(refusedAs(await after.appendKafka(await of(7))), 'OUT_OF_ORDER_SEQUENCE_NUMBER')
          assert.equal(after.lastSequenceId('pulsar-producer'), 5n)
          assert.equal(accepted(await after.appendPulsar(sendOf('pulsar', 5))).duplicate, true)
          assert.equal(after.endOffset(), end)
          assert.equal(accepted(await after.appendKafka(await of(6))).duplicate, false)
        })
      }
    }
  }
})

describe('a Pulsar producer', () => {
  test('is de-duplicated by its name and sequence id, also in flight, and never before it is stored', async () => {
    const log = await openPartition(await scene.open(), 'orders')
    const results = await Promise.all(
      [0, 1, 1, 0, 2].map((sequenceId) => log.appendPulsar(sendOf(`m${sequenceId}`, sequenceId))),
    )
    assert.deepEqual(
      results.map((result) => accepted(result).duplicate),
      [false, false, true, true, false],
    )
    assert.deepEqual(await fetchAll(log), ['0:m0', '1:m1', '2:m2'])
    assert.deepEqual([log.lastSequenceId('pulsar-producer'), log.lastSequenceId('nobody')], [2n, -1n])
  })

  test('sending a chunked message has it appear to Kafka once and whole, at the last piece', async () => {
    const log = await openPartition(await scene.open(), 'orders')
    const chunk = (text: string, chunkId: number) =>
      sendOf(text, 0, { uuid: 'u', chunkId, numChunksFromMsg: 3, totalChunkMsgSize: 9 })
    await log.appendPulsar(chunk('one', 0))
    await log.appendKafka(await batchOf(['between']))
    await log.appendPulsar(chunk('two', 1))
    assert.deepEqual(await fetchAll(log), ['1:between'])
    assert.deepEqual(await fetchAll(log, asOffset(2n)), [], 'earlier pieces alone show nothing')
    await log.appendPulsar(chunk('end', 2))
    assert.deepEqual(await fetchAll(log), ['1:between', '3:onetwoend'])
    assert.deepEqual(await fetchAll(log, asOffset(3n)), ['3:onetwoend'])
    assert.equal(accepted(await log.appendPulsar(chunk('end', 2))).duplicate, true)
  })

  test('whose batch has more messages than the mapping has offsets for is refused', async () => {
    const log = await openPartition(await scene.open({ mapping: offsetMapping('wrapper') }), 'orders')
    const refused = await log.appendPulsar(sendOf('xx', 0, { numMessagesInBatch: 2 }))
    assert.equal(refusedAs(refused), 'INVALID_RECORD')
    assert.equal(log.ledger.end.index, 0)
  })
})

describe('places in a partition', () => {
  for (const name of ['index', 'packed', 'wrapper'] as const) {
    test(`offset → point → offset is the identity for every message, over ledgers (${name})`, async () => {
      const topics = await scene.open({ mapping: offsetMapping(name) }, { entriesPerLedgerMax: 4 })
      const log = await openPartition(topics, 'orders')
      const expected: bigint[] = []
      for (let i = 0; i < 10; i++) await log.appendKafka(await batchOf(['a', 'b', 'c'].slice(0, 1 + (i % 3))))
      for (const record of await recordsIn(accepted(await log.fetchKafka(log.startOffset(), everything)))) {
        expected.push(BigInt(record.split(':')[0] ?? ''))
      }
      assert.equal(expected.length, 19)
      for (const [at, value] of expected.entries()) {
        const point = await log.pointOfOffset(asOffset(value))
        assert.equal(point?.index, at)
        assert.ok(point)
        assert.equal(await log.offsetOfPoint(point), value)
        const seen = await fetchAll(log, asOffset(value))
        assert.ok(seen.some((record) => record.startsWith(`${value}:`)))
        assert.equal(seen.at(-1)?.split(':')[0], String(expected.at(-1)))
      }
      assert.equal(log.endOffset(), (expected.at(-1) ?? 0n) + 1n)
      assert.deepEqual(await log.pointOfOffset(log.endOffset()), log.ledger.end)
      assert.equal(await log.pointOfOffset(asOffset(log.endOffset() + 1n)), undefined)
      assert.equal(
        await log.offsetOfPoint({ position: log.ledger.end.position, batchIndex: 0 }),
        log.endOffset(),
      )
    })
  }

  test('a timestamp finds the first record at or after it, and the largest timestamp its record', async () => {
    const log = await openPartition(await scene.open(), 'orders')
    assert.equal(await log.offsetOfMaxTimestamp(), undefined)
    for (const timestampMs of [100, 500, 300])
      await log.appendKafka(await batchOf(['a', 'b', 'c'], undefined, timestampMs))
    assert.deepEqual(await log.offsetOfTimestamp(0n), { offset: 0n, timestampMs: 100n })
    assert.deepEqual(await log.offsetOfTimestamp(102n), { offset: 2n, timestampMs: 102n })
    assert.deepEqual(await log.offsetOfTimestamp(103n), { offset: 3n, timestampMs: 500n })
    assert.equal(await log.offsetOfTimestamp(503n), undefined)
    assert.deepEqual(await log.offsetOfMaxTimestamp(), { offset: 5n, timestampMs: 502n })
  })

  test('deleting records moves the start, also inside a batch, and up to the end', async () => {
    const log = await openPartition(await scene.open(), 'orders')
    await log.appendKafka(await batchOf(['a', 'b', 'c']))
    await log.appendKafka(await batchOf(['d']))
    assert.equal(await log.deleteRecords(asOffset(1n)), 1n)
    assert.equal(refusedAs(await log.fetchKafka(asOffset(0n), everything)), 'OFFSET_OUT_OF_RANGE')
    assert.deepEqual((await fetchAll(log)).slice(1), ['1:b', '2:c', '3:d'])
    const refusal = await log.deleteRecords(asOffset(5n))
    assert.ok(typeof refusal === 'object' && refusedAs(refusal) === 'OFFSET_OUT_OF_RANGE')
    assert.equal(await log.deleteRecords(asOffset(-1n)), 4n)
    assert.deepEqual([log.startOffset(), log.endOffset()], [4n, 4n])
    assert.equal(accepted(await log.appendKafka(await batchOf(['e']))).baseOffset, 4n)
  })

  test('what does not fit the mapping’s bits is refused, never wrapped', async () => {
    const limited = {
      ...offsetMapping('index'),
      offsetOf: ({ firstIndex }: { firstIndex: number }, at: number) =>
        firstIndex + at < 3 ? asOffset(BigInt(firstIndex + at)) : undefined,
    }
    const log = await openPartition(await scene.open({ mapping: limited }), 'orders')
    await log.appendKafka(await batchOf(['a', 'b', 'c']))
    assert.equal(refusedAs(await log.appendKafka(await batchOf(['d']))), 'POLICY_VIOLATION')
    assert.equal(log.ledger.end.index, 3)
  })
})

describe('a partition and those who wait at it', () => {
  test('an append of either side wakes them when its messages can be read', async () => {
    const log = await openPartition(await scene.open(), 'orders')
    for (const append of [
      async () => log.appendKafka(await batchOf(['a'])),
      () => log.appendPulsar(sendOf('b', 0)),
    ]) {
      const before = log.endOffset()
      const woken = new Promise<bigint>((resolve) => {
        const stop = log.onAppend(() => {
          stop()
          resolve(log.endOffset())
        })
      })
      await append()
      assert.equal(await woken, before + 1n)
    }
  })

  test('who listens to a log that was closed a moment ago is told as well', async () => {
    const topics = await scene.open()
    const log = await openPartition(topics, 'orders')
    await topics.delete(topicName('orders'))
    await new Promise<void>((resolve) => log.onClosed(resolve))
  })

  test('a fault in a batch that waits for its turn is its sender’s alone', async () => {
    const log = await openPartition(await scene.open(), 'orders')
    const packed = await compressRecords(4, encodeRecord(record, 1000, 0))
    const first = log.appendKafka(frameTestBatch(packed, 1, 1000, 1000, { codec: 4 }))
    const good = await batchOf(['a'])
    const bytes = Object.assign(Buffer.from(good.bytes), {
      readInt16BE: () => {
        throw new TypeError('a fault of ours')
      },
    })
    // Its conversion fails long before its turn comes: that must not end the process.
    const second = assert.rejects(log.appendKafka({ ...good, bytes }), TypeError)
    assert.equal(refusedAs(await first), 'accepted')
    await second
    assert.equal(refusedAs(await log.appendKafka(good)), 'accepted')
  })

  test('a batch too large for the topic is refused', async () => {
    const topics = await scene.open()
    const log = await openPartition(topics, 'orders')
    await topics.setConfigs(topicName('orders'), { 'max.message.bytes': '200' })
    assert.equal(refusedAs(await log.appendKafka(await batchOf(['x'.repeat(300)]))), 'MESSAGE_TOO_LARGE')
    assert.equal(refusedAs(await log.appendKafka(await batchOf(['x']))), 'accepted')
  })

  test('a batch whose records are not what it says is refused, and those behind it are not', async () => {
    const log = await openPartition(await scene.open(), 'orders')
    const bad = await batchOf(['a', 'b'])
    const bytes = Buffer.from(bad.bytes)
    bytes[61] = 0x7f
    const results = await Promise.all([
      log.appendKafka({ ...bad, bytes }),
      log.appendKafka(await batchOf(['c'])),
    ])
    assert.deepEqual(results.map(refusedAs), ['INVALID_RECORD', 'accepted'])
    assert.deepEqual(await fetchAll(log), ['0:c'])
  })

  for (const entryFormat of formats)
    test(`with entryFormat=${entryFormat}, a right checksum does not let wrong records in`, async () => {
      const log = await openPartition(await scene.open({ entryFormat }), 'orders')
      const base = 1000
      const [first, second] = [0, 1].map((offsetDelta) => encodeRecord(record, base, offsetDelta))
      assert.ok(first !== undefined && second !== undefined)
      const two = Buffer.concat([first, second])
      const wrong: readonly (readonly [string, Buffer, number])[] = [
        ['fewer records than the header says', first, 2],
        ['more records than the header says', two, 1],
        ['offset deltas 0, 0', Buffer.concat([first, first]), 2],
        ['offset deltas 1, 0', Buffer.concat([second, first]), 2],
        ['a cut record', two.subarray(0, -1), 2],
        ['bytes after the last record', Buffer.concat([two, Buffer.alloc(1)]), 2],
        ['no record', Buffer.alloc(0), 0],
      ]
      for (const [name, records, count] of wrong) {
        for (const codec of [0, 1]) {
          const packed = await compressRecords(codec, records)
          const batch = frameTestBatch(packed, count, base, base, { codec })
          assert.equal(refusedAs(await log.appendKafka(batch)), 'INVALID_RECORD', `${name}, codec ${codec}`)
        }
      }
      const notCompressed = frameTestBatch(two, 2, base, base, { codec: 1 })
      assert.equal(refusedAs(await log.appendKafka(notCompressed)), 'INVALID_RECORD')
      assert.deepEqual([log.endOffset(), log.ledger.end.index], [0n, 0])
      assert.equal(await log.lastEntry(), undefined)
      assert.equal(refusedAs(await log.appendKafka(frameTestBatch(two, 2, base, base, {}))), 'accepted')
    })
})

const record = { timestampMs: 1000, key: null, value: Buffer.from('v'), headers: [] }
