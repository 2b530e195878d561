import assert from 'node:assert/strict'
import { test } from 'node:test'
import { restoredGroup } from './step-stored.js'
import { named, pair, Transcript } from './transcript.js'

const other = [{ name: 'range', metadata: Buffer.from('other topics') }]

test('session time-outs out of bounds are refused', () => {
  const group = new Transcript({ sessionTimeoutMsMin: 6000, sessionTimeoutMsMax: 9000 })
  group.join(1, '', { sessionTimeoutMs: 5999 })
  group.join(2, '', { sessionTimeoutMs: 9001 })
  group.join(3, '', { sessionTimeoutMs: 6000 })
  assert.deepEqual(
    [1, 2, 3].map((to) => group.error(to)),
    ['INVALID_SESSION_TIMEOUT', 'INVALID_SESSION_TIMEOUT', 'NONE'],
  )
})

test('a member whose metadata changed has the group rebalance, a leader that repeats itself too', () => {
  const group = pair()
  group.join(10, 'b', { protocols: other })
  assert.deepEqual([group.error(10), group.state.phase], ['waits', 'PreparingRebalance'])
  group.join(11, 'a')
  assert.equal(group.joined(11).members[1]?.metadata.toString(), 'other topics')
})

test('a join while the assignment is being made: repeated it is answered, changed it begins anew', () => {
  const group = pair()
  group.join(10, 'a')
  group.join(11, 'b')
  group.join(12, 'b')
  assert.deepEqual(group.joinedAs(12), ['NONE', 'b', 'a', 3])
  group.join(13, 'a')
  assert.equal(group.joined(13).members.length, 2)
  group.sync(14, 'b')
  group.join(15, '', { newMemberId: 'c' })
  assert.deepEqual([group.error(14), group.error(15)], ['REBALANCE_IN_PROGRESS', 'waits'])
  group.sync(16, 'a', {}, 3)
  assert.equal(group.error(16), 'REBALANCE_IN_PROGRESS')
})

test('heartbeats and commits in each phase', () => {
  const group = pair()
  group.join(10, 'a')
  group.heartbeat(11, 'b')
  group.commit(12, 'b', 2)
  assert.deepEqual([group.error(11), group.error(12)], ['REBALANCE_IN_PROGRESS', 'NONE'])
  group.join(13, 'b')
  group.heartbeat(14, 'b')
  group.commit(15, 'b', 3)
  assert.deepEqual([group.error(14), group.error(15)], ['NONE', 'REBALANCE_IN_PROGRESS'])
  group.sync(16, 'a', { a: 'x', b: 'y' })
  group.sync(17, 'b')
  assert.equal(group.assignment(17), 'y')
})

test('a member that joins and never syncs is put out, also when the leader has synced', () => {
  const group = pair()
  group.join(10, 'a')
  group.join(11, 'b')
  group.sync(12, 'a', { a: 'x', b: 'y' })
  assert.deepEqual([group.state.phase, group.timers.get('rebalance')], ['Stable', 60_000])
  group.heartbeat(13, 'b')
  group.timer('rebalance')
  group.heartbeat(14, 'b', 3)
  assert.deepEqual([group.error(14), group.state.phase], ['UNKNOWN_MEMBER_ID', 'PreparingRebalance'])
})

test('each member has its own rebalance time-out, and the longest counts', () => {
  const group = new Transcript()
  group.join(1, '', { newMemberId: 'a', rebalanceTimeoutMs: 5000 })
  group.join(2, '', { newMemberId: 'b', rebalanceTimeoutMs: 70_000 })
  assert.equal(group.timers.get('rebalance'), 70_000)
})

test('a member that joins once more while it waits is answered once for each', () => {
  const group = pair()
  group.join(10, 'a')
  group.join(11, 'a', { protocols: other })
  assert.deepEqual([group.error(10), group.error(11)], ['REBALANCE_IN_PROGRESS', 'waits'])
  group.join(12, 'b')
  assert.deepEqual([group.error(11), group.error(12)], ['NONE', 'NONE'])
})

