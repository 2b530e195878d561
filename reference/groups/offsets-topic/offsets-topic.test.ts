import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { asEntryId, asLedgerId } from '../../base/brand.js'
import { readPulsarEntry, testBatch } from '../../entry-format/test-kit.js'
import { offsetMapping } from '../../offsets/index.js'
import { StorageError } from '../../storage/types.js'
import { accepted } from '../../topics/testing.js'
import type { GroupChange, StoredGroup } from '../group-store.js'
import { TooLargeToStore } from '../offset-store.js'
import { decodeKey, decodeOffset, recordOf } from './record-format.js'
import { commitOf, contentsOf, groupOf, OffsetsScene, offsetsTopicName, orders } from './testing.js'

let scene: OffsetsScene
beforeEach(() => {
  scene = new OffsetsScene()
})
afterEach(() => scene.remove())

const g = groupOf('g')
const payments = 'persistent://public/default/payments'
const emptyGroup: StoredGroup = {
  protocolType: 'consumer',
  protocolName: null,
  generationId: 3,
  leaderId: null,
  stateTimestampMs: 5,
  members: [],
}
const origin = { ledgerId: asLedgerId(0), entryId: asEntryId(0) }

test('GC-3: groups and offsets are there after a restart, and removed ones are not', async () => {
  const before = await scene.open({ topic: { partitions: 3 } })
  await Promise.all([
    before.put(g, [
      commitOf(1),
      commitOf(2, { partition: 1, metadata: 'ä' }),
      commitOf(3, { topic: payments }),
    ]),
    before.put(g, [commitOf(9)]),
    before.putGroup(g, emptyGroup),
    before.put(groupOf('other'), [commitOf(4), commitOf(5, { topic: payments })]),
    before.put(groupOf('gone'), [commitOf(6)]),
    before.putGroup(groupOf('gone'), emptyGroup),
  ])
  await before.deleteOffsets(g, [
    { topic: orders, partition: 1 },
    { topic: orders, partition: 77 },
  ])
  await before.deleteGroup(groupOf('gone'))
  await before.deleteTopic(payments)
  const expected = [`${g} 3`, `${g} ${orders} 0 9`, `${groupOf('other')} ${orders} 0 4`]
  assert.deepEqual(await contentsOf(before), expected)
  const after = await scene.open({ topic: { partitions: 3 } })
  assert.deepEqual(await contentsOf(after), expected)
  assert.deepEqual(await after.get(g, orders, 0), commitOf(9))
  assert.deepEqual(after.getGroup(g), emptyGroup)
  assert.equal(await after.get(g, orders, 1), undefined)
})

test('changes of a group take effect in the order of the calls', async () => {
  const offsets = await scene.open()
  const changes: GroupChange[] = []
  offsets.onChange((change) => changes.push(change))
  await Promise.all([
    offsets.put(g, [commitOf(1)]),
    offsets.deleteGroup(g),
    offsets.put(g, [commitOf(2)]),
    offsets.put(g, [commitOf(3)]),
    offsets.deleteTopic(orders),
    offsets.put(g, [commitOf(4)]),
  ])
  assert.deepEqual(
    changes.map((change) => (change.type === 'offset' ? change.offset?.offset : undefined)),
    [1n, undefined, 2n, 3n, undefined, 4n],
  )
  assert.deepEqual(await contentsOf(await scene.open()), [`${g} ${orders} 0 4`])
})

test('commits that come together share batches', async () => {
  const offsets = await scene.open()
  await Promise.all(Array.from({ length: 500 }, (_, at) => offsets.put(groupOf(at), [commitOf(at)])))
  const entries = await (await scene.partition()).readPulsar(origin, { maxEntries: 1000, maxBytes: 1 << 24 })
  assert.ok(entries.length < 5, `${entries.length} entries for 500 commits`)
  assert.equal((await (await scene.open()).groupIds()).length, 500)
})

