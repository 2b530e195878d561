import { Then, When } from '@cucumber/cucumber'
import { DriverError, Unsupported } from '../matrix/driver/errors.js'
import { sameAsWrittenForKafka } from './consume.js'
import { sameNext } from './places.js'
import { committed, groupNamed, idAt, syncedWithinMs } from './subscriptions.js'
import { eventually, holds, same } from './verify.js'
import type { ConformanceWorld } from './world.js'

/** Members of groups by the cell's Kafka client: a group's next start, and one that stays. */

const memberOf = (group: string): string => `member of ${group}`
/** Long enough for a rebalance, and for a record that must not come. */
const NOTHING_MS = 1_000

async function open(
  world: ConformanceWorld,
  group: string,
  from: 'earliest' | 'latest' = 'earliest',
): Promise<void> {
  const driver = await world.kafka()
  const topics = [world.topic().name]
  await driver.call('openMember', { member: memberOf(group), group, topics, from, assignor: 'roundrobin' })
}

async function receives(
  world: ConformanceWorld,
  group: string,
  place: number,
  count?: number,
): Promise<void> {
  const driver = await world.kafka()
  const partitions = Array.from({ length: world.topic().partitions }, (_, partition) => partition)
  const expected = partitions.map((partition) =>
    world.writtenTo(partition).slice(place, count === undefined ? undefined : place + count),
  )
  const due = expected.reduce((sum, { length }) => sum + length, 0)
  holds('records that the member is to receive', due > 0, 'some', due)
  const { records } = await driver.call('memberPoll', { member: memberOf(group), count: due })
  for (const partition of partitions) {
    const seen = records.filter((record) => record.partition === partition)
    sameAsWrittenForKafka(expected[partition] ?? [], seen)
  }
}

const close = async (world: ConformanceWorld, group: string) =>
  (await world.kafka()).call('closeMember', { member: memberOf(group) })

/** Commits nothing: the group is as before. */
Then(
  /^(group "\w+") starts, and receives exactly what follows offset (\d+)(?: of each partition)?$/,
  async function (this: ConformanceWorld, group: string, place: string) {
    const name = groupNamed(this, group)
    await open(this, name)
    await receives(this, name, Number(place))
    await close(this, name)
  },
)

Then(
  /^(group "\w+") starts at offset (\d+), reads (\d+) and commits them$/,
  async function (this: ConformanceWorld, group: string, place: string, count: string) {
    const name = groupNamed(this, group)
    await open(this, name)
    await receives(this, name, Number(place), Number(count))
    await (await this.kafka()).call('memberCommit', { member: memberOf(name) })
    await close(this, name)
  },
)

Then(
  /^(group "\w+") starts with auto\.offset\.reset earliest, and receives all of it$/,
  async function (this: ConformanceWorld, group: string) {
    const name = groupNamed(this, group)
    await open(this, name, 'earliest')
    await receives(this, name, 0)
    await close(this, name)
  },
)

/** What was there is not received; what comes after the member has its place, is. */
Then(
  /^(group "\w+") starts with auto\.offset\.reset latest, and receives nothing of it$/,
  async function (this: ConformanceWorld, group: string) {
    const name = groupNamed(this, group)
    await open(this, name, 'latest')
    const driver = await this.kafka()
    await driver.call('assignment', { member: memberOf(name), count: this.topic().partitions })
    const { records } = await driver.call('memberPoll', {
      member: memberOf(name),
      count: 1,
      timeoutMs: NOTHING_MS,
    })
    same(`what ${group} receives`, [], records)
    await close(this, name)
  },
)

/* ---- One that stays ----------------------------------------------------------------------------------------------- */

When(
  /^a member of (group "\w+") reads (\d+), commits them, and stays$/,
  async function (this: ConformanceWorld, group: string, count: string) {
    const name = groupNamed(this, group)
    await open(this, name)
    await receives(this, name, 0, Number(count))
    await (await this.kafka()).call('memberCommit', { member: memberOf(name) })
  },
)

