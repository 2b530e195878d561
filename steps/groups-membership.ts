import { randomUUID } from 'node:crypto'
import { Given, Then, When } from '@cucumber/cucumber'
import { commitRaw, fetchCommitted } from './groups-offset-requests.js'
import {
  awaitRebalance,
  CONSUMER,
  groupOf,
  heartbeat,
  type JoinAnswer,
  join,
  joinOnce,
  type LeaveAnswer,
  leave,
  member,
  membersOf,
  newMember,
  type Offer,
  type RawMember,
  rebalance,
  syncAll,
  syncOnce,
} from './groups-requests.js'
import { errorName } from './requests.js'
import { holds, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

/* ---- Groups ----------------------------------------------------------------------------------------------------- */

const SHORT_SESSION_MS = 1000
/** Longer than anything is waited for: nobody goes because a session ends. */
const LONG_SESSION_MS = 60_000

const namesIn = (text: string): string[] => [...text.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name)

/** The first joins alone, then each of the others: whoever was there has seen a generation before the last. */
async function form(
  world: ConformanceWorld,
  names: readonly string[],
  options: (name: string) => Partial<RawMember> = () => ({}),
): Promise<RawMember[]> {
  const members: RawMember[] = []
  for (const name of names) {
    const joining = membersOf(world).get(name) ?? newMember(world, name, options(name))
    await rebalance(world, members, [joining])
    members.push(joining)
  }
  return members
}

Given(/^a group of ((?:"\w+"(?:, | and )?)+)$/, async function (this: ConformanceWorld, names: string) {
  await form(this, namesIn(names))
})

Given(
  /^a group of static members ((?:"\w+"(?:, | and )?)+)$/,
  async function (this: ConformanceWorld, names: string) {
    await form(this, namesIn(names), (name) => ({ instanceId: `instance-${name}` }))
  },
)

Given(
  'a group of {string} and {string}, with short sessions',
  async function (this: ConformanceWorld, one: string, other: string) {
    await form(this, [one, other], () => ({ sessionTimeoutMs: SHORT_SESSION_MS }))
  },
)

Given(
  'a group of {string} and {string}, with long sessions',
  async function (this: ConformanceWorld, one: string, other: string) {
    await form(this, [one, other], () => ({ sessionTimeoutMs: LONG_SESSION_MS }))
  },
)

Given(
  'a group of {string} and {string}, who wait {int} ms for each other to join again',
  async function (this: ConformanceWorld, one: string, other: string, rebalanceTimeoutMs: number) {
    await form(this, [one, other], () => ({ rebalanceTimeoutMs, sessionTimeoutMs: LONG_SESSION_MS }))
  },
)

Given('{string}, who offers {string}', function (this: ConformanceWorld, name: string, protocols: string) {
  newMember(this, name, { offer: { ...CONSUMER, protocols: protocols.split(', ') } })
})

Then(
  /^"(\w+)" (?:is a member|and "(\w+)" are members) as before$/,
  async function (this: ConformanceWorld, first: string, second: string | null) {
    for (const name of [first, ...(second === null ? [] : [second])]) {
      const error = await heartbeat(this, member(this, name))
      same(`the heartbeat of ${name}`, 'NONE', await errorName(this, error))
    }
  },
)

Then('the group has committed nothing', async function (this: ConformanceWorld) {
  const asked = this.topics.flatMap(({ name, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
  )
  for (const { topic, partition, offset } of await fetchCommitted(this, groupOf(this), asked)) {
    same(`what is committed of ${topic} ${partition}`, '-1', offset)
  }
})

Then('its protocol is {string} or {string}', function (this: ConformanceWorld, one: string, other: string) {
  const [first, second] = [...membersOf(this).values()]
  const protocol = first?.protocol ?? ''
  holds('the protocol of the group', [one, other].includes(protocol), `${one} or ${other}`, protocol)
  same('what the other member was told', protocol, second?.protocol)
})

Then(
  'the leader was told of {string} and {string}, and nobody else of anyone',
  function (this: ConformanceWorld, one: string, other: string) {
    const all = [member(this, one), member(this, other)]
    const { leader, followers } = roles(all)
    const ids = (of: RawMember) => of.members.map(({ memberId }) => memberId).sort()
    sameList(
      'the members that the leader was told of',
      all.map(({ memberId }) => memberId).sort(),
      ids(leader),
    )
    for (const follower of followers)
      sameList(`the members that ${follower.name} was told of`, [], ids(follower))
  },
)

function roles(members: readonly RawMember[]): { leader: RawMember; followers: RawMember[] } {
  const leader = members.find(({ memberId, leaderId }) => memberId === leaderId)
  if (leader === undefined) throw new Error('the group has no leader among the members of the scenario')
  return { leader, followers: members.filter((each) => each !== leader) }
}

/* ---- First joins -------------------------------------------------------------------------------------------------- */

When(
  /^"(\w+)"(, a static member,)? asks to join in version (\d+)$/,
  async function (this: ConformanceWorld, name: string, isStatic: string | null, version: number) {
    const instanceId = isStatic === null ? null : `instance-${name}`
    const joining = membersOf(this).get(name) ?? newMember(this, name, { instanceId })
    noteJoin(this, await joinOnce(this, joining, version))
  },
)

function noteJoin(world: ConformanceWorld, answer: JoinAnswer): void {
  world.notes.set('join', answer)
  world.notes.set('error', answer.errorCode)
}

Then('it gives {string} a member id', function (this: ConformanceWorld, name: string) {
  const { memberId } = this.note<JoinAnswer>('join')
  holds('the member id', memberId !== '', 'some id', memberId)
  member(this, name).memberId = memberId
})

Then(
  '{string} is the leader of generation {int}, under the id that it was given',
  function (this: ConformanceWorld, name: string, generation: number) {
    const answer = this.note<JoinAnswer>('join')
    const given = member(this, name).memberId
    holds('the member id', answer.memberId !== '', 'some id', answer.memberId)
    if (given !== '') same('the member id', given, answer.memberId)
    const { leader, generationId, protocolName, members } = answer
    same('the leader', answer.memberId, leader)
    same('the generation', generation, generationId)
    same('the protocol', 'range', protocolName)
    sameList(
      'the members that the leader was told of',
      [answer.memberId],
      members.map(({ memberId }) => memberId),
    )
  },
)

const OFFERS: Record<string, Offer> = {
  'offers none of its protocols': { protocolType: 'consumer', protocols: ['another'] },
  'is of another type of protocol': { protocolType: 'connect', protocols: CONSUMER.protocols },
  'offers no protocol': { protocolType: 'consumer', protocols: [] },
}

When('{string}, who {}, asks to join', async function (this: ConformanceWorld, name: string, what: string) {
  const offer = OFFERS[what]
  if (offer === undefined) throw new Error(`no offer is known by "${what}"`)
  const joining = newMember(this, name, { offer })
  const first = await joinOnce(this, joining)
  joining.memberId = first.memberId
  // Whoever is asked for an id first is to bring it: the refusal may come then.
  const name79 = (await errorName(this, first.errorCode)) === 'MEMBER_ID_REQUIRED'
  noteJoin(this, name79 ? await joinOnce(this, joining) : first)
})

/* ---- Requests that are refused ------------------------------------------------------------------------------------ */

/** One request as the member is told to be; the note `error` has its answer. */
async function send(world: ConformanceWorld, request: string, as: RawMember): Promise<void> {
  world.notes.set('error', await errorOf(world, request, as))
}

async function errorOf(world: ConformanceWorld, request: string, as: RawMember): Promise<number> {
  switch (request) {
    case 'Heartbeat':
      return heartbeat(world, as)
    case 'JoinGroup':
      return (await joinOnce(world, as)).errorCode
    case 'SyncGroup':
      return (await syncOnce(world, as)).errorCode
    case 'OffsetCommit': {
      const commit = { topic: world.topic().name, partition: 0, offset: '3' }
      const [error = 0] = await commitRaw(world, as.group, [commit], { as })
      return error
    }
    case 'LeaveGroup': {
      const leaving = { memberId: as.memberId, groupInstanceId: as.instanceId }
      const { errorCode, members } = await leave(world, as.group, [leaving])
      return errorCode === 0 ? (members?.[0]?.errorCode ?? 0) : errorCode
    }
    default:
      throw new Error(`no step sends ${request}`)
  }
}

When(
  '{string} sends {word} in the generation {word}',
  async function (this: ConformanceWorld, name: string, request: string, which: string) {
    const as = member(this, name)
    await send(this, request, { ...as, generation: as.generation + (which === 'before' ? -1 : 1) })
  },
)

When(
  '{string}, whom the group does not know, sends {word}',
  async function (this: ConformanceWorld, name: string, request: string) {
    const [known] = [...membersOf(this).values()]
    const nobody = newMember(this, name, { memberId: `${name}-${randomUUID()}` })
    await send(this, request, { ...nobody, generation: known?.generation ?? 1, protocol: 'range' })
  },
)

When(
  '{string}, an instance that the group does not know, sends {word}',
  async function (this: ConformanceWorld, name: string, request: string) {
    const [known] = [...membersOf(this).values()]
    const unknown = newMember(this, name, { instanceId: `instance-${name}`, memberId: known?.memberId ?? '' })
    await send(this, request, { ...unknown, generation: known?.generation ?? 1 })
  },
)

When(/^"(\w+)" sends (\w+)$/, async function (this: ConformanceWorld, name: string, request: string) {
  await send(this, request, member(this, name))
})

When('{string} leaves', async function (this: ConformanceWorld, name: string) {
  const { group, memberId } = member(this, name)
  const { errorCode } = await leave(this, group, [{ memberId }])
  same(`the error as ${name} leaves`, 'NONE', await errorName(this, errorCode))
})

When(
  'a client without membership commits offset {int}',
  async function (this: ConformanceWorld, offset: number) {
    await commitRaw(this, groupOf(this), [{ topic: this.topic().name, partition: 0, offset: String(offset) }])
  },
)

/* ---- Static members ----------------------------------------------------------------------------------------------- */

interface Restarted {
  readonly before: RawMember
  readonly after: RawMember
  readonly other: RawMember
}

When(/^the (leader|follower) starts again$/, async function (this: ConformanceWorld, role: string) {
  const { leader, followers } = roles([...membersOf(this).values()])
  const [follower = leader] = followers
  const before = role === 'leader' ? leader : follower
  const after = newMember(this, before.name, { instanceId: before.instanceId })
  const { skipAssignment } = await join(this, after)
  const answer = await syncOnce(this, after)
  same(`the error as ${after.name} syncs`, 'NONE', await errorName(this, answer.errorCode))
  after.assignment = answer.assignment
  if (after.leaderId === after.memberId) same('whether the leader may skip assigning', true, skipAssignment)
  const other = role === 'leader' ? follower : leader
  this.notes.set('restarted', { before, after, other } satisfies Restarted)
})

Then(
  'it has another member id, in the same generation, and the same assignment',
  function (this: ConformanceWorld) {
    const { before, after } = this.note<Restarted>('restarted')
    holds('the member id', before.memberId !== after.memberId, `not ${before.memberId}`, after.memberId)
    same('the generation', before.generation, after.generation)
    same('the assignment', before.assignment, after.assignment)
  },
)

Then('the other member notices nothing', async function (this: ConformanceWorld) {
  const { other } = this.note<Restarted>('restarted')
  same(`the heartbeat of ${other.name}`, 'NONE', await errorName(this, await heartbeat(this, other)))
})

When('its former self sends {word}', async function (this: ConformanceWorld, request: string) {
  await send(this, request, this.note<Restarted>('restarted').before)
})

When(
  'the instance of {string} and one that is not there are taken out of the group',
  async function (this: ConformanceWorld, name: string) {
    const { group, instanceId } = member(this, name)
    const leaving = [instanceId, 'instance-of-nobody'].map((each) => ({
      memberId: '',
      groupInstanceId: each,
    }))
    this.notes.set('leave', await leave(this, group, leaving))
  },
)

Then(
  'the answer is NONE for {string} and UNKNOWN_MEMBER_ID for the other',
  async function (this: ConformanceWorld, name: string) {
    const { errorCode, members = [] } = this.note<LeaveAnswer>('leave')
    same('the error of the whole', 'NONE', await errorName(this, errorCode))
    const seen = members.map(async (each) => ({
      instance: each.groupInstanceId,
      error: await errorName(this, each.errorCode),
    }))
    const expected = [
      { instance: member(this, name).instanceId, error: 'NONE' },
      { instance: 'instance-of-nobody', error: 'UNKNOWN_MEMBER_ID' },
    ]
    sameList('the errors', expected, await Promise.all(seen))
  },
)

Then('the group is rebalanced to {string}', async function (this: ConformanceWorld, name: string) {
  const left = member(this, name)
  const { generation } = left
  await awaitRebalance(this, left)
  await join(this, left)
  await syncAll(this, [left])
  same('the generation', generation + 1, left.generation)
})

Then('{string} is no member any more', async function (this: ConformanceWorld, name: string) {
  const error = await heartbeat(this, member(this, name))
  same(`the heartbeat of ${name}`, 'UNKNOWN_MEMBER_ID', await errorName(this, error))
})

When(
  '{string} joins, {string} joins again, and {string} only beats',
  async function (this: ConformanceWorld, third: string, one: string, other: string) {
    const { rebalanceTimeoutMs } = member(this, one)
    const joining = newMember(this, third, { rebalanceTimeoutMs })
    const joined = join(this, joining)
    await awaitRebalance(this, member(this, other))
    await Promise.all([joined, join(this, member(this, one))])
  },
)

Then(
  'the generation has {string} and {string}',
  async function (this: ConformanceWorld, one: string, other: string) {
    const members = [member(this, one), member(this, other)]
    const { leader } = roles(members)
    same('the generation of both', members[0]?.generation, members[1]?.generation)
    const ids = (of: readonly { memberId: string }[]) => of.map(({ memberId }) => memberId).sort()
    sameList('the members that the leader was told of', ids(members), ids(leader.members))
    await syncAll(this, members)
  },
)

When(
  '{string} begins to join, and {string} is told',
  async function (this: ConformanceWorld, third: string, one: string) {
    const joined = join(this, newMember(this, third))
    // Awaited by a later step; a failure until then is told there.
    joined.catch(() => {})
    this.notes.set('joining', joined)
    await awaitRebalance(this, member(this, one))
  },
)

Then(
  '{string} is let in when {string} and {string} have joined again',
  async function (this: ConformanceWorld, third: string, one: string, other: string) {
    const current = [member(this, one), member(this, other)]
    await Promise.all([this.note<Promise<unknown>>('joining'), ...current.map((each) => join(this, each))])
    const all = [...current, member(this, third)]
    await syncAll(this, all)
    same('how many generations there are', 1, new Set(all.map(({ generation }) => generation)).size)
  },
)

When(
  '{string} asks for its assignment by another protocol',
  async function (this: ConformanceWorld, name: string) {
    const { errorCode } = await syncOnce(this, { ...member(this, name), protocol: 'another' }, new Map(), 5)
    this.notes.set('error', errorCode)
  },
)
