import { Given, Then, When } from '@cucumber/cucumber'
import type { KafkaOps, KafkaReceived } from '../matrix/driver/messages.js'
import type { TypedDriver } from '../matrix/driver/process.js'
import { base64 } from './records.js'
import { secretsOf } from './tenants-secured.js'
import {
  kafkaSecurity,
  loginAs,
  makeTenants,
  type Ordinal,
  pulsarSecurity,
  superKafkaSecurity,
  type Tenant,
  tenant,
} from './tenants-users.js'
import { holds, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

/* Two tenants that use the same short names, each through clients of its own user. */

const BOTH: readonly Ordinal[] = ['first', 'second']

Given('two tenants, each with a namespace and a user', async function (this: ConformanceWorld) {
  await makeTenants(this, BOTH, 'administers')
  logInBy(this, 'PLAIN')
})

Given('a tenant with a namespace and a user', async function (this: ConformanceWorld) {
  await makeTenants(this, ['first'], 'administers')
  logInBy(this, 'PLAIN')
})

Given(
  'a tenant with a namespace and a user, on a target that logs all that it can',
  async function (this: ConformanceWorld) {
    await makeTenants(this, ['first'], 'administers', { logLevel: 'trace' })
    logInBy(this, 'PLAIN')
  },
)

Given('a tenant with a namespace and a user without rights', async function (this: ConformanceWorld) {
  await makeTenants(this, ['first'], 'uses')
  logInBy(this, 'PLAIN')
})

/* ---- Clients ------------------------------------------------------------------------------------------------------ */

interface HowToLogIn {
  readonly mechanism: string
  readonly overTls: boolean
}

function logInBy(world: ConformanceWorld, mechanism: string, overTls = false): void {
  world.notes.set('log-in', { mechanism, overTls } satisfies HowToLogIn)
}

Given(/^clients log in by (\S+)( over TLS)?$/, function (this: ConformanceWorld, how: string, tls?: string) {
  logInBy(this, how, tls !== undefined && tls !== null)
})

const caPathOf = (world: ConformanceWorld): string | undefined =>
  world.note<HowToLogIn>('log-in').overTls ? secretsOf(world).caPath : undefined

function kafkaOf(world: ConformanceWorld, of: Tenant): Promise<TypedDriver<KafkaOps>> {
  const { mechanism } = world.note<HowToLogIn>('log-in')
  return world.kafkaAs(kafkaSecurity(of, mechanism, caPathOf(world)))
}

const pulsarOf = (world: ConformanceWorld, of: Tenant) => world.pulsarAs(pulsarSecurity(of, caPathOf(world)))

/* ---- Topics of one name --------------------------------------------------------------------------------------------- */

/** The short name that both use. */
const sharedName = (world: ConformanceWorld): string => world.noted('short name', () => world.newName())

const pulsarName = (world: ConformanceWorld, of: Tenant): string =>
  `persistent://${of.namespace}/${sharedName(world)}`
const valuesOf = (world: ConformanceWorld, of: Tenant): string[] =>
  world.noted(`values of ${of.name}`, () => [])

async function createOwn(world: ConformanceWorld, of: Tenant, partitions: number): Promise<void> {
  const driver = await kafkaOf(world, of)
  const { topics } = await driver.call('createTopics', { topics: [{ name: sharedName(world), partitions }] })
  same(`the error of creating the topic of ${of.name}`, undefined, topics[0]?.error)
}

When(
  'each creates the topic of the same short name, the first with {int} partition(s), the second with {int}',
  async function (this: ConformanceWorld, first: number, second: number) {
    await createOwn(this, tenant(this, 'first'), first)
    await createOwn(this, tenant(this, 'second'), second)
  },
)

async function writeOwn(world: ConformanceWorld, of: Tenant, count: number): Promise<void> {
  const values = Array.from({ length: count }, () => base64(world.random.text(10)))
  const driver = await kafkaOf(world, of)
  const records = values.map((value) => ({ partition: 0, key: null, value }))
  await driver.call('produce', { topic: sharedName(world), records })
  valuesOf(world, of).push(...values)
}

When(
  'the first writes {int} records to it, and the second {int}',
  async function (this: ConformanceWorld, first: number, second: number) {
    await writeOwn(this, tenant(this, 'first'), first)
    await writeOwn(this, tenant(this, 'second'), second)
  },
)

When(
  'it creates a topic and writes {int} records to it',
  async function (this: ConformanceWorld, count: number) {
    await createOwn(this, tenant(this, 'first'), 1)
    await writeOwn(this, tenant(this, 'first'), count)
  },
)

When(
  'a Pulsar client of each writes {int} messages of its own to it',
  async function (this: ConformanceWorld, count: number) {
    for (const which of BOTH) {
      const of = tenant(this, which)
      const values = Array.from({ length: count }, () => base64(this.random.text(10)))
      const driver = await pulsarOf(this, of)
      const messages = values.map((value) => ({ value }))
      await driver.call('produce', { topic: `${pulsarName(this, of)}-partition-0`, messages })
      valuesOf(this, of).push(...values)
    }
  },
)

function sameRecords(what: string, values: readonly string[], seen: readonly KafkaReceived[]): void {
  sameList(
    what,
    values.map((value, at) => ({ offset: String(at), value })),
    seen.map(({ offset, value }) => ({ offset, value })),
  )
}

Then(
  'a Kafka client of each reads its own from offset 0 on, and nothing else',
  async function (this: ConformanceWorld) {
    for (const which of BOTH) {
      const of = tenant(this, which)
      const driver = await kafkaOf(this, of)
      const { records } = await driver.call('consume', { topic: sharedName(this), until: 'end' })
      sameRecords(`what the ${which} reads`, valuesOf(this, of), records)
    }
  },
)

Then('it reads the same by the full name {word}', async function (this: ConformanceWorld, form: string) {
  const of = tenant(this, 'first')
  const name = form.replace('tenant/namespace', of.namespace).replace('topic', sharedName(this))
  const driver = await kafkaOf(this, of)
  const { records } = await driver.call('consume', { topic: name, until: 'end' })
  sameRecords(`what is read as ${form}`, valuesOf(this, of), records)
})

Then(
  'a Pulsar client of each reads its own in its own namespace, and nothing else',
  async function (this: ConformanceWorld) {
    for (const which of BOTH) {
      const of = tenant(this, which)
      const driver = await pulsarOf(this, of)
      const topic = `${pulsarName(this, of)}-partition-0`
      const { messages } = await driver.call('read', { topic, until: 'end' })
      const seen = messages.map(({ value }) => value)
      sameList(`what Pulsar reads of the ${which}`, valuesOf(this, of), seen)
    }
  },
)

Then(
  'each is listed that topic alone, the first with {int} partition(s), the second with {int}',
  async function (this: ConformanceWorld, first: number, second: number) {
    for (const [which, count] of [
      ['first', first],
      ['second', second],
    ] as const) {
      const driver = await kafkaOf(this, tenant(this, which))
      const { names } = await driver.call('listTopics', {})
      sameList(`topics that the ${which} is listed`, [sharedName(this)], names)
      const { topics } = await driver.call('metadata', { topics: [sharedName(this)] })
      same(`partitions that the ${which} sees`, count, topics[0]?.partitions.length)
    }
  },
)

When('the first deletes its topic', async function (this: ConformanceWorld) {
  const driver = await kafkaOf(this, tenant(this, 'first'))
  const { topics } = await driver.call('deleteTopics', { names: [sharedName(this)] })
  same('the error of deleting it', undefined, topics[0]?.error)
})

Then(
  'the second still reads its own from offset 0 on, and nothing else',
  async function (this: ConformanceWorld) {
    const of = tenant(this, 'second')
    const driver = await kafkaOf(this, of)
    const { records } = await driver.call('consume', { topic: sharedName(this), until: 'end' })
    sameRecords('what the second reads', valuesOf(this, of), records)
  },
)

/* ---- Groups of one name --------------------------------------------------------------------------------------------- */

const sharedGroup = (world: ConformanceWorld): string =>
  world.noted('shared group', () => world.newName('-group'))

When(
  'a group of the same name reads {int} records at the first, and {int} at the second',
  async function (this: ConformanceWorld, first: number, second: number) {
    for (const [which, count] of [
      ['first', first],
      ['second', second],
    ] as const) {
      const of = tenant(this, which)
      const driver = await kafkaOf(this, of)
      const asked = { group: sharedGroup(this), topic: sharedName(this), count }
      const { records } = await driver.call('consumeInGroup', asked)
      sameRecords(`what the group of the ${which} reads`, valuesOf(this, of).slice(0, count), records)
    }
  },
)

async function sameCommitted(world: ConformanceWorld, which: Ordinal, offset: number): Promise<void> {
  const driver = await kafkaOf(world, tenant(world, which))
  const { offsets } = await driver.call('allCommitted', { group: sharedGroup(world) })
  const seen = offsets.map((each) => [each.topic, each.partition, each.offset])
  const expected = offset < 0 ? [] : [[sharedName(world), 0, String(offset)]]
  sameList(`what the group of the ${which} has committed`, expected, seen)
}

Then(
  'the group has committed offset {int} at the first, and {int} at the second',
  async function (this: ConformanceWorld, first: number, second: number) {
    await sameCommitted(this, 'first', first)
    await sameCommitted(this, 'second', second)
  },
)

const toolOf = (world: ConformanceWorld, of: Tenant) => world.kafkaAdminAs(kafkaSecurity(of, 'PLAIN'))

Then("Kafka's tool lists that group alone to each of them", async function (this: ConformanceWorld) {
  for (const which of BOTH) {
    const tool = await toolOf(this, tenant(this, which))
    const { groups } = await tool.call('listGroups', {})
    const seen = groups.map(({ group }) => group)
    sameList(`groups that the ${which} is listed`, [sharedGroup(this)], seen)
  }
})

When("Kafka's tool deletes the group of the first", async function (this: ConformanceWorld) {
  const tool = await toolOf(this, tenant(this, 'first'))
  await tool.call('deleteGroup', { group: sharedGroup(this) })
})

Then(
  'the group of the first is gone, and that of the second is as it was',
  async function (this: ConformanceWorld) {
    const described = async (which: Ordinal) => {
      const tool = await toolOf(this, tenant(this, which))
      const { offsets } = await tool.call('describeGroup', { group: sharedGroup(this) })
      return offsets.map(({ partition, offset }) => [partition, offset])
    }
    const gone = await described('first').catch((error: unknown) =>
      error instanceof Error ? error.name : '',
    )
    same('what the tool says of the first’s', 'GROUP_ID_NOT_FOUND', gone)
    const kept = (await described('second')).filter(([, offset]) => offset !== null)
    sameList('offsets of the second’s', [[0, String(this.note<number>('kept offset'))]], kept)
  },
)

When(
  'a group of the same name commits offset {int} at the first, and {int} at the second',
  async function (this: ConformanceWorld, first: number, second: number) {
    const raw = await this.raw()
    for (const [which, committedOffset] of [
      ['first', first],
      ['second', second],
    ] as const) {
      const connection = `commits of the ${which}`
      same('the log-in', 'NONE', (await loginAs(this, connection, tenant(this, which))).error)
      const topics = [{ numPartitions: 1, replicationFactor: 1, name: sharedName(this) }]
      await raw.call('request', { connection, api: 'CreateTopics', body: { topics, timeoutMs: 10_000 } })
      const { body } = await raw.call('request', {
        connection,
        api: 'OffsetCommit',
        body: {
          groupId: sharedGroup(this),
          topics: [
            {
              name: sharedName(this),
              partitions: [{ partitionIndex: 0, committedOffset: String(committedOffset) }],
            },
          ],
        },
      })
      const answer = body as unknown as { topics: { partitions: { errorCode: number }[] }[] }
      same('the error of committing', 0, answer.topics[0]?.partitions[0]?.errorCode)
    }
    this.notes.set('kept offset', second)
  },
)

/* ---- Users made by Kafka's tool --------------------------------------------------------------------------------------- */

When(
  "Kafka's tool gives the user a new password for {word}",
  async function (this: ConformanceWorld, mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-512') {
    const of = tenant(this, 'first')
    const password = `made-by-the-tool-${this.random.text(12)}`
    const tool = await this.kafkaAdminAs(superKafkaSecurity(this))
    await tool.call('alterScramUser', { user: of.namespace, mechanism, password })
    this.notes.set('old password', of.password)
    this.notes.set('new password', password)
  },
)

Then(
  "a client logs in by {word} with the new password, and works in the user's namespace",
  async function (this: ConformanceWorld, mechanism: string) {
    const of = tenant(this, 'first')
    const driver = await this.kafkaAs(
      kafkaSecurity({ ...of, password: this.note<string>('new password') }, mechanism),
    )
    const { names } = await driver.call('listTopics', {})
    holds('topics that it is listed', names.includes(sharedName(this)), sharedName(this), names)
  },
)

Then('with the old one it is refused', async function (this: ConformanceWorld) {
  const of = tenant(this, 'first')
  const driver = await this.kafkaAs(
    kafkaSecurity({ ...of, password: this.note<string>('old password') }, 'SCRAM-SHA-512'),
  )
  const error = await driver.call('listTopics', {}).then(
    () => 'NONE',
    (refused: Error) => refused.name,
  )
  same('the error of logging in', 'SASL_AUTHENTICATION_FAILED', error)
})
