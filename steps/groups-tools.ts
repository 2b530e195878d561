import { type DataTable, Then, When } from '@cucumber/cucumber'
import type { KafkaAdminOps } from '../matrix/driver/admin-messages.js'
import { DriverError } from '../matrix/driver/errors.js'
import type { ArgsOf, ResultOf } from '../matrix/driver/messages.js'
import { presentMembers } from './groups-members.js'
import { decodeAssignment, type Partition } from './groups-protocol.js'
import { groupOf, member, membersOf, type RawMember } from './groups-requests.js'
import { holds, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

type Described = ResultOf<KafkaAdminOps, 'describeGroup'>

/* ---- Describing --------------------------------------------------------------------------------------------------- */

async function describe(world: ConformanceWorld, group = groupOf(world)): Promise<Described> {
  return (await world.kafkaAdmin()).call('describeGroup', { group })
}

const textOf = ({ topic, partition }: Partition): string => `${topic} ${partition}`

/** What both sides must say of a member; the instance id only where the tool tells it. */
interface MemberView {
  readonly memberId: string
  readonly instanceId?: string | null
  readonly partitions: readonly string[]
}

const byId = (a: MemberView, b: MemberView): number => (a.memberId < b.memberId ? -1 : 1)

Then(
  'the tool describes the group as {word}, by {string}, with {string} and {string} and what each has',
  async function (this: ConformanceWorld, state: string, assignor: string, one: string, other: string) {
    const described = await describe(this)
    same('the state of the group', state, described.state)
    same('its assignor', assignor, described.assignor)
    const tells = described.members.some(({ instanceId }) => instanceId !== undefined)
    const view = ({ memberId, instanceId, assignment }: RawMember): MemberView => ({
      memberId,
      ...(tells && { instanceId }),
      partitions: decodeAssignment(assignment).map(textOf),
    })
    const seen = described.members.map(({ memberId, instanceId, partitions }) => ({
      memberId,
      ...(tells && { instanceId: instanceId ?? null }),
      partitions: partitions.map(textOf),
    }))
    const expected = [view(member(this, one)), view(member(this, other))]
    sameList<MemberView>('its members', expected.sort(byId), seen.sort(byId))
    for (const each of described.members) {
      holds('the client id of a member', each.clientId !== '', 'some', each.clientId)
      holds('the host of a member', each.host !== '', 'some', each.host)
    }
  },
)

Then(
  'the tool describes the group as {word}, without members',
  async function (this: ConformanceWorld, state: string) {
    const described = await describe(this)
    same('the state of the group', state, described.state)
    sameList('its members', [], described.members)
  },
)

interface OffsetRow {
  readonly partition: string
  readonly offset: string
  readonly end: string
  readonly lag: string
  readonly member: string
}

Then('the tool tells its offsets', async function (this: ConformanceWorld, table: DataTable) {
  const { offsets } = await describe(this)
  const names = new Map([...membersOf(this).values()].map(({ memberId, name }) => [memberId, name]))
  const seen = offsets
    .filter(({ topic }) => topic === this.topic().name)
    .sort((a, b) => a.partition - b.partition)
    .map(({ partition, offset, logEnd, lag, memberId }) => ({
      partition: String(partition),
      offset: offset ?? 'none',
      end: logEnd ?? 'none',
      lag: lag ?? 'none',
      member: memberId === null ? 'nobody' : (names.get(memberId) ?? memberId),
    }))
  sameList<OffsetRow>('what the tool tells', table.hashes() as unknown as OffsetRow[], seen)
})

Then('the tool describes the group with these members', async function (this: ConformanceWorld) {
  const described = await describe(this)
  same('the state of the group', 'Stable', described.state)
  const partitions = (of: { partitions: readonly Partition[] }) => of.partitions.map(textOf).sort().join(', ')
  sameList(
    'what its members have',
    presentMembers(this)
      .map(({ has }) => partitions({ partitions: has }))
      .sort(),
    described.members.map(partitions).sort(),
  )
})

/* ---- Listing ------------------------------------------------------------------------------------------------------ */

async function listed(world: ConformanceWorld, group: string): Promise<(string | undefined)[]> {
  const { groups } = await (await world.kafkaAdmin()).call('listGroups', {})
  return groups.filter((each) => each.group === group).map(({ state }) => state)
}

Then(
  'the tool lists the group as {word} and the other as {word}, once each',
  async function (this: ConformanceWorld, state: string, otherState: string) {
    sameList('the states that the group is listed with', [state], await listed(this, groupOf(this)))
    const other = await listed(this, this.note<string>('other group'))
    sameList('the states that the other group is listed with', [otherState], other)
  },
)

Then('the tool does not list the group', async function (this: ConformanceWorld) {
  sameList('the states that the group is listed with', [], await listed(this, groupOf(this)))
})

/* ---- Changing ----------------------------------------------------------------------------------------------------- */

/** The error's name, or NONE. */
async function outcome(asked: Promise<unknown>): Promise<string> {
  return asked.then(
    () => 'NONE',
    (error: unknown) => {
      if (error instanceof DriverError) return error.name
      throw error
    },
  )
}

When('the tool deletes the group', async function (this: ConformanceWorld) {
  await (await this.kafkaAdmin()).call('deleteGroup', { group: groupOf(this) })
})

Then(
  /^(describing|deleting) (the group|a group of another name) is refused with (\w+)$/,
  async function (this: ConformanceWorld, what: string, which: string, error: string) {
    const group = which === 'the group' ? groupOf(this) : this.newName('-nobodys')
    const admin = await this.kafkaAdmin()
    const op = what === 'deleting' ? 'deleteGroup' : 'describeGroup'
    same(`${what} it`, error, await outcome(admin.call(op, { group })))
  },
)

const deleteOffsets = async (world: ConformanceWorld) =>
  (await world.kafkaAdmin()).call('deleteOffsets', { group: groupOf(world), topic: world.topic().name })

When("the tool deletes the group's offsets of the first topic", async function (this: ConformanceWorld) {
  await deleteOffsets(this)
})

Then(
  "deleting the group's offsets of the first topic is refused with {word}",
  async function (this: ConformanceWorld, error: string) {
    same('deleting them', error, await outcome(deleteOffsets(this)))
  },
)

type ResetTo = ArgsOf<KafkaAdminOps, 'resetOffsets'>['to']

function placeOf(where: string): ResetTo {
  if (where === 'the earliest') return 'earliest'
  if (where === 'the latest') return 'latest'
  if (where === 'long ago') return { timestamp: '1000' }
  const [, offset] = /^offset (\d+)$/.exec(where) ?? []
  if (offset !== undefined) return { offset }
  const [, count, side] = /^(\d+) (before|after)$/.exec(where) ?? []
  if (count === undefined) throw new Error(`no place is known by "${where}"`)
  return { shiftBy: side === 'before' ? -Number(count) : Number(count) }
}

const reset = async (world: ConformanceWorld, where: string) =>
  (await world.kafkaAdmin()).call('resetOffsets', {
    group: groupOf(world),
    topic: world.topic().name,
    to: placeOf(where),
  })

When(/^the tool resets the group's offsets to (.+)$/, async function (this: ConformanceWorld, where: string) {
  await reset(this, where)
})

Then(
  /^resetting the group's offsets to (.+) is refused with (\w+)$/,
  async function (this: ConformanceWorld, where: string, error: string) {
    same('resetting them', error, await outcome(reset(this, where)))
  },
)
