import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { offsetCommit } from './kafka/messages/08-offset-commit.js'
import { offsetFetch } from './kafka/messages/09-offset-fetch.js'
import { joinGroup } from './kafka/messages/11-join-group.js'
import { heartbeat } from './kafka/messages/12-heartbeat.js'
import { leaveGroup } from './kafka/messages/13-leave-group.js'
import { syncGroup } from './kafka/messages/14-sync-group.js'
import { deleteGroups } from './kafka/messages/42-delete-groups.js'
import { ServerError } from './pulsar/wire/commands.js'
import { BrokerProcess, type KafkaClient, type PulsarClient, scratchFolder } from './testing.js'

/* Cursor sync in the shipped broker, by single requests of all three ports; see groups/README.md for its rules. */

const folder = scratchFolder()
after(() => {
  BrokerProcess.killAll()
  folder.remove()
})

const topic = 'orders'
const partitionName = `persistent://public/default/${topic}-partition-0`
const group = 'app'
const illegalGeneration = 22
const unknownMember = 25
let directories = 0

class Scene {
  readonly broker: BrokerProcess
  readonly kafka: KafkaClient

  constructor(broker: BrokerProcess, kafka: KafkaClient) {
    this.broker = broker
    this.kafka = kafka
  }

  async request(
    method: string,
    path: string,
    body?: object | string,
  ): Promise<{ status: number; text: string }> {
    const url = `${this.broker.endpoints.admin}/admin/v2/persistent/public/default/${topic}${path}`
    const options =
      body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    const response = await globalThis.fetch(url, { method, ...options })
    return { status: response.status, text: await response.text() }
  }

  async commit(offset: number, member = { generation: -1, memberId: '' }): Promise<number | undefined> {
    const { topics } = await this.kafka.call(offsetCommit, 2, {
      groupId: group,
      generationIdOrMemberEpoch: member.generation,
      memberId: member.memberId,
      topics: [
        {
          name: topic,
          partitions: [{ partitionIndex: 0, committedOffset: BigInt(offset), committedMetadata: null }],
        },
      ],
    })
    return topics[0]?.partitions[0]?.errorCode
  }

  async committed(): Promise<bigint | undefined> {
    const { topics } = await this.kafka.call(offsetFetch, 5, {
      groupId: group,
      topics: [{ name: topic, partitionIndexes: [0] }],
    })
    return topics?.[0]?.partitions[0]?.committedOffset
  }

  /** Asks until it is so: what is asked is told in the background. */
  async until<T>(ask: () => Promise<T>, isSo: (answer: T) => boolean): Promise<T> {
    for (let asked = 0; asked < 2000; asked++) {
      const answer = await ask()
      if (isSo(answer)) return answer
    }
    return assert.fail('it did not come to be so')
  }

  /** Undefined while there is no such subscription. */
  async stats(): Promise<Record<string, unknown> | undefined> {
    const { text } = await this.request('GET', '-partition-0/stats')
    return JSON.parse(text).subscriptions[group]
  }

  async listed(isListed = true): Promise<void> {
    await this.until(
      async () => JSON.parse((await this.request('GET', '/subscriptions')).text),
      (names: string[]) => names.includes(group) === isListed,
    )
  }

  /** A consumer of the group’s subscription; whether it is let in, it tells. */
  async consumer(): Promise<PulsarClient> {
    const pulsar = await this.broker.pulsar()
    pulsar.send('SUBSCRIBE', {
      topic: partitionName,
      subscription: group,
      subType: 0,
      consumerId: 1,
      requestId: 1n,
    })
    return pulsar
  }

