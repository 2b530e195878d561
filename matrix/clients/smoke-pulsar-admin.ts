import type { PulsarAdminOps } from '../driver/admin-messages.js'
import type { MessageId, PulsarOps } from '../driver/messages.js'
import { type Driver, pulsarAdminDriver, pulsarDriver, type TypedDriver } from '../driver/process.js'
import { expectError, type SmokeRun } from './smoke-run.js'

const text = (value: string) => Buffer.from(value).toString('base64')
const decoded = (value: string) => Buffer.from(value, 'base64').toString()

interface Stage {
  readonly run: SmokeRun
  readonly tool: TypedDriver<PulsarAdminOps>
  /** A client beside the tool: it writes what there is to manage. */
  readonly pulsar: TypedDriver<PulsarOps>
  readonly tenant: string
  readonly namespace: string
  /** Without partitions. */
  readonly topic: string
  readonly partitioned: string
}

/** Every op of a tool of Pulsar's administration, with a client beside it that makes what there is to manage. */
export async function smokePulsarAdmin(
  run: SmokeRun,
  driver: Driver,
  beside: Driver,
  addresses: { readonly pulsar: string; readonly admin: string },
): Promise<void> {
  const tool = pulsarAdminDriver(driver)
  const pulsar = pulsarDriver(beside)
  const tenant = `smoke-${run.id}`
  const namespace = `${tenant}/space`
  const [topic, partitioned] = [`persistent://${namespace}/one`, `persistent://${namespace}/four`]
  const stage = { run, tool, pulsar, tenant, namespace, topic, partitioned }
  await pulsar.call('configure', { serviceUrl: addresses.pulsar })
  await run.check('configure', () =>
    tool.call('configure', { adminUrl: addresses.admin, serviceUrl: addresses.pulsar }),
  )
  await tenants(stage)
  await policies(stage)
  await topics(stage)
  await subscriptions(stage)
  await partitionedSubscriptions(stage)
  await statistics(stage)
  await schemas(stage)
  await upkeep(stage)
  // A producer that is left open makes its topic anew.
  await pulsar.call('configure', { serviceUrl: addresses.pulsar })
  await endings(stage)
}

async function tenants({ run, tool, tenant, namespace }: Stage): Promise<void> {
  await run.check('listClusters, listBrokers', async () => {
    run.true((await tool.call('listClusters', {})).names.length > 0, 'no cluster')
    run.equal((await tool.call('listBrokers', {})).names.length, 1)
  })
  await run.check('createTenant, listTenants', async () => {
    await tool.call('createTenant', { tenant })
    run.true((await tool.call('listTenants', {})).names.includes(tenant), 'the tenant is not listed')
  })
  await run.check('createTenant: exists', () =>
    expectError(run, /^409$/, () => tool.call('createTenant', { tenant })),
  )
  await run.check('createNamespace, listNamespaces', async () => {
    await tool.call('createNamespace', { namespace })
    run.equal((await tool.call('listNamespaces', { tenant })).names, [namespace])
  })
  await run.check('createNamespace: no tenant', () =>
    expectError(run, /^404$/, () => tool.call('createNamespace', { namespace: `${tenant}-none/space` })),
  )
  await run.check('deleteTenant: not empty', () =>
    expectError(run, /^409$/, () => tool.call('deleteTenant', { tenant })),
  )
}

async function policies({ run, tool, namespace, topic }: Stage): Promise<void> {
  await run.check('retention', async () => {
    run.equal(await tool.call('retention', { namespace }), { minutes: null, megabytes: null })
    await tool.call('setRetention', { namespace, minutes: 90, megabytes: -1 })
    run.equal(await tool.call('retention', { namespace }), { minutes: 90, megabytes: -1 })
  })
  await run.check('messageTtl', async () => {
    run.equal((await tool.call('messageTtl', { namespace })).seconds, null)
    await tool.call('setMessageTtl', { namespace, seconds: 3600 })
    run.equal((await tool.call('messageTtl', { namespace })).seconds, 3600)
    await tool.call('setMessageTtl', { namespace, seconds: 0 })
  })
  for (const on of [namespace, topic]) {
    await run.check(`permissions of a ${on === topic ? 'topic' : 'namespace'}`, async () => {
      if (on === topic) await tool.call('createTopic', { topic: on })
      await tool.call('grantPermission', { on, role: 'reader', actions: ['produce', 'consume'] })
      const { roles } = await tool.call('permissions', { on })
      run.equal(roles.reader?.toSorted(), ['consume', 'produce'])
      await tool.call('revokePermission', { on, role: 'reader' })
      run.equal((await tool.call('permissions', { on })).roles.reader, undefined)
    })
  }
}

