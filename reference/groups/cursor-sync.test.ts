import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { asMessageIndex, asOffset } from '../base/brand.js'
import { ManualClock } from '../base/clock.js'
import { StorageError } from '../storage/types.js'
import type { StoredTopics } from '../topics/index.js'
import { fullName } from '../topics/names.js'
import { accepted, batchOf, openPartition, TestTopics, topicName } from '../topics/testing.js'
import type { PartitionLog, TopicInfo } from '../topics/types.js'
import { CursorSync } from './cursor-sync.js'
import type { StoredGroup } from './group-store.js'
import type { GroupMemberPartitions } from './group-views.js'
import type { CommittedOffset } from './offset-store.js'
import type { GroupMembers } from './partition-members.js'
import { MemoryGroupStore } from './testing.js'

const topics = new TestTopics()
const periodMs = 1000
const key = 'public/default/g'
let clock: ManualClock
let catalog: StoredTopics
let store: MemoryGroupStore
let sync: CursorSync
let log: PartitionLog
let info: TopicInfo
let lags: number[]
let members: GroupMembers & { list: GroupMemberPartitions[]; subscribed: string; resets: string[] }
let made = 0

before(async () => {
  clock = new ManualClock(1_000_000)
  catalog = await topics.open({ clock })
})
after(() => topics.remove())

/** Ten messages in entries of one, three, five and one. */
beforeEach(async () => {
  const local = `t${++made}`
  log = await openPartition(catalog, local)
  for (const texts of [['0'], ['1', '2', '3'], ['4', '5', '6', '7', '8'], ['9']])
    accepted(await log.appendKafka(await batchOf(texts)))
  const found = catalog.find(topicName(local))
  assert.ok(found)
  info = found
  store = new MemoryGroupStore()
  members = {
    list: [],
    subscribed: info.name.local,
    resets: [],
    membersOf: () => members.list,
    isSubscribed: (_key, names) => members.list.length > 0 && names.includes(members.subscribed),
    resetByTool: async (group, move) => {
      members.resets.push(group)
      await move?.()
    },
  }
  topics.log.messages.length = 0
  await started()
})

async function started(): Promise<void> {
  lags = []
  sync = new CursorSync({
    store,
    catalog,
    members: () => members,
    clock,
    log: topics.log,
    periodMs,
    onSynced: (lagMs) => lags.push(lagMs),
  })
  await sync.start()
}

const offset = (at: number, part: Partial<CommittedOffset> = {}): CommittedOffset => ({
  topic: fullName(info.name),
  topicId: info.topicId,
  partition: 0,
  offset: BigInt(at),
  leaderEpoch: -1,
  metadata: '',
  commitTimestampMs: clock.nowMs(),
  ...part,
})

const commit = (at: number, group = key) => store.put(group, [offset(at)])
const committed = async () => (await store.get(key, fullName(info.name), 0))?.offset

/** The sync's turn comes, and is over. */
async function period(): Promise<void> {
  clock.advance(periodMs)
  await sync.idle()
}

const cursor = (name = 'g') => log.ledger.openCursor(name, log.ledger.end.position)

/** `entry/batch index`, without making a cursor where there is none. */
async function place(name = 'g'): Promise<string> {
  if (!log.ledger.cursorNames().includes(name)) return 'none'
  const { position, batchIndex } = await cursor(name)
  return `${position.entryId}/${batchIndex}`
}

async function pointOf(at: number) {
  const point = await log.pointOfOffset(asOffset(BigInt(at)))
  assert.ok(point)
  return point
}

/** As a tool does it: the cursor first, and in the same turn the group. */
async function moveByTool(at: number): Promise<void> {
  const [point, subscription] = await Promise.all([pointOf(at), cursor()])
  await Promise.all([
    subscription.reset(point.position, point.batchIndex),
    sync.moved(log, 'g', { position: subscription.position, batchIndex: subscription.batchIndex }),
  ])
}

const member = (part: Partial<GroupMemberPartitions> = {}): GroupMemberPartitions => ({
  memberId: 'app-1',
  groupInstanceId: null,
  clientId: 'app',
  clientHost: '/127.0.0.1',
  partitions: [{ topic: info.name.local, partition: 0 }],
  ...part,
})