  /** Joins, for the first time or again, and gets the one partition. */
  async member(memberId = ''): Promise<{ generation: number; memberId: string }> {
    const { kafka } = this
    const name = Buffer.from(topic)
    const length = (bytes: number) => Buffer.from([bytes >> 8, bytes & 255])
    const one = Buffer.from([0, 0, 0, 1])
    const subscription = Buffer.concat([Buffer.alloc(2), one, length(name.length), name, Buffer.alloc(4)])
    const joined = await kafka.call(joinGroup, 2, {
      groupId: group,
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      memberId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscription }],
    })
    assert.equal(joined.errorCode, 0)
    const member = { generation: joined.generationId, memberId: joined.memberId }
    const partition = Buffer.concat([one, Buffer.alloc(4)])
    const assigned = Buffer.concat([
      Buffer.alloc(2),
      one,
      length(name.length),
      name,
      partition,
      Buffer.alloc(4),
    ])
    const synced = await kafka.call(syncGroup, 1, {
      groupId: group,
      generationId: member.generation,
      memberId: member.memberId,
      assignments: [{ memberId: member.memberId, assignment: assigned }],
    })
    assert.equal(synced.errorCode, 0)
    return member
  }

  async heartbeat({ generation, memberId }: { generation: number; memberId: string }): Promise<number> {
    const request = { groupId: group, generationId: generation, memberId }
    return (await this.kafka.call(heartbeat, 1, request)).errorCode
  }
}

const flagsOf = (periodMs: number) => ({
  'data-directory': `${folder.path}/${++directories}`,
  'kafka-offsets-sync-period-ms': String(periodMs),
})

/** A topic of three batches: of messages 0 to 3, 4 to 7, and 8. */
async function scene(periodMs = 2): Promise<Scene & { readonly flags: Record<string, string> }> {
  const flags = flagsOf(periodMs)
  const opened = await reopened(flags)
  await opened.kafka.createTopic(topic)
  for (const values of [['0', '1', '2', '3'], ['4', '5', '6', '7'], ['8']])
    await opened.kafka.produce(
      topic,
      values.map((value) => Buffer.from(value)),
    )
  return Object.assign(opened, { flags })
}

async function reopened(flags: Record<string, string>): Promise<Scene> {
  const broker = await BrokerProcess.start({ flags })
  return new Scene(broker, await broker.kafka())
}

test('a commit in the middle of a batch makes the subscription, which a Pulsar consumer goes on from', async () => {
  const at = await scene()
  assert.equal(await at.commit(5), 0)
  await at.listed()
  assert.equal((await at.stats())?.msgBacklog, 2)
  const pulsar = await at.consumer()
  await pulsar.expect('SUCCESS')
  pulsar.send('FLOW', { consumerId: 1, messagePermits: 10 })
  const { ackSet, messageId } = await pulsar.expect('MESSAGE')
  assert.deepEqual(ackSet, [0b1110n])
  await pulsar.expect('MESSAGE')
  // Its acknowledgements move the group's offset: at once, when it leaves.
  pulsar.send('ACK', { consumerId: 1, ackType: 1, messageIds: [messageId], requestId: 2n })
  await pulsar.expect('ACK_RESPONSE')
  pulsar.send('CLOSE_CONSUMER', { consumerId: 1, requestId: 3n })
  await pulsar.expect('SUCCESS')
  assert.equal(await at.committed(), 8n)
  await at.broker.stop()
})

test('what Pulsar’s tools do to the subscription is the group’s before they have their answer', async () => {
  const at = await scene(60_000)
  await at.commit(0)
  assert.equal((await at.request('PUT', `/subscription/${group}`, 'earliest')).status, 204)
  assert.equal((await at.request('POST', `/subscription/${group}/skip_all`)).status, 204)
  assert.equal(await at.committed(), 9n)
  const { text } = await at.request('GET', '-partition-0/internalStats')
  const { ledgerId } = JSON.parse(text).ledgers[0]
  const inBatch = { ledgerId, entryId: 1, batchIndex: 2, partitionIndex: 0 }
  const path = `-partition-0/subscription/${group}`
  assert.equal((await at.request('POST', `${path}/resetcursor`, inBatch)).status, 204)
  assert.equal(await at.committed(), 6n)
  assert.equal((await at.request('POST', `${path}/resetcursor/0`)).status, 204)
  assert.equal(await at.committed(), 0n)
  assert.equal((await at.request('POST', `${path}/skip/1`)).status, 204)
  assert.equal(await at.committed(), 4n)
  assert.equal((await at.request('DELETE', `/subscription/${group}`)).status, 204)
  assert.equal(await at.committed(), -1n)
  // A subscription of Pulsar's is where a group without an offset begins.
  assert.equal((await at.request('PUT', `/subscription/${group}`, inBatch)).status, 204)
  assert.equal(await at.committed(), 6n)
  await at.broker.stop()
})

