import { Given, Then, When } from '@cucumber/cucumber'
import { DriverError } from '../matrix/driver/errors.js'
import type { KafkaReceived, PulsarReceived } from '../matrix/driver/messages.js'
import { sendByKafka, sendByPulsar } from './produce.js'
import {
  kafkaView,
  pulsarView,
  randomMessage,
  randomRecord,
  seenKafka,
  seenPulsar,
  type Written,
} from './records.js'
import { holds, Mismatch, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

export async function readByKafka(
  world: ConformanceWorld,
  options: { partition?: number; from?: { offset: string }; count?: number; topic?: string } = {},
): Promise<KafkaReceived[]> {
  const { partition = 0, from = 'earliest', count, topic = world.topic().name } = options
  const end = count === undefined ? { until: 'end' as const } : { count }
  const driver = await world.kafka()
  const { records } = await driver.call('consume', { topic, partition, from, ...end })
  world.kafkaSeen = records
  return records
}

export async function readByPulsar(world: ConformanceWorld, partition = 0): Promise<PulsarReceived[]> {
  const driver = await world.pulsar()
  const { messages } = await driver.call('read', { topic: world.pulsarPartition(partition), until: 'end' })
  world.pulsarSeen = messages
  return messages
}

export function sameAsWrittenForKafka(written: readonly Written[], seen: readonly KafkaReceived[]): void {
  const views = seen.map((record, index) => {
    const of = written[index]
    return of === undefined ? record : seenKafka(record, of)
  })
  sameList<unknown>('records as Kafka sees them', written.map(kafkaView), views)
}

export function sameAsWrittenForPulsar(written: readonly Written[], seen: readonly PulsarReceived[]): void {
  const views = seen.map((message, index) => seenPulsar(message, written[index]))
  sameList('messages as Pulsar sees them', written.map(pulsarView), views)
}

const partitionsOf = (world: ConformanceWorld): number[] =>
  Array.from({ length: Math.max(1, world.topic().partitions) }, (_, index) => index)

Then('a Kafka consumer receives all of it, once and in order', async function (this: ConformanceWorld) {
  for (const partition of partitionsOf(this)) {
    sameAsWrittenForKafka(this.writtenTo(partition), await readByKafka(this, { partition }))
  }
})

Then('a Pulsar reader receives all of it, once and in order', async function (this: ConformanceWorld) {
  for (const partition of partitionsOf(this)) {
    sameAsWrittenForPulsar(this.writtenTo(partition), await readByPulsar(this, partition))
  }
})

/* ---- From the middle ------------------------------------------------------------------------------------------ */

Then(
  'reading from the offset of each record delivers that record first',
  async function (this: ConformanceWorld) {
    const all = await readByKafka(this)
    sameAsWrittenForKafka(this.written, all)
    const driver = await this.kafka()
    const { topic } = { topic: this.topic().name }
    // A few places, the ends always: each costs a reading of its own.
    for (const index of placesIn(all.length)) {
      const expected = all[index]
      if (expected === undefined) continue
      const { records } = await driver.call('consume', { topic, from: { offset: expected.offset }, count: 1 })
      sameList(`the first record from offset ${expected.offset}`, [expected], records.slice(0, 1))
    }
  },
)

export function placesIn(length: number): number[] {
  return [...new Set([0, 1, Math.floor(length / 2), length - 2, length - 1])].filter(
    (at) => at >= 0 && at < length,
  )
}

Given('a Kafka consumer that stays at the start of it', async function (this: ConformanceWorld) {
  const driver = await this.kafka()
  await driver.call('openConsumer', { consumer: 'stays', topic: this.topic().name, from: 'earliest' })
})

Given('a Kafka consumer that waits at its end', async function (this: ConformanceWorld) {
  const driver = await this.kafka()
  await driver.call('openConsumer', { consumer: 'waits', topic: this.topic().name, from: 'latest' })
})

Then(
  'the consumer that {word} receives exactly the next {int}',
  async function (this: ConformanceWorld, consumer: string, count: number) {
    const driver = await this.kafka()
    const { records } = await driver.call('poll', { consumer, count })
    const before = this.notes.get(`read by ${consumer}`) as number | undefined
    const from = before ?? 0
    this.notes.set(`read by ${consumer}`, from + count)
    const start = consumer === 'waits' ? ((this.notes.get('written before') as number | undefined) ?? 0) : 0
    sameAsWrittenForKafka(this.written.slice(start + from, start + from + count), records)
  },
)

Then(
  'the consumer that {word}, sent back to the offset of record {int}, receives the rest from there',
  async function (this: ConformanceWorld, consumer: string, number: number) {
    const driver = await this.kafka()
    const all = await readByKafka(this)
    await driver.call('seek', { consumer, offset: all[number - 1]?.offset ?? '-1' })
    const rest = this.written.slice(number - 1)
    const { records } = await driver.call('poll', { consumer, count: rest.length })
    sameAsWrittenForKafka(rest, records)
  },
)

When(
  'after that a {word} producer sends {int} more',
  async function (this: ConformanceWorld, world: string, count: number) {
    this.notes.set('written before', this.written.length)
    if (world === 'Kafka') {
      await sendByKafka(
        this,
        Array.from({ length: count }, () => randomRecord(this.random, this.nowMs, 0)),
        { anyTimes: true },
      )
    } else {
      await sendByPulsar(
        this,
        Array.from({ length: count }, () => randomMessage(this.random, this.nowMs)),
      )
    }
  },
)

/* ---- Traces --------------------------------------------------------------------------------------------------- */

Then('the topic has no subscription', async function (this: ConformanceWorld) {
  const subscriptions = await this.admin.subscriptions(this.pulsarPartition())
  const durable = Object.entries(subscriptions).filter(([, { isDurable }]) => isDurable !== false)
  same(
    'durable subscriptions after the consumer has gone',
    [],
    durable.map(([name]) => name),
  )
})

/* ---- Subscriptions -------------------------------------------------------------------------------------------- */

type SubscriptionType = 'exclusive' | 'failover' | 'shared' | 'key_shared'

Given(
  '{int} Pulsar consumer(s) of the {word} subscription {string}',
  async function (this: ConformanceWorld, count: number, type: string, subscription: string) {
    const driver = await this.pulsar()
    for (let number = 1; number <= count; number++) {
      await driver.call('subscribe', {
        consumer: `${subscription}-${number}`,
        topic: this.pulsarPartition(),
        subscription,
        type: type.replace('-', '_') as SubscriptionType,
        // Small enough that each gets some. Not for failover: Apache Pulsar 4.2 stops dispatching when the active consumer
        // leaves while a read for its last permits is under way.
        ...(type === 'failover' ? {} : { receiverQueueSize: 10 }),
      })
    }
  },
)

Then(
  'a second consumer of the exclusive subscription {string} is refused',
  async function (this: ConformanceWorld, subscription: string) {
    const driver = await this.pulsar()
    const args = {
      consumer: 'second',
      topic: this.pulsarPartition(),
      subscription,
      type: 'exclusive' as const,
    }
    const outcome = await driver.call('subscribe', args).then(
      () => 'subscribed',
      (error: unknown) => {
        if (!(error instanceof DriverError)) throw error
        return error.name === 'TIMEOUT' ? 'left without an answer' : 'refused'
      },
    )
    same('a second exclusive consumer', 'refused', outcome)
  },
)

async function receiveAndAcknowledge(
  world: ConformanceWorld,
  consumer: string,
  count: number,
  timeoutMs?: number,
): Promise<PulsarReceived[]> {
  const driver = await world.pulsar()
  const { messages } = await driver.call('receive', { consumer, count, ...(timeoutMs && { timeoutMs }) })
  const ids = messages.map(({ id }) => id)
  if (ids.length > 0) await driver.call('acknowledge', { consumer, ids })
  return messages
}

Then(
  'consumer {int} of {string} receives all of it, once and in order',
  async function (this: ConformanceWorld, number: number, subscription: string) {
    const messages = await receiveAndAcknowledge(this, `${subscription}-${number}`, this.written.length)
    sameAsWrittenForPulsar(this.written, messages)
  },
)

Then(
  'the consumers of {string} together receive each of it exactly once, and each of them some',
  async function (this: ConformanceWorld, subscription: string) {
    const driver = await this.pulsar()
    const seen = new Map<string, PulsarReceived[]>()
    const half = Math.floor(this.written.length / 4)
    for (const number of [1, 2]) {
      const consumer = `${subscription}-${number}`
      seen.set(consumer, (await driver.call('receive', { consumer, count: half })).messages)
    }
    const received = () => [...seen.values()].flat().length
    // What is left goes to whoever has room: a message of consumer 1, then one of consumer 2, until all have come.
    for (let idle = 0; received() < this.written.length && idle < 20; idle++) {
      for (const [consumer, before] of seen) {
        const count = this.written.length - received()
        if (count === 0) break
        const { messages } = await driver.call('receive', { consumer, count, timeoutMs: 250 })
        before.push(...messages)
        if (messages.length > 0) idle = 0
      }
    }
    const values = [...seen.values()].flat().map((message) => seenPulsar(message).value)
    const written = this.written.map((each) => pulsarView(each).value)
    sameList('what the consumers received together', [...written].sort(), [...values].sort())
    for (const [consumer, messages] of seen) {
      holds(`${consumer} receives its share`, messages.length > 0, 'at least one', messages.length)
    }
  },
)

/** Which of two failover consumers is the active one is the broker's choice: it is the one that messages come to. */
async function receiveAtActive(
  world: ConformanceWorld,
  subscription: string,
  count: number,
): Promise<{ active: number; messages: PulsarReceived[] }> {
  for (let attempt = 0; attempt < 40; attempt++) {
    const active = 1 + (attempt % 2)
    const messages = await receiveAndAcknowledge(world, `${subscription}-${active}`, 1, 250)
    if (messages.length === 0) continue
    if (count > 1)
      messages.push(...(await receiveAndAcknowledge(world, `${subscription}-${active}`, count - 1)))
    return { active, messages }
  }
  throw new Mismatch(`what the consumers of ${subscription} receive`, `${count} messages`, 'nothing')
}

When(
  'the active consumer of {string} receives {int} and leaves',
  async function (this: ConformanceWorld, subscription: string, count: number) {
    const { active, messages } = await receiveAtActive(this, subscription, count)
    sameAsWrittenForPulsar(this.written.slice(0, count), messages)
    await (await this.pulsar()).call('closeConsumer', { consumer: `${subscription}-${active}` })
    this.notes.set('taken', count)
    this.notes.set('left', 3 - active)
  },
)

When(
  'consumer {int} of {string} receives {int} and leaves',
  async function (this: ConformanceWorld, number: number, subscription: string, count: number) {
    const consumer = `${subscription}-${number}`
    const messages = await receiveAndAcknowledge(this, consumer, count)
    sameAsWrittenForPulsar(this.written.slice(0, count), messages)
    await (await this.pulsar()).call('closeConsumer', { consumer })
    this.notes.set('taken', count)
    this.notes.set('left', number)
  },
)

Then(
  'the consumer of {string} that is left receives the rest, in order',
  async function (this: ConformanceWorld, subscription: string) {
    const rest = this.written.slice(this.note<number>('taken'))
    const consumer = `${subscription}-${this.note<number>('left')}`
    sameAsWrittenForPulsar(rest, await receiveAndAcknowledge(this, consumer, rest.length))
  },
)

When(
  'a Kafka producer sends {int} records of {int} keys in one batch',
  async function (this: ConformanceWorld, count: number, keys: number) {
    const records = Array.from({ length: count }, (_, index) => ({
      ...randomRecord(this.random, this.nowMs, 0),
      key: Buffer.from(`key-${index % keys}`).toString('base64'),
      value: Buffer.from(`${index}-${this.random.text(6)}`).toString('base64'),
    }))
    await sendByKafka(this, records, { anyTimes: true })
  },
)

When(
  'a Pulsar producer sends {int} messages of {int} keys one by one',
  async function (this: ConformanceWorld, count: number, keys: number) {
    const messages = Array.from({ length: count }, (_, index) => ({
      ...randomMessage(this.random, this.nowMs),
      key: `key-${index % keys}`,
      value: Buffer.from(`${index}-${this.random.text(6)}`).toString('base64'),
    }))
    await sendByPulsar(this, messages)
  },
)

Then(
  'the consumers of {string} receive each key at one of them, in order',
  async function (this: ConformanceWorld, subscription: string) {
    const driver = await this.pulsar()
    const seen: { consumer: string; key: string | null; value: string | null }[] = []
    for (let idle = 0; seen.length < this.written.length && idle < 20; idle++) {
      for (const consumer of [`${subscription}-1`, `${subscription}-2`]) {
        const count = this.written.length - seen.length
        if (count === 0) break
        const { messages } = await driver.call('receive', { consumer, count, timeoutMs: 300 })
        if (messages.length > 0) idle = 0
        seen.push(...messages.map((message) => ({ consumer, ...seenPulsar(message) })))
        const ids = messages.map(({ id }) => id)
        if (ids.length > 0) await driver.call('acknowledge', { consumer, ids })
      }
    }
    for (const key of new Set(this.written.map((each) => pulsarView(each).key))) {
      const own = seen.filter((each) => each.key === key)
      const written = this.written.map(pulsarView).filter((each) => each.key === key)
      sameList(
        `the records of ${key}`,
        written.map(({ value }) => value),
        own.map(({ value }) => value),
      )
      same(`the consumers of ${key}`, 1, new Set(own.map(({ consumer }) => consumer)).size)
    }
    same('all that came', this.written.length, seen.length)
  },
)

/* ---- Readers -------------------------------------------------------------------------------------------------- */

Then(
  'a Pulsar reader from the id of each message receives the rest from there',
  async function (this: ConformanceWorld) {
    const driver = await this.pulsar()
    const all = await readByPulsar(this)
    sameAsWrittenForPulsar(this.written, all)
    for (const index of placesIn(all.length)) {
      const id = all[index]?.id
      if (id === undefined) continue
      const topic = this.pulsarPartition()
      for (const inclusive of [true, false]) {
        const from = { id, inclusive }
        const rest = this.written.slice(inclusive ? index : index + 1)
        // By count where there are some: at a last batch of one message, Java's client says that nothing is available, on
        // Apache Pulsar too.
        const ends = rest.length > 0 ? { count: rest.length } : { until: 'end' as const }
        const { messages } = await driver.call('read', { topic, from, ...ends })
        sameAsWrittenForPulsar(rest, messages)
      }
    }
  },
)

Given('a Pulsar reader that waits at its end', async function (this: ConformanceWorld) {
  const driver = await this.pulsar()
  await driver.call('openReader', { reader: 'waits', topic: this.pulsarPartition(), from: 'latest' })
})

Then('the reader receives exactly these {int}', async function (this: ConformanceWorld, count: number) {
  const driver = await this.pulsar()
  const { messages } = await driver.call('readNext', { reader: 'waits', count })
  const start = (this.notes.get('written before') as number | undefined) ?? 0
  sameAsWrittenForPulsar(this.written.slice(start, start + count), messages)
})