const groupOf = (...clientIds: string[]): StoredGroup => ({
  protocolType: 'consumer',
  protocolName: 'range',
  generationId: 1,
  leaderId: null,
  stateTimestampMs: 0,
  members: clientIds.map((clientId) => ({
    memberId: clientId,
    groupInstanceId: null,
    clientId,
    clientHost: '',
    sessionTimeoutMs: 0,
    rebalanceTimeoutMs: 0,
    protocols: [],
    assignment: Buffer.alloc(0),
  })),
})

test('a cursor stands at the committed offset, before, in and after batches, forwards and back', async () => {
  const seen: string[] = []
  for (const at of [0, 1, 2, 3, 4, 8, 9, 10, 6]) {
    await commit(at)
    await period()
    seen.push(`${at}: ${await place()}`)
  }
  assert.deepEqual(seen, [
    '0: 0/0',
    '1: 1/0',
    '2: 1/1',
    '3: 1/2',
    '4: 2/0',
    '8: 2/4',
    '9: 3/0',
    '10: 4/0',
    '6: 2/2',
  ])
  assert.equal((await cursor()).backlogEntries(), 2)
})

test('offsets outside the log are kept within it', async () => {
  await commit(99)
  await period()
  assert.equal(await place(), '4/0')
  await log.ledger.trim(asMessageIndex(2))
  await commit(1)
  await period()
  assert.equal(await place(), '1/1')
})

test('commits cost no store’s work, and the newest alone reaches the cursor, within the period', async () => {
  for (let at = 0; at <= 7; at++) {
    await commit(at)
    clock.advance(10)
  }
  assert.equal(await place(), 'none')
  assert.equal(sync.lagMs(), 80)
  assert.equal(sync.waiting(), 1)
  clock.advance(periodMs / 2 - 80)
  await sync.idle()
  assert.equal(await place(), '2/3')
  assert.deepEqual(lags, [periodMs / 2])
  assert.equal(sync.lagMs(), 0)
})

test('when the last member has left, its last commit is brought over at once', async () => {
  await store.putGroup(key, groupOf('app'))
  await commit(5)
  await sync.idle()
  assert.equal(await place(), 'none')
  await store.putGroup(key, groupOf())
  await sync.idle()
  assert.equal(await place(), '2/1')
})

test('a failing store is logged once, tried again, and told when it is over', async () => {
  const cursorOfLog = log.ledger.openCursor.bind(log.ledger)
  log.ledger.openCursor = () => Promise.reject(new StorageError('disk full'))
  await commit(5)
  for (let round = 0; round < 3; round++) await period()
  assert.deepEqual(topics.log.messages, [
    'a cursor could not follow its group; it is tried again, without more of these lines',
  ])
  assert.equal(sync.lagMs(), 3 * periodMs)
  log.ledger.openCursor = cursorOfLog
  await period()
  assert.equal(await place(), '2/1')
  assert.equal(sync.lagMs(), 0)
})

test('a cursor that was moved but not stored is stored at the next try', async () => {
  await commit(2)
  await period()
  const subscription = await cursor()
  const reset = subscription.reset.bind(subscription)
  const stored: string[] = []
  subscription.reset = async (position, batchIndex) => {
    await reset(position, batchIndex)
    if (stored.length === 0) {
      stored.push('failed')
      throw new StorageError('disk full')
    }
    stored.push(`${position.entryId}/${batchIndex}`)
  }
  await commit(5)
  await period()
  await period()
  await period()
  assert.deepEqual(stored, ['failed', '2/1'])
})

test('what was committed while no sync ran is caught up with at the next start', async () => {
  await commit(5)
  await period()
  await sync.close()
  await commit(8)
  await store.put('public/default/other', [offset(3)])
  await period()
  assert.equal(await place(), '2/1')
  await started()
  await period()
  assert.equal(await place(), '2/4')
  assert.equal(await place('other'), '1/2')
})

test('closing brings over what waits', async () => {
  await commit(5)
  await sync.close()
  assert.equal(await place(), '2/1')
})

test('a tool’s move is the group’s: durable before its answer, exact in a batch', async () => {
  await commit(9)
  await period()
  await moveByTool(6)
  assert.equal(await committed(), 6n)
  assert.equal(await place(), '2/2')
  await period()
  assert.equal(await place(), '2/2')
  await commit(7)
  await period()
  assert.equal(await place(), '2/3')
})

