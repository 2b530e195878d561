import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { asOffset } from '../../base/brand.js'
import { ManualClock } from '../../base/clock.js'
import { batchOf, openPartition, refusedAs, TestTopics, topicName } from '../testing.js'
import type { PartitionLog } from '../types.js'
import { startCompactionChecks } from './checks.js'
import { compacted, type Keyed, readCompacted, readKafka, writeKafka, writePulsar } from './testing.js'

const scene = new TestTopics()
after(() => scene.remove())

const dayMs = 86_400_000
const clock = new ManualClock(1_000 * dayMs)
let number = 0

async function kafkaLog(configs: Readonly<Record<string, string>> = {}): Promise<PartitionLog> {
  const topics = await scene.open({ clock, retentionCheckMs: 1000 * dayMs })
  const local = `compacted-${number++}`
  await topics.create(topicName(local), {
    partitions: 1,
    configs: { 'cleanup.policy': 'compact', ...configs },
  })
  return openPartition(topics, local)
}

async function pulsarLog(options: object = {}): Promise<PartitionLog> {
  const topics = await scene.open({ clock, retentionCheckMs: 1000 * dayMs, ...options })
  return openPartition(topics, `plain-${number++}`)
}

const keyed = (...pairs: (readonly [key: string | null, value: string | null])[]): Keyed[] =>
  pairs.map(([key, value]) => ({ key, value }))
const shown = (seen: readonly (Keyed & { offset: bigint })[]): string[] =>
  seen.map(({ offset, key, value }) => `${offset}:${key}=${value}`)

