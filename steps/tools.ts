import { Then, When } from '@cucumber/cucumber'
import { same, sameList } from './verify.js'
import type { ConformanceWorld, ScenarioTopic } from './world.js'

/** The topic that the steps before speak of: the newest. */
function current(world: ConformanceWorld): ScenarioTopic {
  return world.topic(world.topics.length)
}

/* ---- Pulsar's tool ------------------------------------------------------------------------------------------------ */

When(
  "Pulsar's tool creates a topic of {int} partition(s)",
  async function (this: ConformanceWorld, partitions: number) {
    const topic = { name: this.newName(), partitions }
    const tool = await this.pulsarAdmin()
    await tool.call('createPartitionedTopic', { topic: this.pulsarTopic(topic), partitions })
    this.topics.push(topic)
  },
)

When(
  "Pulsar's tool raises it to {int} partitions",
  async function (this: ConformanceWorld, partitions: number) {
    const tool = await this.pulsarAdmin()
    await tool.call('updatePartitions', { topic: this.pulsarTopic(current(this)), partitions })
  },
)

When("Pulsar's tool deletes the topic", async function (this: ConformanceWorld) {
  const tool = await this.pulsarAdmin()
  await tool.call('deletePartitionedTopic', { topic: this.pulsarTopic(current(this)) })
})

/** By its metadata, and by the topics of its partitions. */
Then(
  "Pulsar's tool lists the topic with {int} partition(s)",
  async function (this: ConformanceWorld, partitions: number) {
    const tool = await this.pulsarAdmin()
    const topic = this.pulsarTopic(current(this))
    same('partitions', partitions, (await tool.call('partitions', { topic })).partitions)
    sameList(
      'topics of partitions',
      Array.from({ length: partitions }, (_, index) => `${topic}-partition-${index}`).sort(),
      (await listedByPulsar(this, 'listTopics')).sort(),
    )
    sameList('partitioned topics', [topic], await listedByPulsar(this, 'listPartitionedTopics'))
  },
)

Then("Pulsar's tool does not list the topic", async function (this: ConformanceWorld) {
  sameList('topics of partitions', [], await listedByPulsar(this, 'listTopics'))
  sameList('partitioned topics', [], await listedByPulsar(this, 'listPartitionedTopics'))
})

/** Those that are the topic, or its partitions'. */
async function listedByPulsar(
  world: ConformanceWorld,
  op: 'listTopics' | 'listPartitionedTopics',
): Promise<string[]> {
  const tool = await world.pulsarAdmin()
  const { names } = await tool.call(op, { namespace: world.namespace })
  const topic = world.pulsarTopic(current(world))
  return names.filter((name) => name === topic || name.startsWith(`${topic}-partition-`))
}

/* ---- Kafka's tool ------------------------------------------------------------------------------------------------- */

When(
  "Kafka's tool creates a topic of {int} partition(s)",
  async function (this: ConformanceWorld, partitions: number) {
    const topic = { name: this.newName(), partitions }
    await (await this.kafkaAdmin()).call('createTopic', { topic: topic.name, partitions })
    this.topics.push(topic)
  },
)

When("Kafka's tool raises it to {int} partitions", async function (this: ConformanceWorld, count: number) {
  const tool = await this.kafkaAdmin()
  await tool.call('raisePartitions', { topic: current(this).name, partitions: count })
})

When("Kafka's tool deletes the topic", async function (this: ConformanceWorld) {
  await (await this.kafkaAdmin()).call('deleteTopic', { topic: current(this).name })
})

Then(
  "Kafka's tool lists the topic with {int} partition(s)",
  async function (this: ConformanceWorld, count: number) {
    const tool = await this.kafkaAdmin()
    const topic = current(this).name
    const { names } = await tool.call('listTopics', {})
    same('how often it is listed', 1, names.filter((name) => name === topic).length)
    const { partitions } = await tool.call('describeTopic', { topic })
    sameList(
      'partitions',
      Array.from({ length: count }, (_, index) => index),
      partitions.map(({ index }) => index).sort((a, b) => a - b),
    )
  },
)

Then("Kafka's tool does not list the topic", async function (this: ConformanceWorld) {
  const { names } = await (await this.kafkaAdmin()).call('listTopics', {})
  const topic = current(this).name
  same('whether it is listed', false, names.includes(topic))
})
