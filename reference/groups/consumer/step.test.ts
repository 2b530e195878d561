import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SampleValues } from '../../kafka/wire/sample-values.js'
import { ConsumerTranscript, partitionsOf, slots, type TestMember } from './testing.js'

const held = (...members: TestMember[]) => members.map(({ owned }) => partitionsOf(owned))
const sorted = (...members: TestMember[]) =>
  held(...members)
    .flat()
    .sort()

test('a lone member has everything at once', () => {
  const group = new ConsumerTranscript()
  const a = group.join('a')
  assert.deepEqual([a.epoch, held(a)], [1, [[0, 1, 2, 3]]])
  assert.equal(group.timers.get('session/a'), 100)
  assert.equal(group.raw('a', 1).assignment, null, 'nothing new is not told again')
  assert.equal(group.raw('a', 1).memberEpoch, 1)
})

test('a partition goes to its new owner only when the old one has let it go', () => {
  const group = new ConsumerTranscript()
  const a = group.join('a')
  const b = group.join('b')
  assert.deepEqual([b.epoch, held(b)], [2, [[]]], 'everything is still with a')
  const told = group.raw('a', 1, { owned: [...a.owned] })
  assert.equal(told.memberEpoch, 1, 'as long as it has what it is to let go, it stays in its epoch')
  assert.equal(told.assignment?.size, 2)
  assert.equal(group.timers.get('rebalance/a'), 50)
  assert.equal(group.beat(b).assignment, null)
  assert.equal(group.raw('a', 1).memberEpoch, 1, 'it did not say that it let go')
  a.owned = told.assignment ?? new Set()
  assert.equal(group.beat(a).memberEpoch, 2)
  assert.equal(group.timers.has('rebalance/a'), false)
  group.beat(b)
  assert.deepEqual(sorted(a, b), [0, 1, 2, 3])
  assert.equal(b.owned.size, 2)
})

test('who does not let go in time is put out, and the others get it', () => {
  const group = new ConsumerTranscript()
  const a = group.join('a')
  const b = group.join('b')
  group.raw('a', 1, { owned: [...a.owned] })
  group.members.delete('a')
  group.ring('rebalance/a')
  group.settle()
  assert.deepEqual(held(b), [[0, 1, 2, 3]])
  assert.equal(group.raw('a', 1).error, 'UNKNOWN_MEMBER_ID')
})

test('who is not heard of, and who leaves, is no member any more', () => {
  const group = new ConsumerTranscript()
  const a = group.join('a')
  const b = group.join('b')
  group.settle()
  group.ring('session/a')
  group.members.delete('a')
  group.settle()
  assert.deepEqual(held(b), [[0, 1, 2, 3]])
  group.nowMs = 7
  assert.equal(group.leave(b).memberEpoch, -1)
  assert.deepEqual([group.state.members.size, group.state.emptySinceMs], [0, 7])
  assert.equal(group.timers.size, 0)
  assert.equal(group.raw('a', a.epoch).error, 'UNKNOWN_MEMBER_ID')
})

test('epochs: newer and older ones are fenced, the one before only without anything that is not its own', () => {
  const group = new ConsumerTranscript()
  const a = group.join('a')
  group.join('b')
  group.settle()
  const [epoch, owned] = [a.epoch, [...a.owned]]
  assert.equal(epoch, 2)
  assert.equal(group.raw('a', epoch + 1).error, 'FENCED_MEMBER_EPOCH')
  assert.equal(group.raw('a', epoch - 1).error, 'FENCED_MEMBER_EPOCH')
  assert.equal(group.raw('a', epoch - 1, { owned }).error, 'NONE', 'the answer may have been lost')
  assert.equal(group.raw('a', epoch - 1, { owned: [...slots(0, 1, 2, 3)] }).error, 'FENCED_MEMBER_EPOCH')
})

test('a whole request is answered with the whole assignment: the last answer may have been lost', () => {
  const group = new ConsumerTranscript()
  const a = group.join('a')
  const whole = { rebalanceTimeoutMs: 50, topicNames: ['t'], owned: [...a.owned] }
  assert.deepEqual(group.raw('a', 1, whole).assignment, slots(0, 1, 2, 3))
})

test('a static member that comes back under another id has its partitions, in an epoch that stays', () => {
  const group = new ConsumerTranscript()
  const a = group.join('a', { instanceId: 'one' })
  const b = group.join('b', { instanceId: 'two' })
  group.settle()
  const [epoch, had] = [group.state.epoch, a.owned]
  assert.equal(group.raw('other', 0, { instanceId: 'one' }).error, 'UNRELEASED_INSTANCE_ID')
  assert.equal(group.leave(a, -2).memberEpoch, -2)
  assert.equal(group.beat(b).assignment, null)
  const again = group.join('a2', { instanceId: 'one' })
  assert.deepEqual([again.epoch, again.owned], [epoch, had])
  assert.equal(group.timers.has('session/a'), false)
  assert.equal(group.raw('a', epoch, { instanceId: 'one' }).error, 'FENCED_INSTANCE_ID')
  assert.equal(group.raw('x', epoch, { instanceId: 'three' }).error, 'UNKNOWN_MEMBER_ID')
})

test('a static member that does not come back in time loses its place', () => {
  const group = new ConsumerTranscript()
  const a = group.join('a', { instanceId: 'one' })
  const b = group.join('b')
  group.settle()
  group.leave(a, -2)
  assert.ok(group.timers.has('session/a'))
  group.ring('session/a')
  group.settle()
  assert.deepEqual(held(b), [[0, 1, 2, 3]])
})

