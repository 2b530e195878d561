import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StorageError } from '../../storage/types.js'
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

/** The consumer protocol's subscription to topic `t`. */
const subscription = Buffer.from('0000000000010001740000000000', 'hex')

const joinRequest = (memberId = '', groupId = 'g') => ({
  groupId,
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 60_000,
  memberId,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: subscription }],
})

/** Joins and syncs as a lone consumer does. @returns its member id and generation. */
async function consume(broker: FakeBroker, version = 9) {
  const first = await broker.ask(joinGroup, version, joinRequest())
  const joined = version >= 4 ? await broker.ask(joinGroup, version, joinRequest(first.memberId)) : first
  const { memberId, generationId } = joined
  const assignments = joined.members.map((member) => ({
    memberId: member.memberId,
    assignment: Buffer.from('mine'),
  }))
  const synced = await broker.ask(syncGroup, Math.min(version, 5), {
    groupId: 'g',
    generationId,
    memberId,
    protocolType: 'consumer',
    protocolName: 'range',
    assignments,
  })
  return { first, joined, synced, memberId, generationId }
}

interface Commit {
  name?: string
  partitionIndex?: number
  committedOffset?: bigint
  committedMetadata?: string | null
  memberId?: string
  generation?: number
  groupId?: string
}

async function commit(broker: FakeBroker, part: Commit = {}, version = 8) {
  const { name = 't', partitionIndex = 0, committedOffset = 5n, committedMetadata = 'note' } = part
  const request = {
    groupId: part.groupId ?? 'g',
    memberId: part.memberId ?? '',
    generationIdOrMemberEpoch: part.generation ?? -1,
    topics: [{ name, partitions: [{ partitionIndex, committedOffset, committedMetadata }] }],
  }
  const answer = await broker.ask(offsetCommit, version, request)
  return errorName(answer.topics[0]?.partitions[0]?.errorCode ?? -1)
}

async function committed(broker: FakeBroker, name = 't', partition = 0) {
  const topics = [{ name, partitionIndexes: [partition] }]
  const { groups } = await broker.ask(offsetFetch, 8, { groups: [{ groupId: 'g', topics }] })
  const [found] = groups[0]?.topics[0]?.partitions ?? []
  return [errorName(found?.errorCode ?? -1), found?.committedOffset, found?.metadata]
}

test('a lone consumer joins and syncs in every version', async () => {
  for (let version = 0; version <= 9; version++) {
    const { first, joined, synced } = await consume(new FakeBroker(), version)
    assert.equal(errorName(first.errorCode), version >= 4 ? 'MEMBER_ID_REQUIRED' : 'NONE')
    assert.deepEqual([joined.errorCode, joined.generationId, joined.leader], [0, 1, joined.memberId])
    assert.deepEqual([joined.members.length, joined.protocolName], [1, 'range'])
    assert.equal(synced.assignment.toString(), 'mine')
    assert.match(joined.memberId, /^client-/)
  }
})

test('heartbeats, leaving in both forms, and the errors between', async () => {
  const broker = new FakeBroker()
  const { memberId, generationId } = await consume(broker)
  const beat = async (generation: number) =>
    errorName(
      (await broker.ask(heartbeat, 4, { groupId: 'g', generationId: generation, memberId })).errorCode,
    )
  assert.deepEqual([await beat(generationId), await beat(generationId + 1)], ['NONE', 'ILLEGAL_GENERATION'])
  const members = [{ memberId: 'nobody' }, { memberId }]
  const left = await broker.ask(leaveGroup, 5, { groupId: 'g', members })
  assert.deepEqual(
    left.members.map((each) => errorName(each.errorCode)),
    ['UNKNOWN_MEMBER_ID', 'NONE'],
  )
  assert.equal(await beat(generationId), 'UNKNOWN_MEMBER_ID')
  assert.equal(
    errorName((await broker.ask(leaveGroup, 0, { groupId: 'g', memberId })).errorCode),
    'UNKNOWN_MEMBER_ID',
  )
})