test('a commit larger than a batch may be is cut into several', async () => {
  const offsets = await scene.open({
    topic: { batchBytesMax: 2000 },
    topics: { defaults: { messageBytesMax: 3000 } },
  })
  await offsets.put(
    g,
    Array.from({ length: 200 }, (_, partition) => commitOf(partition, { partition })),
  )
  assert.equal((await (await scene.open()).ofGroup(g)).length, 200)
})

test('what the store cannot take is not acknowledged, not shown, and not there afterwards', async () => {
  let failing = false
  const failWrites = () => (failing ? new Error('no space left on device') : undefined)
  const offsets = await scene.open({ storage: { failWrites } })
  const changes: GroupChange[] = []
  offsets.onChange((change) => changes.push(change))
  await offsets.put(g, [commitOf(1)])
  failing = true
  await assert.rejects(offsets.put(g, [commitOf(2)]), StorageError)
  await assert.rejects(offsets.deleteGroup(g), StorageError)
  assert.equal((await offsets.get(g, orders, 0))?.offset, 1n)
  failing = false
  await offsets.put(g, [commitOf(3)])
  assert.equal(changes.length, 2)
  assert.deepEqual(await contentsOf(await scene.open()), [`${g} ${orders} 0 3`])
})

for (const entryFormat of ['pulsar', 'kafka'] as const) {
  test(`GC-4: a Pulsar reader follows it, entryFormat=${entryFormat}`, async () => {
    const offsets = await scene.open({ topics: { entryFormat } })
    await offsets.put(g, [commitOf(7)])
    await offsets.deleteOffsets(g, [{ topic: orders, partition: 0 }])
    const entries = await (await scene.partition()).readPulsar(origin, { maxEntries: 10, maxBytes: 1 << 20 })
    const messages = []
    for (const { view } of entries) messages.push(...(await readPulsarEntry(view.headersAndPayload)).singles)
    const [commit, removal] = messages.map(({ metadata, payload }) => {
      const text = String(metadata.partitionKey)
      const key = Buffer.from(text, metadata.partitionKeyB64Encoded === true ? 'base64' : 'utf8')
      return { key: decodeKey(key), payload, isNull: metadata.nullValue === true }
    })
    const key = { type: 'offset', group: g, topic: orders, partition: 0 }
    assert.deepEqual([commit?.key, removal?.key], [key, key])
    assert.deepEqual(decodeOffset(commit?.payload ?? Buffer.alloc(0), orders, 0), commitOf(7))
    assert.deepEqual([commit?.isNull, removal?.isNull], [false, true])
  })
}

for (const mapping of ['packed', 'wrapper'] as const) {
  test(`it is loaded whole under offsetMapping=${mapping}, over several ledgers`, async () => {
    const options = { topics: { mapping: offsetMapping(mapping) }, storage: { entriesPerLedgerMax: 40 } }
    const before = await scene.open(options)
    for (let at = 0; at < 10; at++)
      await before.put(
        groupOf(at),
        [0, 1, 2].map((partition) => commitOf(at, { partition })),
      )
    await Promise.all(Array.from({ length: 30 }, (_, at) => before.put(groupOf(at), [commitOf(100 + at)])))
    const expected = await contentsOf(before)
    assert.equal(expected.length, 50)
    assert.deepEqual(await contentsOf(await scene.open(options)), expected)
  })
}

test('records that nobody can read are skipped, each said with its place', async () => {
  const offsets = await scene.open()
  await offsets.put(g, [commitOf(1)])
  const { key } = recordOf({ type: 'offset', key: g, topic: orders, partition: 0, offset: commitOf(1) })
  const groupKey = recordOf({ type: 'group', key: g, group: emptyGroup }).key
  const strange: readonly (readonly [Buffer | null, Buffer | null])[] = [
    [key, Buffer.from('no commit')],
    [key, Buffer.from([0, 9, 1])],
    [null, Buffer.from('x')],
    [Buffer.from([0, 3, 0, 1, 65]), Buffer.from('a later kind')],
    [
      Buffer.from([0, 1, 0, 99]),
      recordOf({ type: 'offset', key: g, topic: 't', partition: 0, offset: commitOf(1) }).value,
    ],
    [groupKey, Buffer.from([0, 4, 200])],
    [Buffer.from([7]), null],
  ]
  const records = strange.map(([key, value]) => ({ timestampMs: 1, key, value, headers: [] }))
  accepted(await (await scene.partition()).appendKafka(await testBatch(records)))
  await offsets.put(g, [commitOf(2, { partition: 1 })])
  scene.log.messages.length = 0
  const after = await scene.open()
  assert.deepEqual(await contentsOf(after), [`${g} ${orders} 0 1`, `${g} ${orders} 1 2`])
  assert.deepEqual(scene.log.messages, Array(strange.length).fill('a record of the offsets topic is skipped'))
})

