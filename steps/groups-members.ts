import { Then, When } from '@cucumber/cucumber'
import { DriverError, Unsupported } from '../matrix/driver/errors.js'
import type { ArgsOf, KafkaOps, KafkaReceived, ResultOf } from '../matrix/driver/messages.js'
import type { TypedDriver } from '../matrix/driver/process.js'
import { sameAsWrittenForKafka } from './consume.js'
import type { Partition } from './groups-protocol.js'
import { groupOf, join, leave, newMember } from './groups-requests.js'
import { sendByKafka } from './produce.js'
import { randomRecord } from './records.js'
import { holds, Mismatch, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

/** Members of a group by the cell's Kafka client. */
type Assignor = NonNullable<ArgsOf<KafkaOps, 'openMember'>['assignor']>
type Assignment = ResultOf<KafkaOps, 'assignment'>

interface Member {
  readonly name: string
  readonly options: Omit<ArgsOf<KafkaOps, 'openMember'>, 'member' | 'topics'>
  /** In a process of its own, under the member's name. */
  readonly isAlone: boolean
  /** As of the last sharing. */
  has: readonly Partition[]
}

const SETTLED_WITHIN_MS = 25_000
/** How long one asking waits for an assignment to come to be as expected. */
const LOOK_MS = 250
const READY_WITHIN_MS = 10_000
const HEARTBEAT_MS = 100
const CONSUMER_GROUP_HEARTBEAT = 68
const SHORT_SESSION_MS = 1500

/* ---- Who is there ------------------------------------------------------------------------------------------------- */

/** Those who have joined and neither left nor died, in the order of joining. */
const present = (world: ConformanceWorld): Member[] => world.noted('present members', () => [])
/** With what they had at the last sharing. */
export const presentMembers: (world: ConformanceWorld) => readonly Pick<Member, 'name' | 'has'>[] = present
/** Those who were there and are not any more. */
const gone = (world: ConformanceWorld): Member[] => world.noted('gone members', () => [])

const driverFor = (world: ConformanceWorld, { name, isAlone }: Member): Promise<TypedDriver<KafkaOps>> =>
  isAlone ? world.extraKafka(name) : world.kafka()

async function open(world: ConformanceWorld, of: Member): Promise<void> {
  const topics = world.topics.map(({ name }) => name)
  await (await driverFor(world, of)).call('openMember', { ...of.options, member: of.name, topics })
}

/**
 * A client that subscribes to a topic that its broker does not know yet may look again only minutes later, or begin to
 * read twice. Brokers learn of new topics, and begin to lead their partitions, a moment after these were created.
 */
async function topicsReady(world: ConformanceWorld): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  for (;;) {
    const problem = await whyNotReady(world)
    if (problem === null) return
    if (Date.now() > deadline) throw new Mismatch('the new topics', 'every partition has a leader', problem)
  }
}

async function whyNotReady(world: ConformanceWorld): Promise<unknown> {
  const driver = await world.kafka()
  try {
    const problem = await withoutPartitions(world, driver).catch((error: unknown) => {
      // Java's client of 0.10 tells nothing of topics; node-rdkafka says so of a topic with an error. Their logs tell.
      if (error instanceof Unsupported) return null
      throw error
    })
    if (problem !== null) return problem
    const ends = allPartitions(world).map((each) => driver.call('listOffsets', { ...each, at: 'latest' }))
    await Promise.all(ends)
    return null
  } catch (error) {
    if (error instanceof DriverError) return error.message
    throw error
  }
}

/** The topics, when one of them is not there with all its partitions. */
async function withoutPartitions(world: ConformanceWorld, driver: TypedDriver<KafkaOps>): Promise<unknown> {
  const { topics } = await driver.call('metadata', { topics: world.topics.map(({ name }) => name) })
  const isThere = world.topics.every(({ name, partitions }) => {
    const found = topics.find((topic) => topic.name === name)
    return found?.error === undefined && found?.partitions.length === partitions
  })
  return isThere ? null : topics
}