async function topics({ run, tool, namespace, topic, partitioned }: Stage): Promise<void> {
  await run.check('createTopic: exists', () =>
    expectError(run, /^409$/, () => tool.call('createTopic', { topic })),
  )
  await run.check('createPartitionedTopic, partitions', async () => {
    await tool.call('createPartitionedTopic', { topic: partitioned, partitions: 2 })
    run.equal((await tool.call('partitions', { topic: partitioned })).partitions, 2)
    run.equal((await tool.call('partitions', { topic })).partitions, 0)
  })
  await run.check('updatePartitions', async () => {
    await tool.call('updatePartitions', { topic: partitioned, partitions: 4 })
    run.equal((await tool.call('partitions', { topic: partitioned })).partitions, 4)
  })
  await run.check('updatePartitions: fewer', () =>
    expectError(run, /^4\d\d$/, () => tool.call('updatePartitions', { topic: partitioned, partitions: 1 })),
  )
  await run.check('listTopics, listPartitionedTopics', async () => {
    const { names } = await tool.call('listTopics', { namespace })
    run.equal(
      names.toSorted(),
      [0, 1, 2, 3].map((index) => `${partitioned}-partition-${index}`).concat(topic),
    )
    run.equal((await tool.call('listPartitionedTopics', { namespace })).names, [partitioned])
  })
  await run.check('lookup', async () => {
    run.true((await tool.call('lookup', { topic })).brokerUrl.startsWith('pulsar://'), 'no Pulsar address')
  })
}

const AT = ['earliest', 'latest'] as const

async function subscriptions({ run, tool, pulsar, topic }: Stage): Promise<void> {
  const produce = async (values: readonly string[], more = {}) => {
    const messages = values.map((value) => ({
      key: `k${value}`,
      properties: { n: value },
      value: text(value),
    }))
    return (await pulsar.call('produce', { topic, messages, ...more })).ids
  }
  const ids: MessageId[] = await produce(['0', '1', '2', '3', '4'])
  const backlog = async (name: string) =>
    (await tool.call('stats', { topic })).subscriptions[name]?.msgBacklog
  await run.check('createSubscription, listSubscriptions', async () => {
    for (const at of AT) await tool.call('createSubscription', { topic, subscription: at, at })
    const [, , third] = ids
    if (third) await tool.call('createSubscription', { topic, subscription: 'third', at: { id: third } })
    run.equal((await tool.call('listSubscriptions', { topic })).names.toSorted(), [...AT, 'third'])
    run.equal([await backlog('earliest'), await backlog('latest')], [5, 0])
    run.equal(await backlog('third'), 3)
  })
  await run.check('createSubscription: exists', () =>
    expectError(run, /^409$/, () => tool.call('createSubscription', { topic, subscription: 'latest' })),
  )
  const on = { topic, subscription: 'earliest' }
  await run.check('peek', async () => {
    const { messages } = await tool.call('peek', { ...on, count: 2 })
    // Libraries before 4.0 do not know the header in which later brokers put properties.
    const isOld = /^[23]\./.test(tool.driver.version)
    run.equal(
      messages.map(({ value, properties }) => [decoded(value), isOld ? decoded(value) : properties.n]),
      [
        ['0', '0'],
        ['1', '1'],
      ],
    )
    for (const { key } of messages) run.true(key === undefined || /^k[01]$/.test(key ?? ''), `key ${key}`)
    run.equal(messages[1]?.id?.entryId ?? ids[1]?.entryId, ids[1]?.entryId)
    run.equal(await backlog('earliest'), 5)
  })
  await run.check('examine', async () => {
    run.equal(decoded((await tool.call('examine', { topic, from: 'earliest', place: 2 })).value), '1')
    run.equal(decoded((await tool.call('examine', { topic, from: 'latest', place: 1 })).value), '4')
  })
  await run.check('skip', async () => {
    await tool.call('skip', { ...on, count: 2 })
    run.equal(await backlog('earliest'), 3)
  })
  await run.check('resetCursor to an id', async () => {
    const id = ids[1]
    if (id === undefined) throw new Error('no id')
    await tool.call('resetCursor', { ...on, to: { id } })
    run.equal(await backlog('earliest'), 4)
  })
  await run.check('clearBacklog', async () => {
    await tool.call('clearBacklog', on)
    run.equal(await backlog('earliest'), 0)
  })
  await run.check('resetCursor to a time', async () => {
    await tool.call('resetCursor', { ...on, to: { timestamp: String(Date.now() - 3_600_000) } })
    run.equal(await backlog('earliest'), 5)
  })
  await run.check('lastMessageId', async () => {
    const { id } = await tool.call('lastMessageId', { topic })
    run.equal([id.ledgerId, id.entryId], [ids[4]?.ledgerId, ids[4]?.entryId])
  })
  await run.check('of no subscription', () =>
    expectError(run, /^404$/, () => tool.call('skip', { topic, subscription: 'none', count: 1 })),
  )
  await run.check('deleteSubscription', async () => {
    await tool.call('deleteSubscription', { topic, subscription: 'third' })
    run.equal((await tool.call('listSubscriptions', { topic })).names.toSorted(), [...AT])
  })
  await run.check('deleteSubscription: has consumers, force', async () => {
    const used = { topic, subscription: 'used' }
    await pulsar.call('subscribe', { consumer: 'one', ...used })
    run.equal((await tool.call('stats', { topic })).subscriptions.used?.consumers, 1)
    await expectError(run, /^412$/, () => tool.call('deleteSubscription', used))
    await tool.call('deleteSubscription', { ...used, force: true })
    await pulsar.call('closeConsumer', { consumer: 'one' })
  })
}

