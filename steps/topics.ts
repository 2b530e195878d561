import { type DataTable, Given, When } from '@cucumber/cucumber'
import { Unsupported } from '../matrix/driver/errors.js'
import { lendInstance, sharedInstance, startInstance } from './instances.js'
import { holds, Mismatch } from './verify.js'
import type { ConformanceWorld, ScenarioTopic } from './world.js'

/** Creates by Kafka where the scenario has it, else by Pulsar's admin API. */
export async function createTopic(
  world: ConformanceWorld,
  partitions: number,
  configs: Record<string, string> = {},
  name = world.newName(),
): Promise<ScenarioTopic> {
  const topic = { name, partitions }
  const { endpoints, parameters } = world
  if (endpoints.kafka !== undefined && parameters.raw !== undefined && parameters.kafka === undefined) {
    await createByRaw(world, topic, configs)
  } else if (endpoints.kafka !== undefined && parameters.kafka !== undefined) {
    await createByKafka(world, topic, configs)
  } else {
    await world.admin.createPartitioned(world.pulsarTopic(topic), partitions)
  }
  world.topics.push(topic)
  return topic
}

/** A library that knows no administration uses topics that others made. */
async function createByKafka(
  world: ConformanceWorld,
  topic: ScenarioTopic,
  configs: Record<string, string>,
): Promise<void> {
  const { name, partitions } = topic
  const driver = await world.kafka()
  try {
    const { topics } = await driver.call('createTopics', { topics: [{ name, partitions, configs }] })
    holds(`creating the topic ${name}`, topics[0]?.error === undefined, 'no error', topics[0])
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error
    await createByOthers(world, topic, configs, error)
  }
}

/** By the raw client where the scenario has it, else by Pulsar's administration, which knows no settings of Kafka's. */
async function createByOthers(
  world: ConformanceWorld,
  topic: ScenarioTopic,
  configs: Record<string, string>,
  refused: Unsupported,
): Promise<void> {
  if (world.parameters.raw !== undefined) return createByRaw(world, topic, configs)
  if (world.endpoints.admin === undefined || Object.keys(configs).length > 0) throw refused
  await world.admin.createPartitioned(world.pulsarTopic(topic), topic.partitions)
}

async function createByRaw(
  world: ConformanceWorld,
  { name, partitions }: ScenarioTopic,
  configs: Record<string, string>,
): Promise<void> {
  const topics = [
    {
      name,
      numPartitions: partitions,
      replicationFactor: 1,
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    },
  ]
  const driver = await world.raw()
  const { body } = await driver.call('request', { api: 'CreateTopics', body: { topics, timeoutMs: 10_000 } })
  const [created] = body.topics as { errorCode: number }[]
  holds(`creating the topic ${name}`, created?.errorCode === 0, 'no error', created)
  await awaitLeaders(world, name, partitions)
}

/** A new topic is ready when every partition answers: a client of a library would ask again by itself. */
async function awaitLeaders(world: ConformanceWorld, name: string, partitions: number): Promise<void> {
  const raw = await world.raw()
  const all = Array.from({ length: partitions }, (_, index) => ({ partitionIndex: index, timestamp: '-1' }))
  const body = { topics: [{ name, partitions: all }], timeoutMs: 10_000 }
  let errors: number[] = []
  for (let attempt = 0; attempt < 500; attempt++) {
    const answer = await raw.call('request', { api: 'ListOffsets', body })
    const { topics } = answer.body as unknown as { topics: { partitions: { errorCode: number }[] }[] }
    errors = topics.flatMap((topic) => topic.partitions.map(({ errorCode }) => errorCode))
    if (errors.length === partitions && errors.every((code) => code === 0)) return
  }
  throw new Mismatch('leaders of the new topic', 'no error', errors)
}

Given('a topic', async function (this: ConformanceWorld) {
  await createTopic(this, 1)
})

Given('a topic of {int} partition(s)', async function (this: ConformanceWorld, partitions: number) {
  await createTopic(this, partitions)
})

Given(
  'a topic with {string} set to {string}',
  async function (this: ConformanceWorld, name: string, value: string) {
    await createTopic(this, 1, { [name]: value })
  },
)

Given('a Pulsar topic of {int} partition(s)', async function (this: ConformanceWorld, partitions: number) {
  const topic = { name: this.newName(), partitions }
  await this.admin.createPartitioned(this.pulsarTopic(topic), partitions)
  this.topics.push(topic)
})

/* ---- Targets of the scenario's own ---------------------------------------------------------------------------- */

Given('a target of its own', async function (this: ConformanceWorld) {
  const { kind } = this.parameters.target
  this.useInstance(await lendInstance(kind), {})
})

Given(
  'a target of its own with {string} set to {string}',
  async function (this: ConformanceWorld, name: string, value: string) {
    const settings = { [name]: value }
    this.useInstance(await sharedInstance(this.parameters.target.kind, settings), settings)
  },
)

Given('a target of its own with', async function (this: ConformanceWorld, table: DataTable) {
  const settings = table.rowsHash()
  this.useInstance(await sharedInstance(this.parameters.target.kind, settings), settings)
})

/** Not shared with other scenarios: this one stops or spoils it. */
Given(
  'a target of its own, started with {string} set to {string}',
  async function (this: ConformanceWorld, name: string, value: string) {
    const settings = { [name]: value }
    this.useInstance(await startInstance(this.parameters.target.kind, settings), settings)
  },
)

When(
  'it is started again over the same data with {string} set to {string}',
  async function (this: ConformanceWorld, name: string, value: string) {
    const { instance } = this
    const { dataDir } = instance
    await instance.stop({ keepData: true })
    const settings = { [name]: value }
    this.useInstance(await startInstance(this.parameters.target.kind, settings, dataDir), settings)
  },
)

When('the target is restarted', async function (this: ConformanceWorld) {
  await this.instance.restart()
  this.reconnect()
})

When('the target is killed and started again', async function (this: ConformanceWorld) {
  await this.instance.kill()
  await this.instance.start()
  this.reconnect()
})

When('the ledger of the partition is rolled over', async function (this: ConformanceWorld) {
  const { pulsar } = this.endpoints
  if (pulsar === undefined) throw new Unsupported('the target has no ledgers')
  await this.instance.rollOver(this.pulsarPartition(0))
})