test('wrong group names and session time-outs are refused', async () => {
  const broker = new FakeBroker()
  for (const groupId of ['', 'x'.repeat(250)]) {
    const { errorCode } = await broker.ask(joinGroup, 5, joinRequest('', groupId))
    assert.equal(errorName(errorCode), 'INVALID_GROUP_ID')
  }
  const { errorCode } = await broker.ask(joinGroup, 5, { ...joinRequest(), sessionTimeoutMs: 1 })
  assert.equal(errorName(errorCode), 'INVALID_SESSION_TIMEOUT')
})

test('FindCoordinator names this broker, alone and batched; transactions are refused for good', async () => {
  const broker = new FakeBroker()
  const old = await broker.ask(findCoordinator, 1, { key: 'g' })
  assert.deepEqual([old.errorCode, old.nodeId, old.host, old.port], [0, 7, 'plaintext.example', 9092])
  const { coordinators } = await broker.ask(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['a', ''] })
  assert.deepEqual(
    coordinators.map((each) => [each.key, errorName(each.errorCode), each.nodeId]),
    [
      ['a', 'NONE', 7],
      ['', 'INVALID_GROUP_ID', -1],
    ],
  )
  const transaction = await broker.ask(findCoordinator, 2, { key: 'tx', keyType: 1 })
  assert.equal(errorName(transaction.errorCode), 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
})

