import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SampleValues } from '../../kafka/wire/sample-values.js'
import { type AssignorName, assignorNames, assignors, type Subscriber, type Targets } from './assignors.js'
import { partsOf, type Slot, sameSlots, slotOf } from './slots.js'

interface Sample {
  readonly topics: Map<string, number>
  readonly subscribers: Subscriber[]
}

/** Up to 5 topics and 8 members; `mixed`: members differ in what they subscribe to. */
function sample(values: SampleValues, mixed: boolean): Sample {
  const topics = new Map(
    Array.from({ length: 1 + values.below(5) }, (_, at) => [`t${at}`, values.below(9)] as const),
  )
  const subscribers = Array.from(
    { length: 1 + values.below(8) },
    (_, at): Subscriber => ({
      memberId: `m${at}`,
      instanceId: values.below(3) === 0 ? `i${9 - at}` : null,
      topicIds: new Set([...topics.keys()].filter(() => !mixed || values.below(3) > 0)),
      // What it has may be of a topic that it has given up, that has shrunk, or another's as well.
      previous: new Set(
        Array.from({ length: values.below(6) }, () => slotOf(`t${values.below(6)}`, values.below(10))),
      ),
    }),
  )
  return { topics, subscribers }
}

const sizes = (targets: Targets) => [...targets.values()].map(({ size }) => size)

/** Each partition of a topic with subscribers is exactly one's, who subscribes to it; nothing else is anybody's. */
function assertWhole({ topics, subscribers }: Sample, targets: Targets): void {
  const owners = new Map<Slot, string>()
  for (const [memberId, slots] of targets)
    for (const slot of slots) {
      assert.ok(!owners.has(slot), `${slot} has two owners`)
      owners.set(slot, memberId)
      const subscriber = subscribers.find((each) => each.memberId === memberId)
      assert.ok(subscriber?.topicIds.has(partsOf(slot).topicId), `${memberId} never asked for ${slot}`)
    }
  const expected = [...topics]
    .filter(([topicId]) => subscribers.some(({ topicIds }) => topicIds.has(topicId)))
    .flatMap(([topicId, partitions]) => Array.from({ length: partitions }, (_, at) => slotOf(topicId, at)))
  assert.deepEqual([...owners.keys()].sort(), expected.sort())
  assert.equal(targets.size, subscribers.length)
}

const samples = (mixed: boolean) =>
  Array.from({ length: 300 }, (_, seed) => sample(new SampleValues(seed), mixed))

for (const name of assignorNames)
  test(`${name}: each partition is one subscriber's`, () => {
    for (const mixed of [false, true])
      for (const each of samples(mixed)) assertWhole(each, assign(name, each))
  })

const assign = (name: AssignorName, { subscribers, topics }: Sample) => assignors[name](subscribers, topics)

test('uniform: with equal subscriptions nobody has two more than another', () => {
  for (const each of samples(false)) {
    const counts = sizes(assign('uniform', each))
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join())
  }
})

test('uniform: with unequal ones nobody has two more than another who could have one of them', () => {
  for (const each of samples(true)) {
    const targets = assign('uniform', each)
    for (const [memberId, slots] of targets)
      for (const slot of slots)
        for (const other of each.subscribers.filter(({ topicIds }) => topicIds.has(partsOf(slot).topicId)))
          assert.ok(
            slots.size - (targets.get(other.memberId)?.size ?? 0) <= 1,
            `${slot} stays with ${memberId}`,
          )
  }
})

test('uniform: nothing moves when nothing changed, and only what must when somebody comes', () => {
  for (const { topics, subscribers } of samples(false)) {
    const before = assign('uniform', { topics, subscribers })
    const settled = subscribers.map((each) => ({ ...each, previous: before.get(each.memberId) ?? new Set() }))
    const again = assign('uniform', { topics, subscribers: settled })
    for (const [memberId, slots] of again) assert.ok(sameSlots(slots, before.get(memberId) ?? new Set()))
    const [like] = subscribers
    if (like === undefined) continue
    const newcomer: Subscriber = { ...like, memberId: 'new', instanceId: null, previous: new Set() }
    const after = assign('uniform', { topics, subscribers: [...settled, newcomer] })
    for (const { memberId } of subscribers)
      for (const slot of after.get(memberId) ?? [])
        assert.ok(before.get(memberId)?.has(slot), 'it moved needlessly')
  }
})

test('range: runs of partitions, the same of each topic, by instance id before member id', () => {
  const subscriber = (memberId: string, instanceId: string | null): Subscriber => ({
    memberId,
    instanceId,
    topicIds: new Set(['x', 'y']),
    previous: new Set(),
  })
  const targets = assignors.range(
    [subscriber('c', null), subscriber('z', 'a'), subscriber('b', null)],
    new Map([
      ['x', 7],
      ['y', 2],
    ]),
  )
  assert.deepEqual([...(targets.get('z') ?? [])], ['x/0', 'x/1', 'x/2', 'y/0'])
  assert.deepEqual([...(targets.get('b') ?? [])], ['x/3', 'x/4', 'y/1'])
  assert.deepEqual([...(targets.get('c') ?? [])], ['x/5', 'x/6'])
})
