import { Given, Then, When } from '@cucumber/cucumber'
import { Unsupported } from '../matrix/driver/errors.js'
import { commitRaw, fetchCommitted } from './groups-offset-requests.js'
import { partitionOfGroup } from './groups-protocol.js'
import {
  ask,
  type Coordinator,
  coordinatorOf,
  groupOf,
  joinOnce,
  member,
  newMember,
  rebalance,
  syncOnce,
} from './groups-requests.js'
import { groupInKeys, offsetsTopic } from './groups-topic-answer.js'
import { errorName, type MetadataAnswer, metadataRaw } from './requests.js'
import { holds, Mismatch, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

/* ---- Who it is ---------------------------------------------------------------------------------------------------- */

type Named = Coordinator & { readonly key: string }

When(
  'the coordinator of a group is asked for in version {int}',
  async function (this: ConformanceWorld, version: number) {
    const group = groupOf(this)
    const found = await coordinatorOf(this, group, version)
    this.notes.set('coordinators', [{ ...found, key: group }] satisfies Named[])
  },
)

When(
  'the coordinators of {int} groups are asked for in one request of version {int}',
  async function (this: ConformanceWorld, count: number, version: number) {
    const groups = Array.from({ length: count }, () => this.newName('-group'))
    // The first asking may find the coordinators still on their way.
    for (const group of groups) await coordinatorOf(this, group)
    const body = { keyType: 0, coordinatorKeys: groups }
    const raw = await this.raw()
    const answer = await raw.call('request', { api: 'FindCoordinator', version, body })
    this.notes.set('groups', groups)
    this.notes.set('coordinators', (answer.body as unknown as { coordinators: Named[] }).coordinators)
  },
)

Then('each group is answered, under its own name', function (this: ConformanceWorld) {
  const named = this.note<Named[]>('coordinators')
  const answered = named.map(({ key, errorCode }) => ({ key, errorCode }))
  const expected = this.note<string[]>('groups').map((key) => ({ key, errorCode: 0 }))
  const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1)
  sameList('the groups of the answer', expected.sort(byKey), answered.sort(byKey))
})

Then(
  /^(?:it|each) is one of the brokers(?:, at the address that Metadata gives|, and serves its group)$/,
  async function (this: ConformanceWorld) {
    const { brokers } = await metadataRaw(this, [])
    for (const found of this.note<Named[]>('coordinators')) {
      isAmong(brokers, found)
      await serves(this, found.key)
    }
  },
)

function isAmong(brokers: MetadataAnswer['brokers'], { key, nodeId, host, port }: Named): void {
  const broker = brokers.find((each) => each.nodeId === nodeId)
  if (broker === undefined) throw new Mismatch(`the coordinator of ${key}`, brokers, nodeId)
  same('its address', `${broker.host}:${broker.port}`, `${host}:${port}`)
}

/**
 * A coordinator that is asked of a group that nobody has joined says so, not that it is the wrong one. Not by a heartbeat:
 * Kafka answers it blindly while it is still reading its offsets topic.
 */
async function serves(world: ConformanceWorld, group: string): Promise<void> {
  const nobody = newMember(world, 'nobody', { memberId: 'nobody-at-all' })
  const { errorCode } = await joinOnce(world, { ...nobody, group })
  same('the answer of the coordinator', 'UNKNOWN_MEMBER_ID', await errorName(world, errorCode))
}

Then('it serves the group', async function (this: ConformanceWorld) {
  await serves(this, groupOf(this))
})

Then('asking again names the same broker', async function (this: ConformanceWorld) {
  const [first] = this.note<Named[]>('coordinators')
  for (const version of [undefined, 0, 4]) {
    const { nodeId } = await coordinatorOf(this, groupOf(this), version)
    same('the coordinator', first?.nodeId, nodeId)
  }
})

Given('a target of several brokers', async function (this: ConformanceWorld) {
  const { brokers } = await metadataRaw(this, [])
  if (brokers.length < 2) throw new Unsupported('the target has one broker only')
})

