import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ManualClock } from '../../base/clock.js'
import type { TopicInfo, TopicName } from '../../topics/types.js'
import { GroupCoordinator } from '../coordinator.js'
import type { GroupKey } from '../group-key.js'
import type { ConsumerGroupHeartbeat } from '../next-generation.js'
import type { CommittedOffset } from '../offset-store.js'
import { consumerJoin, MemoryGroupStore } from '../testing.js'
import { ConsumerGroups } from './index.js'
import type { StoredConsumerGroup } from './stored.js'

const key = 'public/default/g'
const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'
const namespace = { tenant: 'public', namespace: 'default' }

const topicOf = (local: string, partitions: number, id = topicId): TopicInfo => ({
  name: { ...namespace, local },
  topicId: id,
  partitions,
  configs: {},
  internal: false,
})

class FakeCatalog {
  readonly topics: TopicInfo[] = [topicOf('t', 2)]
  readonly listeners = new Set<(change: string, topic: TopicInfo) => void>()
  find = ({ local }: TopicName) => this.topics.find(({ name }) => name.local === local)
  findById = (id: string) => this.topics.find((topic) => topic.topicId === id)
  list = () => this.topics

  onChange(listener: (change: string, topic: TopicInfo) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  set(at: number, topic: TopicInfo): void {
    this.topics[at] = topic
    for (const listener of this.listeners) listener('partitions', topic)
  }
}

class FakeConsumerStore {
  readonly stored = new Map<GroupKey, StoredConsumerGroup>()
  failure: Error | null = null
  consumerGroups = () => this.stored.entries()

