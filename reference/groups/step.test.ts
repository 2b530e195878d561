import assert from 'node:assert/strict'
import { test } from 'node:test'
import { named, pair, Transcript } from './transcript.js'

test('a lone consumer joins, syncs, and is stable at once', () => {
  const group = new Transcript()
  group.join(1, '', { newMemberId: 'a' })
  const joined = group.joined(1)
  assert.deepEqual(
    [joined.error, joined.generationId, joined.protocolName, joined.leaderId, joined.memberId],
    ['NONE', 1, 'range', 'a', 'a'],
  )
  assert.deepEqual(
    joined.members.map((member) => [member.memberId, member.metadata.toString()]),
    [['a', 'topics']],
  )
  group.sync(2, 'a', { a: 'all' })
  assert.equal(group.assignment(2), 'all')
  assert.equal(group.state.phase, 'Stable')
  group.heartbeat(3, 'a')
  assert.equal(group.error(3), 'NONE')
  assert.deepEqual([...group.timers], [['session/a', 10_000]])
})

test('GC-7: a first join of v4 gets an id and MEMBER_ID_REQUIRED, and the second one counts', () => {
  const group = new Transcript()
  group.join(1, '', { newMemberId: 'a', requiresKnownMemberId: true })
  assert.deepEqual(
    [group.error(1), group.joined(1).memberId, group.state.members.size],
    ['MEMBER_ID_REQUIRED', 'a', 0],
  )
  assert.equal(group.timers.get('pending/a'), 10_000)
  group.join(2, 'a', { requiresKnownMemberId: true })
  assert.deepEqual([group.error(2), group.joined(2).leaderId], ['NONE', 'a'])
  assert.equal(group.timers.has('pending/a'), false)
})

test('an id that was given out and not used is forgotten, and holds a rebalance up no longer', () => {
  const group = pair()
  group.join(10, '', { newMemberId: 'c', requiresKnownMemberId: true })
  group.join(11, 'a')
  group.join(12, 'b')
  assert.equal(group.error(11), 'waits')
  group.feed({ type: 'timer', timer: 'pending/c' })
  assert.deepEqual([group.error(11), group.error(12)], ['NONE', 'NONE'])
  group.join(13, 'c', { requiresKnownMemberId: true })
  assert.equal(group.error(13), 'UNKNOWN_MEMBER_ID')
})

test('GC-1: two members rebalance: the leader gets both, each gets its own assignment', () => {
  const group = new Transcript()
  group.join(1, '', { newMemberId: 'a' })
  group.sync(2, 'a', { a: 'all' })
  group.join(3, '', { newMemberId: 'b' })
  assert.equal(group.error(3), 'waits')
  group.heartbeat(4, 'a')
  assert.equal(group.error(4), 'REBALANCE_IN_PROGRESS')
  group.join(5, 'a')
  assert.deepEqual([group.joined(3).generationId, group.joined(5).generationId], [2, 2])
  assert.deepEqual([group.joined(5).members.length, group.joined(3).members.length], [2, 0])
  group.sync(6, 'b')
  assert.equal(group.error(6), 'waits')
  group.sync(7, 'a', { a: 'first', b: 'second' })
  assert.deepEqual([group.assignment(6), group.assignment(7)], ['second', 'first'])
})

test('the protocol that all have and most prefer is chosen', () => {
  const protocols = (...names: string[]) => names.map((name) => ({ name, metadata: Buffer.from(name) }))
  const group = new Transcript({ groupInitialRebalanceDelayMs: 100 })
  group.join(1, '', { newMemberId: 'a', protocols: protocols('sticky', 'range') })
  group.join(2, '', { newMemberId: 'b', protocols: protocols('roundrobin', 'range', 'sticky') })
  group.join(3, '', { newMemberId: 'c', protocols: protocols('range', 'sticky') })
  group.join(4, '', { newMemberId: 'd', protocols: protocols('own') })
  assert.equal(group.error(4), 'INCONSISTENT_GROUP_PROTOCOL')
  group.join(5, '', { newMemberId: 'e', protocolType: 'connect', protocols: protocols('range') })
  assert.equal(group.error(5), 'INCONSISTENT_GROUP_PROTOCOL')
  group.feed({ type: 'timer', timer: 'rebalance' })
  group.feed({ type: 'timer', timer: 'rebalance' })
  assert.deepEqual(
    [1, 2, 3].map((to) => group.joined(to).protocolName),
    ['range', 'range', 'range'],
  )
})

test('the initial delay is prolonged while members come, up to the rebalance time-out', () => {
  const group = new Transcript({ groupInitialRebalanceDelayMs: 3000 })
  group.join(1, '', { newMemberId: 'a', rebalanceTimeoutMs: 5000 })
  assert.equal(group.timers.get('rebalance'), 3000)
  group.nowMs = 1000
  group.join(2, '', { newMemberId: 'b', rebalanceTimeoutMs: 5000 })
  group.nowMs = 3000
  group.feed({ type: 'timer', timer: 'rebalance' })
  assert.equal(group.timers.get('rebalance'), 2000)
  assert.equal(group.error(1), 'waits')
  group.nowMs = 5000
  group.feed({ type: 'timer', timer: 'rebalance' })
  assert.deepEqual([group.error(1), group.error(2), group.state.generationId], ['NONE', 'NONE', 1])
})

