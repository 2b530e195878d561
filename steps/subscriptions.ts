import { Then, When } from '@cucumber/cucumber'
import { DriverError } from '../matrix/driver/errors.js'
import type { MessageId } from '../matrix/driver/messages.js'
import { groupOf } from './groups-requests.js'
import { offsetOf, sameNext } from './places.js'
import { idText, pulsarView, type Written } from './records.js'
import { eventually, holds, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

/*
 * Kafka groups and the Pulsar subscriptions of their names. Groups have names of the scenario; offsets are places, as
 * in places.ts. "Topic" is the first, unless a sentence says which.
 */

/** Of a target whose profile does not tell its period. */
const SYNC_PERIOD_MS = 10_000
/** On top of the period, as machines that run suites are busy. */
const LATE_MS = 5_000

/** The group's name in this run: its first mention makes it. "the group" is that of single requests. */
export function groupNamed(world: ConformanceWorld, text: string): string {
  if (text === 'the group') return groupOf(world)
  const name = text.replace(/^group /, '').replaceAll('"', '')
  return world.noted(`name of group ${name}`, () => world.newName(`-${name}`))
}

/** A commit is to be seen on the subscription within this time. */
export function syncedWithinMs(world: ConformanceWorld): number {
  const fact = world.fact('PT-1') as { syncPeriodMs?: number } | undefined
  return (fact?.syncPeriodMs ?? SYNC_PERIOD_MS) + LATE_MS
}

const numberOr = (text: string | null | undefined, fallback: number): number =>
  text === null || text === undefined ? fallback : Number(text)

/* ---- Commits ------------------------------------------------------------------------------------------------------ */

export async function commit(
  world: ConformanceWorld,
  group: string,
  place: number,
  partitions: readonly number[],
  topicNumber = 1,
): Promise<void> {
  const driver = await world.kafka()
  const topic = world.topic(topicNumber).name
  const offsets: { topic: string; partition: number; offset: string }[] = []
  for (const partition of partitions) {
    offsets.push({
      topic,
      partition,
      offset: await offsetOf(world, place, { partition, topic: topicNumber }),
    })
  }
  await driver.call('commit', { group, offsets })
}

When(
  /^(group "\w+") commits offset (\d+)(?: of partition (\d+))?(?: of topic (\d+))?$/,
  async function (
    this: ConformanceWorld,
    group: string,
    place: string,
    partition: string | null,
    topic: string | null,
  ) {
    await commit(this, groupNamed(this, group), Number(place), [numberOr(partition, 0)], numberOr(topic, 1))
  },
)

When(
  /^(group "\w+") commits offset (\d+) of each partition$/,
  async function (this: ConformanceWorld, group: string, place: string) {
    const partitions = Array.from({ length: this.topic().partitions }, (_, partition) => partition)
    await commit(this, groupNamed(this, group), Number(place), partitions)
  },
)

/** At once: what a tool has done is done when it has its answer. */
Then(
  /^(group "\w+") has committed offset (\d+)(?: of partition (\d+))?(?: of topic (\d+))?$/,
  async function (
    this: ConformanceWorld,
    group: string,
    place: string,
    partition: string | null,
    topic: string | null,
  ) {
    const at = { partition: numberOr(partition, 0), topic: numberOr(topic, 1) }
    const offset = await committed(this, groupNamed(this, group), at.partition, at.topic)
    await sameNext(`the offset of ${group}`, this, Number(place), offset, at)
  },
)

Then(
  /^(group "\w+") has committed nothing(?: of partition (\d+))?(?: of topic (\d+))?$/,
  async function (this: ConformanceWorld, group: string, partition: string | null, topic: string | null) {
    const name = groupNamed(this, group)
    const offset = await committed(this, name, numberOr(partition, 0), numberOr(topic, 1))
    same(`the offset of ${group}`, '-1', offset)
  },
)

export async function committed(
  world: ConformanceWorld,
  group: string,
  partition = 0,
  topicNumber = 1,
): Promise<string> {
  const driver = await world.kafka()
  const topic = world.topic(topicNumber).name
  return (await driver.call('committed', { group, topic, partition })).offset
}

/* ---- Listing ------------------------------------------------------------------------------------------------------ */

/** Whether the tool lists it on a partition. One that nobody has used yet may not be there at all. */
async function isListed(
  world: ConformanceWorld,
  subscription: string,
  partition: number,
  topicNumber: number,
): Promise<boolean> {
  const tool = await world.pulsarAdmin()
  const topic = world.pulsarPartition(partition, world.topic(topicNumber))
  const { names } = await tool.call('listSubscriptions', { topic }).catch((error: unknown) => {
    if (error instanceof DriverError && error.name === '404') return { names: [] }
    throw error
  })
  const times = names.filter((name) => name === subscription).length
  holds(`how often ${subscription} is listed`, times < 2, 'once at most', times)
  return times === 1
}

async function listedOn(
  world: ConformanceWorld,
  subscription: string,
  topicNumber: number,
): Promise<number[]> {
  const { partitions } = world.topic(topicNumber)
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  const listed = await Promise.all(
    all.map((partition) => isListed(world, subscription, partition, topicNumber)),
  )
  return all.filter((partition) => listed[partition])
}

Then(
  /^Pulsar's tool soon lists (group "\w+") on partitions? ([\d and,]+) only(?: of topic (\d+))?$/,
  async function (this: ConformanceWorld, group: string, list: string, topic: string | null) {
    const expected = [...list.matchAll(/\d+/g)].map(([digits]) => Number(digits))
    await eventually(syncedWithinMs(this), async () => {
      const seen = await listedOn(this, groupNamed(this, group), numberOr(topic, 1))
      sameList(`the partitions with a subscription of ${group}`, expected, seen)
    })
  },
)

/** At once. */
Then(
  /^Pulsar's tool lists (group "\w+") on no partition(?: of topic (\d+))?$/,
  async function (this: ConformanceWorld, group: string, topic: string | null) {
    const seen = await listedOn(this, groupNamed(this, group), numberOr(topic, 1))
    same(`the partitions with a subscription of ${group}`, [], seen)
  },
)

Then(
  /^Pulsar's tool soon lists (group "\w+") on no partition(?: of topic (\d+))?$/,
  async function (this: ConformanceWorld, group: string, topic: string | null) {
    await eventually(syncedWithinMs(this), async () => {
      const seen = await listedOn(this, groupNamed(this, group), numberOr(topic, 1))
      same(`the partitions with a subscription of ${group}`, [], seen)
    })
  },
)

Then("Pulsar's tool soon lists the group", async function (this: ConformanceWorld) {
  await eventually(syncedWithinMs(this), async () => {
    sameList('the partitions with a subscription of it', [0], await listedOn(this, groupOf(this), 1))
  })
})

When(/^Kafka's tool deletes (group "\w+")$/, async function (this: ConformanceWorld, group: string) {
  await (await this.kafkaAdmin()).call('deleteGroup', { group: groupNamed(this, group) })
})

