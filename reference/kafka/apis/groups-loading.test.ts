import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../base/clock.js'
import { GroupCoordinator } from '../../groups/coordinator.js'
import { LoadingCoordinator } from '../../groups/loading.js'
import { TooLargeToStore } from '../../groups/offset-store.js'
import { MemoryGroupStore } from '../../groups/testing.js'
import { offsetCommit } from '../messages/08-offset-commit.js'
import { offsetFetch } from '../messages/09-offset-fetch.js'
import { findCoordinator } from '../messages/10-find-coordinator.js'
import { joinGroup } from '../messages/11-join-group.js'
import { heartbeat } from '../messages/12-heartbeat.js'
import { leaveGroup } from '../messages/13-leave-group.js'
import { syncGroup } from '../messages/14-sync-group.js'
import { describeGroups } from '../messages/15-describe-groups.js'
import { listGroups } from '../messages/16-list-groups.js'
import { deleteGroups } from '../messages/42-delete-groups.js'
import { offsetDelete } from '../messages/47-offset-delete.js'
import { errorName } from '../wire/errors.js'
import { FakeBroker } from './fake-broker.js'

test('while groups are being loaded, every request of groups is told so, and none is answered wrongly', async () => {
  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  const never = new LoadingCoordinator(() => new Promise(() => {}), { clock: new ManualClock(), log: quiet })
  const broker = new FakeBroker({ coordinator: never.coordinator })
  await broker.topic('t')
  const partitions = [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }]
  const member = { groupId: 'g', generationId: 1, memberId: 'm' }
  const join = {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    memberId: 'm',
    protocolType: 'consumer',
    protocols: [],
  }
  const asked = [{ name: 't', partitionIndexes: [0] }]
  const errors = {
    commit: (await broker.ask(offsetCommit, 7, { ...member, topics: [{ name: 't', partitions }] })).topics[0]
      ?.partitions[0]?.errorCode,
    fetchOne: (await broker.ask(offsetFetch, 5, { groupId: 'g', topics: asked })).errorCode,
    fetchOld: (await broker.ask(offsetFetch, 1, { groupId: 'g', topics: asked })).topics[0]?.partitions[0]
      ?.errorCode,
    fetch: (
      await broker.ask(offsetFetch, 8, { groups: [{ groupId: 'g', topics: asked }], requireStable: true })
    ).groups[0]?.errorCode,
    join: (await broker.ask(joinGroup, 5, join)).errorCode,
    heartbeat: (await broker.ask(heartbeat, 3, member)).errorCode,
    leave: (await broker.ask(leaveGroup, 3, { groupId: 'g', members: [{ memberId: 'm' }] })).errorCode,
    sync: (await broker.ask(syncGroup, 3, { ...member, assignments: [] })).errorCode,
    describe: (await broker.ask(describeGroups, 3, { groups: ['g'], includeAuthorizedOperations: false }))
      .groups[0]?.errorCode,
    list: (await broker.ask(listGroups, 3, {})).errorCode,
    delete: (await broker.ask(deleteGroups, 1, { groupsNames: ['g'] })).results[0]?.errorCode,
    deleteOffsets: (
      await broker.ask(offsetDelete, 0, {
        groupId: 'g',
        topics: [{ name: 't', partitions: [{ partitionIndex: 0 }] }],
      })
    ).errorCode,
  }
  for (const [request, code] of Object.entries(errors))
    assert.equal(errorName(code ?? 0), 'COORDINATOR_LOAD_IN_PROGRESS', request)
  assert.equal((await broker.ask(findCoordinator, 2, { key: 'g', keyType: 0 })).errorCode, 0)
})

test('what is too large to store is told as such: a group has too many members, a commit too much data', async () => {
  const coordinator = new GroupCoordinator({ clock: new ManualClock(), store: new MemoryGroupStore() })
  const tooLarge = async () => {
    throw new TooLargeToStore('5000 bytes, 4000 are allowed')
  }
  coordinator.commit = tooLarge
  coordinator.sync = tooLarge
  const broker = new FakeBroker({ coordinator })
  await broker.topic('t')
  const member = { groupId: 'g', generationId: 1, memberId: 'm' }
  const partitions = [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }]
  const committed = await broker.ask(offsetCommit, 7, { ...member, topics: [{ name: 't', partitions }] })
  assert.equal(errorName(committed.topics[0]?.partitions[0]?.errorCode ?? 0), 'INVALID_COMMIT_OFFSET_SIZE')
  const synced = await broker.ask(syncGroup, 3, { ...member, assignments: [] })
  assert.equal(errorName(synced.errorCode), 'GROUP_MAX_SIZE_REACHED')
})

test('a commit of v1 that says it was made at the end of time is stored, and read again', async () => {
  const broker = new FakeBroker()
  await broker.topic('t')
  const partition = { partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }
  const topics = [{ name: 't', partitions: [{ ...partition, commitTimestamp: 2n ** 63n - 1n }] }]
  await broker.ask(offsetCommit, 1, { groupId: 'g', topics })
  const [committed] = await broker.coordinator.allCommitted('public/default/g')
  assert.equal(committed?.commitTimestampMs, Number.MAX_SAFE_INTEGER)
})
