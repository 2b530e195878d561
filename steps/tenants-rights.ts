import { Given, Then, When } from '@cucumber/cucumber'
import { Unsupported } from '../matrix/driver/errors.js'
import type { RawBatch } from '../matrix/driver/raw-messages.js'
import { errorName } from './requests.js'
import { exchange } from './tenants-login.js'
import { secretsOf } from './tenants-secured.js'
import { asSuper, kafkaSecurity, loginAs, pulsarSecurity, tenant } from './tenants-users.js'
import { holds, same } from './verify.js'
import type { ConformanceWorld } from './world.js'

/* What a user is granted, and what its clients then may do. */

const value = Buffer.from('letter').toString('base64')
const ADMINISTRATOR = 'administrator'
const OPEN = 'open'

async function produceOver(world: ConformanceWorld, connection: string): Promise<string> {
  const records: RawBatch = { records: [{ value }] }
  const partitionData = [{ index: 0, records }]
  const body = { acks: -1, timeoutMs: 10_000, topicData: [{ name: world.topic().name, partitionData }] }
  const answer = await exchange(world, connection, 'Produce', undefined, body)
  if (typeof answer === 'string') return answer
  const { responses } = answer as unknown as { responses: { partitionResponses: { errorCode: number }[] }[] }
  return errorName(world, responses[0]?.partitionResponses[0]?.errorCode ?? -1)
}

async function logInAdministrator(world: ConformanceWorld): Promise<void> {
  const of = tenant(world, 'first')
  const { error } = await loginAs(world, ADMINISTRATOR, { ...of, token: of.adminToken })
  same('the log-in of the administrator', 'NONE', error)
}

async function storedCount(world: ConformanceWorld): Promise<string | undefined> {
  await logInAdministrator(world)
  const topics = [{ name: world.topic().name, partitions: [{ partitionIndex: 0, timestamp: '-1' }] }]
  const answer = await exchange(world, ADMINISTRATOR, 'ListOffsets', undefined, { topics })
  const found = answer as unknown as { topics: { partitions: { offset: string }[] }[] }
  return found.topics[0]?.partitions[0]?.offset
}

Given("a topic of the tenant's administrator", async function (this: ConformanceWorld) {
  await logInAdministrator(this)
  const name = this.newName()
  const topics = [{ name, numPartitions: 1, replicationFactor: 1 }]
  await exchange(this, ADMINISTRATOR, 'CreateTopics', undefined, { topics, timeoutMs: 10_000 })
  this.topics.push({ name, partitions: 1 })
  same('the error as the administrator writes', 'NONE', await produceOver(this, ADMINISTRATOR))
})

/* ---- Granting ------------------------------------------------------------------------------------------------------- */

const permissionsPath = (world: ConformanceWorld): string => {
  const { namespace, role } = tenant(world, 'first')
  return `/admin/v2/namespaces/${namespace}/permissions/${role}`
}

When('the user is granted {word}', async function (this: ConformanceWorld, right: string) {
  await asSuper(this, 'POST', permissionsPath(this), [right])
})

When("the user's rights are revoked", async function (this: ConformanceWorld) {
  await asSuper(this, 'DELETE', permissionsPath(this))
})

const toolOf = (world: ConformanceWorld) => world.pulsarAdminAs({ token: secretsOf(world).superToken })

When(
  "Pulsar's tool grants the user {word}",
  async function (this: ConformanceWorld, right: 'produce' | 'consume') {
    const { namespace: on, role } = tenant(this, 'first')
    await (await toolOf(this)).call('grantPermission', { on, role, actions: [right] })
  },
)

When("Pulsar's tool revokes the user's rights", async function (this: ConformanceWorld) {
  const { namespace: on, role } = tenant(this, 'first')
  await (await toolOf(this)).call('revokePermission', { on, role })
})

/* ---- What then works ------------------------------------------------------------------------------------------------ */

/** `done`, or the error's name. */
const outcomeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    (error: unknown) => {
      if (error instanceof Error && !(error instanceof Unsupported)) return `${error.name}: ${error.message}`
      throw error
    },
  )

async function writtenAndRead(world: ConformanceWorld, side: 'Kafka' | 'Pulsar'): Promise<readonly string[]> {
  const of = tenant(world, 'first')
  // Libraries remember what they were refused: fresh ones ask at once.
  world.reconnect()
  if (side === 'Kafka') {
    const driver = await world.kafkaAs(kafkaSecurity(of, 'PLAIN'))
    const topic = world.topic().name
    const records = [{ partition: 0, key: null, value }]
    const written = await outcomeOf(driver.call('produce', { topic, records, timeoutMs: 8000 }))
    const asked = { topic, count: 1, timeoutMs: 8000 }
    const read = driver.call('consume', asked).then((answer) => needOne(answer.records))
    return [written, await outcomeOf(read)]
  }
  const driver = await world.pulsarAs(pulsarSecurity(of))
  const topic = `persistent://${of.namespace}/${world.topic().name}-partition-0`
  const written = await outcomeOf(driver.call('produce', { topic, messages: [{ value }], timeoutMs: 8000 }))
  const read = driver.call('read', { topic, count: 1, timeoutMs: 8000 })
  return [written, await outcomeOf(read.then((answer) => needOne(answer.messages)))]
}

function needOne(came: readonly unknown[]): void {
  if (came.length === 0) throw new Error('nothing came')
}

const EXPECTED: Readonly<Record<string, readonly [write: boolean, read: boolean]>> = {
  'neither write nor read': [false, false],
  'write, and not read': [true, false],
  'read, and not write': [false, true],
}

Then(
  /^the user's (Kafka|Pulsar) client may (neither write nor read|write, and not read|read, and not write)$/,
  async function (this: ConformanceWorld, side: 'Kafka' | 'Pulsar', what: string) {
    const before = await storedCount(this)
    const [mayWrite, mayRead] = EXPECTED[what] ?? [false, false]
    const [written = '', read = ''] = await writtenAndRead(this, side)
    for (const [doing, may, outcome] of [
      ['writing', mayWrite, written],
      ['reading', mayRead, read],
    ] as const) {
      // librdkafka finds no leader, or no partition, of a topic that it may not see.
      const isRefusal =
        /authori[sz]ation|not authori[sz]ed|No leaders found|UNKNOWN_TOPIC_OR_PARTITION|^TIMEOUT/i.test(
          outcome,
        )
      holds(doing, may ? outcome === 'done' : isRefusal, may ? 'done' : 'a refusal', outcome)
    }
    const after = await storedCount(this)
    same('records that came to be stored', mayWrite ? 1 : 0, Number(after) - Number(before))
  },
)

Then("an open connection of the user's writes", async function (this: ConformanceWorld) {
  same('the log-in of the user', 'NONE', (await loginAs(this, OPEN, tenant(this, 'first'))).error)
  same('the error as it writes', 'NONE', await produceOver(this, OPEN))
  this.notes.set('stored', await storedCount(this))
})

Then(
  'the open connection is answered {word} as it writes, and nothing is stored',
  async function (this: ConformanceWorld, expected: string) {
    same('the error as it writes', expected, await produceOver(this, OPEN))
    same('the end of the log', this.note('stored'), await storedCount(this))
  },
)
