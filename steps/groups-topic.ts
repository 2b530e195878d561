import { type DataTable, Given, Then, When } from '@cucumber/cucumber'
import { Unsupported } from '../matrix/driver/errors.js'
import type { PulsarReceived } from '../matrix/driver/messages.js'
import { partitionOfGroup } from './groups-protocol.js'
import { ask, groupOf, member } from './groups-requests.js'
import { groupInKeys, offsetsTopic } from './groups-topic-answer.js'
import {
  decodeCommit,
  decodeGroup,
  decodeKey,
  type GroupValue,
  type OffsetsKey,
} from './groups-topic-format.js'
import { errorName } from './requests.js'
import { holds, Mismatch, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

/** One record of the offsets topic that is about the scenario's group. */
interface GroupRecord {
  readonly key: Exclude<OffsetsKey, { type: 'other' }>
  /** null: a tombstone. */
  readonly value: Buffer | null
  readonly topic: string
}

/* ---- Reading ------------------------------------------------------------------------------------------------------ */

Given('the declared offsets topic', function (this: ConformanceWorld) {
  offsetsTopic(this)
})

function needFormat(world: ConformanceWorld): void {
  if (offsetsTopic(world).format !== 'kafka') {
    throw new Unsupported('the profile does not say that the records are in Kafka’s form')
  }
}

/** The partition's topic that has the group's records. */
async function partOf(world: ConformanceWorld, group: string): Promise<string> {
  const { topic } = offsetsTopic(world)
  const { names } = await (await world.pulsar()).call('partitions', { topic })
  // A topic without partitions is its own.
  return names[partitionOfGroup(groupInKeys(world, group), names.length)] ?? topic
}

async function recordsOf(world: ConformanceWorld, group: string, topic: string): Promise<GroupRecord[]> {
  const { messages } = await (await world.pulsar()).call('read', { topic, until: 'end' })
  return messages.flatMap((message) => aboutGroup(world, group, message))
}

async function groupRecords(world: ConformanceWorld): Promise<GroupRecord[]> {
  needFormat(world)
  const group = groupOf(world)
  return recordsOf(world, group, await partOf(world, group))
}

function aboutGroup(world: ConformanceWorld, group: string, message: PulsarReceived): GroupRecord[] {
  const key = keyOf(message)
  if (key === null || key.type === 'other' || key.group !== groupInKeys(world, group)) return []
  const { value, knowsNull, topic } = message
  // A library that cannot tell null from empty shows a tombstone as empty.
  const isTombstone = value === null || (!knowsNull && value === '')
  return [{ key, value: isTombstone ? null : Buffer.from(value ?? '', 'base64'), topic }]
}

/** Libraries show a key as its bytes, as text, or as the base64 text of it. */
function keyOf({ key, keyBytes }: PulsarReceived): OffsetsKey | null {
  const forms = [
    keyBytes == null ? null : Buffer.from(keyBytes, 'base64'),
    key === null ? null : Buffer.from(key, 'utf8'),
    key === null ? null : Buffer.from(key, 'base64'),
  ]
  for (const bytes of forms) {
    if (bytes === null) continue
    try {
      const decoded = decodeKey(bytes)
      if (decoded.type !== 'other') return decoded
    } catch {
      // Another form, or of another kind of record.
    }
  }
  return null
}

/** By key, in the order in which the keys came first. */
function lastValues(records: readonly GroupRecord[]): GroupRecord[] {
  const last = new Map(records.map((record) => [JSON.stringify(record.key), record] as const))
  return [...last.values()]
}

/* ---- Commits ------------------------------------------------------------------------------------------------------ */

interface Row {
  readonly topic: string
  readonly partition: number
  readonly offset: string
  readonly metadata: string
}

function rowsIn(world: ConformanceWorld, table: DataTable): Row[] {
  return table.hashes().map(({ topic, partition, offset = '', metadata = '' }) => ({
    topic: world.topic(Number(topic)).name,
    partition: Number(partition),
    offset,
    metadata,
  }))
}

/** Of commits only; a topic may stand there by its full name. */
function commitsIn(records: readonly GroupRecord[]): Row[] {
  return records.flatMap(({ key, value }) => {
    if (key.type !== 'commit' || value === null) return []
    return [{ topic: shortName(key.topic), partition: key.partition, ...decodeCommit(value) }]
  })
}

const shortName = (topic: string): string => topic.slice(topic.lastIndexOf('/') + 1)

const byPlace = (a: Row, b: Row): number =>
  a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1

Then(
  'the offsets topic says of the group, by the last value of each key',
  async function (this: ConformanceWorld, table: DataTable) {
    const seen = commitsIn(lastValues(await groupRecords(this)))
    sameList('the commits of the group', rowsIn(this, table).sort(byPlace), seen.sort(byPlace))
  },
)

Given(
  "a Pulsar reader that waits at the end of the group's part of the offsets topic",
  async function (this: ConformanceWorld) {
    needFormat(this)
    const topic = await partOf(this, groupOf(this))
    await (await this.pulsar()).call('openReader', { reader: 'follows', topic, from: 'latest' })
  },
)

Then(
  'the reader is told of the commits of the group, one after the other',
  async function (this: ConformanceWorld, table: DataTable) {
    const driver = await this.pulsar()
    const expected = rowsIn(this, table)
    const seen: Row[] = []
    const deadline = Date.now() + 15_000
    // Other groups' records come too.
    while (seen.length < expected.length && Date.now() < deadline) {
      const { messages } = await driver.call('readNext', { reader: 'follows', count: 1, timeoutMs: 15_000 })
      seen.push(...commitsIn(messages.flatMap((message) => aboutGroup(this, groupOf(this), message))))
    }
    sameList('the commits that the reader was told of', expected, seen)
  },
)

When("the group's part of the offsets topic is unloaded", async function (this: ConformanceWorld) {
  needFormat(this)
  await this.instance.rollOver(await partOf(this, groupOf(this)))
})

When("the group's offset of partition 0 is deleted", async function (this: ConformanceWorld) {
  const group = groupOf(this)
  const body = { groupId: group, topics: [{ name: this.topic().name, partitions: [{ partitionIndex: 0 }] }] }
  const answer = await ask<{
    errorCode: number
    topics: { partitions: { partitionIndex: number; errorCode: number }[] }[]
  }>(this, 'OffsetDelete', body, { group })
  same('the error', 'NONE', await errorName(this, answer.errorCode))
  const [partition] = answer.topics.flatMap(({ partitions }) => partitions)
  same('the error of the partition', 'NONE', await errorName(this, partition?.errorCode ?? -1))
})

Then(
  "the group's records are in one partition of the offsets topic",
  async function (this: ConformanceWorld) {
    needFormat(this)
    const { topic } = offsetsTopic(this)
    const { names } = await (await this.pulsar()).call('partitions', { topic })
    const parts = []
    for (const name of names) {
      const records = await recordsOf(this, groupOf(this), name)
      if (records.length > 0) parts.push(name)
    }
    sameList('the partitions with records of the group', [await partOf(this, groupOf(this))], parts)
  },
)

/* ---- Groups ------------------------------------------------------------------------------------------------------- */

async function storedGroup(world: ConformanceWorld): Promise<GroupValue> {
  const found = lastValues(await groupRecords(world)).find(({ key }) => key.type === 'group')
  if (found?.value == null)
    throw new Mismatch('the group in the offsets topic', 'a record of it', found ?? null)
  return decodeGroup(found.value)
}

Then(
  'the offsets topic has the group in the generation of {string} and {string}, with the assignment of each',
  async function (this: ConformanceWorld, one: string, other: string) {
    const members = [member(this, one), member(this, other)]
    const stored = await storedGroup(this)
    same('the generation', members[0]?.generation, stored.generation)
    same('the type of its protocol', 'consumer', stored.protocolType)
    same('its protocol', 'range', stored.protocol)
    same('its leader', members[0]?.leaderId, stored.leader)
    const byId = (a: { memberId: string }, b: { memberId: string }) => (a.memberId < b.memberId ? -1 : 1)
    const expected = members.map(({ memberId, assignment }) => ({ memberId, assignment }))
    sameList('its members', expected.sort(byId), [...stored.members].sort(byId))
  },
)

Then('the offsets topic has the group without members', async function (this: ConformanceWorld) {
  sameList('its members', [], (await storedGroup(this)).members)
})

Then('every key of the group ends with a tombstone', async function (this: ConformanceWorld) {
  const records = await groupRecords(this)
  const last = lastValues(records)
  // What was compacted away meanwhile is gone for good; what is there must be tombstones at the end.
  sameList(
    'keys that end with a value',
    [],
    last.filter(({ value }) => value !== null).map(({ key }) => key),
  )
})

/* ---- The name ------------------------------------------------------------------------------------------------------ */

Then(
  'Pulsar finds it under the declared name, and a keyed message of the commit in it',
  async function (this: ConformanceWorld) {
    const { topic } = offsetsTopic(this)
    const driver = await this.pulsar()
    const { names } = await driver.call('partitions', { topic })
    const found: string[] = []
    for (const name of names) {
      const { messages } = await driver.call('read', { topic: name, until: 'end' })
      found.push(...messages.filter((message) => speaksOf(message, groupOf(this))).map((each) => each.topic))
    }
    holds(`messages of ${topic} whose key speaks of the group`, found.length > 0, 'at least one', found)
  },
)

/** In whatever form: the group's name stands in the key, or in the value of a keyed message. */
function speaksOf({ key, keyBytes, value }: PulsarReceived, group: string): boolean {
  if (key === null && keyBytes == null) return false
  const forms = [
    key ?? '',
    Buffer.from(key ?? '', 'base64').toString('utf8'),
    Buffer.from(keyBytes ?? '', 'base64').toString('utf8'),
    Buffer.from(value ?? '', 'base64').toString('utf8'),
  ]
  return forms.some((form) => form.includes(group))
}