test('GC-2: a member whose session ends is out, and the others rebalance', () => {
  const group = pair()
  group.feed({ type: 'timer', timer: 'session/b' })
  group.heartbeat(10, 'a')
  assert.equal(group.error(10), 'REBALANCE_IN_PROGRESS')
  group.join(11, 'a')
  assert.deepEqual([group.joined(11).generationId, group.joined(11).members.length], [3, 1])
  group.heartbeat(12, 'b', 2)
  assert.equal(group.error(12), 'UNKNOWN_MEMBER_ID')
})

test('a member that does not rejoin within the rebalance time-out is out, and leadership passes on', () => {
  const group = pair()
  group.join(10, 'b', { protocols: [{ name: 'range', metadata: Buffer.from('other topics') }] })
  assert.equal(group.timers.get('rebalance'), 60_000)
  group.feed({ type: 'timer', timer: 'rebalance' })
  assert.deepEqual([group.error(10), group.joined(10).leaderId, group.state.members.size], ['NONE', 'b', 1])
})

test('a leader that joins and never syncs is put out, and those that wait are told to join again', () => {
  const group = pair()
  group.join(10, 'a')
  group.join(11, 'b')
  group.sync(12, 'b')
  group.feed({ type: 'timer', timer: 'rebalance' })
  assert.equal(group.error(12), 'REBALANCE_IN_PROGRESS')
  group.join(13, 'b')
  assert.deepEqual([group.error(13), group.joined(13).leaderId], ['NONE', 'b'])
})

test('leaving: unknown members are named, the last one leaves the group empty', () => {
  const group = pair()
  group.feed({ type: 'leave', replyTo: 10, members: [named('b'), named('nobody')] })
  assert.equal(group.error(10), 'NONE,UNKNOWN_MEMBER_ID')
  group.feed({ type: 'leave', replyTo: 12, members: [named('a')] })
  assert.deepEqual([group.state.phase, group.state.leaderId, [...group.timers]], ['Empty', null, []])
})

test('GC-7: old generations and unknown members are fenced in every request', () => {
  const group = pair()
  group.heartbeat(10, 'a', 1)
  group.sync(11, 'a', {}, 1)
  group.feed({ type: 'commit', groupInstanceId: null, replyTo: 12, memberId: 'a', generationId: 1 })
  assert.deepEqual(
    [10, 11, 12].map((to) => group.error(to)),
    Array(3).fill('ILLEGAL_GENERATION'),
  )
  group.heartbeat(20, 'x')
  group.sync(21, 'x')
  group.feed({ type: 'commit', groupInstanceId: null, replyTo: 22, memberId: 'x', generationId: 2 })
  group.feed({ type: 'commit', groupInstanceId: null, replyTo: 23, memberId: '', generationId: -1 })
  group.join(24, 'x')
  assert.deepEqual(
    [20, 21, 22, 23, 24].map((to) => group.error(to)),
    Array(5).fill('UNKNOWN_MEMBER_ID'),
  )
})

test('commits: free of generations in an empty group, held back while the assignment is being made', () => {
  const group = new Transcript()
  group.feed({ type: 'commit', groupInstanceId: null, replyTo: 1, memberId: '', generationId: -1 })
  assert.equal(group.error(1), 'NONE')
  group.join(2, '', { newMemberId: 'a' })
  group.feed({ type: 'commit', groupInstanceId: null, replyTo: 3, memberId: 'a', generationId: 1 })
  assert.equal(group.error(3), 'REBALANCE_IN_PROGRESS')
  group.sync(4, 'a', { a: 'all' })
  group.feed({ type: 'commit', groupInstanceId: null, replyTo: 5, memberId: 'a', generationId: 1 })
  assert.equal(group.error(5), 'NONE')
})

test('a follower that repeats its join gets the same generation; a leader that does starts a new one', () => {
  const group = pair()
  group.join(10, 'b')
  assert.deepEqual([group.joined(10).generationId, group.state.phase], [2, 'Stable'])
  group.join(11, 'a')
  assert.deepEqual([group.error(11), group.state.phase], ['waits', 'PreparingRebalance'])
})

test('KIP-559: a sync that names another protocol is refused', () => {
  const group = pair()
  const sync = {
    type: 'sync',
    memberId: 'a',
    groupInstanceId: null,
    generationId: 2,
    assignments: [],
  } as const
  group.feed({ ...sync, replyTo: 10, protocolType: 'connect', protocolName: 'range' })
  group.feed({ ...sync, replyTo: 11, protocolType: 'consumer', protocolName: 'sticky' })
  group.feed({ ...sync, replyTo: 12, protocolType: 'consumer', protocolName: 'range' })
  assert.deepEqual(
    [10, 11, 12].map((to) => group.error(to)),
    ['INCONSISTENT_GROUP_PROTOCOL', 'INCONSISTENT_GROUP_PROTOCOL', 'NONE'],
  )
})

test('a full group takes no more', () => {
  const group = new Transcript({ groupMembersMax: 1 })
  group.join(1, '', { newMemberId: 'a' })
  group.join(2, '', { newMemberId: 'b' })
  assert.equal(group.error(2), 'GROUP_MAX_SIZE_REACHED')
})

test('a member that waits in join or sync has no session running', () => {
  const group = pair()
  group.join(10, 'a')
  assert.equal(group.timers.has('session/a'), false)
  group.join(11, 'b')
  assert.equal(group.timers.get('session/a'), 10_000)
  group.sync(12, 'b')
  assert.equal(group.timers.has('session/b'), false)
  group.sync(13, 'a', {})
  assert.equal(group.timers.get('session/b'), 10_000)
})