test('a sync under way never overwrites a tool’s move, wherever it is just then', async () => {
  // Of work that a commit began, each await in turn is the moment of the tool's move.
  for (let step = 0; step < 12; step++) {
    await commit(9)
    await period()
    await commit(4)
    clock.advance(periodMs)
    for (let tick = 0; tick < step; tick++) await Promise.resolve()
    await moveByTool(2)
    await sync.idle()
    await period()
    assert.deepEqual([step, await committed(), await place()], [step, 2n, '1/1'])
  }
})

test('a commit that was on its way when a tool moved the group has no effect on the cursor', async () => {
  await commit(1)
  await period()
  const release = store.hold()
  const late = commit(9)
  const moving = moveByTool(5)
  release()
  await Promise.all([late, moving])
  await period()
  assert.deepEqual([await committed(), await place()], [5n, '2/1'])
})

test('when a tool’s move cannot be stored, it is told, and the cursor goes back to the group’s offset', async () => {
  await commit(9)
  await period()
  store.failure = new StorageError('disk full')
  await assert.rejects(moveByTool(5), /disk full/)
  store.failure = null
  await period()
  assert.deepEqual([await committed(), await place()], [9n, '3/0'])
})

test('members start again under a new generation when a tool moves their group, those of other topics do not', async () => {
  await commit(9)
  await period()
  members.list = [member()]
  members.subscribed = 'another'
  await moveByTool(5)
  assert.deepEqual(members.resets, [])
  members.subscribed = fullName(info.name)
  await moveByTool(4)
  assert.deepEqual(members.resets, [key])
})

test('a move that the coordinator refuses is none', async () => {
  await commit(9)
  await period()
  members.list = [member()]
  members.resetByTool = () => Promise.reject(new StorageError('the fence was not stored'))
  await assert.rejects(moveByTool(5), /fence/)
  await period()
  assert.deepEqual([await committed(), await place()], [9n, '3/0'])
})

test('an offset is asked for only when a tool’s move under way is stored', async () => {
  await commit(9)
  const to = await pointOf(3)
  const release = store.hold()
  const moving = sync.moved(log, 'g', to)
  const read = sync.settled(key, fullName(info.name), 0).then(committed)
  release()
  assert.equal(await read, 3n)
  await moving
})

test('deleting the subscription deletes the offset, and nothing brings the cursor back', async () => {
  await commit(5)
  await period()
  await commit(6)
  clock.advance(periodMs)
  await sync.deleted(log, 'g', () => log.ledger.deleteCursor('g'))
  await period()
  assert.deepEqual([await committed(), await place()], [undefined, 'none'])
  await commit(2)
  await period()
  assert.equal(await place(), '1/1')
})

test('an offset that Kafka’s side deletes takes the subscription with it, unless consumers of Pulsar use it', async () => {
  await commit(5)
  await period()
  const inUse = new Set(['g'])
  const stop = sync.follow({
    cursorMoved: () => {},
    groupStarted: () => {},
    removeUnused: async (_partition, name) => !inUse.has(name),
  })
  await store.deleteGroup(key)
  await sync.idle()
  await period()
  assert.equal(await place(), '2/1')
  stop()
  await commit(5)
  await period()
  await store.deleteGroup(key)
  await new Promise(setImmediate)
  await sync.idle()
  assert.equal(await place(), 'none')
})

test('a group without an offset begins where the subscription of its name stands', async () => {
  assert.equal(await sync.startOf(key, info, 0), undefined)
  const point = await pointOf(6)
  await (await cursor()).reset(point.position, point.batchIndex)
  assert.equal(await sync.startOf(key, info, 0), 6n)
  assert.equal(await sync.startOf('tenant/other/g', info, 0), undefined)
  await commit(2)
  assert.equal(await sync.startOf(key, info, 0), undefined)
})

test('acknowledgements of Pulsar consumers move the offset of a group that has one, periodically and when they leave', async () => {
  await (await cursor()).acknowledgeUpTo((await pointOf(0)).position)
  sync.acknowledged(log, 'g')
  await period()
  assert.equal(await committed(), undefined)
  await commit(1)
  await period()
  await (await cursor()).acknowledgeUpTo((await pointOf(4)).position, 2)
  sync.acknowledged(log, 'g')
  await period()
  assert.equal(await committed(), 7n)
  await (await cursor()).acknowledgeUpTo((await pointOf(4)).position)
  sync.acknowledged(log, 'g')
  await sync.left(log, 'g')
  assert.equal(await committed(), 9n)
})

