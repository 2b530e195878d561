import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPartition, TestTopics, topicName } from '../testing.js'
import type { PartitionLog } from '../types.js'
import { CompactedLog } from './compacted-log.js'
import {
  compacted,
  type Keyed,
  lastValues,
  readCompacted,
  readKafka,
  writeKafka,
  writePulsar,
} from './testing.js'

const writesMax = 50

/** A store whose writes fail from a given one on, as when the machine stops there. */
class Failing {
  readonly scene = new TestTopics()
  writesLeft = Number.POSITIVE_INFINITY

  async open(): Promise<PartitionLog> {
    this.writesLeft = Number.POSITIVE_INFINITY
    const failWrites = () => (this.writesLeft-- <= 0 ? new Error('pulled the plug') : undefined)
    const topics = await this.scene.open({ retentionCheckMs: 1 << 30 }, { failWrites })
    if (topics.find(topicName('kept')) === undefined)
      await topics.create(topicName('kept'), { partitions: 1, configs: { 'cleanup.policy': 'compact' } })
    return openPartition(topics, 'kept')
  }

  /** Names of the compacted ledgers that the metadata store knows. */
  async known(): Promise<{ current: string | undefined; doomed: readonly string[] }> {
    await this.scene.close(false)
    const storage = await this.scene.scratch.open()
    const [pair] = await storage.metadata.list('compacted/')
    const stored = JSON.parse(pair?.[1].toString() ?? '{}')
    await storage.close()
    return { current: stored.current?.ledger, doomed: stored.doomed ?? [] }
  }
}

test('wherever a compaction breaks off, the log reads whole before and after a new start, and the next one works', async () => {
  const before: Keyed[] = [
    { key: 'a', value: '1' },
    { key: 'b', value: '2' },
    { key: 'a', value: '3' },
  ]
  const later: Keyed[] = [
    { key: 'b', value: '4' },
    { key: 'c', value: '5' },
    { key: 'c', value: '6' },
  ]
  const expected = lastValues([...before, ...later])
  const outcomes = new Set<string>()
  for (let writes = 0; writes < writesMax; writes++) {
    const failing = new Failing()
    const log = await failing.open()
    await writeKafka(log, before)
    await compacted(log)
    await writePulsar(log, later)
    failing.writesLeft = writes
    await compacted(log)
    const broke = failing.writesLeft < 0
    outcomes.add(log.compaction?.status.status ?? '')
    failing.writesLeft = Number.POSITIVE_INFINITY
    assert.deepEqual(lastValues(await readKafka(log, 0n)), expected)
    await failing.scene.close(false)

    const again = await failing.open()
    assert.deepEqual(lastValues(await readKafka(again, 0n)), expected)
    await compacted(again)
    assert.equal(again.compaction?.status.status, 'SUCCESS')
    assert.equal((await readCompacted(again)).length, 3)
    assert.deepEqual((await failing.known()).doomed, [])
    await failing.scene.remove()
    if (!broke) {
      assert.ok(writes >= 3, 'a compaction writes its plan, its ledger and its end')
      assert.deepEqual([...outcomes].sort(), ['ERROR', 'SUCCESS'])
      return
    }
  }
  assert.fail(`a compaction of six messages takes more than ${writesMax} writes`)
})

test('a compaction of a topic that is deleted ends, and leaves nothing', async () => {
  const failing = new Failing()
  const topics = await failing.scene.open()
  const log = await openPartition(topics, 'gone')
  for (let at = 0; at < 50; at++) await writeKafka(log, [{ key: `${at % 3}`, value: `${at}` }])
  await compacted(log)
  assert.equal(log.compaction?.start(), true)
  assert.equal(await topics.delete(topicName('gone')), true)
  await log.compaction?.idle()
  assert.equal(log.compaction?.start(), false)
  assert.deepEqual(await failing.known(), { current: undefined, doomed: [] })
  assert.deepEqual(failing.scene.log.messages, [])
  await failing.scene.remove()
})

test('a compacted ledger that is read stays until the reading is over', async () => {
  const failing = new Failing()
  const log = await failing.open()
  for (let at = 0; at < 20; at++) await writeKafka(log, [{ key: `${at}`, value: `${at}` }])
  await compacted(log)
  const readings = Array.from({ length: 20 }, () => readKafka(log, 0n, 100))
  assert.equal(log.compaction?.start(), true)
  for (const seen of await Promise.all(readings)) assert.equal(seen.length, 20)
  await log.compaction?.idle()
  assert.equal(log.compaction?.status.status, 'SUCCESS')
  await failing.scene.remove()
})

test('nothing is removed of a log that was never compacted', async () => {
  const scene = new TestTopics()
  await scene.open()
  await scene.close()
  const storage = await scene.scratch.open()
  await CompactedLog.remove(storage, 'compacted/none/0')
  await storage.close()
  await scene.remove()
})
