import { Given, Then, When } from '@cucumber/cucumber'
import { Unsupported } from '../matrix/driver/errors.js'
import { sameNext } from './places.js'
import { sendByKafka } from './produce.js'
import { randomRecord } from './records.js'
import { commit, groupNamed, standsAt, syncedWithinMs } from './subscriptions.js'
import { createTopic } from './topics.js'
import { eventually, holds, same } from './verify.js'
import type { ConformanceWorld } from './world.js'

/** What is kept for groups that lag (PT-5), the sync when it cannot keep up (PT-6), and what stats tell (PT-8). */

/** How long scenarios wait for what retention drops, at most. */
const DROPPED_WITHIN_MS = 15_000
/** Apache Pulsar brings its rates up to date every minute by default. */
const RATE_WITHIN_MS = 65_000

Given('a target that looks often for what retention drops', function (this: ConformanceWorld) {
  const fact = this.fact('PT-5') as { checkIntervalMs?: number } | undefined
  if ((fact?.checkIntervalMs ?? Number.POSITIVE_INFINITY) > DROPPED_WITHIN_MS / 2) {
    throw new Unsupported('the profile does not say that the target looks every few seconds')
  }
})

Given(
  'a topic in a namespace of its own, whose retention Pulsar’s tool sets to none',
  async function (this: ConformanceWorld) {
    if (this.fact('MT-2') !== 'offered') {
      throw new Unsupported('Kafka clients cannot name a topic of another namespace')
    }
    const [tenant] = this.namespace.split('/')
    const namespace = `${tenant}/${this.newName('-kept')}`
    const tool = await this.pulsarAdmin()
    await tool.call('createNamespace', { namespace })
    await tool.call('setRetention', { namespace, minutes: 0, megabytes: 0 })
    await createTopic(this, 1, {}, `${namespace}/${this.newName()}`)
  },
)

async function earliest(world: ConformanceWorld): Promise<string> {
  const args = { topic: world.topic().name, partition: 0, at: 'earliest' as const }
  return (await (await world.kafka()).call('listOffsets', args)).offset
}

Then('the log soon begins at offset {int}', async function (this: ConformanceWorld, place: number) {
  await eventually(DROPPED_WITHIN_MS, async () => {
    await sameNext('the earliest offset', this, place, await earliest(this))
  })
})

/* ---- In the background -------------------------------------------------------------------------------------------- */

/** One after the other, each acknowledged before the next: the last one counts. */
When(
  /^(group "\w+") commits offsets 1 to (\d+), one after the other$/,
  async function (this: ConformanceWorld, group: string, last: string) {
    const name = groupNamed(this, group)
    for (let place = 1; place <= Number(last); place++) await commit(this, name, place, [0])
  },
)

/** The sync of a later commit of another group has come through: so has that of every earlier one. */
Then('the sync of all that was committed has come through', async function (this: ConformanceWorld) {
  for (const name of ['one', 'other']) {
    const group = groupNamed(this, `group "barrier_${name}"`)
    await commit(this, group, 1, [0])
    await eventually(syncedWithinMs(this), () => standsAt(this, group, 1))
  }
})

/* ---- Stats -------------------------------------------------------------------------------------------------------- */

async function subscriptionStats(world: ConformanceWorld, group: string, partition: number) {
  const tool = await world.pulsarAdmin()
  const { subscriptions } = await tool.call('stats', { topic: world.pulsarPartition(partition) })
  const stats = subscriptions[group]
  if (stats === undefined) return { consumers: 0, msgBacklog: 0, type: undefined, msgRateOut: 0 }
  return stats
}

Then(
  /^stats soon show (\d+) consumers? of (group "\w+") on partition (\d+)$/,
  async function (this: ConformanceWorld, count: string, group: string, partition: string) {
    await eventually(syncedWithinMs(this), async () => {
      const { consumers } = await subscriptionStats(this, groupNamed(this, group), Number(partition))
      same(`consumers of ${group}`, Number(count), consumers)
    })
  },
)

Then(
  /^stats soon show that (group "\w+") lags by (\d+)$/,
  async function (this: ConformanceWorld, group: string, lag: string) {
    const place = this.writtenTo(0).length - Number(lag)
    await eventually(syncedWithinMs(this), () => standsAt(this, groupNamed(this, group), place))
  },
)

/** Brokers measure over some time: records go on coming until it is told. */
Then(
  /^stats show a rate of (group "\w+") as it goes on reading$/,
  async function (this: ConformanceWorld, group: string) {
    const name = groupNamed(this, group)
    await eventually(RATE_WITHIN_MS, async () => {
      await sendByKafka(this, [randomRecord(this.random, this.nowMs, 0)], { anyTimes: true })
      await commit(this, name, this.writtenTo(0).length, [0])
      const { msgRateOut = 0 } = await subscriptionStats(this, name, 0)
      holds(`messages a second that ${group} reads`, msgRateOut > 0, 'some', msgRateOut)
    })
  },
)

Then(
  "the whole topic's stats soon show {int} before group {string}, and {int} consumer(s)",
  async function (this: ConformanceWorld, backlog: number, group: string, count: number) {
    const tool = await this.pulsarAdmin()
    await eventually(syncedWithinMs(this), async () => {
      const { partitions, subscriptions } = await tool.call('partitionedStats', {
        topic: this.pulsarTopic(),
      })
      same('partitions', this.topic().partitions, partitions)
      const { msgBacklog, consumers } = subscriptions[groupNamed(this, `group "${group}"`)] ?? {}
      same(`the backlog and consumers of ${group}`, [backlog, count], [msgBacklog, consumers])
    })
  },
)

/** What a target's stats have beside Pulsar's own: no tool prints it. */
Then(
  /^the declared stats soon tell a lag of (\d+) messages and (\d+) members? of (group "\w+")$/,
  async function (this: ConformanceWorld, lag: string, members: string, group: string) {
    const field = this.declared('PT-8')
    const name = groupNamed(this, group)
    await eventually(syncedWithinMs(this), async () => {
      const all: Record<string, object> = await this.admin.subscriptions(this.pulsarPartition())
      const stats = Object.entries(all[name] ?? {}).find(([key]) => key === field)?.[1]
      same(`${String(field)} of ${group}`, { lag: Number(lag), members: Number(members) }, toldOf(stats))
    })
  },
)

function toldOf(stats: unknown): unknown {
  if (typeof stats !== 'object' || stats === null || !('lag' in stats) || !('members' in stats)) return stats
  return { lag: stats.lag, members: stats.members }
}
