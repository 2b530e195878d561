import { Given, Then, When } from '@cucumber/cucumber'
import { Unsupported } from '../matrix/driver/errors.js'
import type { KafkaReceived } from '../matrix/driver/messages.js'
import { AdminRefused } from './admin.js'
import { readByKafka, sameAsWrittenForKafka } from './consume.js'
import { sameOffset } from './places.js'
import { errorName, metadataRaw, randomBatch, type TopicMetadata } from './requests.js'
import { createTopic } from './topics.js'
import { holds, Mismatch, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

/* ---- Full names ----------------------------------------------------------------------------------------------- */

function needFullNames(world: ConformanceWorld): void {
  const answer = world.declared('MT-2')
  if (answer !== 'offered') throw new Unsupported(`the target declares full names as ${String(answer)}`)
}

Given('the target offers full names', function (this: ConformanceWorld) {
  needFullNames(this)
})

Given(
  'a topic that Kafka calls by its full name in the form {}',
  async function (this: ConformanceWorld, form: string) {
    needFullNames(this)
    const local = this.newName()
    const prefix = form.startsWith('persistent://') ? 'persistent://' : ''
    await createTopic(this, 1, {}, `${prefix}${this.namespace}/${local}`)
  },
)

const fullName = (world: ConformanceWorld): string => `${world.namespace}/${world.topic().name}`

Then(
  'reading by the full name gives the same records under the same offsets',
  async function (this: ConformanceWorld) {
    const byShort = await readByKafka(this)
    sameAsWrittenForKafka(this.written, byShort)
    const places = (records: readonly KafkaReceived[]) =>
      records.map(({ offset, value }) => `${offset} ${value}`)
    const byFull = await readByKafka(this, { topic: fullName(this) })
    sameList('offsets and values', places(byShort), places(byFull))
  },
)

Then(
  'the group has committed offset {int} by the full name',
  async function (this: ConformanceWorld, offset: number) {
    const driver = await this.kafka()
    const committed = await driver.call('committed', {
      group: this.note<string>('group'),
      topic: fullName(this),
    })
    await sameOffset('the committed offset', this, offset, committed.offset)
  },
)

Then('Pulsar finds nothing of that name in the default namespace', async function (this: ConformanceWorld) {
  const elsewhere = `persistent://public/default/${this.topic().name}`
  const partitions = await this.admin.partitions(elsewhere).catch((error: unknown) => {
    if (error instanceof AdminRefused && error.status === 404) return 0
    throw error
  })
  same(`the partitions of ${elsewhere}`, 0, partitions)
})

/* ---- Forbidden names ------------------------------------------------------------------------------------------ */

async function createByName(world: ConformanceWorld, name: string): Promise<number> {
  const topics = [{ name, numPartitions: 1, replicationFactor: 1 }]
  const raw = await world.raw()
  const answer = await raw.call('request', { api: 'CreateTopics', body: { topics, timeoutMs: 10_000 } })
  const { topics: created } = answer.body as unknown as { topics: { errorCode: number }[] }
  const errorCode = created[0]?.errorCode ?? -1
  if (errorCode === 0) world.topics.push({ name, partitions: 1 })
  world.notes.set('name', name)
  world.notes.set('error', errorCode)
  return errorCode
}

When(
  /^a topic named "([^"]*)"(?: (\d+) times)? is created$/,
  async function (this: ConformanceWorld, text: string, times: string | null) {
    // One character is left to chance, so that runs on one target do not meet: the length is what matters.
    const name = times === null ? text : this.random.text(Number(times))
    await createByName(this, name)
  },
)

Then('no topic of that name is listed', async function (this: ConformanceWorld) {
  const name = this.note<string>('name')
  const { topics } = await metadataRaw(this, null)
  sameList(
    'topics of that name',
    [],
    topics.filter((topic) => topic.name === name).map((topic) => topic.name),
  )
})

