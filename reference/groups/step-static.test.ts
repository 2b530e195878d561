import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Transcript } from './transcript.js'

/** What a consumer says of itself: topics, and partitions that it had before (which a restart changes). */
const consumerOf = (topic: string, owned = '') => [
  {
    name: 'range',
    metadata: Buffer.concat([
      Buffer.from([0, 1, 0, 0, 0, 1, 0, topic.length]),
      Buffer.from(topic),
      Buffer.from(owned),
    ]),
  },
]

const instance = (groupInstanceId: string, newMemberId: string, topic = 't', owned = '') => ({
  groupInstanceId,
  newMemberId,
  requiresKnownMemberId: true,
  protocols: consumerOf(topic, owned),
})

/** A static leader `a1` (instance `A`) and a static follower `b1` (instance `B`), stable in generation 2. */
function staticPair(): Transcript {
  const group = new Transcript()
  group.join(1, '', instance('A', 'a1'))
  group.sync(2, 'a1', { a1: 'all' }, 1, 'A')
  group.join(3, '', instance('B', 'b1'))
  group.join(4, 'a1', instance('A', 'unused', 't', 'owned'))
  group.sync(5, 'b1', {}, 2, 'B')
  group.sync(6, 'a1', { a1: 'first', b1: 'second' }, 2, 'A')
  assert.deepEqual([group.assignment(5), group.state.phase], ['second', 'Stable'])
  return group
}

test('KIP-345: a static member joins without asking for a member id first', () => {
  const group = new Transcript()
  group.join(1, '', instance('A', 'a1'))
  assert.deepEqual(group.joinedAs(1), ['NONE', 'a1', 'a1', 1])
})

test('GC-7: a follower that restarts keeps its place: no rebalance, the same generation and assignment', () => {
  const group = staticPair()
  group.join(10, '', instance('B', 'b2', 't', 'nothing owned'))
  assert.deepEqual(group.joinedAs(10), ['NONE', 'b2', 'a1', 2])
  group.sync(11, 'b2', {}, 2, 'B')
  assert.equal(group.assignment(11), 'second')
  group.heartbeat(12, 'a1', 2, 'A')
  assert.deepEqual([group.error(12), group.state.phase], ['NONE', 'Stable'])
  assert.deepEqual([...group.timers.keys()].sort(), ['session/a1', 'session/b2'])
  assert.equal(group.stored.at(-1)?.purpose, 'staticMember')
  assert.deepEqual(
    group.stored.at(-1)?.group.members.map((member) => [member.memberId, member.assignment.toString()]),
    [
      ['a1', 'first'],
      ['b2', 'second'],
    ],
  )
})

test('KIP-814: a leader that restarts is told to skip the assignment, or that its former self leads', () => {
  const group = staticPair()
  group.join(10, '', { ...instance('A', 'a2'), canSkipAssignment: true })
  assert.deepEqual(group.joinedAs(10), ['NONE', 'a2', 'a2', 2])
  assert.deepEqual([group.joined(10).skipAssignment, group.joined(10).members.length], [true, 2])
  group.sync(11, 'a2', {}, 2, 'A')
  assert.equal(group.assignment(11), 'first')
  group.join(12, '', instance('A', 'a3'))
  assert.deepEqual(group.joinedAs(12), ['NONE', 'a3', 'a2', 2])
  assert.deepEqual([group.joined(12).skipAssignment, group.joined(12).members.length], [false, 0])
})

test('a static member that comes back with other topics has the group rebalance', () => {
  const group = staticPair()
  group.join(10, '', instance('B', 'b2', 'u'))
  assert.deepEqual([group.error(10), group.state.phase], ['waits', 'PreparingRebalance'])
  group.join(11, 'a1', instance('A', 'unused'))
  assert.deepEqual(
    [group.joinedAs(10), group.joinedAs(11)],
    [
      ['NONE', 'b2', 'a1', 3],
      ['NONE', 'a1', 'a1', 3],
    ],
  )
})