test('a topic of clients is not taken for the offsets topic; nobody deletes or widens the real one', async () => {
  await scene.open()
  const { topics } = scene
  const name = { ...offsetsTopicName, local: 'orders' }
  accepted(await topics.create(name, { partitions: 1 }))
  await assert.rejects(scene.open({ topic: { name } }), /orders is a topic of clients/)
  await scene.open()
  assert.equal(scene.topics.find(offsetsTopicName)?.internal, true)
  for (const refusal of [
    await scene.topics.delete(offsetsTopicName),
    await scene.topics.setPartitions(offsetsTopicName, 5),
  ])
    assert.equal(
      typeof refusal === 'object' && 'refused' in refusal && refusal.refused,
      'INVALID_TOPIC_EXCEPTION',
    )
})

test('it keeps the number of partitions that it was made with, whatever is configured later', async () => {
  const before = await scene.open({ topic: { partitions: 5 } })
  await Promise.all(Array.from({ length: 20 }, (_, at) => before.put(groupOf(at), [commitOf(at)])))
  const after = await scene.open({ topic: { partitions: 9 } })
  assert.equal(after.topic.partitions, 5)
  assert.equal((await after.groupIds()).length, 20)
  assert.equal((await after.get(groupOf(7), orders, 0))?.offset, 7n)
})

test('offsets of before there was an offsets topic are moved into it, once', async () => {
  await scene.open()
  const legacy = (groupId: string, offset: number) =>
    [
      `group-offset/${encodeURIComponent(groupId)}/${encodeURIComponent(orders)}/0`,
      Buffer.from(JSON.stringify({ ...commitOf(offset), offset: String(offset) })),
    ] as const
  await scene.storage.metadata.putAll([legacy('a', 1), legacy('b/ü', 2)])
  const expected = [`public/default/a ${orders} 0 1`, `public/default/b/ü ${orders} 0 2`]
  const moved = await scene.open()
  assert.deepEqual(await contentsOf(moved), expected)
  assert.deepEqual(await scene.storage.metadata.list('group-offset/'), [])
  await moved.put('public/default/a', [commitOf(5)])
  assert.deepEqual(await contentsOf(await scene.open()), [`public/default/a ${orders} 0 5`, expected[1]])
})

test('a group that is more than a message may be is refused as such, and what waits with it is not', async () => {
  const defaults = { messageBytesMax: 4_000 }
  const offsets = await scene.open({ topics: { defaults }, topic: { batchBytesMax: 3_000 } })
  const big: StoredGroup = {
    protocolType: 'consumer',
    protocolName: 'range',
    generationId: 3,
    leaderId: 'x'.repeat(5_000),
    stateTimestampMs: 1_000,
    members: [],
  }
  const [group, beside] = await Promise.allSettled([
    offsets.putGroup(groupOf('big'), big),
    offsets.put(groupOf('small'), [commitOf(5)]),
  ])
  assert.ok(group.status === 'rejected' && group.reason instanceof TooLargeToStore, String(group.status))
  assert.equal(beside.status, 'fulfilled')
  assert.equal(offsets.getGroup(groupOf('big')), undefined)
  const again = await scene.open({ topics: { defaults } })
  assert.equal((await again.get(groupOf('small'), orders, 0))?.offset, 5n)
})

test('what cannot be written at all fails its own call, by a promise', async () => {
  const offsets = await scene.open()
  const commit = commitOf(5, { commitTimestampMs: 2 ** 63 })
  await assert.rejects(offsets.put(groupOf('odd'), [commit]), RangeError)
})