Then(
  'every other broker answers requests of the group with NOT_COORDINATOR',
  async function (this: ConformanceWorld) {
    const [coordinator] = this.note<Named[]>('coordinators')
    const { brokers } = await metadataRaw(this, [])
    const raw = await this.raw()
    const body = { groupId: groupOf(this), memberId: 'nobody', members: [{ memberId: 'nobody' }] }
    for (const { nodeId, host, port } of brokers) {
      if (nodeId === coordinator?.nodeId) continue
      const connection = `broker ${nodeId}`
      await raw.call('connect', { connection, port: 'kafka', address: `${host}:${port}` })
      const answer = await raw.call('request', { connection, api: 'LeaveGroup', body })
      const { errorCode } = answer.body as { errorCode: number }
      same(`the answer of broker ${nodeId}`, 'NOT_COORDINATOR', await errorName(this, errorCode))
    }
  },
)

Then(
  "the coordinator of each of {int} groups is the owner of the group's partition, by Pulsar's look-up",
  async function (this: ConformanceWorld, count: number) {
    const { topic, format } = offsetsTopic(this)
    if (format !== 'kafka') throw new Unsupported('the profile does not say which partition a group has')
    const partitions = await this.admin.partitions(topic)
    for (let number = 0; number < count; number++) {
      const group = this.newName('-group')
      const partition = partitionOfGroup(groupInKeys(this, group), partitions)
      const owner = new URL(await this.admin.lookup(`${topic}-partition-${partition}`))
      const { host } = await coordinatorOf(this, group)
      same(`the host of the coordinator of ${group}, of partition ${partition}`, owner.hostname, host)
    }
  },
)

/* ---- What it keeps ------------------------------------------------------------------------------------------------ */

When(
  'the group commits each offset from {int} to {int} of the topic, one after the other',
  async function (this: ConformanceWorld, first: number, last: number) {
    for (let offset = first; offset <= last; offset++) {
      const commit = { topic: this.topic().name, partition: 0, offset: String(offset) }
      const [error = 0] = await commitRaw(this, groupOf(this), [commit])
      same(`the error of commit ${offset}`, 'NONE', await errorName(this, error))
    }
  },
)

Then(
  'a commit of offset {int} is answered with an error',
  async function (this: ConformanceWorld, offset: number) {
    const commit = { topic: this.topic().name, partition: 0, offset: String(offset) }
    const [error = 0] = await commitRaw(this, groupOf(this), [commit], { once: true })
    holds('the error of the commit', error !== 0, 'an error', await errorName(this, error))
  },
)

Then(
  '{string} and {string} are given the same assignment as before',
  async function (this: ConformanceWorld, one: string, other: string) {
    for (const name of [one, other]) {
      const of = member(this, name)
      const { errorCode, assignment } = await syncOnce(this, of)
      same(`the error as ${name} syncs`, 'NONE', await errorName(this, errorCode))
      holds(`the assignment of ${name}`, of.assignment !== '', 'one', of.assignment)
      same(`the assignment of ${name}`, of.assignment, assignment)
    }
  },
)

Then(
  '{string} joins {string} and {string} in the next generation',
  async function (this: ConformanceWorld, third: string, one: string, other: string) {
    const current = [member(this, one), member(this, other)]
    const { generation = 0 } = current[0] ?? {}
    const joining = newMember(this, third)
    await rebalance(this, current, [joining])
    for (const each of [...current, joining])
      same(`the generation of ${each.name}`, generation + 1, each.generation)
  },
)

When('the group is deleted', async function (this: ConformanceWorld) {
  const group = groupOf(this)
  const answer = await ask<{ results: { groupId: string; errorCode: number }[] }>(
    this,
    'DeleteGroups',
    { groupsNames: [group] },
    { group },
  )
  const [deleted] = answer.results
  same('the group of the answer', group, deleted?.groupId)
  same('the error of its deletion', 'NONE', await errorName(this, deleted?.errorCode ?? 0))
})

Then(
  'the other group still has committed offset {int} of each partition',
  async function (this: ConformanceWorld, offset: number) {
    const seen = await fetchCommitted(this, this.note<string>('other group'), null)
    sameList(
      'what it has committed',
      Array.from({ length: this.topic().partitions }, (_, partition) => `${partition} at ${offset}`),
      seen.map((each) => `${each.partition} at ${each.offset}`),
    )
  },
)
