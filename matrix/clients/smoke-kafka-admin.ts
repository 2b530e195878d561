import type { KafkaAdminOps } from '../driver/admin-messages.js'
import type { KafkaOps } from '../driver/messages.js'
import { type Driver, kafkaAdminDriver, kafkaDriver, type TypedDriver } from '../driver/process.js'
import { expectError, type SmokeRun } from './smoke-run.js'

const PARTITIONS = 3
const RECORDS = 4

interface Stage {
  readonly run: SmokeRun
  readonly admin: TypedDriver<KafkaAdminOps>
  /** A client beside the tool: it writes, and is a member of groups. */
  readonly kafka: TypedDriver<KafkaOps>
  readonly topic: string
  readonly group: string
}

/** Every op of a tool of Kafka's administration, with a client beside it that makes what there is to manage. */
export async function smokeKafkaAdmin(
  run: SmokeRun,
  driver: Driver,
  beside: Driver,
  bootstrap: string,
): Promise<void> {
  const admin = kafkaAdminDriver(driver)
  const kafka = kafkaDriver(beside)
  const topic = `smoke-${run.id}`
  const stage = { run, admin, kafka, topic, group: `${topic}-group` }
  await kafka.call('configure', { bootstrap, clientId: 'smoke' })
  await run.check('configure', () => admin.call('configure', { bootstrap }))
  await topics(stage)
  await configs(stage)
  await activeGroup(stage)
  await emptyGroup(stage)
  await users(stage)
  await run.check('deleteTopic', async () => {
    await admin.call('deleteTopic', { topic })
    run.true(!(await admin.call('listTopics', {})).names.includes(topic), 'the topic is still listed')
  })
}

async function topics({ run, admin, topic }: Stage): Promise<void> {
  await run.check('createTopic', () =>
    admin.call('createTopic', { topic, partitions: 2, configs: { 'retention.ms': '7000000' } }),
  )
  await run.check('createTopic: exists', () =>
    expectError(run, /TOPIC_ALREADY_EXISTS/, () => admin.call('createTopic', { topic, partitions: 2 })),
  )
  await run.check('listTopics', async () => {
    run.true((await admin.call('listTopics', {})).names.includes(topic), 'the topic is not listed')
  })
  await run.check('raisePartitions, describeTopic', async () => {
    await admin.call('raisePartitions', { topic, partitions: PARTITIONS })
    const { partitions, configs } = await admin.call('describeTopic', { topic })
    run.equal(
      partitions.map(({ index }) => index),
      [0, 1, 2],
    )
    run.equal(configs['retention.ms'], '7000000')
  })
  await run.check('raisePartitions: fewer', () =>
    expectError(run, /INVALID_PARTITIONS/, () => admin.call('raisePartitions', { topic, partitions: 1 })),
  )
  await run.check('describeTopic: none', () =>
    expectError(run, /UNKNOWN_TOPIC_OR_PARTITION/, () =>
      admin.call('describeTopic', { topic: `${topic}-none` }),
    ),
  )
}

async function configs({ run, admin, topic }: Stage): Promise<void> {
  await run.check('alterTopicConfigs, topicConfigs', async () => {
    const set = { 'cleanup.policy': 'compact,delete', 'max.message.bytes': '65536' }
    await admin.call('alterTopicConfigs', { topic, set, remove: ['retention.ms'] })
    run.equal((await admin.call('topicConfigs', { topic })).configs, set)
  })
  await run.check('alterTopicConfigs: no number', () =>
    expectError(run, /INVALID_CONFIG/, () =>
      admin.call('alterTopicConfigs', { topic, set: { 'retention.ms': 'long' } }),
    ),
  )
}