test('GC-3: a completed rebalance is stored before it is told, and the group goes on from there', () => {
  const group = pair()
  assert.equal(group.purposes(), 'assignment,assignment')
  const [stored] = group.stored.slice(-1)
  assert.deepEqual(
    stored?.group.members.map((member) => [member.memberId, member.assignment.toString()]),
    [
      ['a', 'first'],
      ['b', 'second'],
    ],
  )
  const next = new Transcript()
  next.state = restoredGroup(stored?.group ?? assert.fail())
  next.heartbeat(1, 'b', 2)
  next.sync(2, 'b', {}, 2)
  next.commit(3, 'a', 2)
  assert.deepEqual([next.error(1), next.assignment(2), next.error(3)], ['NONE', 'second', 'NONE'])
})

test('a group that becomes empty is stored with its generation and its protocol type', () => {
  const group = pair()
  group.nowMs = 77
  group.feed({ type: 'leave', replyTo: 10, members: [named('a'), named('b')] })
  const { generationId, protocolType, members, stateTimestampMs } =
    group.stored.at(-1)?.group ?? assert.fail()
  assert.deepEqual([generationId, protocolType, members.length, stateTimestampMs], [3, 'consumer', 0, 77])
  const next = new Transcript()
  next.state = restoredGroup(group.stored.at(-1)?.group ?? assert.fail())
  next.join(1, '', { newMemberId: 'c' })
  assert.deepEqual(next.joinedAs(1), ['NONE', 'c', 'c', 4])
})

test('an assignment that cannot be stored is none: the group rebalances', () => {
  const group = pair()
  group.feed({ type: 'storeFailed', purpose: 'assignment' })
  assert.equal(group.state.phase, 'PreparingRebalance')
  group.join(10, 'b')
  group.join(11, 'a')
  assert.deepEqual(group.joinedAs(11), ['NONE', 'a', 'a', 3])
})

test('a tool that moves offsets ends the generation at once: its commits count no more', () => {
  const group = pair()
  group.feed({ type: 'fence', replyTo: 10 })
  group.commit(11, 'a', 2)
  group.heartbeat(12, 'b', 2)
  assert.deepEqual(
    [10, 11, 12].map((to) => group.error(to)),
    ['NONE', 'ILLEGAL_GENERATION', 'ILLEGAL_GENERATION'],
  )
  assert.deepEqual(
    [group.purposes(), group.stored.at(-1)?.group.generationId],
    ['assignment,assignment,fence', 3],
  )
  group.join(13, 'a')
  group.join(14, 'b')
  assert.deepEqual(group.joinedAs(14), ['NONE', 'b', 'a', 4])
})

test('a fence of a group without members changes nothing', () => {
  const group = new Transcript()
  group.feed({ type: 'fence', replyTo: 1 })
  assert.deepEqual([group.error(1), group.state.generationId, group.purposes()], ['NONE', 0, ''])
})

test('an id that was handed out holds the first rebalance up no more than the delay does', () => {
  const group = new Transcript()
  group.join(1, '', { newMemberId: 'p', requiresKnownMemberId: true })
  group.join(2, '', { newMemberId: 'a' })
  assert.deepEqual(group.joinedAs(2), ['NONE', 'a', 'a', 1])
  group.join(3, 'p')
  assert.deepEqual([group.error(3), group.state.phase], ['waits', 'PreparingRebalance'])
})

test('a member that offers nothing of what it offered before, or is of another type, has to leave first', () => {
  const group = new Transcript()
  group.join(1, '', { newMemberId: 'a' })
  group.join(2, 'a', { protocols: [{ name: 'sticky', metadata: Buffer.from('topics') }] })
  group.join(3, 'a', { protocolType: 'connect' })
  assert.deepEqual(
    [group.error(2), group.error(3)],
    ['INCONSISTENT_GROUP_PROTOCOL', 'INCONSISTENT_GROUP_PROTOCOL'],
  )
  group.feed({ type: 'leave', replyTo: 4, members: [named('a')] })
  group.join(5, '', { newMemberId: 'b', protocolType: 'connect' })
  assert.deepEqual(group.joinedAs(5), ['NONE', 'b', 'b', 3])
})
