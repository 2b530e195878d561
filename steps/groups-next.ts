import { randomUUID } from 'node:crypto'
import { Given, Then, When } from '@cucumber/cucumber'
import { presentMembers } from './groups-members.js'
import { ask, firstError, groupOf } from './groups-requests.js'
import { errorName } from './requests.js'
import { eventually, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

/** Groups of the consumer protocol (KIP-848), by single requests. */

interface TopicPartitions {
  readonly topicId: string
  readonly partitions: readonly number[]
}

interface NextMember {
  readonly name: string
  readonly memberId: string
  readonly instanceId: string | null
  epoch: number
  /** As it was told last. */
  given: readonly TopicPartitions[]
}

interface HeartbeatAnswer {
  readonly errorCode: number
  readonly memberId: string | null
  readonly memberEpoch: number
  /** Null: as before. */
  readonly assignment: { readonly topicPartitions: readonly TopicPartitions[] } | null
}

const REBALANCE_MS = 10_000
const JOINING = 0
/** The first with patterns, and with ids that members choose. */
const PATTERNS_SINCE = 1
/** The first OffsetCommit and OffsetFetch with member epochs; the next ones name topics by their ids. */
const MEMBER_EPOCHS_SINCE = 9

const membersOf = (world: ConformanceWorld): Map<string, NextMember> =>
  world.noted('next members', () => new Map<string, NextMember>())

function member(world: ConformanceWorld, name: string): NextMember {
  const found = membersOf(world).get(name)
  if (found === undefined) throw new Error(`no step before has spoken of a member ${name}`)
  return found
}

const newMember = (name: string, instanceId: string | null = null): NextMember => ({
  name,
  memberId: randomUUID(),
  instanceId,
  epoch: JOINING,
  given: [],
})

/** One heartbeat of a member that joins, or that stays without saying more. */
function beat(
  world: ConformanceWorld,
  of: NextMember,
  more: Record<string, unknown> = {},
): Promise<HeartbeatAnswer> {
  const joining = { subscribedTopicNames: world.topics.map(({ name }) => name), topicPartitions: [] }
  const isJoining = (more.memberEpoch ?? of.epoch) === JOINING
  const body = {
    groupId: groupOf(world),
    memberId: of.memberId,
    memberEpoch: of.epoch,
    instanceId: of.instanceId,
    rebalanceTimeoutMs: isJoining ? REBALANCE_MS : -1,
    ...(isJoining ? joining : {}),
    ...more,
  }
  return ask(world, 'ConsumerGroupHeartbeat', body, {
    group: groupOf(world),
    connection: of.name,
    version: PATTERNS_SINCE,
  })
}

/** One that has to be answered; the member then knows what it was told. */
async function beatWell(
  world: ConformanceWorld,
  of: NextMember,
  more: Record<string, unknown> = {},
): Promise<HeartbeatAnswer> {
  const answer = await beat(world, of, more)
  same(`the error of a heartbeat of ${of.name}`, 'NONE', await errorName(world, answer.errorCode))
  of.epoch = answer.memberEpoch
  of.given = answer.assignment?.topicPartitions ?? of.given
  return answer
}

async function join(world: ConformanceWorld, of: NextMember): Promise<void> {
  const answer = await beatWell(world, of)
  same(`the member id of ${of.name}`, of.memberId, answer.memberId)
  membersOf(world).set(of.name, of)
}

Given('a group of {string} by the consumer protocol', async function (this: ConformanceWorld, name: string) {
  await join(this, newMember(name))
})

Given(
  'a group of {string} by the consumer protocol, as instance {string}',
  async function (this: ConformanceWorld, name: string, instanceId: string) {
    await join(this, newMember(name, instanceId))
  },
)

/* ---- Epochs ------------------------------------------------------------------------------------------------------- */

const epochs: Readonly<Record<string, number>> = { its: 0, 'an older': -1, 'a later': 1 }

const requests: Readonly<
  Record<string, (world: ConformanceWorld, of: NextMember, epoch: number) => Promise<number>>
> = {
  ConsumerGroupHeartbeat: async (world, of, memberEpoch) =>
    (await beat(world, of, { memberEpoch })).errorCode,
  OffsetCommit: async (world, of, generationIdOrMemberEpoch) => {
    const partitions = [{ partitionIndex: 0, committedOffset: '0', committedMetadata: '' }]
    const body = {
      groupId: groupOf(world),
      memberId: of.memberId,
      generationIdOrMemberEpoch,
      topics: [{ name: world.topic().name, partitions }],
    }
    return firstError(await ask(world, 'OffsetCommit', body, at(world, of)))
  },
  OffsetFetch: async (world, { memberId, ...of }, memberEpoch) => {
    const topics = [{ name: world.topic().name, partitionIndexes: [0] }]
    const body = { groups: [{ groupId: groupOf(world), memberId, memberEpoch, topics }] }
    return firstError(await ask(world, 'OffsetFetch', body, at(world, of)))
  },
}

const at = (world: ConformanceWorld, { name }: Pick<NextMember, 'name'>) => ({
  group: groupOf(world),
  connection: name,
  version: MEMBER_EPOCHS_SINCE,
})

Then(
  /^(\w+) of "(\w+)" in (its|an older|a later) epoch is answered (\w+)$/,
  async function (this: ConformanceWorld, api: string, name: string, which: string, error: string) {
    const of = member(this, name)
    const send = requests[api]
    if (send === undefined) throw new Error(`there is no step for ${api}`)
    const code = await send(this, of, of.epoch + (epochs[which] ?? 0))
    same(`the answer to ${api} in ${which} epoch`, error, await errorName(this, code))
  },
)

/* ---- From hand to hand -------------------------------------------------------------------------------------------- */

const GIVEN_WITHIN_MS = 5_000

const partitionsOf = ({ given }: NextMember): string[] =>
  given.flatMap(({ topicId, partitions }) => partitions.map((partition) => `${topicId} ${partition}`))

Then(
  /^"(\w+)" is soon given (\d+) partitions?$/,
  async function (this: ConformanceWorld, name: string, count: string) {
    const of = member(this, name)
    await eventually(GIVEN_WITHIN_MS, async () => {
      if (partitionsOf(of).length !== Number(count)) await beatWell(this, of)
      same(`how many partitions ${name} is given`, Number(count), partitionsOf(of).length)
    })
  },
)

Then('{string} is given nothing yet', async function (this: ConformanceWorld, name: string) {
  const of = member(this, name)
  await beatWell(this, of)
  sameList(`what ${name} is given`, [], partitionsOf(of))
})

When(
  '{string} says that it has what it is given, and no more',
  async function (this: ConformanceWorld, name: string) {
    const of = member(this, name)
    await beatWell(this, of, { topicPartitions: of.given })
  },
)

Then('no partition is given to two of them', function (this: ConformanceWorld) {
  const given = [...membersOf(this).values()].flatMap(partitionsOf)
  sameList('partitions, each once', [...new Set(given)].sort(), given.sort())
})

/* ---- Refusals ----------------------------------------------------------------------------------------------------- */

const wishes: Readonly<Record<string, (value: string) => Record<string, unknown>>> = {
  assignor: (serverAssignor) => ({ serverAssignor }),
  pattern: (subscribedTopicRegex) => ({ subscribedTopicRegex, subscribedTopicNames: [] }),
  instance: (instanceId) => ({ instanceId }),
  epoch: (epoch) => ({ memberEpoch: Number(epoch) }),
}

Then(
  'a heartbeat of a newcomer with {word} {string} is answered {word}',
  async function (this: ConformanceWorld, what: string, value: string, error: string) {
    const wish = wishes[what]
    if (wish === undefined) throw new Error(`there is no step for ${what}`)
    const { errorCode } = await beat(this, newMember('newcomer'), wish(value))
    same(`the answer with ${what} ${value}`, error, await errorName(this, errorCode))
  },
)

When('{string} leaves it by the consumer protocol', async function (this: ConformanceWorld, name: string) {
  const { errorCode, memberEpoch } = await beat(this, member(this, name), { memberEpoch: -1 })
  same('the error', 'NONE', await errorName(this, errorCode))
  same('the epoch of one that left', -1, memberEpoch)
})

/* ---- Topics that grow --------------------------------------------------------------------------------------------- */

When(
  'the topic grows to {int} partitions under them',
  async function (this: ConformanceWorld, count: number) {
    // Another client: the members' own stays as it is.
    const other = await this.extraKafka('another client')
    await other.call('createPartitions', { topic: this.topic().name, count })
    this.topics[0] = { ...this.topic(), partitions: count }
  },
)

/* ---- Moved by a tool ---------------------------------------------------------------------------------------------- */

Then(
  'the member receives offsets {int} to {int} again',
  async function (this: ConformanceWorld, first: number, last: number) {
    const [of] = presentMembers(this)
    if (of === undefined) throw new Error('the group has no member')
    const expected = Array.from({ length: last - first + 1 }, (_, at) => String(first + at))
    const driver = await this.kafka()
    const { records } = await driver.call('memberPoll', { member: of.name, count: expected.length })
    sameList(
      'the offsets that it receives',
      expected,
      records.map(({ offset }) => offset),
    )
  },
)