async function activeGroup({ run, admin, kafka, topic, group }: Stage): Promise<void> {
  const records = Array.from({ length: PARTITIONS * RECORDS }, (_, index) => ({
    // The topic is compacted by now.
    key: Buffer.from(String(index)).toString('base64'),
    value: Buffer.from(String(index)).toString('base64'),
    partition: index % PARTITIONS,
  }))
  await kafka.call('produce', { topic, records })
  const member = { group, topics: [topic], assignor: 'roundrobin' as const }
  await kafka.call('openMember', { member: 'one', ...member })
  await kafka.call('assignment', { member: 'one', count: PARTITIONS })
  const offsets = [{ topic, partition: 1, offset: '3' }]
  await kafka.call('memberCommit', { member: 'one', offsets })
  await run.check('listGroups', async () => {
    const found = (await admin.call('listGroups', {})).groups.find((each) => each.group === group)
    run.equal(found?.state ?? 'Stable', 'Stable')
    run.true(found !== undefined, 'the group is not listed')
  })
  await run.check('describeGroup', async () => {
    const described = await admin.call('describeGroup', { group })
    run.equal([described.state, described.members.length], ['Stable', 1])
    run.equal(
      described.members[0]?.partitions.toSorted((a, b) => a.partition - b.partition),
      [0, 1, 2].map((partition) => ({ topic, partition })),
    )
    const first = described.offsets.find(({ partition }) => partition === 1)
    run.equal([first?.offset, first?.logEnd, first?.lag], ['3', '4', '1'])
    run.equal(first?.memberId, described.members[0]?.memberId)
    run.equal(described.offsets.find(({ partition }) => partition === 0)?.offset, null)
  })
  await run.check('describeGroup: none', () =>
    expectError(run, /GROUP_ID_NOT_FOUND/, () => admin.call('describeGroup', { group: `${group}-none` })),
  )
  await run.check('deleteGroup: has members', () =>
    expectError(run, /NON_EMPTY_GROUP/, () => admin.call('deleteGroup', { group })),
  )
  await run.check('resetOffsets: has members', () =>
    expectError(run, /NON_EMPTY_GROUP/, () => admin.call('resetOffsets', { group, topic, to: 'earliest' })),
  )
  await run.check('deleteOffsets: has members', () =>
    expectError(run, /GROUP_SUBSCRIBED_TO_TOPIC/, () => admin.call('deleteOffsets', { group, topic })),
  )
  await kafka.call('closeMember', { member: 'one' })
}

async function emptyGroup({ run, admin, topic, group }: Stage): Promise<void> {
  const reset = async (
    to: 'earliest' | 'latest' | 'current' | { offset: string } | { shiftBy: number } | { timestamp: string },
    partition?: number,
  ) => {
    const args = { group, topic, to, ...(partition !== undefined && { partition }) }
    const { offsets } = await admin.call('resetOffsets', args)
    return offsets.toSorted((a, b) => a.partition - b.partition).map(({ offset }) => offset)
  }
  await run.check('describeGroup: empty', async () => {
    const { state, members, offsets } = await admin.call('describeGroup', { group })
    run.equal([state, members.length], ['Empty', 0])
    run.equal(
      offsets.map(({ partition, offset }) => [partition, offset]),
      [[1, '3']],
    )
  })
  await run.check('resetOffsets: latest', async () => run.equal(await reset('latest'), ['4', '4', '4']))
  await run.check('resetOffsets: by', async () => run.equal(await reset({ shiftBy: -2 }, 1), ['2']))
  await run.check('resetOffsets: current', async () => run.equal(await reset('current', 1), ['2']))
  await run.check('resetOffsets: offset', async () => run.equal(await reset({ offset: '1' }, 2), ['1']))
  await run.check('resetOffsets: time', async () =>
    run.equal(await reset({ timestamp: '1000' }), ['0', '0', '0']),
  )
  await run.check('resetOffsets: earliest', async () => run.equal(await reset('earliest', 0), ['0']))
  await run.check('deleteOffsets', async () => {
    await admin.call('deleteOffsets', { group, topic })
    await expectError(run, /GROUP_ID_NOT_FOUND/, () => admin.call('describeGroup', { group })).catch(
      async () => run.equal((await admin.call('describeGroup', { group })).offsets, []),
    )
  })
  await run.check('resetOffsets makes a group, deleteGroup', async () => {
    run.equal(await reset({ offset: '1' }, 0), ['1'])
    await admin.call('deleteGroup', { group })
    const { groups } = await admin.call('listGroups', {})
    run.true(!groups.some((each) => each.group === group), 'the group is still listed')
  })
  await run.check('deleteGroup: none', () =>
    expectError(run, /GROUP_ID_NOT_FOUND/, () => admin.call('deleteGroup', { group })),
  )
}

async function users({ run, admin, topic }: Stage): Promise<void> {
  const user = `${topic}-user`
  const mechanismsOf = async () => {
    const { users } = await admin.call('scramUsers', {})
    return users.find((each) => each.user === user)?.mechanisms.toSorted() ?? []
  }
  await run.check('alterScramUser, scramUsers', async () => {
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
      await admin.call('alterScramUser', { user, mechanism, password: 'pass word=1' })
    }
    run.equal(await mechanismsOf(), ['SCRAM-SHA-256', 'SCRAM-SHA-512'])
  })
  await run.check('alterScramUser: remove', async () => {
    await admin.call('alterScramUser', { user, mechanism: 'SCRAM-SHA-256', password: null })
    run.equal(await mechanismsOf(), ['SCRAM-SHA-512'])
    await admin.call('alterScramUser', { user, mechanism: 'SCRAM-SHA-512', password: null })
  })
}