async function askMetadata(world: ConformanceWorld, name: string, allowed: boolean): Promise<TopicMetadata> {
  const { topics } = await metadataRaw(world, [name], allowed)
  const [topic] = topics
  if (topic === undefined) throw new Mismatch('the answer to Metadata', `an entry for ${name}`, topics)
  world.notes.set('name', name)
  world.notes.set('error', topic.errorCode)
  return topic
}

When(
  'metadata of {string} is asked with creation allowed',
  async function (this: ConformanceWorld, name: string) {
    await askMetadata(this, name, true)
  },
)

/* ---- Names that look like partitions -------------------------------------------------------------------------- */

When(
  'a topic of the name of its partition 0 is created and written to',
  async function (this: ConformanceWorld) {
    const alias = `${this.topic().name}-partition-0`
    const errorCode = await createByName(this, alias)
    if (errorCode !== 0) return
    const raw = await this.raw()
    const partitionData = [{ index: 0, records: randomBatch(this, 1) }]
    const produce = { acks: -1, timeoutMs: 5000, topicData: [{ name: alias, partitionData }] }
    // Its leader may need a moment: asked again, it answers.
    for (let attempt = 0; attempt < 200; attempt++) {
      const { body } = await raw.call('request', { api: 'Produce', body: produce })
      const { responses } = body as unknown as {
        responses: { partitionResponses: { errorCode: number }[] }[]
      }
      this.notes.set('alias written', responses[0]?.partitionResponses[0]?.errorCode)
      if (this.notes.get('alias written') === 0) return
    }
  },
)

Then('what happens is what the target declares', async function (this: ConformanceWorld) {
  const declared = this.declared('MT-8')
  const seen = await errorName(this, this.note<number>('error'))
  if (declared === 'refused') same('the error of creating it', 'INVALID_TOPIC_EXCEPTION', seen)
  else if (declared === 'separate') {
    same('the error of creating it', 'NONE', seen)
    same('the error of writing to it', 0, this.notes.get('alias written'))
  } else throw new Unsupported(`the profile’s answer to MT-8 is not known: ${String(declared)}`)
})

/* ---- Partitions ----------------------------------------------------------------------------------------------- */

Then('Pulsar sees {int} partition(s)', async function (this: ConformanceWorld, count: number) {
  const driver = await this.pulsar()
  const { names } = await driver.call('partitions', { topic: this.pulsarTopic() })
  const expected = Array.from({ length: count }, (_, index) => `${this.pulsarTopic()}-partition-${index}`)
  sameList('partitions as Pulsar names them', expected, [...names].sort())
})

Then('Kafka sees {int} partition(s)', async function (this: ConformanceWorld, count: number) {
  const driver = await this.kafka()
  let indexes: number[] | undefined
  // Either side may learn of the other's change a moment later.
  for (let attempt = 0; attempt < 50 && indexes?.length !== count; attempt++) {
    const { topics } = await driver.call('metadata', { topics: [this.topic().name] })
    indexes = topics[0]?.partitions.map(({ index }) => index).sort((a, b) => a - b)
  }
  same(
    'partitions as Kafka sees them',
    Array.from({ length: count }, (_, index) => index),
    indexes,
  )
})

When('Kafka raises it to {int} partitions', async function (this: ConformanceWorld, count: number) {
  const driver = await this.kafka()
  await driver.call('createPartitions', { topic: this.topic().name, count })
  this.topics[0] = { ...this.topic(), partitions: count }
  // Libraries ask for metadata again after minutes: fresh ones ask at once.
  this.reconnect()
})

When('Pulsar raises it to {int} partitions', async function (this: ConformanceWorld, count: number) {
  await this.admin.raisePartitions(this.pulsarTopic(), count)
  this.topics[0] = { ...this.topic(), partitions: count }
  // Libraries ask for metadata again after minutes: fresh ones ask at once.
  this.reconnect()
})