async function partitionedSubscriptions({ run, tool, pulsar, partitioned }: Stage): Promise<void> {
  const on = { topic: partitioned, subscription: 'all' }
  await run.check('a subscription of all partitions', async () => {
    await tool.call('createSubscription', { ...on, at: 'earliest' })
    const messages = ['a', 'b', 'c', 'd'].map((value) => ({ key: value, value: text(value) }))
    await pulsar.call('produce', { topic: partitioned, messages })
    const { partitions, subscriptions: all } = await tool.call('partitionedStats', { topic: partitioned })
    run.equal([partitions, all.all?.msgBacklog], [4, 4])
    run.equal((await tool.call('listSubscriptions', { topic: partitioned })).names, ['all'])
  })
  await run.check('clearBacklog of all partitions', async () => {
    await tool.call('clearBacklog', on)
    const { subscriptions: all } = await tool.call('partitionedStats', { topic: partitioned })
    run.equal(all.all?.msgBacklog, 0)
  })
  await run.check('deleteSubscription of all partitions', async () => {
    await tool.call('deleteSubscription', on)
    run.equal((await tool.call('listSubscriptions', { topic: partitioned })).names, [])
  })
}

async function statistics({ run, tool, topic }: Stage): Promise<void> {
  await run.check('stats', async () => {
    const stats = await tool.call('stats', { topic })
    run.true((stats.storageSize ?? 1) > 0, 'no storage size')
    run.equal(Object.keys(stats.subscriptions).toSorted(), [...AT])
  })
  await run.check('internalStats', async () => {
    const stats = await tool.call('internalStats', { topic })
    run.equal([stats.numberOfEntries, Object.keys(stats.cursors).toSorted()], [5, [...AT]])
    const [last] = stats.ledgers.slice(-1)
    run.equal(stats.lastConfirmedEntry, `${last?.ledgerId}:4`)
    run.equal(stats.cursors.latest?.markDeletePosition, `${last?.ledgerId}:4`)
  })
  await run.check('stats of no topic', () =>
    expectError(run, /^404$/, () => tool.call('stats', { topic: `${topic}-none` })),
  )
  await run.check('expire', async () => {
    const on = { topic, subscription: 'earliest' }
    await tool.call('expire', { ...on, olderThanSeconds: 3600 })
    run.equal((await tool.call('stats', { topic })).subscriptions.earliest?.msgBacklog, 5)
  })
}

async function schemas({ run, tool, topic }: Stage): Promise<void> {
  const record = { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] }
  await run.check('uploadSchema, schema', async () => {
    await tool.call('uploadSchema', { topic, type: 'AVRO', definition: JSON.stringify(record) })
    const { type, definition } = await tool.call('schema', { topic })
    run.equal([type, JSON.parse(definition)], ['AVRO', record])
  })
  await run.check('deleteSchema', async () => {
    await tool.call('deleteSchema', { topic })
    await expectError(run, /^404$/, () => tool.call('schema', { topic }))
  })
}

async function upkeep({ run, tool, topic }: Stage): Promise<void> {
  await run.check('truncate', async () => {
    await tool.call('truncate', { topic })
    run.equal((await tool.call('stats', { topic })).subscriptions.earliest?.msgBacklog, 0)
  })
  await run.check('unload', async () => {
    await tool.call('unload', { topic })
    run.true((await tool.call('lookup', { topic })).brokerUrl !== '', 'no owner')
  })
  await run.check('compact, compactionStatus', async () => {
    await tool.call('compact', { topic })
    const { status } = await tool.call('compactionStatus', { topic })
    run.true(/^(RUNNING|SUCCESS)$/.test(status), `status ${status}`)
  })
  await run.check('terminate', async () => {
    const { id } = await tool.call('terminate', { topic })
    run.true(Number(id.ledgerId) >= 0, 'no ledger')
  })
}

async function endings({ run, tool, tenant, namespace, topic, partitioned }: Stage): Promise<void> {
  await run.check('deleteTopic', async () => {
    await tool.call('deleteTopic', { topic, force: true })
    run.true(!(await tool.call('listTopics', { namespace })).names.includes(topic), 'still listed')
  })
  await run.check('deleteTopic: none', () =>
    expectError(run, /^404$/, () => tool.call('deleteTopic', { topic })),
  )
  await run.check('deletePartitionedTopic', async () => {
    await tool.call('deletePartitionedTopic', { topic: partitioned, force: true })
    run.equal((await tool.call('listTopics', { namespace })).names, [])
  })
  await run.check('deleteNamespace, deleteTenant', async () => {
    await tool.call('deleteNamespace', { namespace })
    run.equal((await tool.call('listNamespaces', { tenant })).names, [])
    await tool.call('deleteTenant', { tenant })
    run.true(!(await tool.call('listTenants', {})).names.includes(tenant), 'still listed')
  })
}
