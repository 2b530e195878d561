import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../base/clock.js'
import { StorageError } from '../storage/types.js'
import { GroupCoordinator } from './coordinator.js'
import type { GroupCoordinatorOptions } from './coordinator-options.js'
import type { NextGenerationGroups } from './next-generation.js'
import type { CommittedOffset } from './offset-store.js'
import { MemoryGroupStore, consumerJoin as request } from './testing.js'

const key = 'public/default/g'
const topic = 'persistent://public/default/t'
/** Partitions 0 and 1 of `t`. */
const assignment = Buffer.from('00000000000100017400000002000000000000000100000000', 'hex')

const offset = (part: Partial<CommittedOffset> = {}): CommittedOffset => ({
  topic,
  topicId: 'id',
  partition: 0,
  offset: 7n,
  leaderEpoch: -1,
  metadata: '',
  commitTimestampMs: 0,
  ...part,
})

const alone = { memberId: '', groupInstanceId: null, generationId: -1 }
const member = (memberId: string, generationId: number) => ({ memberId, groupInstanceId: null, generationId })

function setUp(options: Partial<GroupCoordinatorOptions> = {}) {
  const clock = new ManualClock(1_000_000)
  const store = new MemoryGroupStore()
  let made = 0
  const given = { clock, store, newMemberSuffix: () => `${++made}`, ...options }
  const coordinator = new GroupCoordinator(given)
  const sync = (memberId: string, generationId: number, of: GroupCoordinator = coordinator) =>
    of.sync(key, {
      ...member(memberId, generationId),
      protocolType: null,
      protocolName: null,
      assignments: [{ memberId, assignment }],
    })
  return { clock, store, coordinator, sync, restart: () => new GroupCoordinator(given) }
}

/** What a promise came to so far: lets all that can go on, go on. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  let state = 'waits'
  promise.then(
    () => (state = 'done'),
    () => (state = 'failed'),
  )
  await new Promise((resolve) => setImmediate(resolve))
  return state
}

/** Holds the store's writes back until it is called. */
function hold(store: MemoryGroupStore): () => void {
  const { promise, resolve } = later()
  store.gate = promise
  return resolve
}