test('GC-6, GC-8: commits come back with their metadata; what was never committed reads −1 without error', async () => {
  const broker = new FakeBroker()
  await broker.topic('t', { partitions: 2 })
  for (let version = 0; version <= 9; version++) {
    assert.equal(await commit(broker, { committedOffset: BigInt(version) }, version), 'NONE')
    assert.deepEqual(await committed(broker), ['NONE', BigInt(version), 'note'])
  }
  assert.deepEqual(await committed(broker, 't', 1), ['NONE', -1n, ''])
  assert.deepEqual(await committed(broker, 'gone'), ['NONE', -1n, ''])
  assert.equal(await commit(broker, { committedMetadata: 'x'.repeat(4097) }), 'OFFSET_METADATA_TOO_LARGE')
  assert.equal(await commit(broker, { partitionIndex: 2 }), 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.equal(await commit(broker, { name: 'gone' }), 'UNKNOWN_TOPIC_OR_PARTITION')
})

test('null topics ask for all that is committed, in the old and the new form', async () => {
  const broker = new FakeBroker()
  await broker.topic('t', { partitions: 2 })
  await broker.topic('u')
  await commit(broker, { partitionIndex: 1 })
  await commit(broker, { name: 'u' })
  const old = await broker.ask(offsetFetch, 7, { groupId: 'g', topics: null })
  const { groups } = await broker.ask(offsetFetch, 8, { groups: [{ groupId: 'g', topics: null }] })
  for (const topics of [old.topics, groups[0]?.topics ?? []])
    assert.deepEqual(
      topics.map((topic) => [topic.name, topic.partitions.map((each) => each.partitionIndex)]),
      [
        ['t', [1]],
        ['u', [0]],
      ],
    )
})

test('MT-3: the short and the full name of a topic share commits', async () => {
  const broker = new FakeBroker()
  await broker.topic('t')
  await commit(broker, { name: 'persistent://public/default/t', committedOffset: 9n })
  assert.deepEqual(await committed(broker, 't'), ['NONE', 9n, 'note'])
  assert.deepEqual(await committed(broker, 'public/default/t'), ['NONE', 9n, 'note'])
})

test('TL-7: a topic that was deleted and made anew behind our back has no commits', async () => {
  const broker = new FakeBroker()
  const topic = await broker.topic('t')
  await commit(broker)
  await broker.catalog.delete(topic.name)
  await broker.topic('t')
  assert.deepEqual(await committed(broker), ['NONE', -1n, ''])
  const { groups } = await broker.ask(offsetFetch, 8, { groups: [{ groupId: 'g', topics: null }] })
  assert.deepEqual(groups[0]?.topics, [])
})

test('commits of members are fenced, and of a failing store not acknowledged', async () => {
  const broker = new FakeBroker()
  await broker.topic('t')
  const { memberId, generationId } = await consume(broker)
  assert.equal(await commit(broker, { memberId, generation: generationId }), 'NONE')
  assert.equal(await commit(broker, { memberId, generation: generationId + 1 }), 'ILLEGAL_GENERATION')
  assert.equal(await commit(broker, { memberId: 'x', generation: generationId }), 'UNKNOWN_MEMBER_ID')
  assert.equal(await commit(broker), 'UNKNOWN_MEMBER_ID')
  broker.groups.failure = new StorageError('disk full')
  assert.equal(await commit(broker, { memberId, generation: generationId }), 'NOT_COORDINATOR')
})

test('GC-9: groups are listed, described and deleted', async () => {
  const broker = new FakeBroker()
  await broker.topic('t')
  const { memberId } = await consume(broker)
  await commit(broker, { groupId: 'offsets-only' })
  const { groups } = await broker.ask(listGroups, 5, { statesFilter: [], typesFilter: ['Classic'] })
  assert.deepEqual(
    groups.map((group) => [group.groupId, group.protocolType, group.groupState, group.groupType]),
    [
      ['g', 'consumer', 'Stable', 'classic'],
      ['offsets-only', '', 'Empty', 'classic'],
    ],
  )
  const filtered = await broker.ask(listGroups, 4, { statesFilter: ['Empty'] })
  assert.deepEqual(
    filtered.groups.map((group) => group.groupId),
    ['offsets-only'],
  )

  const described = await broker.ask(describeGroups, 4, { groups: ['g', 'gone'] })
  const [group, gone] = described.groups
  assert.deepEqual([group?.groupState, group?.protocolData, gone?.groupState], ['Stable', 'range', 'Dead'])
  const [member] = group?.members ?? []
  assert.deepEqual(
    [member?.memberId, member?.clientId, member?.clientHost, member?.memberAssignment.toString()],
    [memberId, 'client', '/127.0.0.1', 'mine'],
  )
  const newer = await broker.ask(describeGroups, 6, { groups: ['gone'] })
  assert.equal(errorName(newer.groups[0]?.errorCode ?? 0), 'GROUP_ID_NOT_FOUND')

  const { results } = await broker.ask(deleteGroups, 2, { groupsNames: ['g', 'offsets-only', 'gone'] })
  assert.deepEqual(
    results.map((each) => errorName(each.errorCode)),
    ['NON_EMPTY_GROUP', 'NONE', 'GROUP_ID_NOT_FOUND'],
  )
})

test('KIP-496: offsets are deleted, except for topics that are subscribed to', async () => {
  const broker = new FakeBroker()
  await broker.topic('t')
  await broker.topic('u')
  await commit(broker, { name: 'u' })
  await consume(broker)
  const topics = ['t', 'u', 'gone'].map((name) => ({ name, partitions: [{ partitionIndex: 0 }] }))
  const answer = await broker.ask(offsetDelete, 0, { groupId: 'g', topics })
  assert.deepEqual(
    answer.topics.map((topic) => errorName(topic.partitions[0]?.errorCode ?? -1)),
    ['GROUP_SUBSCRIBED_TO_TOPIC', 'NONE', 'UNKNOWN_TOPIC_OR_PARTITION'],
  )
  assert.deepEqual(await committed(broker, 'u'), ['NONE', -1n, ''])
  const unknown = await broker.ask(offsetDelete, 0, { groupId: 'gone', topics: [] })
  assert.equal(errorName(unknown.errorCode), 'GROUP_ID_NOT_FOUND')
})

test('KIP-345: a static member keeps its place in every version that knows it, and is shown', async () => {
  for (let version = 5; version <= 9; version++) {
    const broker = new FakeBroker()
    const request = { ...joinRequest(), groupInstanceId: 'A' }
    const first = await broker.ask(joinGroup, version, request)
    const place = { groupId: 'g', generationId: 1, groupInstanceId: 'A' }
    const assignments = [{ memberId: first.memberId, assignment: Buffer.from('mine') }]
    await broker.ask(syncGroup, 3, { ...place, memberId: first.memberId, assignments })
    const second = await broker.ask(joinGroup, version, request)
    assert.deepEqual([second.errorCode, second.generationId, second.skipAssignment], [0, 1, version === 9])
    assert.notEqual(second.memberId, first.memberId)
    assert.equal(second.leader, version === 9 ? second.memberId : first.memberId)
    const synced = await broker.ask(syncGroup, 3, { ...place, memberId: second.memberId, assignments: [] })
    assert.equal(synced.assignment.toString(), 'mine')
    const beat = await broker.ask(heartbeat, 3, { ...place, memberId: first.memberId })
    assert.equal(errorName(beat.errorCode), 'FENCED_INSTANCE_ID')
    const { groups } = await broker.ask(describeGroups, 4, { groups: ['g'] })
    assert.deepEqual(
      groups[0]?.members.map((member) => [member.memberId, member.groupInstanceId]),
      [[second.memberId, 'A']],
    )
    const members = [{ memberId: '', groupInstanceId: 'A' }]
    const left = await broker.ask(leaveGroup, 3, { groupId: 'g', members })
    assert.deepEqual(
      left.members.map((each) => [each.memberId, each.groupInstanceId, errorName(each.errorCode)]),
      [['', 'A', 'NONE']],
    )
  }
})

test('commits of a static member that was replaced are fenced', async () => {
  const broker = new FakeBroker()
  await broker.topic('t')
  const { memberId } = await broker.ask(joinGroup, 5, { ...joinRequest(), groupInstanceId: 'A' })
  const place = { groupId: 'g', generationId: 1, groupInstanceId: 'A' }
  await broker.ask(syncGroup, 3, { ...place, memberId, assignments: [] })
  const next = await broker.ask(joinGroup, 5, { ...joinRequest(), groupInstanceId: 'A' })
  const commitOf = async (of: string) => {
    const partitions = [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }]
    const answer = await broker.ask(offsetCommit, 7, {
      groupId: 'g',
      generationIdOrMemberEpoch: 1,
      memberId: of,
      groupInstanceId: 'A',
      topics: [{ name: 't', partitions }],
    })
    return errorName(answer.topics[0]?.partitions[0]?.errorCode ?? -1)
  }
  assert.deepEqual([await commitOf(memberId), await commitOf(next.memberId)], ['FENCED_INSTANCE_ID', 'NONE'])
})