test('whoever asks for the offset gets what Pulsar consumers had acknowledged before', async () => {
  await commit(1)
  await period()
  await (await cursor()).acknowledgeUpTo((await pointOf(4)).position, 2)
  sync.acknowledged(log, 'g')
  await sync.settled(key, fullName(info.name), 0)
  assert.equal(await committed(), 7n)
})

test('single acknowledgements beyond the cursor outlive the group’s following it', async () => {
  await commit(1)
  await period()
  const subscription = await cursor()
  const last = (await pointOf(9)).position
  await subscription.acknowledge([{ position: last }])
  await subscription.acknowledgeUpTo((await pointOf(1)).position)
  sync.acknowledged(log, 'g')
  await period()
  await period()
  assert.equal(await committed(), 4n)
  assert.equal(await place(), '2/0')
  assert.ok(subscription.isAcknowledged(last))
})

test('after a crash, what Pulsar consumers had acknowledged last is the truth', async () => {
  await commit(1)
  await period()
  const subscription = await cursor()
  await subscription.acknowledgeUpTo((await pointOf(1)).position)
  sync.acknowledged(log, 'g')
  await period()
  await subscription.acknowledgeUpTo((await pointOf(4)).position)
  // Killed here: nothing of the sync's comes over.
  await started()
  await period()
  assert.deepEqual([await committed(), await place()], [9n, '3/0'])
})

test('a tool that comes before groups are loaded waits, and its move is not overwritten', async () => {
  await commit(9)
  await period()
  await sync.close()
  sync = new CursorSync({ store, catalog, members: () => members, clock, log: topics.log, periodMs })
  const moving = moveByTool(5)
  await new Promise(setImmediate)
  assert.deepEqual([await committed(), sync.of(log, 'g')], [9n, undefined])
  await sync.start()
  await moving
  await period()
  assert.deepEqual([await committed(), await place()], [5n, '2/1'])
  const early = new CursorSync({ store, catalog, members: () => members, clock, log: topics.log, periodMs })
  const refused = assert.rejects(early.moved(log, 'g', await pointOf(1)), StorageError)
  await early.close()
  await refused
})

test('a recreated topic’s cursor does not follow commits for the one before', async () => {
  await store.put(key, [offset(5, { topicId: 'of the one before' })])
  await period()
  assert.equal(await place(), 'none')
  assert.equal(sync.lagMs(), 0)
})

test('of two namespaces’ groups of one name, the subscription is the topic’s own', async () => {
  await commit(5, 'tenant/other/g')
  await period()
  assert.equal(await place(), '2/1')
  await commit(2)
  await commit(8, 'tenant/other/g')
  await period()
  assert.equal(await place(), '1/1')
  await store.deleteOffsets(key, [{ topic: fullName(info.name), partition: 0 }])
  await period()
  assert.equal(await place(), '2/4')
})

test('groups whose id no subscription can have are left alone', async () => {
  await commit(5, 'public/default/')
  await commit(5, 'public/default/a\nb')
  await period()
  assert.deepEqual(log.ledger.cursorNames(), [])
})

test('stats tell a group’s state, owner, lag and rate', async () => {
  assert.equal(sync.of(log, 'g'), undefined)
  await commit(0)
  clock.advance(2000)
  await commit(8)
  members.list = [member(), member({ memberId: 'app-2', partitions: [] })]
  assert.deepEqual(sync.of(log, 'g'), {
    members: 2,
    owner: { clientId: 'app', clientHost: '/127.0.0.1', memberId: 'app-1' },
    lag: 2,
    messagesPerSecond: 4,
  })
  members.list = []
  clock.advance(60_001)
  const later = sync.of(log, 'g')
  assert.deepEqual([later?.members, later?.owner, later?.messagesPerSecond], [0, undefined, 0])
})

test('cursors at 1,000 commits a second keep up within the period', async () => {
  const groups = Array.from({ length: 250 }, (_, at) => `public/default/many-${at}`)
  for (let round = 0; round < 4; round++)
    await Promise.all(groups.map((group, at) => commit((round + at) % 10, group)))
  const startMs = performance.now()
  await period()
  const tookMs = performance.now() - startMs
  assert.equal(log.ledger.cursorNames().length, 250)
  assert.equal(sync.waiting(), 0)
  assert.ok(tookMs < periodMs / 2, `${tookMs} ms for 250 cursors`)
})