test('a Pulsar consumer’s seek moves the group, and its unsubscribing deletes the offset', async () => {
  const at = await scene(60_000)
  await at.commit(9)
  const pulsar = await at.consumer()
  await pulsar.expect('SUCCESS')
  pulsar.send('SEEK', { consumerId: 1, requestId: 2n, messagePublishTime: 1 })
  await pulsar.expect('CLOSE_CONSUMER')
  await pulsar.expect('SUCCESS')
  assert.equal(await at.committed(), 0n)
  const again = await at.consumer()
  await again.expect('SUCCESS')
  again.send('UNSUBSCRIBE', { consumerId: 1, requestId: 3n })
  await again.expect('SUCCESS')
  assert.equal(await at.committed(), -1n)
  await at.listed(false)
  await at.broker.stop()
})

test('members have the subscription to themselves, and a tool’s move fences them', async () => {
  const at = await scene()
  await at.commit(0)
  await at.listed()
  const connected = await at.consumer()
  await connected.expect('SUCCESS')
  const member = await at.member()
  await connected.expect('CLOSE_CONSUMER')
  const { error } = await (await at.consumer()).expect('ERROR')
  assert.equal(error, ServerError.ConsumerBusy)
  const stats = await at.stats()
  assert.equal(stats?.type, 'Failover')
  assert.equal(stats?.activeConsumerName, member.memberId)
  assert.deepEqual(stats?.kafkaGroup, { members: 1, lag: 9 })
  assert.equal((await at.request('DELETE', `/subscription/${group}`)).status, 412)
  assert.equal(await at.committed(), 0n)

  assert.equal(await at.commit(3, member), 0)
  assert.equal((await at.request('POST', `/subscription/${group}/skip_all`)).status, 204)
  const refused = [await at.commit(4, member), await at.heartbeat(member)]
  for (const code of refused) assert.ok(code === illegalGeneration || code === unknownMember, `${code}`)
  const again = await at.member(member.memberId)
  assert.ok(again.generation > member.generation)
  assert.equal(await at.committed(), 9n)
  assert.equal(await at.commit(7, again), 0)
  await at.until(
    () => at.stats(),
    (now) => now?.msgBacklog === 2,
  )
  await at.kafka.call(leaveGroup, 0, { groupId: group, memberId: again.memberId })
  assert.equal((await at.request('DELETE', `/subscription/${group}`)).status, 204)
  assert.equal(await at.committed(), -1n)
  await at.broker.stop()
})

test('commits that a killed broker had not brought over are caught up with, and a deleted group’s cursor goes', async () => {
  const at = await scene(60_000)
  await at.commit(6)
  await at.broker.stop('SIGKILL')
  const again = await reopened({ ...at.flags, 'kafka-offsets-sync-period-ms': '2' })
  await again.listed()
  assert.equal((await again.stats())?.msgBacklog, 2)
  const { results } = await again.kafka.call(deleteGroups, 0, { groupsNames: [group] })
  assert.equal(results[0]?.errorCode, 0)
  await again.listed(false)
  assert.equal(await again.committed(), -1n)
  await again.broker.stop()
})

test('a stop brings over what waits; the lag is in the metrics', async () => {
  const at = await scene(60_000)
  await at.commit(5)
  const metrics = await (await globalThis.fetch(`${at.broker.endpoints.admin}/metrics`)).text()
  assert.match(metrics, /^kop_cursor_sync_waiting 1$/m)
  assert.match(metrics, /^kop_cursor_sync_lag_seconds [\d.e-]+$/m)
  assert.equal(await at.broker.stop(), 0)
  const again = await reopened({ ...at.flags })
  await again.listed()
  await again.broker.stop()
})
