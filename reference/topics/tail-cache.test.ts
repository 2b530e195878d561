import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { asEntryId, asLedgerId } from '../base/brand.js'
import { checksumIsRight } from '../pulsar/wire/entry-checksum.js'
import { accepted, batchOf, everything, openPartition, recordsIn, TestTopics } from './testing.js'
import type { PartitionLog } from './types.js'

let scene: TestTopics
beforeEach(() => {
  scene = new TestTopics()
})
afterEach(() => scene.remove())

const origin = { ledgerId: asLedgerId(0), entryId: asEntryId(0) }
const fetchAll = async (log: PartitionLog) =>
  recordsIn(accepted(await log.fetchKafka(log.startOffset(), everything)))

describe('a batch that is kept for readers at the end', () => {
  // A large one is kept as it lies in its request, a small one copied out of it; large entries lie in a ledger's file.
  for (const entryFormat of ['pulsar', 'kafka'] as const)
    for (const bytes of [100, 50_000])
      test(`stays as it is in store and request: ${bytes} bytes, entryFormat=${entryFormat}`, async () => {
        const topics = await scene.open({ entryFormat, tailCacheBytesMax: 1 << 20 })
        const logs = [await openPartition(topics, 'one'), await openPartition(topics, 'other')] as const
        await logs[1].appendKafka(await batchOf(['first']))
        const batch = await batchOf(['x'.repeat(bytes), 'y'])
        const sent = Buffer.from(batch.bytes)
        // The same bytes at two offsets: what is set for the one must not be seen in the other, stored or sent.
        await Promise.all([...logs, ...logs].map((log) => log.appendKafka(batch)))
        assert.deepEqual(batch.bytes, sent)
        const offsets = (values: readonly string[]) => values.map((value) => value.replace(/:.*/, ''))
        for (const [log, expected] of [
          [logs[0], ['0', '1', '2', '3']],
          [logs[1], ['0', '1', '2', '3', '4']],
        ] as const) {
          const [once, again] = await Promise.all([fetchAll(log), fetchAll(log)])
          assert.deepEqual([offsets(once), again], [expected, once])
          const limits = { maxEntries: 10, maxBytes: 1 << 20 }
          for (const { data } of await log.ledger.read(origin, limits)) assert.ok(checksumIsRight(data))
          for (const { view } of await log.readPulsar(origin, limits))
            assert.ok(checksumIsRight(Buffer.concat(view.headersAndPayload)))
        }
      })
})
