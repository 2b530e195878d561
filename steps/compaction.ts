import { Given, Then, When } from '@cucumber/cucumber'
import { DriverError } from '../matrix/driver/errors.js'
import type { KafkaReceived, PulsarReceived } from '../matrix/driver/messages.js'
import { readByKafka, readByPulsar } from './consume.js'
import { sendByKafka, sendByPulsar } from './produce.js'
import { base64, idText, textOf } from './records.js'
import { createTopic } from './topics.js'
import { eventually, holds, Mismatch, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

/** Compaction runs in the background, and only over what its log's newer part does not hold. */
const COMPACTED_WITHIN_MS = 30_000
const OPEN_ENDED_KEY = 'written last'

/**
 * Kafka compacts no segment that it still writes to: the next record of a topic like this begins a new one. The topic is only
 * compacted when that is switched on, so that offsets can be looked at before.
 */
const compactedAtOnce = {
  'min.cleanable.dirty.ratio': '0.001',
  'segment.ms': '1',
}

/** What a key has come to, and the place of the message that says so. */
interface Last {
  readonly key: string
  /** null: a tombstone. */
  readonly value: string | null
  readonly place: string
}

async function createCompactable(world: ConformanceWorld, configs: Record<string, string>): Promise<void> {
  const all = { ...compactedAtOnce, ...configs }
  await createTopic(world, 1, all)
  world.notes.set('configs', all)
}

Given('a compacted topic', async function (this: ConformanceWorld) {
  await createTopic(this, 1, { 'cleanup.policy': 'compact' })
})

Given('a topic that can be compacted', async function (this: ConformanceWorld) {
  await createCompactable(this, {})
})

Given(
  'a topic that can be compacted, with {string} set to {string}',
  async function (this: ConformanceWorld, name: string, value: string) {
    await createCompactable(this, { [name]: value })
  },
)

/* ---- Writing ------------------------------------------------------------------------------------------------------ */

interface Change {
  readonly key: string
  readonly value: string
}

/** The same few keys again and again. */
function randomChanges({ random }: ConformanceWorld, count: number, keys: number): Change[] {
  return Array.from({ length: count }, () => ({
    key: `key-${random.below(keys)}`,
    value: random.text(1 + random.below(20)),
  }))
}

When(
  /^a Kafka producer sends (\d+) changes of (\d+) keys (in one batch|one by one)(?: compressed with (gzip|lz4))?$/,
  async function (this: ConformanceWorld, count: string, keys: string, how: string, codec?: 'gzip' | 'lz4') {
    const records = randomChanges(this, Number(count), Number(keys)).map(({ key, value }) => ({
      key: base64(key),
      value: base64(value),
    }))
    await sendByKafka(this, records, { oneBatch: how === 'in one batch', compression: codec ?? 'none' })
  },
)

When(
  /^a Pulsar producer sends (\d+) changes of (\d+) keys (in one batch|one by one)$/,
  async function (this: ConformanceWorld, count: string, keys: string, how: string) {
    const messages = randomChanges(this, Number(count), Number(keys)).map(({ key, value }) => ({
      key,
      value: base64(value),
    }))
    await sendByPulsar(this, messages, { oneBatch: how === 'in one batch' })
  },
)

When(
  'a Kafka producer sends tombstones of {int} keys',
  async function (this: ConformanceWorld, keys: number) {
    const records = Array.from({ length: keys }, (_, key) => ({ key: base64(`key-${key}`), value: null }))
    await sendByKafka(this, records)
  },
)

/** In one batch: so do all of Pulsar's brokers see a tombstone in it. */
When(
  'a Pulsar producer sends tombstones of {int} keys',
  async function (this: ConformanceWorld, keys: number) {
    const messages = Array.from({ length: keys }, (_, key) => ({ key: `key-${key}`, value: null }))
    await sendByPulsar(this, messages, { oneBatch: true })
  },
)

/** Records at times that are a second apart, the last one just now. */
When(
  'a Kafka producer sends {int} changes of {int} keys, a second apart',
  async function (this: ConformanceWorld, count: number, keys: number) {
    const records = randomChanges(this, count, keys).map(({ key, value }, index) => ({
      key: base64(key),
      value: base64(value),
      timestamp: String(this.nowMs - (count - index) * 1000),
    }))
    await sendByKafka(this, records)
  },
)

/* ---- What is to be left ------------------------------------------------------------------------------------------- */

/** Where each message lies, from before anything was compacted. */
async function notePlaces(world: ConformanceWorld): Promise<void> {
  const seen = await readByKafka(world)
  same('records before compaction', world.written.length, seen.length)
  world.notes.set(
    'offsets',
    seen.map(({ offset }) => offset),
  )
}

const keyWritten = (written: ConformanceWorld['written'][number]): string =>
  written.by === 'kafka' ? textOf(written.record.key ?? '') : (written.message.key ?? '')
const valueWritten = (written: ConformanceWorld['written'][number]): string | null =>
  written.by === 'kafka' ? written.record.value : written.message.value

/** The last message of each key, in the order of the log. */
function lastOfEach(world: ConformanceWorld, places: readonly string[]): Last[] {
  const last = new Map<string, Last>()
  for (const [index, written] of world.written.entries()) {
    const key = keyWritten(written)
    last.delete(key)
    last.set(key, { key, value: valueWritten(written), place: places[index] ?? '' })
  }
  return [...last.values()]
}

const lastByOffset = (world: ConformanceWorld): Last[] => lastOfEach(world, world.note<string[]>('offsets'))

const ofKafka = (seen: readonly KafkaReceived[]): Last[] =>
  seen
    .map(({ key, value, offset }) => ({ key: textOf(key ?? ''), value, place: offset }))
    .filter(({ key }) => key !== OPEN_ENDED_KEY)

/** @param isLeft of what is left, tombstones among it */
async function compactedTo(world: ConformanceWorld, isLeft: (last: Last) => boolean): Promise<void> {
  const expected = lastByOffset(world).filter(isLeft)
  const driver = await world.kafka()
  const topic = world.topic().name
  // Some libraries replace all configs by those given.
  const configs = { ...world.note<Record<string, string>>('configs'), 'cleanup.policy': 'compact' }
  await driver.call('alterConfigs', { topic, configs })
  const filler = { key: base64(OPEN_ENDED_KEY), value: base64('filler') }
  await eventually(COMPACTED_WITHIN_MS, async () => {
    // Not among what is compared: it is there so that what comes before it is not the newest.
    await driver.call('produce', { topic, records: [{ ...filler, partition: 0 }] })
    sameList('what is left', expected, ofKafka(await readByKafka(world)))
  })
}

When('the topic has been compacted', async function (this: ConformanceWorld) {
  await notePlaces(this)
  await compactedTo(this, () => true)
})

When('the topic has been compacted, and its tombstones are gone', async function (this: ConformanceWorld) {
  await notePlaces(this)
  await compactedTo(this, ({ value }) => value !== null)
})

/* ---- Kafka -------------------------------------------------------------------------------------------------------- */

Then(
  'a Kafka consumer receives the last value of each key, under its old offset',
  async function (this: ConformanceWorld) {
    sameList('what is left', lastByOffset(this), ofKafka(await readByKafka(this)))
  },
)

Then('no value of a deleted key is left', async function (this: ConformanceWorld) {
  const deleted = new Set(lastByOffset(this).flatMap(({ key, value }) => (value === null ? [key] : [])))
  holds('deleted keys', deleted.size > 0, 'some', 'none')
  const left = ofKafka(await readByKafka(this)).filter(({ key, value }) => deleted.has(key) && value !== null)
  sameList('values of deleted keys', [], left)
})

Then(
  'reading from any offset delivers first what is left there or next after it',
  async function (this: ConformanceWorld) {
    const driver = await this.kafka()
    // What is written last goes on being compacted.
    const left = (await readByKafka(this)).filter(({ key }) => textOf(key ?? '') !== OPEN_ENDED_KEY)
    const offsets = this.note<string[]>('offsets')
    for (const at of [0, 0.2, 0.4, 0.6, 0.8, 0.95]) {
      const from = offsets[Math.floor(at * offsets.length)] ?? '0'
      const expected = left.filter(({ offset }) => BigInt(offset) >= BigInt(from)).slice(0, 3)
      if (expected.length === 0) continue
      const args = { topic: this.topic().name, from: { offset: from }, count: expected.length }
      const { records } = await driver.call('consume', args)
      sameList(`the records from offset ${from}`, expected, records.slice(0, expected.length))
    }
  },
)

Then('the log begins and ends where it did', async function (this: ConformanceWorld) {
  const driver = await this.kafka()
  const { name } = this.topic()
  const ends = async (at: 'earliest' | 'latest') =>
    BigInt((await driver.call('listOffsets', { topic: name, partition: 0, at })).offset)
  const offsets = this.note<string[]>('offsets')
  same('the first offset', BigInt(offsets[0] ?? -1), await ends('earliest'))
  const last = BigInt(offsets.at(-1) ?? -1)
  const latest = await ends('latest')
  holds('the end', latest > last, `beyond ${last}`, String(latest))
})

Then(
  'looking up the time of each record finds the next that is left',
  async function (this: ConformanceWorld) {
    const driver = await this.kafka()
    const left = await readByKafka(this)
    const topic = this.topic().name
    for (const written of this.written) {
      if (written.by !== 'kafka') continue
      const timestamp = written.record.timestamp ?? ''
      const expected = left.find((record) => BigInt(record.timestamp) >= BigInt(timestamp))
      const { offset } = await driver.call('listOffsets', { topic, partition: 0, at: { timestamp } })
      same(`the offset of the time ${timestamp}`, expected?.offset, offset)
    }
  },
)

Then('a record without a key is refused as {word}', async function (this: ConformanceWorld, error: string) {
  const driver = await this.kafka()
  const record = { partition: 0, key: null, value: base64('no key') }
  const outcome = await driver
    .call('produce', { topic: this.topic().name, records: [record], producer: 'keyless' })
    .then(
      () => 'done',
      (reason: unknown) => {
        if (reason instanceof DriverError) return reason.name
        throw reason
      },
    )
  same('a record without a key', error, outcome)
})

/* ---- Pulsar ------------------------------------------------------------------------------------------------------- */

When("Pulsar's tool compacts the topic", async function (this: ConformanceWorld) {
  const tool = await this.pulsarAdmin()
  const topic = this.pulsarPartition()
  await tool.call('compact', { topic })
  await eventually(COMPACTED_WITHIN_MS, async () => {
    const { status } = await tool.call('compactionStatus', { topic })
    if (status === 'ERROR') throw new Error('the compaction failed')
    same('the status of the compaction', 'SUCCESS', status)
  })
})

Then("Pulsar's tool says that the topic was never compacted", async function (this: ConformanceWorld) {
  const tool = await this.pulsarAdmin()
  const { status } = await tool.call('compactionStatus', { topic: this.pulsarPartition() })
  same('the status of the compaction', 'NOT_RUN', status)
})

/** What is gone from a batch, some libraries show as empty messages without a key; what is written here has one. */
const ofPulsar = (seen: readonly PulsarReceived[]): Last[] =>
  seen
    .map(({ key, value, id }) => ({ key: key ?? '', value, place: idText(id) }))
    .filter(({ key, value }) => key !== '' || (value !== null && value !== ''))

async function readCompacted(world: ConformanceWorld): Promise<Last[]> {
  const driver = await world.pulsar()
  const args = { topic: world.pulsarPartition(), compacted: true, until: 'end' as const }
  return ofPulsar((await driver.call('read', args)).messages)
}

/** Ids as the whole log shows them: where Kafka's producers were told none, it is the one way to know them. */
async function lastById(world: ConformanceWorld): Promise<Last[]> {
  const all = await readByPulsar(world)
  same('messages in the whole log', world.written.length, all.length)
  const places = all.map(({ id }) => idText(id))
  return lastOfEach(world, places).filter(({ value }) => value !== null)
}

Then(
  'a Pulsar reader of the compacted topic receives the last value of each key, under its old id',
  async function (this: ConformanceWorld) {
    sameList('what is left', await lastById(this), await readCompacted(this))
  },
)

Then(
  /^an? (exclusive|failover) consumer of the compacted topic receives the same$/,
  async function (this: ConformanceWorld, type: 'exclusive' | 'failover') {
    const expected = await lastById(this)
    const driver = await this.pulsar()
    const consumer = `${type}-compacted`
    const args = { consumer, topic: this.pulsarPartition(), subscription: consumer, type, compacted: true }
    await driver.call('subscribe', args)
    const left: Last[] = []
    while (left.length < expected.length) {
      const { messages } = await driver.call('receive', { consumer, count: expected.length - left.length })
      if (messages.length === 0) break
      left.push(...ofPulsar(messages))
    }
    sameList('what is left', expected, left)
  },
)

Then(
  'a Pulsar reader of the compacted topic receives the last values, and then all that came later',
  async function (this: ConformanceWorld) {
    const before = this.note<number>('compacted at')
    const all = await readByPulsar(this)
    const places = all.map(({ id }) => idText(id))
    const later = this.written.splice(before)
    const expected = lastOfEach(this, places)
    for (const [index, written] of later.entries()) {
      expected.push({
        key: keyWritten(written),
        value: valueWritten(written),
        place: places[before + index] ?? '',
      })
    }
    this.written.push(...later)
    sameList('what is left, and what came later', expected, await readCompacted(this))
  },
)

When('what came until now is noted', function (this: ConformanceWorld) {
  this.notes.set('compacted at', this.written.length)
})

Then('the whole of it is still there for those who do not ask', async function (this: ConformanceWorld) {
  const seen = ofPulsar(await readByPulsar(this))
  sameList(
    'values',
    this.written.map(valueWritten),
    seen.map(({ value }) => value),
  )
})

Then('a shared subscription to the compacted topic is refused', async function (this: ConformanceWorld) {
  const driver = await this.pulsar()
  const args = {
    consumer: 'shared',
    topic: this.pulsarPartition(),
    subscription: 'shared',
    type: 'shared' as const,
  }
  const refused = await driver.call('subscribe', { ...args, compacted: true }).then(
    () => false,
    (error: unknown) => {
      if (error instanceof DriverError) return true
      throw error
    },
  )
  if (!refused) throw new Mismatch('a shared subscription that reads compacted', 'an error', 'none')
})