When(/^the member of (group "\w+") leaves$/, async function (this: ConformanceWorld, group: string) {
  await close(this, groupNamed(this, group))
})

Then(
  /^the member of (group "\w+") receives what follows offset (\d+)$/,
  async function (this: ConformanceWorld, group: string, place: string) {
    await receives(this, groupNamed(this, group), Number(place))
  },
)

Then(
  /^the member of (group "\w+") commits what it received$/,
  async function (this: ConformanceWorld, group: string) {
    await (await this.kafka()).call('memberCommit', { member: memberOf(groupNamed(this, group)) })
  },
)

When('the target lets a tool win over members', function (this: ConformanceWorld) {
  const answer = this.declared('PT-3')
  if (answer !== 'tool-wins') throw new Unsupported(`the target declares: ${String(answer)}`)
})

/* ---- Beside consumers of Pulsar (PT-7) ---------------------------------------------------------------------------- */

/** What the target declares of Pulsar consumers on the subscription of a group. */
const sharing = (world: ConformanceWorld): string => String(world.declared('PT-7'))

When(
  /^the target declares that Pulsar consumers are (\S+)$/,
  function (this: ConformanceWorld, expected: string) {
    const answer = sharing(this)
    if (answer !== expected) throw new Unsupported(`the target declares: ${answer}`)
  },
)

async function subscribe(world: ConformanceWorld, group: string): Promise<string> {
  const driver = await world.pulsar()
  const topic = world.pulsarPartition()
  const args = { consumer: `pulsar ${group}`, topic, subscription: group, type: 'failover' as const }
  return driver.call('subscribe', args).then(
    () => 'subscribed',
    (error: unknown) => {
      if (!(error instanceof DriverError)) throw error
      return error.name === 'TIMEOUT' ? 'left without an answer' : 'refused'
    },
  )
}

When(
  /^a Pulsar consumer subscribes as (group "\w+")$/,
  async function (this: ConformanceWorld, group: string) {
    same('the Pulsar consumer', 'subscribed', await subscribe(this, groupNamed(this, group)))
  },
)

Then(
  /^a Pulsar consumer that subscribes as (group "\w+") is refused$/,
  async function (this: ConformanceWorld, group: string) {
    same('the Pulsar consumer', 'refused', await subscribe(this, groupNamed(this, group)))
  },
)

When(
  /^the Pulsar consumer of (group "\w+") acknowledges (?:all of )?(\d+)(?: but number (\d+))?$/,
  async function (this: ConformanceWorld, group: string, count: string, leftOut: string | null) {
    const driver = await this.pulsar()
    const consumer = `pulsar ${groupNamed(this, group)}`
    const { messages } = await driver.call('receive', { consumer, count: Number(count) })
    same('how many messages it received', Number(count), messages.length)
    const ids = messages.flatMap(({ id }, index) => (index + 1 === Number(leftOut ?? 0) ? [] : [id]))
    await driver.call('acknowledge', { consumer, ids })
  },
)

When(/^the Pulsar consumer of (group "\w+") leaves$/, async function (this: ConformanceWorld, group: string) {
  const driver = await this.pulsar()
  await driver.call('closeConsumer', { consumer: `pulsar ${groupNamed(this, group)}` })
})

When(
  /^the Pulsar consumer of (group "\w+") seeks to the message at offset (\d+)$/,
  async function (this: ConformanceWorld, group: string, place: string) {
    const id = await idAt(this, Number(place))
    const driver = await this.pulsar()
    await driver.call('seek', { consumer: `pulsar ${groupNamed(this, group)}`, to: { id } })
  },
)

Then(
  /^(group "\w+") soon has committed offset (\d+)$/,
  async function (this: ConformanceWorld, group: string, place: string) {
    await eventually(syncedWithinMs(this), async () => {
      const offset = await committed(this, groupNamed(this, group))
      await sameNext(`the offset of ${group}`, this, Number(place), offset)
    })
  },
)