describe('by Kafka’s rules', () => {
  test('the last value of each key stays under its offset, and the log’s ends stay', async () => {
    const log = await kafkaLog()
    await writeKafka(log, keyed(['a', '1'], ['b', '2'], ['a', '3']))
    await writeKafka(log, keyed(['a', '4'], ['c', '5']))
    await writePulsar(log, keyed(['c', '6'], ['d', '7']))
    await compacted(log)
    assert.deepEqual(shown(await readKafka(log, 0n)), ['1:b=2', '3:a=4', '5:c=6', '6:d=7'])
    assert.deepEqual([log.startOffset(), log.endOffset()], [0n, 7n])
  })

  test('a fetch at an offset that is gone delivers the next record', async () => {
    const log = await kafkaLog()
    for (let at = 0; at < 8; at++) await writeKafka(log, keyed([at === 5 ? 'other' : 'same', `${at}`]))
    await compacted(log)
    for (const offset of [0n, 1n, 4n, 5n])
      assert.deepEqual(shown(await readKafka(log, offset)), ['5:other=5', '7:same=7'])
    assert.deepEqual(shown(await readKafka(log, 6n)), ['7:same=7'])
  })

  test('what comes after a compaction is read after what it kept', async () => {
    const log = await kafkaLog()
    await writeKafka(log, keyed(['a', '1'], ['a', '2']))
    await compacted(log)
    await writeKafka(log, keyed(['a', '3'], ['a', '4']))
    assert.deepEqual(shown(await readKafka(log, 0n)), ['1:a=2', '2:a=3', '3:a=4'])
    await compacted(log)
    assert.deepEqual(shown(await readKafka(log, 0n)), ['3:a=4'])
  })

  test('a tombstone stays for delete.retention.ms after the compaction that came to it first, and goes then', async () => {
    const log = await kafkaLog({ 'delete.retention.ms': '60000' })
    await writeKafka(log, keyed(['a', '1'], ['a', null], ['b', '2']))
    await compacted(log)
    assert.deepEqual(shown(await readKafka(log, 0n)), ['1:a=null', '2:b=2'])
    clock.advance(59_999)
    assert.equal(log.compaction?.isDue(0), false)
    await compacted(log)
    assert.deepEqual(shown(await readKafka(log, 0n)), ['1:a=null', '2:b=2'])
    clock.advance(1)
    assert.equal(log.compaction?.isDue(0), true)
    await compacted(log)
    assert.deepEqual(shown(await readKafka(log, 0n)), ['2:b=2'])
    assert.equal(log.compaction?.isDue(0), false)
  })

  test('the last message stays, whatever it is: a consumer reaches the log’s end', async () => {
    const log = await kafkaLog({ 'delete.retention.ms': '0' })
    await writeKafka(log, keyed(['a', '1'], ['a', null]))
    await writePulsar(log, keyed(['b', '2'], [null, 'no key']))
    for (let times = 0; times < 3; times++) await compacted(log)
    assert.deepEqual(shown(await readKafka(log, 0n)), ['2:b=2', '3:null=no key'])
    assert.deepEqual(await readKafka(log, 4n), [])
  })

  test('timestamps are looked up among what is left', async () => {
    const log = await kafkaLog()
    await writeKafka(log, keyed(['a', '1'], ['b', '2']), { timestampMs: 1000 })
    await writeKafka(log, keyed(['a', '3']), { timestampMs: 3000 })
    await writeKafka(log, keyed(['a', '4']), { timestampMs: 2000 })
    await compacted(log)
    await writeKafka(log, keyed(['c', '5']), { timestampMs: 2500 })
    const found = async (timestampMs: bigint) => (await log.offsetOfTimestamp(timestampMs))?.offset
    assert.equal(await found(500n), 1n)
    assert.equal(await found(1001n), 3n)
    assert.equal(await found(2001n), 4n)
    assert.equal(await found(2501n), undefined)
    assert.deepEqual(await log.offsetOfMaxTimestamp(), { offset: 4n, timestampMs: 2500n })
  })

  test('records without a key are refused, and so is deleting records unless the policy has delete', async () => {
    const log = await kafkaLog()
    assert.equal(refusedAs(await log.appendKafka(await batchOf(['no key']))), 'INVALID_RECORD')
    await writeKafka(log, keyed(['a', '1'], ['b', '2']))
    assert.equal(refusedAs(Object(await log.deleteRecords(asOffset(1n)))), 'POLICY_VIOLATION')
  })

  test('with delete in the policy, what was deleted is in no view any more', async () => {
    const log = await kafkaLog({ 'cleanup.policy': 'compact,delete' })
    await writeKafka(log, keyed(['a', '1'], ['b', '2']))
    await writeKafka(log, keyed(['c', '3'], ['c', '4']))
    await compacted(log)
    assert.equal(await log.deleteRecords(asOffset(2n)), 2n)
    assert.deepEqual(shown(await readKafka(log, 2n)), ['3:c=4'])
    assert.equal((await log.offsetOfTimestamp(0n))?.offset, 3n)
    await compacted(log)
    assert.deepEqual(shown(await readCompacted(log)), ['3:c=4'])
  })

  test('a topic that is not to be compacted any more shows all again', async () => {
    const topics = await scene.open({ clock, retentionCheckMs: 1000 * dayMs })
    const name = topicName(`compacted-${number++}`)
    await topics.create(name, { partitions: 1, configs: { 'cleanup.policy': 'compact' } })
    const log = await openPartition(topics, name.local)
    await writeKafka(log, keyed(['a', '1'], ['a', '2']))
    await compacted(log)
    assert.equal((await readKafka(log, 0n)).length, 1)
    await topics.setConfigs(name, { 'cleanup.policy': 'delete' })
    assert.equal((await readKafka(log, 0n)).length, 2)
  })
})