/* ---- Where it stands ---------------------------------------------------------------------------------------------- */

/** Ids of what a partition holds, in order: by a Pulsar reader where the scenario has one, else as the tool shows them. */
export async function idsOf(world: ConformanceWorld, partition = 0): Promise<readonly MessageId[]> {
  const written = world.writtenTo(partition).length
  const key = `ids of partition ${partition}`
  const known = (world.notes.get(key) as readonly MessageId[] | undefined) ?? []
  if (known.length === written) return known
  const topic = world.pulsarPartition(partition)
  const ids =
    world.parameters.pulsar === undefined
      ? await idsByTool(world, topic, written)
      : (await (await world.pulsar()).call('read', { topic, until: 'end' })).messages.map(({ id }) => id)
  same('how many messages the partition has', written, ids.length)
  world.notes.set(key, ids)
  return ids
}

/** A subscription of the tool's own stands at the start for a moment. */
async function idsByTool(world: ConformanceWorld, topic: string, count: number): Promise<MessageId[]> {
  const tool = await world.pulsarAdmin()
  const subscription = world.newName('-looks')
  await tool.call('createSubscription', { topic, subscription, at: 'earliest' })
  const { messages } = await tool.call('peek', { topic, subscription, count })
  await tool.call('deleteSubscription', { topic, subscription })
  const ids = messages.flatMap(({ id }) => (id === undefined ? [] : [id]))
  return [...new Map(ids.map((id) => [idText(id), id])).values()]
}