async function joinNew(
  world: ConformanceWorld,
  count: number,
  options: (number: number) => Partial<Member['options']>,
  more: { isAlone?: boolean; group?: string } = {},
): Promise<void> {
  const { isAlone = false, group = groupOf(world) } = more
  await topicsReady(world)
  const before = present(world).length + gone(world).length
  const members = Array.from({ length: count }, (_, index): Member => {
    const number = before + index + 1
    const common = { group, heartbeatIntervalMs: HEARTBEAT_MS }
    return { name: `member-${number}`, options: { ...common, ...options(number) }, isAlone, has: [] }
  })
  await Promise.all(members.map((of) => open(world, of)))
  present(world).push(...members)
}

When(
  /^(\d+) members? joins? a group, assigned by ([\w-]+)$/,
  async function (this: ConformanceWorld, count: number, assignor: string) {
    await joinNew(this, count, () => ({ assignor: assignor as Assignor }))
  },
)

When(
  /^(\d+) members? joins? a group by the consumer protocol(, each in a process of its own)?$/,
  async function (this: ConformanceWorld, count: number, alone: string | null) {
    await needConsumerProtocol(this)
    await joinNew(this, count, () => ({ protocol: 'consumer' }), { isAlone: alone !== null })
  },
)

When(
  /^(\d+) static members join a group(?:, assigned by ([\w-]+)| by the consumer protocol)$/,
  async function (this: ConformanceWorld, count: number, assignor: string | null) {
    if (assignor === null) await needConsumerProtocol(this)
    const how = assignor === null ? { protocol: 'consumer' as const } : { assignor: assignor as Assignor }
    await joinNew(this, count, (number) => ({ ...how, instanceId: `instance-${number}` }))
  },
)

When(
  /^(\d+) members? with short session time-outs joins? a group, each in a process of its own$/,
  async function (this: ConformanceWorld, count: number) {
    const sessionTimeoutMs = await shortestSession(this)
    await joinNew(this, count, () => ({ assignor: 'roundrobin', sessionTimeoutMs }), { isAlone: true })
  },
)

/** Clients differ in what they make of a broker without it: some wait for ever. */
async function needConsumerProtocol(world: ConformanceWorld): Promise<void> {
  if (world.parameters.raw === undefined) return
  const { apis } = await (await world.raw()).call('apiVersions', {})
  if (!apis.some(({ key }) => key === CONSUMER_GROUP_HEARTBEAT)) {
    throw new Unsupported('ConsumerGroupHeartbeat is not listed by ApiVersions')
  }
}

/** What the target allows: real clusters may ask for Kafka's own least of 6 s. */
export async function shortestSession(world: ConformanceWorld): Promise<number> {
  if (world.parameters.raw === undefined) return 6000
  const probe = newMember(world, 'probe', {
    group: world.newName('-probe'),
    sessionTimeoutMs: SHORT_SESSION_MS,
  })
  await join(world, probe)
  await leave(world, probe.group, [{ memberId: probe.memberId }])
  return probe.sessionTimeoutMs
}

When('one more member joins', async function (this: ConformanceWorld) {
  const like = present(this)[0] ?? gone(this)[0]
  const { instanceId: _, ...options } = like?.options ?? { group: groupOf(this) }
  await joinNew(this, 1, () => options, { isAlone: like?.isAlone ?? false })
})

When(
  '{int} member joins another group, assigned by {word}',
  async function (this: ConformanceWorld, count: number, assignor: string) {
    const group = this.newName('-other')
    await joinNew(this, count, () => ({ assignor: assignor as Assignor }), { group })
  },
)

function first(world: ConformanceWorld): Member {
  const [member] = present(world)
  if (member === undefined) throw new Error('the group has no member')
  return member
}

function takeOut(world: ConformanceWorld): Member {
  const member = first(world)
  present(world).shift()
  gone(world).push(member)
  return member
}

When('the first member leaves', async function (this: ConformanceWorld) {
  const member = takeOut(this)
  await (await driverFor(this, member)).call('closeMember', { member: member.name })
})

When('the process of the first member is killed', async function (this: ConformanceWorld) {
  await this.killDriver(takeOut(this).name)
})

/* ---- Sharing ------------------------------------------------------------------------------------------------------ */

