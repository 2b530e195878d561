import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import type { OffsetsTopic } from './index.js'
import { commitOf, contentsOf, groupOf, OffsetsScene, orders } from './testing.js'

let scene: OffsetsScene
beforeEach(() => {
  scene = new OffsetsScene()
})
afterEach(() => scene.remove())

const compaction = { recordsMin: 100, ratioMax: 3 }

/** So many commits of ten groups, one after the other, and a group that goes. */
async function commitMany(offsets: OffsetsTopic, count: number): Promise<void> {
  for (let at = 0; at < count; at++) await offsets.put(groupOf(at % 10), [commitOf(at)])
}

async function recordsInLog(): Promise<number> {
  const { ledger } = await scene.partition()
  return ledger.end.index - ledger.start.index
}

test('a log much larger than what is live is written anew, and holds the same', async () => {
  const offsets = await scene.open({ topic: { compaction } })
  await offsets.put(groupOf('gone'), [commitOf(1)])
  await offsets.deleteGroup(groupOf('gone'))
  await commitMany(offsets, 500)
  await offsets.close()
  assert.ok((await recordsInLog()) <= 110, `${await recordsInLog()} records for 10 live keys`)
  const expected = await contentsOf(offsets)
  assert.equal(expected.length, 10)
  assert.deepEqual(await contentsOf(await scene.open()), expected)
})

test('what is committed while a log is written anew is newer than what is written', async () => {
  const offsets = await scene.open({ topic: { compaction } })
  // More live keys than one batch takes, so that commits go in between.
  const wide = Array.from({ length: 3000 }, (_, partition) => commitOf(1, { partition }))
  await offsets.put(groupOf('wide'), wide)
  for (let round = 2; round < 12; round++)
    await Promise.all([
      offsets.put(
        groupOf('wide'),
        wide.map((each) => ({ ...each, offset: BigInt(round) })),
      ),
      offsets.put(groupOf(round), [commitOf(round)]),
    ])
  const late = Array.from({ length: 50 }, (_, at) =>
    offsets.put(groupOf('wide'), [commitOf(1000 + at, { partition: at })]),
  )
  await Promise.all([...late, offsets.deleteOffsets(groupOf('wide'), [{ topic: orders, partition: 2999 }])])
  const expected = await contentsOf(offsets)
  await offsets.close()
  assert.ok((await recordsInLog()) < 12_000, `${await recordsInLog()} records`)
  assert.deepEqual(await contentsOf(await scene.open()), expected)
})

test('a log that is already too large is written anew after a start', async () => {
  const never = { recordsMin: Number.POSITIVE_INFINITY, ratioMax: 1 }
  await commitMany(await scene.open({ topic: { compaction: never } }), 300)
  assert.equal(await recordsInLog(), 300)
  const offsets = await scene.open({ topic: { compaction } })
  // It goes along with the next commit at the latest.
  await offsets.put(groupOf('next'), [commitOf(1)])
  await offsets.put(groupOf('next'), [commitOf(2)])
  assert.ok((await recordsInLog()) < 100, `${await recordsInLog()} records`)
})

test('a store that fails anywhere in a compaction leaves the right state, and it is done later', async () => {
  const never = { recordsMin: Number.POSITIVE_INFINITY, ratioMax: 1 }
  const failed = 'the offsets topic could not be compacted; it will be tried again'
  let left = Number.POSITIVE_INFINITY
  const storage = { failWrites: () => (left-- <= 0 ? new Error('pulled the plug') : undefined) }
  const finished: number[] = []
  for (let writes = 0; writes < 14; writes++) {
    await commitMany(await scene.open({ topic: { compaction: never }, storage }), 150)
    const compacting = await scene.open({ topic: { compaction: never }, storage })
    const before = await contentsOf(compacting)
    await scene.open({ topic: { compaction }, storage }).then(async (offsets) => {
      left = writes
      // The store fails from here on: none of these can be said to be stored unless they are.
      for (let at = 0; at < 4; at++)
        await offsets.put(groupOf('late'), [commitOf(writes * 100 + at)]).catch(() => undefined)
      const known = await contentsOf(offsets)
      left = Number.POSITIVE_INFINITY
      assert.deepEqual(withoutLate(known), withoutLate(before))
      assert.deepEqual(await contentsOf(await scene.open({ topic: { compaction: never }, storage })), known)
    })
    if ((await recordsInLog()) < 100) finished.push(writes)
  }
  assert.ok(
    scene.log.messages.filter((message) => message === failed).length >= 4,
    'it failed at several points',
  )
  assert.ok(finished.length > 0 && finished.length < 14, `it was done with ${finished} writes`)
})

const withoutLate = (lines: readonly string[]) => lines.filter((line) => !line.includes('late'))

test('GC-11: groups of the consumer protocol outlive restarts and compaction, and removed ones do not', async () => {
  const offsets = await scene.open({ topic: { compaction } })
  const group = (epoch: number) => ({ epoch, assignor: 'uniform', emptySinceMs: 5, topics: [], members: [] })
  await offsets.putConsumerGroup(groupOf('kept'), group(1))
  await offsets.putConsumerGroup(groupOf('kept'), group(2))
  await offsets.putConsumerGroup(groupOf('gone'), group(3))
  await offsets.putConsumerGroup(groupOf('gone'), undefined)
  const expected = [[groupOf('kept'), group(2)]]
  const again = await scene.open({ topic: { compaction } })
  assert.deepEqual([...again.consumerGroups()], expected)
  await commitMany(again, 500)
  await again.close()
  assert.ok((await recordsInLog()) <= 120, `${await recordsInLog()} records`)
  assert.deepEqual([...(await scene.open()).consumerGroups()], expected)
})