Given(
  'a Pulsar topic without partitions whose target shows it to Kafka',
  async function (this: ConformanceWorld) {
    const answer = this.declared('MT-12')
    if (answer !== 'one-partition') throw new Unsupported(`the target declares MT-12 as ${String(answer)}`)
    const topic = { name: this.newName(), partitions: 0 }
    await this.admin.createUnpartitioned(this.pulsarTopic(topic))
    this.topics.push(topic)
  },
)

/* ---- Creation ------------------------------------------------------------------------------------------------- */

When(
  /^metadata of an unknown topic is asked with creation (allowed|forbidden)$/,
  async function (this: ConformanceWorld, creation: string) {
    await askMetadata(this, this.newName('-unknown'), creation === 'allowed')
  },
)

When('a Kafka client asks for an unknown topic', async function (this: ConformanceWorld) {
  const driver = await this.kafka()
  const name = this.newName('-unknown')
  this.notes.set('name', name)
  this.notes.set('asked', await driver.call('metadata', { topics: [name] }))
})

Then(
  'it is told UNKNOWN_TOPIC_OR_PARTITION, and the topic is not listed',
  async function (this: ConformanceWorld) {
    const { topics } = this.note<{ topics: { error?: string }[] }>('asked')
    same('the error', 'UNKNOWN_TOPIC_OR_PARTITION', topics[0]?.error)
    const { names } = await (await this.kafka()).call('listTopics', {})
    same('whether it is listed', false, names.includes(this.note<string>('name')))
  },
)

/* ---- System topics -------------------------------------------------------------------------------------------- */

/** Pulsar's and Kafka's own system topics, whoever serves them. */
const SYSTEM_NAMES = [
  '__change_events',
  '__consumer_offsets',
  '__offsets',
  '__transaction_state',
  '__transaction_buffer_snapshot',
]

Given('a system topic of the target', async function (this: ConformanceWorld) {
  const name = this.fact('MT-11')
  if (typeof name !== 'string') throw new Unsupported('the profile names no system topic (MT-11)')
  this.notes.set('name', name)
  await askForCoordinator(this)
})

/** Topics of the coordinator's own exist, at the latest, from the first question for it on. */
async function askForCoordinator(world: ConformanceWorld): Promise<void> {
  const raw = await world.raw()
  await raw.call('request', { api: 'FindCoordinator', body: { key: 'any', keyType: 0 } })
}

When('a client asks who coordinates a group', async function (this: ConformanceWorld) {
  await askForCoordinator(this)
})

When('its metadata is asked by its name', async function (this: ConformanceWorld) {
  const name = this.note<string>('name')
  let topic = await askMetadata(this, name, false)
  for (let attempt = 0; attempt < 500 && topic.errorCode !== 0; attempt++)
    topic = await askMetadata(this, name, false)
  this.notes.set('asked', topic)
})

Then('it is marked internal', function (this: ConformanceWorld) {
  const { errorCode, isInternal } = this.note<TopicMetadata>('asked')
  same('the answer for it', { errorCode: 0, isInternal: true }, { errorCode, isInternal })
})

Then('every listed topic of a system name is marked internal', async function (this: ConformanceWorld) {
  const { topics } = await metadataRaw(this, null)
  holds('the list of all topics', Array.isArray(topics), 'a list', topics)
  const offered = topics.filter(({ name, isInternal }) => SYSTEM_NAMES.includes(name) && !isInternal)
  sameList(
    'system topics offered as user topics',
    [],
    offered.map(({ name }) => name),
  )
})

When(
  'Pulsar writes to the system topic {string} of the namespace',
  async function (this: ConformanceWorld, name: string) {
    const driver = await this.pulsar()
    const topic = `persistent://${this.namespace}/${name}`
    const messages = [{ key: 'k', value: Buffer.from('event').toString('base64') }]
    await driver.call('produce', { topic, messages, producer: 'system' })
  },
)

Then("Kafka's metadata marks {string} internal", async function (this: ConformanceWorld, name: string) {
  const { errorCode, isInternal } = await askMetadata(this, name, false)
  same('the answer for it', { errorCode: 0, isInternal: true }, { errorCode, isInternal })
})