describe('by Pulsar’s rules', () => {
  test('who reads compacted sees the last values, ids as they were; everyone else sees all', async () => {
    const log = await pulsarLog()
    await writePulsar(log, keyed(['a', '1'], ['b', '2'], ['a', '3']))
    await writePulsar(log, keyed(['c', '4']), false)
    await writeKafka(log, keyed(['c', '5'], ['d', '6']), { codec: 1 })
    await compacted(log)
    await writePulsar(log, keyed(['b', '7']), false)
    assert.deepEqual(shown(await readCompacted(log)), ['1:b=2', '2:a=3', '4:c=5', '5:d=6', '6:b=7'])
    assert.equal((await readKafka(log, 0n)).length, 7)
  })

  test('tombstones, empty ones of Pulsar’s too, remove their key at once, and messages without a key go', async () => {
    const log = await pulsarLog()
    await writePulsar(log, keyed(['a', '1'], ['b', '2'], ['c', '3'], [null, '4'], ['d', '5']))
    await writePulsar(log, keyed(['a', null]))
    await writePulsar(log, keyed(['b', '']))
    await writeKafka(log, keyed(['c', '']))
    await compacted(log)
    assert.deepEqual(shown(await readCompacted(log)), ['4:d=5', '7:c='])
    assert.equal((await log.lastEntry('compacted'))?.firstIndex, 7)
  })

  test('messages without a key stay where that is wanted', async () => {
    const log = await pulsarLog({ retainsNullKeys: true })
    await writePulsar(log, keyed([null, '1'], ['a', '2'], ['a', '3']))
    await compacted(log)
    assert.deepEqual(shown(await readCompacted(log)), ['0:null=1', '2:a=3'])
  })

  test('what retention dropped since stays in the compacted view', async () => {
    const log = await pulsarLog()
    await writePulsar(log, keyed(['a', '1']))
    await writePulsar(log, keyed(['b', '2']))
    await compacted(log)
    await log.ledger.trim(log.ledger.end.index)
    await writePulsar(log, keyed(['c', '3']))
    const values = async () => (await readCompacted(log)).map(({ value }) => value)
    assert.deepEqual(await values(), ['1', '2', '3'])
    await compacted(log)
    assert.deepEqual(await values(), ['1', '2', '3'])
  })

  test('what it tells: status, report, ledger', async () => {
    const log = await pulsarLog()
    const { compaction } = log
    assert.ok(compaction)
    assert.deepEqual([compaction.status.status, compaction.ledgers], ['NOT_RUN', undefined])
    await writePulsar(log, keyed(['a', '1'], ['a', '2'], ['b', '3']))
    assert.equal(compaction.start(), true)
    assert.equal(compaction.start(), false)
    assert.equal(compaction.status.status, 'RUNNING')
    await compaction.idle()
    assert.equal(compaction.status.status, 'SUCCESS')
    assert.equal(compaction.report.removedMessages, 1)
    assert.equal(compaction.ledgers?.[0]?.entries, 1)
  })
})

test('topics are compacted by themselves when enough is new: by their policy, or their namespace’s threshold', async () => {
  const topics = await scene.open({ clock, retentionCheckMs: 1000 * dayMs })
  const local = `checked-${number++}`
  await topics.create(topicName(local), {
    partitions: 1,
    configs: { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.5' },
  })
  const log = await openPartition(topics, local)
  const plain = await openPartition(topics, `checked-${number++}`)
  const end = startCompactionChecks({ catalog: topics, clock, log: scene.log, checkMs: 1000 })
  const checked = async () => {
    clock.advance(1000)
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve))
    await Promise.all([log.compaction?.idle(), plain.compaction?.idle()])
  }
  const kept = async () => (await readKafka(log, 0n)).length
  await writeKafka(log, keyed(['a', '1'], ['b', '2'], ['c', '3'], ['a', '4']))
  await writePulsar(plain, keyed(['a', 'x'.repeat(2000)], ['a', '2']))
  await checked()
  assert.equal(await kept(), 3)
  assert.equal(plain.compaction?.status.status, 'NOT_RUN')
  await writeKafka(log, keyed(['a', '5'], ['b', '6']))
  await topics.tenants.updatePolicies('public', 'default', (before) => ({
    ...before,
    kept: { compactionThreshold: 1000 },
  }))
  await checked()
  assert.equal(plain.compaction?.status.status, 'SUCCESS')
  assert.equal(await kept(), 5)
  await writeKafka(log, keyed(['c', '7']))
  await checked()
  assert.equal(await kept(), 3)
  end()
})