test('topics that grow, come and go are shared anew; a pattern finds new ones', () => {
  const group = new ConsumerTranscript()
  const a = group.join('a', { topicNames: ['t', 'later'] })
  const b = group.join('b', { topicNames: [], topicRegex: 't.*' })
  group.settle()
  const { epoch } = group.state
  group.topicsChanged()
  assert.equal(group.state.epoch, epoch, 'nothing that matters here')
  group.topics.set('t', { topicId: 't', partitions: 6 })
  group.topicsChanged()
  group.settle()
  assert.deepEqual(sorted(a, b), [0, 1, 2, 3, 4, 5])
  group.topics.set('later', { topicId: 'x', partitions: 1 }).set('t2', { topicId: 'y', partitions: 1 })
  group.topicsChanged()
  group.settle()
  assert.ok(a.owned.has('x/0') && b.owned.has('y/0'))
  group.topics.delete('t')
  group.topicsChanged()
  group.settle()
  assert.deepEqual([[...a.owned], [...b.owned]], [['x/0'], ['y/0']])
})

test('a subscription that changes is taken up, and what is not said stays', () => {
  const group = new ConsumerTranscript()
  group.topics.set('u', { topicId: 'u', partitions: 2 })
  const a = group.join('a')
  group.beat(a, { topicNames: ['t', 'u'] })
  group.settle()
  assert.equal(a.owned.size, 6)
  group.beat(a, { topicNames: [], topicRegex: 'u' })
  group.settle()
  assert.equal(a.owned.size, 2)
  group.beat(a, { topicRegex: '' })
  group.settle()
  assert.equal(a.owned.size, 0)
})

test('the assignor is what most prefer; another is refused', () => {
  const group = new ConsumerTranscript()
  assert.equal(group.raw('a', 0, { assignor: 'mine' }).error, 'UNSUPPORTED_ASSIGNOR')
  assert.equal(group.state.members.size, 0)
  group.topics.set('u', { topicId: 'u', partitions: 1 })
  group.join('a', { assignor: 'range', topicNames: ['t', 'u'] })
  group.join('b', { assignor: 'range', topicNames: ['t', 'u'] })
  assert.equal(group.state.assignor, 'range')
  group.settle()
  assert.deepEqual([group.members.get('a')?.owned.size, group.members.get('b')?.owned.size], [3, 2])
  group.join('c', { assignor: 'uniform' })
  assert.equal(group.state.assignor, 'range')
})

test('a group takes so many members and no more', () => {
  const group = new ConsumerTranscript()
  for (let each = 0; each < 9; each++) group.join(`m${each}`)
  assert.equal(group.raw('one-more', 0).error, 'GROUP_MAX_SIZE_REACHED')
  assert.equal(group.raw('m1', 0).error, 'NONE', 'who is there may come again')
})

test('a tool ends all epochs; members come back for the same partitions', () => {
  const group = new ConsumerTranscript()
  const a = group.join('a')
  const b = group.join('b', { instanceId: 'two' })
  group.settle()
  const before = held(a, b)
  group.fence()
  assert.equal(group.beat(a).error, 'FENCED_MEMBER_EPOCH')
  assert.equal(group.beat(b).error, 'FENCED_MEMBER_EPOCH')
  group.settle()
  assert.deepEqual(held(a, b), before)
})

test('whatever happens, no partition has two readers, and all comes to rest with everything shared', () => {
  for (let seed = 0; seed < 200; seed++) {
    const group = new ConsumerTranscript()
    const values = new SampleValues(seed)
    let named = 0
    for (let action = 0; action < 60; action++) {
      const members = [...group.members.values()]
      const member = members[values.below(Math.max(1, members.length))]
      const what = values.below(12)
      if (member === undefined || (what === 0 && members.length < 8)) {
        const instanceId = values.below(3) === 0 ? `i${named}` : null
        group.join(`m${named++}`, { instanceId, topicNames: values.below(4) === 0 ? ['t', 'u'] : ['t'] })
      } else if (what === 1)
        group.leave(member, member.instanceId !== null && values.below(2) === 0 ? -2 : -1)
      else if (what === 2) {
        group.members.delete(member.memberId)
        group.ring(`session/${member.memberId}`)
      } else if (what === 3) {
        group.topics.set('t', { topicId: 't', partitions: 4 + values.below(6) })
        group.topics.set('u', { topicId: 'u', partitions: 1 + values.below(3) })
        group.topicsChanged()
      } else if (what === 4) {
        group.fence()
        // Until they hear of it they read on; the offsets are what the fence protects.
        for (const each of group.members.values()) group.beat(each)
      } else group.beat(member)
    }
    for (const away of [...group.state.members.values()].filter(({ memberEpoch }) => memberEpoch === -2))
      group.ring(`session/${away.memberId}`)
    if (group.members.size === 0) continue
    group.settle()
    const wanted = group.members.size > 0 ? (group.topics.get('t')?.partitions ?? 0) : 0
    const given = [...group.members.values()].flatMap(({ owned }) => [...owned])
    assert.equal(given.filter((slot) => slot.startsWith('t/')).length, wanted, `seed ${seed}`)
    for (const { phase, memberEpoch } of group.state.members.values())
      assert.deepEqual([phase, memberEpoch], ['stable', group.state.epoch], `seed ${seed}`)
  }
})