/** As tools name a message: one that is alone in its entry by the entry. */
export async function idAt(world: ConformanceWorld, place: number, partition = 0): Promise<MessageId> {
  const ids = await idsOf(world, partition)
  const id = ids[place]
  if (id === undefined) throw new Error(`no message is at ${place}`)
  const isAlone = ids.filter((other) => entryText(other) === entryText(id)).length === 1
  return isAlone ? { ...id, batchIndex: -1 } : id
}

const entryText = ({ ledgerId, entryId }: MessageId): string => `${ledgerId}:${entryId}`

/** What the tools are to count before a subscription that stands at a place, in the unit that the profile names. */
export async function backlogFrom(world: ConformanceWorld, place: number, partition = 0): Promise<number> {
  const rest = world.writtenTo(partition).length - place
  const unit = world.declared('PT-2')
  if (unit === 'messages' || rest <= 0) return Math.max(0, rest)
  const ids = await idsOf(world, partition)
  return new Set(ids.slice(place).map(entryText)).size
}

const valueSeen = (written: Written | undefined): string | null =>
  written === undefined ? null : (pulsarView(written).value ?? '')

/** By its backlog, and by what the tool shows of it as next. */
export async function standsAt(
  world: ConformanceWorld,
  subscription: string,
  place: number,
  partition = 0,
): Promise<void> {
  const tool = await world.pulsarAdmin()
  const topic = world.pulsarPartition(partition)
  const { subscriptions } = await tool.call('stats', { topic })
  const stats = subscriptions[subscription]
  same(`the backlog of ${subscription}`, await backlogFrom(world, place, partition), stats?.msgBacklog)
  const written = world.writtenTo(partition)
  if (place >= written.length) return
  // Tools show entries as a whole: a place in the middle of a batch comes after what lies before it there.
  const before = place === 0 ? 0 : await countBefore(world, place, partition)
  const { messages } = await tool.call('peek', { topic, subscription, count: before + 1 })
  const next = valueSeen(written[place])
  const shown = messages.map(({ value }) => value)
  const isShown = before === 0 ? shown[0] === next : shown.includes(next ?? '')
  holds(`what ${subscription} shows as next`, isShown, { value: next }, messages)
}

/** How many messages of its entry lie before a place. */
async function countBefore(world: ConformanceWorld, place: number, partition: number): Promise<number> {
  const ids = await idsOf(world, partition)
  const entry = ids[place]
  if (entry === undefined) return 0
  return ids.slice(0, place).filter((id) => entryText(id) === entryText(entry)).length
}

Then(
  /^the subscription of (group "\w+") soon stands at offset (\d+)(?: of partition (\d+))?$/,
  async function (this: ConformanceWorld, group: string, place: string, partition: string | null) {
    await eventually(syncedWithinMs(this), () =>
      standsAt(this, groupNamed(this, group), Number(place), numberOr(partition, 0)),
    )
  },
)

/** At once: the tool has just moved it. */
Then(
  /^the subscription (?:of )?(group "\w+"|"\w+") stands at offset (\d+)(?: of partition (\d+))?$/,
  async function (this: ConformanceWorld, group: string, place: string, partition: string | null) {
    const name = group.startsWith('"') ? group.slice(1, -1) : groupNamed(this, group)
    await standsAt(this, name, Number(place), numberOr(partition, 0))
  },
)