test('who was replaced is fenced in every request, and so is a JoinGroup or SyncGroup that waits', () => {
  const group = staticPair()
  group.join(10, '', instance('B', 'b2'))
  group.heartbeat(11, 'b1', 2, 'B')
  group.sync(12, 'b1', {}, 2, 'B')
  group.commit(13, 'b1', 2, 'B')
  group.join(14, 'b1', instance('B', 'unused'))
  group.feed({ type: 'leave', replyTo: 15, members: [{ memberId: 'b1', groupInstanceId: 'B' }] })
  for (const to of [11, 12, 13, 14, 15]) assert.equal(group.error(to), 'FENCED_INSTANCE_ID', `request ${to}`)
  // Without its instance id it is just unknown.
  group.heartbeat(16, 'b1', 2)
  assert.equal(group.error(16), 'UNKNOWN_MEMBER_ID')

  group.join(20, 'a1', instance('A', 'unused'))
  group.join(21, '', instance('A', 'a2'))
  assert.equal(group.error(20), 'FENCED_INSTANCE_ID')
  group.join(22, 'b2', instance('B', 'unused'))
  assert.deepEqual([group.error(21), group.error(22), group.state.leaderId], ['NONE', 'NONE', 'a2'])
  group.sync(23, 'b2', {}, 3, 'B')
  group.join(24, '', instance('B', 'b3'))
  assert.deepEqual([group.error(23), group.state.phase], ['FENCED_INSTANCE_ID', 'PreparingRebalance'])
})

test('an unknown instance, and one that names a dynamic member, are unknown members', () => {
  const group = staticPair()
  group.heartbeat(10, 'a1', 2, 'C')
  group.join(11, '', { newMemberId: 'd', protocols: consumerOf('t') })
  group.heartbeat(12, 'd', 2, 'D')
  assert.deepEqual([group.error(10), group.error(12)], ['UNKNOWN_MEMBER_ID', 'UNKNOWN_MEMBER_ID'])
})

test('tools take static members out by instance id alone; one that just closes stays until its session ends', () => {
  const group = staticPair()
  const leaving = (groupInstanceId: string) => ({ memberId: '', groupInstanceId })
  group.feed({ type: 'leave', replyTo: 10, members: [leaving('B'), leaving('C')] })
  assert.equal(group.error(10), 'NONE,UNKNOWN_MEMBER_ID')
  assert.deepEqual([group.state.phase, group.state.members.size], ['PreparingRebalance', 1])
  group.join(11, 'a1', instance('A', 'unused'))
  group.sync(12, 'a1', { a1: 'all' }, 3, 'A')
  assert.equal(group.assignment(12), 'all')
  group.timer('session/a1')
  assert.equal(group.state.phase, 'Empty')
})

test('a static member that is away during a rebalance keeps its place, and its assignment waits for it', () => {
  const group = staticPair()
  group.join(10, '', { newMemberId: 'c1', protocols: consumerOf('t') })
  group.join(11, 'a1', instance('A', 'unused'))
  group.timer('rebalance')
  assert.deepEqual([group.error(10), group.joined(11).members.length], ['NONE', 3])
  group.sync(12, 'a1', { a1: '1', b1: '2', c1: '3' }, 3, 'A')
  group.sync(13, 'c1', {}, 3)
  group.join(14, '', instance('B', 'b2'))
  group.sync(15, 'b2', {}, 3, 'B')
  assert.deepEqual(
    [group.assignment(15), group.state.phase, group.timers.has('rebalance')],
    ['2', 'Stable', false],
  )
})

test('with only absent static members, their sessions end the rebalance', () => {
  const group = staticPair()
  group.join(10, '', { newMemberId: 'c1', protocols: consumerOf('t') })
  group.timer('session/c1')
  group.timer('rebalance')
  assert.deepEqual([group.state.phase, group.state.members.size], ['PreparingRebalance', 2])
  group.timer('session/a1')
  group.timer('session/b1')
  assert.deepEqual([group.state.phase, [...group.timers]], ['Empty', []])
})

test('a static leader that is away in a rebalance hands the lead to who is there', () => {
  const group = staticPair()
  group.join(10, 'b1', instance('B', 'unused', 'u'))
  group.timer('rebalance')
  assert.deepEqual(group.joinedAs(10), ['NONE', 'b1', 'b1', 3])
  assert.equal(group.joined(10).members.length, 2)
})