test('GC-10: the retention of OffsetCommit v2 to v4 is kept to', async () => {
  for (let version = 2; version <= 4; version++) {
    const broker = new FakeBroker()
    await broker.topic('t')
    const partitions = [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }]
    const topics = [{ name: 't', partitions }]
    await broker.ask(offsetCommit, version, { groupId: 'g', memberId: '', retentionTimeMs: 50n, topics })
    broker.clock.advance(49)
    await broker.coordinator.expire(1_000_000)
    assert.deepEqual(await committed(broker), ['NONE', 1n, ''])
    broker.clock.advance(1)
    await broker.coordinator.expire(1_000_000)
    assert.deepEqual(await committed(broker), ['NONE', -1n, ''])
  }
})

test('KIP-559: SyncGroup v5 names its protocol', async () => {
  const broker = new FakeBroker()
  const { memberId } = await broker.ask(joinGroup, 3, joinRequest())
  const request = { groupId: 'g', generationId: 1, memberId, assignments: [] }
  const protocol = { protocolType: 'consumer', protocolName: 'range' }
  const errors = []
  for (const [version, named] of [
    [5, {}],
    [5, { protocolType: 'consumer' }],
    [5, protocol],
    [4, {}],
  ] as const) {
    const { errorCode } = await broker.ask(syncGroup, version, { ...request, ...named })
    errors.push(errorName(errorCode))
  }
  assert.deepEqual(errors, ['INCONSISTENT_GROUP_PROTOCOL', 'INCONSISTENT_GROUP_PROTOCOL', 'NONE', 'NONE'])
})
