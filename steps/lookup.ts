import { Then, When } from '@cucumber/cucumber'
import { DriverError, Unsupported } from '../matrix/driver/errors.js'
import { sameOffset } from './places.js'
import { metadataRaw } from './requests.js'
import { createTopic } from './topics.js'
import { eventually, holds, Mismatch, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

const LED_WITHIN_MS = 5_000

type Metadata = Awaited<ReturnType<typeof metadataOf>>

async function metadataOf(world: ConformanceWorld) {
  return (await world.kafka()).call('metadata', { topics: [world.topic().name] })
}

function leaderOf({ brokers, topics }: Metadata, partition: number): { host: string; port: number } {
  const leader = topics[0]?.partitions.find(({ index }) => index === partition)?.leader
  const broker = brokers.find(({ id }) => id === leader)
  if (broker === undefined)
    throw new Mismatch(`the leader of partition ${partition}`, 'one of the brokers', leader)
  return { host: broker.host, port: broker.port }
}

/** A topic may be told of before all of its partitions are led: Apache Kafka's brokers hear of both one by one. */
async function ledMetadataOf(world: ConformanceWorld, partitions: number): Promise<Metadata> {
  return eventually(LED_WITHIN_MS, async () => {
    const metadata = await metadataOf(world)
    for (let partition = 0; partition < partitions; partition++) leaderOf(metadata, partition)
    return metadata
  })
}

Then(
  'each of {int} partitions has a leader among the brokers',
  async function (this: ConformanceWorld, count: number) {
    const metadata = await ledMetadataOf(this, count)
    same('the number of partitions', count, metadata.topics[0]?.partitions.length)
    const addresses = new Set(metadata.brokers.map(({ host, port }) => `${host}:${port}`))
    same('addresses that brokers share', metadata.brokers.length, addresses.size)
  },
)

Then(
  "the leader of each partition is at the host that Pulsar's look-up names",
  async function (this: ConformanceWorld) {
    const metadata = await metadataOf(this)
    for (let partition = 0; partition < this.topic().partitions; partition++) {
      const owner = new URL(await this.admin.lookup(this.pulsarPartition(partition)))
      same(`the host of partition ${partition}`, owner.hostname, leaderOf(metadata, partition).host)
    }
  },
)

/* ---- Addresses ------------------------------------------------------------------------------------------------ */

interface Address {
  readonly host: string
  readonly port: number
}

When("a broker's address is asked of {word}", async function (this: ConformanceWorld, api: string) {
  const raw = await this.raw()
  let found: readonly Address[] = []
  // A coordinator may need a moment to be there: asked again, it answers.
  for (let attempt = 0; attempt < 500 && found.length === 0; attempt++) {
    const { body } = await raw.call('request', {
      api,
      body: { key: 'any-group', keyType: 0, endpointType: 1, topics: [] },
    })
    const { brokers, host, port, errorCode } = body as unknown as Address & {
      brokers?: Address[]
      errorCode?: number
    }
    if (brokers !== undefined) found = brokers
    else if (errorCode === 0) found = [{ host, port }]
  }
  this.notes.set(
    'addresses',
    found.map(({ host, port }) => `${host}:${port}`),
  )
})

Then('it is the address of the listener that was asked', function (this: ConformanceWorld) {
  const addresses = this.note<string[]>('addresses')
  // A bootstrap address may be one of several, or stand for a balancer in front of the brokers: then the profile says.
  const declared = this.fact('TL-6') ?? this.endpoints.kafka
  const advertised = typeof declared === 'string' ? declared.split(',').map((each) => each.trim()) : []
  holds('there is an answer', addresses.length > 0, 'an address', addresses)
  const other = addresses.filter((each) => !advertised.includes(each))
  sameList(`addresses other than ${advertised.join(', ')}`, [], other)
})

/* ---- Deleted and created again -------------------------------------------------------------------------------- */

When('Kafka deletes it and creates it again', async function (this: ConformanceWorld) {
  const driver = await this.kafka()
  const { name, partitions } = this.topic()
  const { topics } = await driver.call('deleteTopics', { names: [name] })
  same('the error of deleting it', undefined, topics[0]?.error)
  this.topics.length = 0
  this.written.length = 0
  // Deleting takes a moment on a cluster: until then the name is taken.
  for (let attempt = 0; ; attempt++) {
    const created = await createTopic(this, partitions, {}, name).then(
      () => true,
      (error: unknown) => {
        if (attempt > 100 || !(error instanceof Mismatch)) throw error
        return false
      },
    )
    if (created) break
  }
  // Handles of before know the old topic.
  this.reconnect()
})

Then(
  'its log reaches from offset {int} to {int}',
  async function (this: ConformanceWorld, first: number, end: number) {
    const driver = await this.kafka()
    const topic = this.topic().name
    const earliest = await driver.call('listOffsets', { topic, partition: 0, at: 'earliest' })
    const latest = await driver.call('listOffsets', { topic, partition: 0, at: 'latest' })
    await sameOffset('the earliest offset', this, first, earliest.offset)
    await sameOffset('the latest offset', this, end, latest.offset)
    if (first === end) same('earliest and latest of an empty log', earliest.offset, latest.offset)
  },
)

async function topicIdOf(world: ConformanceWorld): Promise<string> {
  const { topics } = await metadataRaw(world, [world.topic().name])
  const topicId = topics[0]?.topicId
  if (topicId === undefined) throw new Unsupported('no listed version of Metadata carries topic ids')
  return topicId
}

When('its topic id is noted, and it is deleted and created again', async function (this: ConformanceWorld) {
  const raw = await this.raw()
  const { name } = this.topic()
  this.notes.set('topic id', await topicIdOf(this))
  const { body } = await raw.call('request', {
    api: 'DeleteTopics',
    body: { topicNames: [name], timeoutMs: 10_000 },
  })
  const { responses } = body as unknown as { responses: { errorCode: number }[] }
  same('the error of deleting it', 0, responses[0]?.errorCode)
  this.topics.length = 0
  for (let attempt = 0; this.topics.length === 0; attempt++) {
    await createTopic(this, 1, {}, name).catch((error: unknown) => {
      if (attempt > 200 || !(error instanceof Mismatch)) throw error
    })
  }
})

Then('its topic id is another one', async function (this: ConformanceWorld) {
  const before = this.note<string>('topic id')
  const now = await topicIdOf(this)
  holds('the topic id', now !== before && /[^A]/.test(now), `another than ${before}`, now)
})

When('Pulsar deletes it', async function (this: ConformanceWorld) {
  await this.admin.delete(this.pulsarTopic(), true)
  this.reconnect()
})

Then('Kafka no longer knows it', async function (this: ConformanceWorld) {
  const driver = await this.kafka()
  const { name } = this.topic()
  const { names } = await driver.call('listTopics', {})
  same('whether it is listed', false, names.includes(name))
  const seen = await driver.call('metadata', { topics: [name] }).then(
    ({ topics }) => topics[0]?.error,
    (error: unknown) => {
      if (error instanceof DriverError) return error.name
      throw error
    },
  )
  same('what is said of it', 'UNKNOWN_TOPIC_OR_PARTITION', seen)
  this.topics.length = 0
})