  async putConsumerGroup(at: GroupKey, group: StoredConsumerGroup | undefined): Promise<void> {
    if (this.failure !== null) throw this.failure
    if (group === undefined) this.stored.delete(at)
    else this.stored.set(at, group)
  }
}

function setUp() {
  const [clock, catalog, store, offsets] = [
    new ManualClock(1_000),
    new FakeCatalog(),
    new FakeConsumerStore(),
    new MemoryGroupStore(),
  ]
  const start = () =>
    new GroupCoordinator({
      clock,
      store: offsets,
      nextGeneration: ({ isReleased }) =>
        new ConsumerGroups({
          clock,
          catalog,
          store,
          limits: { heartbeatIntervalMs: 10, sessionTimeoutMs: 100, membersMax: 5 },
          isReleased: (of) => isReleased.call(coordinator, of),
          newMemberId: () => 'made',
        }),
    })
  let coordinator: GroupCoordinator = start()
  const beat = async (memberId: string, memberEpoch: number, more: Partial<ConsumerGroupHeartbeat> = {}) => {
    const reply = await coordinator.consumerGroupHeartbeat(key, {
      memberId,
      memberEpoch,
      instanceId: null,
      rackId: null,
      clientId: 'app',
      clientHost: '/127.0.0.1',
      rebalanceTimeoutMs: memberEpoch === 0 ? 50 : -1,
      topicNames: memberEpoch === 0 ? ['t'] : null,
      topicRegex: null,
      assignor: null,
      owned: memberEpoch === 0 ? [] : null,
      ...more,
    })
    assert.ok(reply !== null)
    return reply
  }
  const restart = () => {
    coordinator.close()
    coordinator = start()
  }
  return { clock, catalog, store, offsets, beat, restart, coordinator: () => coordinator }
}

const classic = (coordinator: GroupCoordinator) => coordinator.join(key, consumerJoin())

const member = (memberId: string, generationId: number) => ({ memberId, groupInstanceId: null, generationId })
const offset: CommittedOffset = {
  topic: 'persistent://public/default/t',
  topicId,
  partition: 0,
  offset: 7n,
  leaderEpoch: -1,
  metadata: '',
  commitTimestampMs: 1_000,
}

test('members commit and fetch in their own epoch only', async () => {
  const { beat, coordinator } = setUp()
  assert.equal((await beat('', 0)).memberId, 'made', 'version 0 leaves ids to the coordinator')
  assert.equal(await coordinator().commit(key, member('made', 1), [offset]), 'NONE')
  assert.equal(await coordinator().commit(key, member('made', 2), [offset]), 'STALE_MEMBER_EPOCH')
  assert.equal(await coordinator().commit(key, member('other', 1), [offset]), 'UNKNOWN_MEMBER_ID')
  assert.equal(await coordinator().commit(key, member('', -1), [offset]), 'UNKNOWN_MEMBER_ID')
  assert.deepEqual(
    [['made', 1] as const, ['made', 0] as const, [null, -1] as const, ['x', 1] as const].map(([id, epoch]) =>
      coordinator().mayFetch(key, id, epoch),
    ),
    ['NONE', 'STALE_MEMBER_EPOCH', 'NONE', 'UNKNOWN_MEMBER_ID'],
  )
  await beat('made', -1)
  assert.equal(
    await coordinator().commit(key, member('', -1), [offset]),
    'NONE',
    'a tool, when nobody is there',
  )
})

test('after a restart members go on in their epochs, with their partitions', async () => {
  const { beat, restart, coordinator, clock } = setUp()
  await beat('a', 0)
  const before = coordinator().describeConsumerGroup(key)
  assert.equal(before?.phase, 'Stable')
  restart()
  assert.deepEqual(coordinator().describeConsumerGroup(key), before)
  assert.equal((await beat('a', 1)).error, 'NONE')
  clock.advance(99)
  await beat('a', 1)
  clock.advance(101)
  assert.equal((await beat('a', 1)).error, 'UNKNOWN_MEMBER_ID', 'its session ends as before')
})

test('what cannot be stored did not happen', async () => {
  const { beat, store, coordinator } = setUp()
  await beat('a', 0)
  store.failure = new Error('disk full')
  await assert.rejects(beat('b', 0), /disk full/)
  assert.equal(coordinator().describeConsumerGroup(key)?.members.length, 1)
  assert.equal((await beat('a', 1)).error, 'NONE', 'nothing changes, so nothing is to be stored')
  store.failure = null
  assert.equal((await beat('b', 0)).memberEpoch, 2)
})

test('a member whose end cannot be stored is put out later', async () => {
  const { beat, store, clock, coordinator } = setUp()
  await beat('a', 0)
  store.failure = new Error('disk full')
  clock.advance(100)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(coordinator().hasMembers(key), true)
  store.failure = null
  clock.advance(1_000)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(coordinator().hasMembers(key), false)
})

test('an id is of one kind at a time, and changes it when nobody is there', async () => {
  const { beat, coordinator, store, restart } = setUp()
  const joined = await classic(coordinator())
  assert.equal((await beat('a', 0)).error, 'GROUP_ID_NOT_FOUND')
  await coordinator().commit(key, member(joined.memberId, joined.generationId), [offset])
  await coordinator().leave(key, [{ memberId: joined.memberId, groupInstanceId: null }])
  assert.equal((await beat('a', 5)).error, 'GROUP_ID_NOT_FOUND', 'only who joins makes a group')
  assert.equal((await beat('a', 0)).error, 'NONE')
  assert.equal((await classic(coordinator())).error, 'INCONSISTENT_GROUP_PROTOCOL')
  const [listed] = await coordinator().list(namespace)
  assert.deepEqual([listed?.groupType, listed?.phase], ['consumer', 'Stable'])
  await beat('a', -1)
  restart()
  assert.equal((await coordinator().list(namespace))[0]?.phase, 'Empty')
  assert.equal((await classic(coordinator())).error, 'NONE')
  assert.equal(store.stored.size, 0)
  assert.equal(coordinator().describeConsumerGroup(key), undefined)
})

test('a first member that is refused makes no group', async () => {
  const { beat, coordinator } = setUp()
  assert.equal((await beat('a', 0, { assignor: 'none' })).error, 'UNSUPPORTED_ASSIGNOR')
  assert.equal((await beat('a', 0, { topicRegex: '(' })).error, 'INVALID_REGULAR_EXPRESSION')
  assert.equal((await beat('a', 0, { owned: null })).error, 'INVALID_REQUEST')
  assert.equal((await beat('a', 0, { rebalanceTimeoutMs: -1 })).error, 'INVALID_REQUEST')
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(await coordinator().list(namespace), [])
})

test('topics that grow are shared anew, and members are known with their partitions', async () => {
  const { beat, catalog, coordinator } = setUp()
  await beat('a', 0)
  catalog.set(0, topicOf('t', 3))
  const told = await beat('a', 1)
  assert.deepEqual([told.memberEpoch, told.assignment], [2, [{ topicId, partitions: [0, 1, 2] }]])
  catalog.set(1, topicOf('other', 3, 'AAAAAAAAAAAAAAAAAAAAAg'))
  assert.equal((await beat('a', 2)).memberEpoch, 2, 'not its topic')
  const [found] = coordinator().membersOf(key)
  assert.deepEqual(
    found?.partitions,
    [0, 1, 2].map((partition) => ({ topic: 't', partition })),
  )
  assert.equal(coordinator().isSubscribed(key, ['x', 't']), true)
  assert.equal(coordinator().isSubscribed(key, ['x']), false)
})

test('a tool that moves offsets wins: members are fenced before, and told their partitions after', async () => {
  const { beat, coordinator } = setUp()
  await beat('a', 0)
  let release = () => {}
  const moved = coordinator().resetByTool(key, () => new Promise((resolve) => (release = resolve)))
  const again = beat('a', 1)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(await coordinator().commit(key, member('a', 1), [offset]), 'STALE_MEMBER_EPOCH')
  let isAnswered = false
  void again.then(() => (isAnswered = true))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isAnswered, false)
  release()
  await moved
  assert.equal((await again).error, 'FENCED_MEMBER_EPOCH')
  const back = await beat('a', 0)
  assert.deepEqual([back.memberEpoch, back.assignment], [2, [{ topicId, partitions: [0, 1] }]])
})

test('groups are deleted when nobody is there; so is one whose commits have expired', async () => {
  const { beat, coordinator, store, clock } = setUp()
  await beat('a', 0)
  assert.equal(await coordinator().delete(key), 'NON_EMPTY_GROUP')
  await coordinator().commit(key, member('a', 1), [offset])
  await beat('a', -1)
  await coordinator().expire(10_000)
  assert.equal(store.stored.size, 1)
  clock.advance(10_001)
  await coordinator().expire(10_000)
  assert.equal(store.stored.size, 0)
  assert.deepEqual(await coordinator().list(namespace), [])
  await beat('a', 0)
  await beat('a', -1)
  assert.equal(await coordinator().delete(key), 'NONE')
  assert.equal(await coordinator().delete(key), 'GROUP_ID_NOT_FOUND')
})

test('a coordinator that has been closed stores nothing more', async () => {
  const { beat, catalog, clock, store, coordinator } = setUp()
  await beat('m', 0)
  store.failure = new Error('not now')
  catalog.set(0, topicOf('t', 3))
  await turn()
  coordinator().close()
  store.failure = null
  const before = store.stored.get(key)
  clock.advance(5_000)
  await turn()
  assert.equal(store.stored.get(key), before)
})