function later() {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

test('GC-3: members are told of their assignment when it is stored, and other requests wait for that', async () => {
  const { store, coordinator, sync } = setUp()
  await coordinator.join(key, request())
  const release = hold(store)
  const synced = sync('app-1', 1)
  const heartbeat = coordinator.heartbeat(key, member('app-1', 1))
  assert.deepEqual([await stateOf(synced), await stateOf(heartbeat)], ['waits', 'waits'])
  release()
  assert.deepEqual([(await synced).assignment, (await heartbeat).error], [assignment, 'NONE'])
  assert.deepEqual(store.stored.get(key)?.members[0]?.assignment, assignment)
})

test('an assignment that the store does not take is refused, and the group rebalances', async () => {
  const { store, coordinator, sync } = setUp()
  await coordinator.join(key, request())
  store.failure = new StorageError('disk full')
  await assert.rejects(sync('app-1', 1), StorageError)
  assert.equal((await coordinator.heartbeat(key, member('app-1', 1))).error, 'REBALANCE_IN_PROGRESS')
  store.failure = null
  assert.equal((await coordinator.join(key, request({ memberId: 'app-1' }))).generationId, 2)
  assert.equal((await sync('app-1', 2)).error, 'NONE')
})

test('GC-3: after a restart members go on without a rebalance, for as long as their sessions last', async () => {
  const { clock, coordinator, sync, restart } = setUp()
  await coordinator.join(key, request())
  await sync('app-1', 1)
  coordinator.close()
  const next = restart()
  clock.advance(9_999)
  assert.equal((await next.heartbeat(key, member('app-1', 1))).error, 'NONE')
  assert.equal(await next.commit(key, member('app-1', 1), [offset()]), 'NONE')
  assert.deepEqual((await sync('app-1', 1, next)).assignment, assignment)
  next.close()
  const last = restart()
  clock.advance(10_000)
  assert.equal(await stateOf(last.describe(key)), 'done')
  const { phase, state } = await last.describe(key)
  assert.deepEqual([phase, state.generationId, state.protocolType], ['Empty', 2, 'consumer'])
  assert.equal((await last.join(key, request())).generationId, 3)
})

test('a group whose end could not be stored stays ended, in this coordinator', async () => {
  const { store, coordinator, sync } = setUp()
  await coordinator.join(key, request())
  await sync('app-1', 1)
  store.failure = new StorageError('disk full')
  const left = await coordinator.leave(key, [{ memberId: 'app-1', groupInstanceId: null }])
  assert.equal(left.members[0]?.error, 'NONE')
  assert.equal(coordinator.hasMembers(key), false)
  assert.equal((await coordinator.heartbeat(key, member('app-1', 1))).error, 'UNKNOWN_MEMBER_ID')
})

test('a session that ends while the store is at work, and is renewed before its turn, has not ended', async () => {
  const { clock, store, coordinator, sync } = setUp()
  await coordinator.join(key, request({ sessionTimeoutMs: 60_000 }))
  await sync('app-1', 1)
  const second = coordinator.join(key, request())
  await coordinator.join(key, request({ memberId: 'app-1', sessionTimeoutMs: 60_000 }))
  await second
  const release = hold(store)
  const synced = sync('app-1', 2)
  const heartbeat = coordinator.heartbeat(key, member('app-2', 2))
  clock.advance(10_000)
  release()
  assert.equal((await synced).error, 'NONE')
  assert.equal((await heartbeat).error, 'NONE')
  assert.equal((await coordinator.heartbeat(key, member('app-2', 2))).error, 'NONE')
  clock.advance(10_000)
  assert.equal((await coordinator.heartbeat(key, member('app-2', 2))).error, 'UNKNOWN_MEMBER_ID')
})

test('the tool wins: members are fenced before it moves offsets, and come back when it has', async () => {
  const { coordinator, sync } = setUp()
  await coordinator.join(key, request())
  await sync('app-1', 1)
  const { promise: moving, resolve: moved } = later()
  const tool = coordinator.resetByTool(key, () => moving)
  const commit = coordinator.commit(key, member('app-1', 1), [offset()])
  const joined = coordinator.join(key, request({ memberId: 'app-1' }))
  assert.deepEqual([await stateOf(commit), await stateOf(joined)], ['waits', 'waits'])
  moved()
  await tool
  assert.equal(await commit, 'ILLEGAL_GENERATION')
  assert.equal(await coordinator.committed(key, topic, 0), undefined)
  assert.equal((await joined).generationId, 3)
})

test('a commit that was checked is on its way to the store before a tool can move anything', async () => {
  const { store, coordinator } = setUp()
  const commit = coordinator.commit(key, alone, [offset({ offset: 1n })])
  const tool = coordinator.resetByTool(key, () => store.put(key, [offset({ offset: 2n })]))
  await Promise.all([commit, tool])
  assert.equal((await coordinator.committed(key, topic, 0))?.offset, 2n)
})

test('a fence that cannot be stored moves nothing; a move that fails is told of', async () => {
  const { store, coordinator, sync } = setUp()
  await coordinator.join(key, request())
  await sync('app-1', 1)
  store.failure = new StorageError('disk full')
  let hasMoved = false
  const move = async () => {
    hasMoved = true
  }
  await assert.rejects(coordinator.resetByTool(key, move), StorageError)
  assert.equal(hasMoved, false)
  store.failure = null
  const failing = coordinator.resetByTool(key, () => Promise.reject(new Error('no such entry')))
  await assert.rejects(failing, /no such entry/)
  assert.equal((await coordinator.join(key, request({ memberId: 'app-1' }))).error, 'NONE')
})

test('members are told with the partitions that the leader gave them', async () => {
  const { coordinator, sync } = setUp()
  await coordinator.join(key, request())
  assert.equal(coordinator.hasMembers(key), true)
  await sync('app-1', 1)
  assert.deepEqual(coordinator.membersOf(key), [
    {
      memberId: 'app-1',
      groupInstanceId: null,
      clientId: 'app',
      clientHost: '/127.0.0.1',
      partitions: [
        { topic: 't', partition: 0 },
        { topic: 't', partition: 1 },
      ],
    },
  ])
  assert.deepEqual(coordinator.membersOf('public/default/other'), [])
})

const retention = { retentionMs: 10_000, checkIntervalMs: 1_000 }

test('GC-10: commits of a group are dropped when it has been empty for the retention, and the group with them', async () => {
  const { clock, store, coordinator, sync } = setUp({ retention })
  await coordinator.join(key, request({ sessionTimeoutMs: 60_000 }))
  await sync('app-1', 1)
  await coordinator.commit(key, member('app-1', 1), [offset({ commitTimestampMs: clock.nowMs() })])
  clock.advance(20_000)
  await coordinator.expire(retention.retentionMs)
  assert.equal((await coordinator.allCommitted(key)).length, 1, 'commits of a group with members are gone')
  await coordinator.leave(key, [{ memberId: 'app-1', groupInstanceId: null }])
  clock.advance(9_999)
  await coordinator.expire(retention.retentionMs)
  assert.equal((await coordinator.allCommitted(key)).length, 1, 'commits are gone too early')
  clock.advance(retention.checkIntervalMs)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([await coordinator.allCommitted(key), store.stored.size], [[], 0])
  assert.equal((await coordinator.describe(key)).phase, 'Dead')
})

test('KIP-211: without members ever, each commit has its own time, and a time of its own if its client gave one', async () => {
  const { clock, coordinator } = setUp()
  const nowMs = clock.nowMs()
  await coordinator.commit(key, alone, [
    offset({ partition: 0, commitTimestampMs: nowMs - 20_000 }),
    offset({ partition: 1, commitTimestampMs: nowMs }),
    offset({ partition: 2, commitTimestampMs: nowMs, expireTimestampMs: nowMs }),
    offset({ partition: 3, commitTimestampMs: nowMs - 20_000, expireTimestampMs: nowMs + 1 }),
  ])
  await coordinator.expire(10_000)
  assert.deepEqual(
    (await coordinator.allCommitted(key)).map((each) => each.partition),
    [1, 3],
  )
})

test('KIP-211: of a group at work, only commits for topics that it left are dropped', async () => {
  const { coordinator, sync } = setUp()
  await coordinator.join(key, request())
  await sync('app-1', 1)
  const left = 'persistent://public/default/left'
  await coordinator.commit(key, member('app-1', 1), [offset(), offset({ topic: left })])
  await coordinator.expire(10_000)
  assert.deepEqual(
    (await coordinator.allCommitted(key)).map((each) => each.topic),
    [topic],
  )
})

test('one group id is of one kind at a time; both kinds share the store', async () => {
  let members = 1
  let owned = true
  const nextGeneration: NextGenerationGroups = {
    mayFetch: () => 'NONE',
    heartbeat: () => Promise.reject(new Error('nobody asks')),
    describe: () => undefined,
    close: () => {},
    owns: () => owned,
    release: async () => {
      owned = members > 0
      return !owned
    },
    hasMembers: () => members > 0,
    membersOf: () => [],
    mayCommit: (_, { generationId }) => (generationId === 5 ? 'NONE' : 'STALE_MEMBER_EPOCH'),
    isSubscribed: () => true,
    emptySinceMs: () => null,
    resetByTool: (_, move) => move(),
    list: () => [{ key, protocolType: 'consumer', phase: 'Reconciling', groupType: 'consumer' }],
    delete: async () => (members > 0 ? 'NON_EMPTY_GROUP' : 'NONE'),
  }
  const { coordinator } = setUp({ nextGeneration: () => nextGeneration })
  assert.equal((await coordinator.join(key, request())).error, 'INCONSISTENT_GROUP_PROTOCOL')
  assert.equal(await coordinator.commit(key, member('m', 4), [offset()]), 'STALE_MEMBER_EPOCH')
  assert.equal(await coordinator.commit(key, member('m', 5), [offset()]), 'NONE')
  const [listing] = await coordinator.list({ tenant: 'public', namespace: 'default' })
  assert.deepEqual([listing?.groupId, listing?.phase, listing?.groupType], ['g', 'Reconciling', 'consumer'])
  assert.equal((await coordinator.describe(key)).phase, 'Dead')
  assert.equal(await coordinator.delete(key), 'NON_EMPTY_GROUP')
  members = 0
  assert.equal((await coordinator.join(key, request())).error, 'NONE')
  assert.equal((await coordinator.allCommitted(key)).length, 1)
})

test("a store that fails at once, in the middle of the work of a group, is that commit's alone", async () => {
  const { store, coordinator, sync } = setUp()
  const { memberId, generationId } = await coordinator.join(key, request())
  let open = () => {}
  store.gate = new Promise((resolve) => {
    open = resolve
  })
  const synced = sync(memberId, generationId)
  const put = store.put
  store.put = () => {
    throw new RangeError('it cannot be written')
  }
  // Both wait for the group to be stored.
  const failed = coordinator.commit(key, member(memberId, generationId), [offset()])
  const heard = coordinator.heartbeat(key, member(memberId, generationId))
  open()
  assert.equal((await synced).error, 'NONE')
  await assert.rejects(failed, RangeError)
  assert.equal((await heard).error, 'NONE')
  store.put = put
  assert.equal(await coordinator.commit(key, member(memberId, generationId), [offset()]), 'NONE')
})

test('GC-10: a group whose old commits cannot be dropped holds up no other', async () => {
  const { clock, store, coordinator } = setUp()
  const groups = ['a', 'b', 'c'].map((name) => `public/default/${name}`)
  for (const each of groups) await coordinator.commit(each, alone, [offset()])
  const deleteGroup = store.deleteGroup.bind(store)
  store.deleteGroup = async (each) => {
    if (each === groups[0]) throw new StorageError('not now')
    await deleteGroup(each)
  }
  clock.advance(2_000)
  await coordinator.expire(1_000)
  assert.deepEqual(await store.groupIds(), [groups[0]])
})
