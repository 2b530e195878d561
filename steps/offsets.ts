import { Given, Then, When } from '@cucumber/cucumber'
import { Unsupported } from '../matrix/driver/errors.js'
import type { KafkaReceived, MessageId, PulsarReceived } from '../matrix/driver/messages.js'
import {
  placesIn,
  readByKafka,
  readByPulsar,
  sameAsWrittenForKafka,
  sameAsWrittenForPulsar,
} from './consume.js'
import { offsetOf, sameOffset } from './places.js'
import { timeOf } from './produce.js'
import { base64, compareIds, idText, kafkaView } from './records.js'
import { offsetAt } from './requests.js'
import { createTopic } from './topics.js'
import { holds, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

/* ---- Pairs ---------------------------------------------------------------------------------------------------- */

interface Pair {
  readonly record: KafkaReceived
  readonly message: PulsarReceived
}

/** Each stored message as both sides see it, in order; the values decide that it is the same. */
async function readPairs(world: ConformanceWorld): Promise<Pair[]> {
  const records = await readByKafka(world)
  const messages = await readByPulsar(world)
  sameAsWrittenForKafka(world.written, records)
  sameAsWrittenForPulsar(world.written, messages)
  return records.map((record, index) => ({ record, message: messages[index] as PulsarReceived }))
}

function risesStrictly(offsets: readonly string[]): void {
  for (const [index, offset] of offsets.entries()) {
    const before = offsets[index - 1]
    if (before === undefined) continue
    holds(`the offset of record ${index + 1}`, BigInt(offset) > BigInt(before), `more than ${before}`, offset)
  }
}

Then(
  'the offsets read rise strictly, and are those that producers were told',
  async function (this: ConformanceWorld) {
    const records = await readByKafka(this)
    same('the number of records', this.written.length, records.length)
    risesStrictly(records.map(({ offset }) => offset))
    for (const [index, each] of this.written.entries()) {
      // Some libraries tell the offset of a batch's first record only, Pulsar's none.
      if (each.by !== 'kafka' || each.offset === undefined) continue
      same(`the offset of record ${index + 1}`, each.offset, records[index]?.offset)
    }
  },
)

Then('offsets and message ids pair one to one, both rising', async function (this: ConformanceWorld) {
  const pairs = await readPairs(this)
  risesStrictly(pairs.map(({ record }) => record.offset))
  for (const [index, { message }] of pairs.entries()) {
    const before = pairs[index - 1]?.message
    if (before === undefined) continue
    const rises = compareIds(before.id, message.id) < 0
    holds(`the message id of message ${index + 1}`, rises, `after ${idText(before.id)}`, idText(message.id))
    if (message.index !== undefined && this.fact('ID-3') === 'index') {
      same(`the index of message ${index + 1}`, pairs[index]?.record.offset, message.index)
    }
  }
})

Then('the acknowledged message ids are those that a reader sees', async function (this: ConformanceWorld) {
  const seen = await readByPulsar(this)
  const acknowledged = this.written.flatMap((each) => (each.by === 'pulsar' ? [idText(each.id)] : []))
  sameList(
    'message ids',
    acknowledged,
    seen.map(({ id }) => idText(id)),
  )
})

Then('the messages lie in at least {int} ledgers', async function (this: ConformanceWorld, count: number) {
  const ledgers = new Set((await readByPulsar(this)).map(({ id }) => id.ledgerId))
  holds('the number of ledgers', ledgers.size >= count, `at least ${count}`, [...ledgers])
})

/* ---- The mapping ---------------------------------------------------------------------------------------------- */

const LEDGER_SHIFT_PACKED = 44n
const ENTRY_SHIFT_PACKED = 12n
const LEDGER_SHIFT_WRAPPER = 28n

function computedOffset(mapping: unknown, id: MessageId, place: number): bigint {
  const ledger = BigInt(id.ledgerId)
  const entry = BigInt(id.entryId)
  const batchIndex = BigInt(Math.max(id.batchIndex, 0))
  if (mapping === 'index') return BigInt(place)
  if (mapping === 'packed')
    return (ledger << LEDGER_SHIFT_PACKED) | (entry << ENTRY_SHIFT_PACKED) | batchIndex
  if (mapping === 'wrapper') return (ledger << LEDGER_SHIFT_WRAPPER) | entry
  throw new Unsupported(`the suite cannot check the mapping ${String(mapping)}`)
}

Then('every offset is the one that the declared mapping computes', async function (this: ConformanceWorld) {
  const mapping = this.declared('ID-3')
  const pairs = await readPairs(this)
  const expected = pairs.map(
    ({ message }, place) => `${idText(message.id)} is ${computedOffset(mapping, message.id, place)}`,
  )
  sameList(
    'offsets of message ids',
    expected,
    pairs.map(({ record, message }) => `${idText(message.id)} is ${record.offset}`),
  )
})

Given('a topic whose offsets are consecutive', async function (this: ConformanceWorld) {
  const mapping = this.declared('ID-3')
  if (mapping !== 'index') throw new Unsupported(`the target declares the mapping ${String(mapping)}`)
  await createTopic(this, 1)
})

Given(
  'a topic whose target keeps the keys of key-shared consumers apart',
  async function (this: ConformanceWorld) {
    const answer = this.declared('CO-12')
    if (answer !== 'in-order-at-one-consumer')
      throw new Unsupported(`the target declares CO-12 as ${String(answer)}`)
    await createTopic(this, 1)
  },
)

When(
  'a Pulsar batch of {int} messages is sent to it',
  async function (this: ConformanceWorld, count: number) {
    const batch = Array.from({ length: count }, () => ({ value: base64('v') }))
    const entry = { metadata: { '11': String(count) }, batch, messages: count }
    const answer = await (await this.raw()).call('publish', {
      topic: this.pulsarPartition(),
      entries: [entry],
    })
    this.notes.set('sent', answer.results[0])
  },
)

Then('it is refused with a reason', function (this: ConformanceWorld) {
  const { kind, message } = this.note<{ kind: string; message?: string }>('sent')
  same('the answer', 'refused', kind)
  holds('the reason', Boolean(message), 'a sentence', message)
})

/* ---- Seeking -------------------------------------------------------------------------------------------------- */

Then(
  'seeking by offset and by message id arrive at the same messages',
  async function (this: ConformanceWorld) {
    const pairs = await readPairs(this)
    const kafka = await this.kafka()
    const pulsar = await this.pulsar()
    for (const place of placesIn(pairs.length)) {
      const { record, message } = pairs[place] as Pair
      const from = { offset: record.offset }
      const { records } = await kafka.call('consume', { topic: this.topic().name, from, count: 1 })
      const id = { id: message.id, inclusive: true }
      const { messages } = await pulsar.call('read', { topic: this.pulsarPartition(), from: id, count: 1 })
      same(`the record at offset ${record.offset}`, record.value, records[0]?.value)
      same(`the message at ${idText(message.id)}`, message.value, messages[0]?.value)
      same(
        'the offset and the message id',
        [record.offset, idText(message.id)],
        [records[0]?.offset, messages[0] && idText(messages[0].id)],
      )
    }
  },
)

Then(
  'consumer {int} of {string}, sent back to message {int}, receives what follows it',
  async function (this: ConformanceWorld, number: number, subscription: string, place: number) {
    const driver = await this.pulsar()
    const consumer = `${subscription}-${number}`
    const written = this.written[place - 1]
    if (written?.by !== 'pulsar') throw new Error(`message ${place} is not of a Pulsar producer`)
    await driver.call('seek', { consumer, to: { id: written.id } })
    // Seeking is exclusive in Pulsar's clients unless the consumer was made with an inclusive start.
    const rest = this.written.slice(place)
    const { messages } = await driver.call('receive', { consumer, count: rest.length })
    sameAsWrittenForPulsar(rest, messages)
  },
)

/* ---- Ends ----------------------------------------------------------------------------------------------------- */

Then(
  "earliest and end offset are those of Pulsar's first and last message",
  async function (this: ConformanceWorld) {
    const pairs = await readPairs(this)
    const driver = await this.kafka()
    const topic = this.topic().name
    const earliest = await driver.call('listOffsets', { topic, partition: 0, at: 'earliest' })
    const latest = await driver.call('listOffsets', { topic, partition: 0, at: 'latest' })
    same('earliest', pairs[0]?.record.offset, earliest.offset)
    const last = pairs.at(-1)
    same('latest', (BigInt(last?.record.offset ?? -2) + 1n).toString(), latest.offset)
    const { id } = await (await this.pulsar()).call('lastMessageId', { topic: this.pulsarPartition() })
    same('Pulsar’s last message id', last && idText(last.message.id), id && idText(id))
  },
)

Then('the last message id is that of the last message read', async function (this: ConformanceWorld) {
  const seen = await readByPulsar(this)
  sameAsWrittenForPulsar(this.written, seen)
  const { id } = await (await this.pulsar()).call('lastMessageId', { topic: this.pulsarPartition() })
  const last = seen.at(-1)
  same('the last message id', last && idText(last.id), id && idText(id))
})

Then('every record is consumed under its acknowledged offset', async function (this: ConformanceWorld) {
  const seen = await readByKafka(this)
  sameAsWrittenForKafka(this.written, seen)
  const told = this.written.map((each) => (each.by === 'kafka' ? each.offset : undefined))
  if (this.written.some((each) => each.by === 'kafka' && each.offset === undefined)) {
    throw new Unsupported('the client does not tell the offset of every record')
  }
  const expected = told.map((offset, index) => ({ offset: offset ?? seen[index]?.offset }))
  sameList(
    'offsets',
    expected,
    seen.map(({ offset }) => ({ offset })),
  )
})

/* ---- Times ---------------------------------------------------------------------------------------------------- */

Then(
  /^looking for the time (.+) finds offset (-?\d+)$/,
  async function (this: ConformanceWorld, time: string, place: number) {
    const driver = await this.kafka()
    const at = { timestamp: timeOf(this, time) }
    const found = await driver.call('listOffsets', { topic: this.topic().name, partition: 0, at })
    await sameOffset('the offset', this, Number(place), found.offset)
    if (found.timestamp === undefined) return
    const written = this.written[place]
    const expected = written === undefined ? '-1' : kafkaView(written).timestamp
    same('the timestamp', expected, found.timestamp)
  },
)

Then(
  'a look-up of {int} answers offset {int} and timestamp {int}',
  async function (this: ConformanceWorld, time: number, offset: number, timestamp: number) {
    const found = await offsetAt(this, String(time))
    const expected = { errorCode: 0, timestamp: String(timestamp) }
    same('the answer', expected, { errorCode: found.errorCode, timestamp: found.timestamp })
    await sameOffset('the offset', this, offset, found.offset)
  },
)

/* ---- Trimming ------------------------------------------------------------------------------------------------- */

When(
  'Kafka deletes the records before offset {int}',
  async function (this: ConformanceWorld, before: number) {
    const driver = await this.kafka()
    const offset = await offsetOf(this, before)
    await driver.call('deleteRecords', { topic: this.topic().name, partition: 0, before: offset })
  },
)

Then(
  'a Kafka consumer receives exactly the last {int}',
  async function (this: ConformanceWorld, count: number) {
    const seen = await readByKafka(this)
    const kept = this.written.slice(-count)
    sameAsWrittenForKafka(kept, seen)
    await sameOffset('the first offset', this, this.written.length - count, seen[0]?.offset)
  },
)

Then(
  'a Pulsar reader receives exactly the last {int}',
  async function (this: ConformanceWorld, count: number) {
    const seen = await readByPulsar(this)
    sameAsWrittenForPulsar(this.written.slice(-count), seen)
  },
)
