import { Given, Then, When } from '@cucumber/cucumber'
import { DriverError } from '../matrix/driver/errors.js'
import { readByPulsar } from './consume.js'
import { sendByPulsar } from './produce.js'
import { idText, pulsarView, randomMessage } from './records.js'
import { eventually, holds, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

/** What Pulsar's tools do on Pulsar's own topics, tenants and namespaces: Kafka is not needed for it. */

/** Ledgers are dropped in the background. */
const TRUNCATED_WITHIN_MS = 10_000

/* ---- Subscriptions ------------------------------------------------------------------------------------------------ */

When(
  /^Pulsar's tool makes the subscription "(\w+)" at the (earliest|latest)$/,
  async function (this: ConformanceWorld, subscription: string, at: 'earliest' | 'latest') {
    const tool = await this.pulsarAdmin()
    await tool.call('createSubscription', { topic: this.pulsarPartition(), subscription, at })
  },
)

Then(
  "Pulsar's tool lists exactly these subscriptions: {}",
  async function (this: ConformanceWorld, list: string) {
    const tool = await this.pulsarAdmin()
    const { names } = await tool.call('listSubscriptions', { topic: this.pulsarPartition() })
    const expected = list === 'none' ? [] : list.split(', ')
    sameList('subscriptions', expected, [...names].sort())
  },
)

const deleteSubscription = async (world: ConformanceWorld, subscription: string) =>
  (await world.pulsarAdmin()).call('deleteSubscription', { topic: world.pulsarPartition(), subscription })

When(
  /^Pulsar's tool deletes the subscription "(\w+)"$/,
  async function (this: ConformanceWorld, subscription: string) {
    await deleteSubscription(this, subscription)
  },
)

Then(
  'deleting the subscription {string} is refused with {int}',
  async function (this: ConformanceWorld, subscription: string, status: number) {
    same('deleting it', String(status), await outcome(deleteSubscription(this, subscription)))
  },
)

async function outcome(asked: Promise<unknown>): Promise<string> {
  return asked.then(
    () => 'done',
    (error: unknown) => {
      if (error instanceof DriverError) return error.name
      throw error
    },
  )
}

/* ---- Messages ----------------------------------------------------------------------------------------------------- */

Then(
  "Pulsar's tool examines number {int} from the {word} as the message at offset {int}",
  async function (this: ConformanceWorld, number: number, from: string, place: number) {
    const tool = await this.pulsarAdmin()
    const { value } = await tool.call('examine', {
      topic: this.pulsarPartition(),
      from: from === 'earliest' ? 'earliest' : 'latest',
      place: number,
    })
    const written = this.written[place]
    const expected = written === undefined ? null : pulsarView(written).value
    same('the message', { value: expected }, { value })
  },
)

Then("Pulsar's tool names the last message's id", async function (this: ConformanceWorld) {
  const tool = await this.pulsarAdmin()
  const { id } = await tool.call('lastMessageId', { topic: this.pulsarPartition() })
  const last = (await readByPulsar(this)).at(-1)
  if (last === undefined) throw new Error('nothing is in the topic')
  same('the last id', idText(last.id), idText(id))
})

Then(
  "Pulsar's tool counts {int} entries, all in its ledgers",
  async function (this: ConformanceWorld, count: number) {
    const tool = await this.pulsarAdmin()
    const { numberOfEntries, ledgers } = await tool.call('internalStats', { topic: this.pulsarPartition() })
    same('entries', count, numberOfEntries)
    // Of the ledger that is open, some brokers tell the entries only when it is closed.
    const sum = ledgers.reduce((all, { entries }) => all + entries, 0)
    holds('entries of its ledgers', sum <= count && ledgers.length > 0, `${count} at most`, ledgers)
  },
)

When("Pulsar's tool terminates the topic", async function (this: ConformanceWorld) {
  const tool = await this.pulsarAdmin()
  const { id } = await tool.call('terminate', { topic: this.pulsarPartition() })
  this.notes.set('terminated at', id)
})

Then('it ends at its last message, and takes no more', async function (this: ConformanceWorld) {
  const last = (await readByPulsar(this)).at(-1)
  const { ledgerId, entryId } = this.note<{ ledgerId: string; entryId: string }>('terminated at')
  same('where it ends', `${last?.id.ledgerId}:${last?.id.entryId}`, `${ledgerId}:${entryId}`)
  const driver = await this.pulsar()
  const { partition: _, ...message } = { partition: 0, ...randomMessage(this.random, this.nowMs) }
  const args = { topic: this.pulsarPartition(), messages: [message], producer: 'late', timeoutMs: 5000 }
  const sent = await outcome(driver.call('produce', args))
  holds('sending one more', sent !== 'done', 'an error', sent)
})

/** Pulsar drops whole ledgers, and not the one that is written to: the topic is unloaded to close it. */
When("Pulsar's tool unloads and truncates the topic", async function (this: ConformanceWorld) {
  const tool = await this.pulsarAdmin()
  const topic = this.pulsarPartition()
  await tool.call('unload', { topic })
  await tool.call('truncate', { topic })
})

Then(
  'a Pulsar reader receives nothing of it, and then {int} that are sent',
  async function (this: ConformanceWorld, count: number) {
    await eventually(TRUNCATED_WITHIN_MS, async () => {
      same('what is there', [], await readByPulsar(this))
    })
    this.written.length = 0
    const messages = Array.from({ length: count }, () => randomMessage(this.random, this.nowMs))
    await sendByPulsar(this, messages)
    const seen = await readByPulsar(this)
    sameList(
      'values',
      this.written.map((each) => pulsarView(each).value),
      seen.map(({ value }) => value),
    )
  },
)

Then("Pulsar's tool finds its owner at the broker's own address", async function (this: ConformanceWorld) {
  const tool = await this.pulsarAdmin()
  const { brokerUrl } = await tool.call('lookup', { topic: this.pulsarPartition() })
  const { port } = new URL(this.endpoints.pulsar ?? '')
  same('the port', port, new URL(brokerUrl).port)
})

Then(
  "the leader of each partition is the broker that Pulsar's tool finds",
  async function (this: ConformanceWorld) {
    const driver = await this.kafka()
    const { brokers, topics } = await driver.call('metadata', { topics: [this.topic().name] })
    const tool = await this.pulsarAdmin()
    for (const { index, leader } of topics[0]?.partitions ?? []) {
      const { brokerUrl } = await tool.call('lookup', { topic: this.pulsarPartition(index) })
      const host = brokers.find(({ id }) => id === leader)?.host
      same(`the host of partition ${index}`, new URL(brokerUrl).hostname, host)
    }
  },
)

/* ---- Tenants, namespaces, policies -------------------------------------------------------------------------------- */

const namespaceOf = (world: ConformanceWorld): string => world.note<string>('namespace')

Given("a tenant and a namespace that Pulsar's tool makes", async function (this: ConformanceWorld) {
  const tool = await this.pulsarAdmin()
  const tenant = this.newName('-tenant')
  await tool.call('createTenant', { tenant })
  await tool.call('createNamespace', { namespace: `${tenant}/made` })
  this.notes.set('namespace', `${tenant}/made`)
})

Then("Pulsar's tool lists both, until it deletes them", async function (this: ConformanceWorld) {
  const tool = await this.pulsarAdmin()
  const namespace = namespaceOf(this)
  const [tenant = ''] = namespace.split('/')
  const isListed = async () => (await tool.call('listTenants', {})).names.includes(tenant)
  same('whether the tenant is listed', true, await isListed())
  sameList('its namespaces', [namespace], (await tool.call('listNamespaces', { tenant })).names)
  same('deleting a tenant with a namespace', '409', await outcome(tool.call('deleteTenant', { tenant })))
  await tool.call('deleteNamespace', { namespace })
  sameList('its namespaces', [], (await tool.call('listNamespaces', { tenant })).names)
  await tool.call('deleteTenant', { tenant })
  same('whether the tenant is listed', false, await isListed())
})

Then('making either again is refused with {int}', async function (this: ConformanceWorld, status: number) {
  const tool = await this.pulsarAdmin()
  const namespace = namespaceOf(this)
  const [tenant = ''] = namespace.split('/')
  same('the tenant', String(status), await outcome(tool.call('createTenant', { tenant })))
  same('the namespace', String(status), await outcome(tool.call('createNamespace', { namespace })))
})

When(
  "Pulsar's tool sets its retention to {int} minutes and {int} MB, and its time to live to {int} s",
  async function (this: ConformanceWorld, minutes: number, megabytes: number, seconds: number) {
    const tool = await this.pulsarAdmin()
    const namespace = namespaceOf(this)
    await tool.call('setRetention', { namespace, minutes, megabytes })
    await tool.call('setMessageTtl', { namespace, seconds })
  },
)

Then(
  "Pulsar's tool reads a retention of {int} minutes and {int} MB, and a time to live of {int} s",
  async function (this: ConformanceWorld, minutes: number, megabytes: number, seconds: number) {
    const tool = await this.pulsarAdmin()
    const namespace = namespaceOf(this)
    same('the retention', { minutes, megabytes }, await tool.call('retention', { namespace }))
    same('the time to live', { seconds }, await tool.call('messageTtl', { namespace }))
  },
)

When(
  /^Pulsar's tool (grants|revokes) (?:produce and consume to )?"(\w+)" (?:there|what it may)$/,
  async function (this: ConformanceWorld, what: string, role: string) {
    const tool = await this.pulsarAdmin()
    const on = namespaceOf(this)
    if (what === 'revokes') await tool.call('revokePermission', { on, role })
    else await tool.call('grantPermission', { on, role, actions: ['produce', 'consume'] })
  },
)

Then(
  /^Pulsar's tool lists that (?:"(\w+)" may produce and consume|nobody may do anything) there$/,
  async function (this: ConformanceWorld, role: string | null) {
    const tool = await this.pulsarAdmin()
    const { roles } = await tool.call('permissions', { on: namespaceOf(this) })
    const seen = Object.fromEntries(
      Object.entries(roles).map(([name, actions]) => [name, [...actions].sort()]),
    )
    same('permissions', role === null ? {} : { [role]: ['consume', 'produce'] }, seen)
  },
)