const textOf = ({ topic, partition }: Partition): string => `${topic} ${partition}`

const allPartitions = (world: ConformanceWorld): Partition[] =>
  world.topics.flatMap(({ name, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
  )

async function assignmentOf(
  world: ConformanceWorld,
  of: Member,
  count: number,
  timeoutMs: number,
): Promise<Assignment> {
  return (await driverFor(world, of)).call('assignment', { member: of.name, count, timeoutMs })
}

/** Until every partition is one member's and each member has as many as `isShare` allows; else what was seen last. */
async function shared(world: ConformanceWorld, leastEach: number, mostEach: number): Promise<void> {
  const members = present(world)
  const all = allPartitions(world)
  const expected = all.map(textOf).sort()
  const deadline = Date.now() + SETTLED_WITHIN_MS
  for (let count = mostEach; ; count = count > leastEach ? count - 1 : mostEach) {
    const seen = await Promise.all(members.map((of) => assignmentOf(world, of, count, LOOK_MS)))
    const given = seen.flatMap(({ partitions }) => partitions.map(textOf)).sort()
    const isWhole = given.length === expected.length && given.every((each, index) => each === expected[index])
    const sizes = seen.map(({ partitions }) => partitions.length)
    if (isWhole && sizes.every((size) => size >= leastEach) && isOneGeneration(seen)) {
      for (const [index, of] of members.entries()) of.has = seen[index]?.partitions ?? []
      return
    }
    if (Date.now() > deadline) {
      const shown = seen.map(({ partitions, generation }) => ({ generation, has: partitions.map(textOf) }))
      throw new Mismatch(`what ${members.length} members share`, expected, shown)
    }
  }
}

/** As far as the library tells. */
function isOneGeneration(seen: readonly Assignment[]): boolean {
  const told = seen.flatMap(({ generation }) => (generation === undefined ? [] : [generation]))
  return new Set(told).size <= 1
}

Then(
  "they share the partitions: each has some, and each partition is one member's",
  async function (this: ConformanceWorld) {
    const share = allPartitions(this).length / Math.max(1, present(this).length)
    await shared(this, 1, Math.ceil(share))
  },
)

Then("each partition is one member's, and one member has none", async function (this: ConformanceWorld) {
  await shared(this, 0, 1)
  const sizes = present(this).map(({ has }) => has.length)
  sameList(
    'how many partitions the members have',
    [0, 1, 1],
    sizes.sort((a, b) => a - b),
  )
})

Then('each of the two has all partitions', async function (this: ConformanceWorld) {
  const all = allPartitions(this)
  for (const of of present(this)) {
    const { partitions } = await assignmentOf(this, of, all.length, SETTLED_WITHIN_MS)
    sameList(`what ${of.name} has`, all.map(textOf).sort(), partitions.map(textOf).sort())
  }
})

Then('the first member has kept what it has now all the time', async function (this: ConformanceWorld) {
  const member = first(this)
  const { history } = await assignmentOf(this, member, member.has.length, LOOK_MS)
  for (const place of member.has) {
    const events = history.filter(({ partitions }) =>
      partitions.some((each) => textOf(each) === textOf(place)),
    )
    const expected = ['assigned']
    sameList(
      `what happened to ${textOf(place)}`,
      expected,
      events.map(({ event }) => event),
    )
  }
  const taken = history.flatMap(({ event, partitions }) => (event === 'assigned' ? [] : partitions))
  const others = present(this).flatMap((of) => (of === member ? [] : of.has))
  sameList('what was taken from it', others.map(textOf).sort(), taken.map(textOf).sort())
})

When('the first member is closed and opened again', async function (this: ConformanceWorld) {
  const members = present(this)
  const before = await Promise.all(members.map((of) => assignmentOf(this, of, of.has.length, LOOK_MS)))
  this.notes.set('before', before)
  const member = first(this)
  await (await driverFor(this, member)).call('closeMember', { member: member.name })
  await open(this, member)
})

Then(
  'it has the partitions that it had, and the second member has noticed nothing',
  async function (this: ConformanceWorld) {
    const [one, other] = present(this)
    const [oneBefore, otherBefore] = this.note<Assignment[]>('before')
    if (one === undefined || other === undefined) throw new Error('two members are due')
    const oneNow = await assignmentOf(this, one, one.has.length, SETTLED_WITHIN_MS)
    sameList(`what ${one.name} has`, one.has.map(textOf).sort(), oneNow.partitions.map(textOf).sort())
    const otherNow = await assignmentOf(this, other, other.has.length, LOOK_MS)
    sameList(
      `what happened to ${other.name}`,
      (otherBefore?.history ?? []).map(({ event }) => event),
      otherNow.history.map(({ event }) => event),
    )
    if (oneBefore?.generation !== undefined && oneNow.generation !== undefined)
      same('the generation', oneBefore.generation, oneNow.generation)
  },
)

/* ---- Records ------------------------------------------------------------------------------------------------------ */

/** How many of a partition's records, in the order of writing, members have received and committed. */
const received = (world: ConformanceWorld): Map<number, number> => world.noted('received', () => new Map())
const committed = (world: ConformanceWorld): Map<number, number> => world.noted('committed', () => new Map())

When(
  'a Kafka producer sends {int} random records to each partition',
  async function (this: ConformanceWorld, count: number) {
    for (let partition = 0; partition < this.topic().partitions; partition++) {
      const records = Array.from({ length: count }, () => randomRecord(this.random, this.nowMs, partition))
      await sendByKafka(this, records, { partition, anyTimes: true })
    }
  },
)

/** Polls for exactly what is written in the member's partitions from these places on. */
async function receives(
  world: ConformanceWorld,
  of: Member,
  from: (partition: number) => number,
): Promise<KafkaReceived[]> {
  const expected = of.has.map(({ partition }) => ({
    partition,
    written: world.writtenTo(partition).slice(from(partition)),
  }))
  const count = expected.reduce((sum, { written }) => sum + written.length, 0)
  holds('records that the member is to receive', count > 0, 'some', count)
  const driver = await driverFor(world, of)
  const { records } = await driver.call('memberPoll', { member: of.name, count })
  for (const { partition, written } of expected) {
    const seen = records.filter((record) => record.partition === partition)
    sameAsWrittenForKafka(written, seen)
    const offsets = world.noted('offsets received', () => new Map<number, string[]>())
    offsets.set(partition, [...(offsets.get(partition) ?? []), ...seen.map(({ offset }) => offset)])
  }
  same(`the number of records of ${of.name}`, count, records.length)
  return records
}

Then('each member receives exactly what is new in its partitions', async function (this: ConformanceWorld) {
  const places = received(this)
  const from = (partition: number) => places.get(partition) ?? 0
  const all = present(this).map((of) => receives(this, of, from))
  await Promise.all(all)
  for (let partition = 0; partition < this.topic().partitions; partition++) {
    places.set(partition, this.writtenTo(partition).length)
  }
})

async function commit(world: ConformanceWorld, of: Member, countEach?: number): Promise<void> {
  const driver = await driverFor(world, of)
  const topic = world.topic().name
  const offsets = of.has.map(({ partition }) => {
    const count = countEach ?? world.writtenTo(partition).length
    committed(world).set(partition, count)
    const offset = world.note<Map<number, string[]>>('offsets received').get(partition)?.[count]
    return { topic, partition, offset: offset ?? String(count) }
  })
  await driver.call('memberCommit', {
    member: of.name,
    ...(countEach !== undefined && { offsets }),
  })
}

When('each member commits what it received', async function (this: ConformanceWorld) {
  for (const of of present(this)) await commit(this, of)
})

When(
  'the first member commits {int} of each partition, and the others all',
  async function (this: ConformanceWorld, count: number) {
    const [one, ...others] = present(this)
    if (one !== undefined) await commit(this, one, count)
    for (const of of others) await commit(this, of)
  },
)

Then(
  'the second member receives exactly what the first had not committed',
  async function (this: ConformanceWorld) {
    const [second] = present(this)
    if (second === undefined) throw new Error('nobody is left')
    await receives(this, second, (partition) => committed(this).get(partition) ?? 0)
  },
)
