import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../base/clock.js'
import { StorageError } from '../storage/types.js'
import { GroupCoordinator, type JoinRequest } from './coordinator.js'
import { CoordinatorClosed } from './coordinator-options.js'
import type { CommittedOffset } from './offset-store.js'
import { consumerJoin, MemoryGroupStore } from './testing.js'

function setUp() {
  const clock = new ManualClock()
  const store = new MemoryGroupStore()
  let members = 0
  const options = { clock, store, newMemberSuffix: () => `${++members}` }
  return { clock, store, options, coordinator: new GroupCoordinator(options) }
}

const request = (memberId = ''): JoinRequest =>
  consumerJoin({
    memberId,
    sessionTimeoutMs: 1000,
    rebalanceTimeoutMs: 5000,
    protocols: [{ name: 'range', metadata: Buffer.from('000000000001000568656c6c6f', 'hex') }],
  })

const committed = (part: Partial<CommittedOffset> = {}): CommittedOffset => ({
  topic: 'persistent://public/default/orders',
  topicId: 'id',
  partition: 0,
  offset: 7n,
  leaderEpoch: -1,
  metadata: 'höhe',
  commitTimestampMs: 5,
  ...part,
})
const home = { tenant: 'public', namespace: 'default' }
const firstMember = { memberId: 'app-1', groupInstanceId: null, generationId: 1 }
const alone = { memberId: '', groupInstanceId: null, generationId: -1 }
const syncing = (memberId: string) => ({
  memberId,
  groupInstanceId: null,
  generationId: 1,
  protocolType: null,
  protocolName: null,
  assignments: [{ memberId, assignment: Buffer.from('mine') }],
})

test('a member joins, syncs, commits, and its session ends by the clock', async () => {
  const { clock, coordinator } = setUp()
  const joined = await coordinator.join('public/default/g', request())
  assert.deepEqual([joined.error, joined.memberId], ['NONE', 'app-1'])
  const synced = await coordinator.sync('public/default/g', syncing('app-1'))
  assert.equal(synced.assignment.toString(), 'mine')
  assert.equal(await coordinator.commit('public/default/g', firstMember, [committed()]), 'NONE')
  assert.equal((await coordinator.describe('public/default/g')).phase, 'Stable')
  clock.advance(999)
  assert.equal((await coordinator.heartbeat('public/default/g', firstMember)).error, 'NONE')
  clock.advance(1000)
  assert.equal((await coordinator.describe('public/default/g')).phase, 'Empty')
  assert.equal((await coordinator.heartbeat('public/default/g', firstMember)).error, 'UNKNOWN_MEMBER_ID')
})

test('GC-3: commits outlive the coordinator, with their metadata', async () => {
  const { coordinator, options } = setUp()
  await coordinator.commit('public/default/g', alone, [
    committed(),
    committed({ partition: 1, offset: 2n ** 62n }),
  ])
  const next = new GroupCoordinator(options)
  assert.deepEqual(await next.committed('public/default/g', committed().topic, 0), committed())
  assert.equal((await next.committed('public/default/g', committed().topic, 1))?.offset, 2n ** 62n)
  assert.equal(await next.committed('public/default/g', committed().topic, 2), undefined)
  assert.equal((await next.allCommitted('public/default/g')).length, 2)
  assert.equal((await next.describe('public/default/g')).phase, 'Empty')
})

test('a commit that the store cannot take is not acknowledged', async () => {
  const { coordinator, store } = setUp()
  store.failure = new StorageError('disk full')
  await assert.rejects(coordinator.commit('public/default/g', alone, [committed()]), StorageError)
})

test('groups whose names hold slashes or begin alike are kept apart', async () => {
  const { coordinator } = setUp()
  await coordinator.commit('public/default/g', alone, [committed()])
  await coordinator.commit('public/default/g/persistent', alone, [committed({ offset: 9n })])
  assert.equal((await coordinator.allCommitted('public/default/g')).length, 1)
  assert.deepEqual(
    (await coordinator.list(home)).map((group) => group.groupId),
    ['g', 'g/persistent'],
  )
  assert.equal(await coordinator.delete('public/default/g'), 'NONE')
  assert.deepEqual(
    (await coordinator.list(home)).map((group) => group.groupId),
    ['g/persistent'],
  )
  assert.equal(await coordinator.delete('public/default/g'), 'GROUP_ID_NOT_FOUND')
})

test('MT-4: groups of one name in two namespaces are two', async () => {
  const { coordinator } = setUp()
  await coordinator.commit('public/default/g', alone, [committed()])
  await coordinator.commit('acme/orders/g', alone, [committed({ offset: 9n })])
  assert.equal((await coordinator.committed('acme/orders/g', committed().topic, 0))?.offset, 9n)
  const other = await coordinator.list({ tenant: 'acme', namespace: 'orders' })
  assert.deepEqual([other.map((group) => group.groupId), (await coordinator.list(home)).length], [['g'], 1])
})

test('a deleted topic takes its commits along, and no others', async () => {
  const { coordinator } = setUp()
  await coordinator.commit('public/default/g', alone, [
    committed(),
    committed({ topic: 'persistent://public/default/orders2' }),
  ])
  await coordinator.forgetTopic(committed().topic)
  assert.deepEqual(
    (await coordinator.allCommitted('public/default/g')).map((each) => each.topic),
    ['persistent://public/default/orders2'],
  )
})

test('a group with members is not deleted, and knows the topics it subscribes to', async () => {
  const { coordinator } = setUp()
  await coordinator.join('public/default/g', request())
  assert.equal(await coordinator.delete('public/default/g'), 'NON_EMPTY_GROUP')
  assert.equal(coordinator.isSubscribed('public/default/g', ['hello']), true)
  assert.equal(coordinator.isSubscribed('public/default/g', ['other']), false)
})

test('a group of which only an id was handed out is deleted, and the id with it', async () => {
  const { coordinator, clock } = setUp()
  const first = { ...request(), requiresKnownMemberId: true }
  const { error, memberId } = await coordinator.join('public/default/g', first)
  assert.equal(error, 'MEMBER_ID_REQUIRED')
  assert.equal(await coordinator.delete('public/default/g'), 'NONE')
  assert.equal((await coordinator.join('public/default/g', request(memberId))).error, 'UNKNOWN_MEMBER_ID')
  clock.advance(1000)
  assert.deepEqual(await coordinator.list(home), [])
})

test('a commit to an unknown group with a generation is of an illegal generation', async () => {
  const { coordinator } = setUp()
  assert.equal(
    await coordinator.commit('public/default/g', { memberId: 'm', groupInstanceId: null, generationId: 3 }, [
      committed(),
    ]),
    'ILLEGAL_GENERATION',
  )
})

test('closing ends requests that wait, and all timers', async () => {
  const { coordinator, clock, store } = setUp()
  await coordinator.join('public/default/g', request())
  await coordinator.sync('public/default/g', syncing('app-1'))
  const waiting = coordinator.join('public/default/g', request())
  coordinator.close()
  await assert.rejects(waiting, CoordinatorClosed)
  clock.advance(100_000)
  assert.equal(store.stored.get('public/default/g')?.members.length, 1, 'a session ended after the close')
})

test('a closed coordinator takes nothing more: clients look for another', async () => {
  const { coordinator } = setUp()
  coordinator.close()
  await assert.rejects(coordinator.join('public/default/group', request()), CoordinatorClosed)
  await assert.rejects(
    coordinator.heartbeat('public/default/group', { memberId: 'a', groupInstanceId: null, generationId: 1 }),
    CoordinatorClosed,
  )
})
