import { setTimeout as pause } from 'node:timers/promises'
import { Then, When } from '@cucumber/cucumber'
import { DriverError, Unsupported } from '../matrix/driver/errors.js'
import { sameAsWrittenForPulsar } from './consume.js'
import { sendByKafka } from './produce.js'
import { randomRecord } from './records.js'
import { groupNamed, idAt } from './subscriptions.js'
import { same } from './verify.js'
import type { ConformanceWorld } from './world.js'

/** Pulsar's tools move and delete the subscriptions of groups, and of Pulsar's own consumers. */

/** `group "billing"`, `the group` of single requests, or `the subscription "audit"` of Pulsar's own. */
function subscriptionNamed(world: ConformanceWorld, text: string): string {
  const own = /^the subscription "(\w+)"$/.exec(text)?.[1]
  return own ?? groupNamed(world, text)
}

/* ---- Moving ------------------------------------------------------------------------------------------------------- */

When(
  /^Pulsar's tool resets (group "\w+"|the group|the subscription "\w+") to the message at offset (\d+)(?: of partition (\d+))?$/,
  async function (this: ConformanceWorld, whose: string, place: string, partition: string | null) {
    const number = Number(partition ?? 0)
    const id = await idAt(this, Number(place), number)
    const tool = await this.pulsarAdmin()
    const subscription = subscriptionNamed(this, whose)
    await tool.call('resetCursor', { topic: this.pulsarPartition(number), subscription, to: { id } })
  },
)

When(
  /^Pulsar's tool skips (\d+) of (group "\w+"|the group|the subscription "\w+")(?: in partition (\d+))?$/,
  async function (this: ConformanceWorld, count: string, whose: string, partition: string | null) {
    const tool = await this.pulsarAdmin()
    const topic = this.pulsarPartition(Number(partition ?? 0))
    await tool.call('skip', { topic, subscription: subscriptionNamed(this, whose), count: Number(count) })
  },
)

/** As the tools are given a topic: of one partition, or of the partitioned topic as a whole. */
const topicOf = (world: ConformanceWorld, whole: string | null): string =>
  whole === null ? world.pulsarPartition() : world.pulsarTopic()

When(
  /^Pulsar's tool clears the backlog of (group "\w+"|the group|the subscription "\w+")( on the topic as a whole)?$/,
  async function (this: ConformanceWorld, whose: string, whole: string | null) {
    const tool = await this.pulsarAdmin()
    await tool.call('clearBacklog', {
      topic: topicOf(this, whole),
      subscription: subscriptionNamed(this, whose),
    })
  },
)

/* ---- By time ------------------------------------------------------------------------------------------------------ */

/** Tools count in seconds of their own clock, and what is sent is as old as its storing: only time makes a difference. */
When(
  /^(\d+) seconds later a Kafka producer sends (\d+) random records one by one( to each partition)?$/,
  async function (this: ConformanceWorld, seconds: string, count: string, each: string | null) {
    const before = Date.now()
    await pause(Number(seconds) * 1000)
    this.notes.set('time between', String(before + 500))
    const partitions = each === null ? 1 : this.topic().partitions
    for (let partition = 0; partition < partitions; partition++) {
      const records = Array.from({ length: Number(count) }, () =>
        randomRecord(this.random, this.nowMs, partition),
      )
      await sendByKafka(this, records, { partition, oneBatch: false, anyTimes: true })
    }
    this.notes.set('newest at', Date.now())
  },
)

When(
  /^Pulsar's tool resets (group "\w+") to the time between( on the topic as a whole)?$/,
  async function (this: ConformanceWorld, whose: string, whole: string | null) {
    const tool = await this.pulsarAdmin()
    const timestamp = this.note<string>('time between')
    const subscription = subscriptionNamed(this, whose)
    await tool.call('resetCursor', { topic: topicOf(this, whole), subscription, to: { timestamp } })
  },
)

When(
  /^Pulsar's tool expires what (group "\w+") has not read and was sent before$/,
  async function (this: ConformanceWorld, whose: string) {
    const tool = await this.pulsarAdmin()
    const newestMs = Date.now() - this.note<number>('newest at')
    const olderThanSeconds = Math.ceil(newestMs / 1000) + 1
    const subscription = subscriptionNamed(this, whose)
    await tool.call('expire', { topic: this.pulsarPartition(), subscription, olderThanSeconds })
  },
)

/* ---- Deleting ----------------------------------------------------------------------------------------------------- */

async function deleteIt(
  world: ConformanceWorld,
  whose: string,
  topicNumber: string | null,
  whole: string | null,
  force = false,
): Promise<void> {
  const tool = await world.pulsarAdmin()
  const of = world.topic(Number(topicNumber ?? 1))
  const topic = whole === null ? world.pulsarPartition(0, of) : world.pulsarTopic(of)
  await tool.call('deleteSubscription', { topic, subscription: subscriptionNamed(world, whose), force })
}

When(
  /^Pulsar's tool deletes the subscription of (group "\w+")(?: of topic (\d+))?( on the topic as a whole)?$/,
  async function (this: ConformanceWorld, whose: string, topic: string | null, whole: string | null) {
    await deleteIt(this, whose, topic, whole)
  },
)

When(
  /^Pulsar's tool deletes the subscription of (group "\w+") by force$/,
  async function (this: ConformanceWorld, whose: string) {
    await deleteIt(this, whose, null, null, true)
  },
)

Then(
  /^deleting the subscription of (group "\w+") is refused with (\d+)( on the topic as a whole)?$/,
  async function (this: ConformanceWorld, whose: string, status: string, whole: string | null) {
    const outcome = await deleteIt(this, whose, null, whole).then(
      () => 'done',
      (error: unknown) => {
        if (error instanceof DriverError) return error.name
        throw error
      },
    )
    same('deleting it', String(status), outcome)
  },
)

/* ---- Read by Pulsar ----------------------------------------------------------------------------------------------- */

/** Acknowledges nothing. */
Then(
  /^a Pulsar consumer of (group "\w+"|the subscription "\w+") receives exactly what follows offset (\d+)$/,
  async function (this: ConformanceWorld, whose: string, place: string) {
    if (whose.startsWith('group') && this.fact('PT-7') === 'refused') {
      throw new Unsupported('the target has no Pulsar consumers on the subscriptions of groups')
    }
    const driver = await this.pulsar()
    const consumer = 'looks'
    const topic = this.pulsarPartition()
    await driver.call('subscribe', { consumer, topic, subscription: subscriptionNamed(this, whose) })
    const rest = this.writtenTo(0).slice(Number(place))
    const { messages } = await driver.call('receive', { consumer, count: rest.length })
    await driver.call('closeConsumer', { consumer })
    sameAsWrittenForPulsar(rest, messages)
  },
)
