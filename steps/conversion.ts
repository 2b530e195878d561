import { generateKeyPairSync } from 'node:crypto'
import { Then, When } from '@cucumber/cucumber'
import { DriverError, Unsupported } from '../matrix/driver/errors.js'
import type { KafkaReceived, KafkaRecord, PulsarMessage, PulsarReceived } from '../matrix/driver/messages.js'
import type { RawBatch } from '../matrix/driver/raw-messages.js'
import { readByKafka, readByPulsar, sameAsWrittenForKafka, sameAsWrittenForPulsar } from './consume.js'
import { sendByKafka, sendByPulsar } from './produce.js'
import { listedButRefused } from './protocol-handler.js'
import { base64, type Header, headersOf, kafkaView, randomMessage, textOf } from './records.js'
import { type ProducedPartition, produceRaw, randomBatch, recordsIn } from './requests.js'
import { eventually, holds, Mismatch, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

/** An answer that the vocabulary (profiles/README.md) has no verifier for. */
function unknownAnswer(requirement: string, answer: unknown): never {
  throw new Unsupported(`the suite cannot check the answer ${JSON.stringify(answer)} to ${requirement}`)
}

/* ---- Bytes ---------------------------------------------------------------------------------------------------- */

When(
  /^a Kafka producer sends (\d+) records of random bytes (in one batch|one by one)$/,
  async function (this: ConformanceWorld, count: string, how: string) {
    const { random } = this
    const bytes = (bound: number) => random.bytes(random.below(bound)).toString('base64')
    const records = Array.from(
      { length: Number(count) },
      (): KafkaRecord => ({
        key: random.below(5) === 0 ? null : bytes(20),
        value: random.below(8) === 0 ? null : bytes(100),
        headers: Array.from({ length: random.below(3) }, (_, index) => [`h${index}`, bytes(10)]),
        timestamp: String(this.nowMs - random.below(3_600_000)),
      }),
    )
    await sendByKafka(this, records, { oneBatch: how === 'in one batch' })
  },
)

When(
  'a batch with null, empty, binary and repeated headers is produced',
  async function (this: ConformanceWorld) {
    const timestamp = String(this.nowMs - 5000)
    const binary = this.random.bytes(9).toString('base64')
    await produceNoted(this, [
      {
        key: binary,
        value: null,
        headers: [
          ['h', null],
          ['h', ''],
          ['h', binary],
          ['a', base64('text')],
          ['h', null],
        ],
        timestamp,
      },
      { key: null, value: '', headers: [['', base64('no name')]], timestamp },
      { key: '', value: binary, headers: [], timestamp: String(this.nowMs - 4000) },
    ])
  },
)

async function produceNoted(
  world: ConformanceWorld,
  records: RawBatch['records'],
  options: Partial<RawBatch> = {},
  version?: number,
): Promise<void> {
  const [produced] = await produceRaw(
    world,
    { 0: { ...options, records } },
    version === undefined ? {} : { version },
  )
  same('the error of the batch', 0, produced?.errorCode)
  world.notes.set('records', [...((world.notes.get('records') as typeof records) ?? []), ...records])
}

When('a batch of the timestamps {} is produced', async function (this: ConformanceWorld, times: string) {
  await produceNoted(
    this,
    times.split(', ').map((timestamp) => ({
      key: base64(this.random.text(4)),
      value: base64(this.random.text(8)),
      headers: [],
      timestamp,
    })),
  )
})

Then(
  'it is fetched with exactly the same keys, values, headers and timestamps',
  async function (this: ConformanceWorld) {
    const seen = await recordsIn(this)
    const views = seen.map(({ offset: _, ...record }) => record)
    const expected = this.note<RawBatch['records']>('records').map(({ key, value, headers, timestamp }) => ({
      timestamp,
      key,
      value,
      headers,
    }))
    sameList<unknown>('records fetched', expected, views)
  },
)

/* ---- Tombstones ----------------------------------------------------------------------------------------------- */

Then(
  'a Pulsar reader sees tombstones exactly where the values are null',
  async function (this: ConformanceWorld) {
    const seen = await readByPulsar(this)
    if (seen.some(({ knowsNull }) => !knowsNull)) {
      throw new Unsupported('the client does not tell a tombstone from an empty value')
    }
    sameAsWrittenForPulsar(this.written, seen)
  },
)

Then("it is told one producer's name, and sequence numbers that rise", function (this: ConformanceWorld) {
  const seen = this.pulsarSeen
  const [first] = seen
  // Not every library tells them.
  for (const [index, { producerName, sequenceId }] of seen.entries()) {
    same(`the producer of message ${index + 1}`, first?.producerName, producerName)
    if (producerName !== undefined) holds('the name of the producer', producerName !== '', 'a name', 'none')
    const before = seen[index - 1]?.sequenceId
    if (sequenceId === undefined || before === undefined) continue
    const rises = BigInt(sequenceId) > BigInt(before)
    holds(`the sequence number of message ${index + 1}`, rises, `more than ${before}`, sequenceId)
  }
})

Then('a Pulsar reader receives the same key bytes and ordering key', async function (this: ConformanceWorld) {
  const seen = await readByPulsar(this)
  same('the number of messages', this.written.length, seen.length)
  for (const [index, { key, keyBytes, orderingKey, value }] of seen.entries()) {
    const written = this.written[index]
    if (written?.by !== 'pulsar')
      throw new Mismatch(`message ${index + 1}`, 'of a Pulsar producer', written?.by)
    const { message } = written
    same(`the value of message ${index + 1}`, message.value, value)
    // Where a library has no accessor for the bytes, its text is the base64 form.
    same(`the key of message ${index + 1}, as text`, message.keyBytes, key)
    if (keyBytes !== undefined) same(`the key’s bytes of message ${index + 1}`, message.keyBytes, keyBytes)
    if (orderingKey === undefined) continue
    same(`the ordering key of message ${index + 1}`, message.orderingKey ?? null, orderingKey)
  }
})

/* ---- Declared: keys and headers ------------------------------------------------------------------------------- */

Then(
  'Pulsar sees the key of record {int} by the declared rule',
  async function (this: ConformanceWorld, number: number) {
    const rule = this.declared('MC-6')
    const seen = await readByPulsar(this)
    same('the number of messages', this.written.length, seen.length)
    const message = seen[number - 1] as PulsarReceived
    const key = kafkaView(this.written[number - 1] as (typeof this.written)[number]).key ?? ''
    if (rule === 'ordering-key') return same('the ordering key', key, message.orderingKey)
    if (rule !== 'base64-flag' && rule !== 'base64-flag-always') unknownAnswer('MC-6', rule)
    const isText = base64(textOf(key)) === key
    const flagged = rule === 'base64-flag-always' || !isText
    if (message.keyBytes !== undefined) same('the key’s bytes', key, message.keyBytes)
    // Where a library has no accessor for the bytes, its text is the base64 form.
    same('the key as text', flagged ? key : textOf(key), message.key)
    same(
      'the value',
      kafkaView(this.written[number - 1] as (typeof this.written)[number]).value,
      message.value,
    )
  },
)

Then('Pulsar sees the headers of each record by the declared rule', async function (this: ConformanceWorld) {
  const rule = this.declared('MC-7')
  const property = headersProperty(rule)
  const seen = await readByPulsar(this)
  same('the number of messages', this.written.length, seen.length)
  for (const [index, written] of this.written.entries()) {
    const { headers } = kafkaView(written)
    const names = headers.map(([name]) => name)
    const isText = ([, value]: Header) => value !== null && base64(textOf(value)) === value
    // Where a name repeats, the property of that name is the last text.
    const expected = Object.fromEntries(
      headers.filter(isText).map(([name, value]) => [name, textOf(value ?? '')]),
    )
    const { [property]: all, ...plain } = seen[index]?.properties ?? {}
    same(`the properties of record ${index + 1}`, expected, plain)
    const needsAll = !headers.every(isText) || new Set(names).size < names.length
    same(
      `all headers of record ${index + 1}`,
      needsAll ? headers : undefined,
      all === undefined ? all : JSON.parse(all),
    )
  }
})

function headersProperty(rule: unknown): string {
  if (rule === 'kop.headers') return rule
  const { property } = (rule ?? {}) as { property?: unknown }
  return typeof property === 'string' ? property : unknownAnswer('MC-7', rule)
}

Then('Kafka sees the key of each message by the declared rule', async function (this: ConformanceWorld) {
  const rule = this.declared('MC-8')
  if (rule !== 'ordering-key-first' && rule !== 'partition-key') unknownAnswer('MC-8', rule)
  const seen = await readByKafka(this)
  const keys = this.written.map((written) => {
    const { key, orderingKey } = (written as { message: PulsarMessage }).message
    const partitionKey = key === undefined ? null : base64(key)
    return rule === 'partition-key' ? partitionKey : (orderingKey ?? partitionKey)
  })
  sameList(
    'keys',
    keys.map((key) => ({ key })),
    seen.map(({ key }) => ({ key })),
  )
})

Then(
  'Kafka sees the timestamp of each message by the declared rule',
  async function (this: ConformanceWorld) {
    const rule = this.declared('MC-9')
    if (rule !== 'event-time-else-publish-time' && rule !== 'publish-time') unknownAnswer('MC-9', rule)
    const byPulsar = await readByPulsar(this)
    const expected = byPulsar.map(({ eventTime, publishTime }) =>
      rule === 'publish-time' || eventTime === '0' ? publishTime : eventTime,
    )
    same('the number of messages', this.written.length, byPulsar.length)
    // Independent of what Pulsar shows: an event time that was given is the one that was given.
    for (const [index, written] of this.written.entries()) {
      const { eventTime } = (written as { message: PulsarMessage }).message
      same(`the event time of message ${index + 1} in Pulsar`, eventTime ?? '0', byPulsar[index]?.eventTime)
    }
    sameList(
      'timestamps',
      expected,
      (await readByKafka(this)).map(({ timestamp }) => timestamp),
    )
  },
)

/* ---- Declared: chunks, encryption, delay, schemas ------------------------------------------------------------- */

When(
  'a Pulsar producer sends a message of {int} bytes in chunks of {int}',
  async function (this: ConformanceWorld, bytes: number, chunkBytesMax: number) {
    const driver = await this.pulsar()
    const message = {
      ...randomMessage(this.random, this.nowMs),
      value: this.random.bytes(bytes).toString('base64'),
    }
    const topic = this.pulsarPartition()
    const { ids } = await driver.call('produce', {
      topic,
      messages: [message],
      chunking: true,
      chunkBytesMax,
      producer: 'chunks',
    })
    const [id] = ids
    if (id === undefined) throw new Mismatch('the acknowledgement', 'a message id', 'none')
    this.written.push({ by: 'pulsar', partition: 0, message, id })
  },
)

Then(
  'Kafka sees the chunked message by the declared rule, and no fragment',
  async function (this: ConformanceWorld) {
    const rule = this.declared('MC-15')
    if (rule !== 'whole-at-last-chunk') unknownAnswer('MC-15', rule)
    const [before, whole] = this.written.flatMap((each) => (each.by === 'pulsar' ? [each.id] : []))
    if (BigInt(whole?.entryId ?? 0) - BigInt(before?.entryId ?? 0) < 2n) {
      throw new Unsupported('the client has no setting for the size of chunks, and sent the message in one')
    }
    const seen = await readByKafka(this)
    sameAsWrittenForKafka(this.written, seen)
    const offsets = seen.map(({ offset }) => BigInt(offset))
    const steps = offsets.slice(1).map((offset, index) => offset - (offsets[index] ?? 0n))
    // The offsets of the earlier chunks lie before it; none lies after.
    holds('the offset of the whole', (steps[0] ?? 0n) >= 2n, 'after those of its chunks', offsets)
    same('the offset after it', 1n, steps[1])
  },
)

When('a Pulsar producer sends an encrypted message', async function (this: ConformanceWorld) {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const encryptionPublicKey = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const driver = await this.pulsar()
  const message = { key: 'k', value: base64(`secret ${this.random.text(20)}`) }
  const { ids } = await driver.call('produce', {
    topic: this.pulsarPartition(),
    messages: [message],
    encryptionPublicKey,
    producer: 'encrypting',
  })
  same('acknowledgements', 1, ids.length)
  this.notes.set('plain', message.value)
})

Then('Kafka sees it by the declared rule, and not in plain text', async function (this: ConformanceWorld) {
  const rule = this.declared('MC-16')
  const { header } = (rule ?? {}) as { header?: string }
  if (header === undefined && rule !== 'error') unknownAnswer('MC-16', rule)
  const plain = textOf(this.note<string>('plain'))
  const seen = await readOrError(this)
  if (rule === 'error') return same('reading it', 'an error', typeof seen === 'string' ? 'an error' : seen)
  if (typeof seen === 'string') throw new Mismatch('reading it', `a record with the header ${header}`, seen)
  same('the number of records', 1, seen.length)
  const [record] = seen
  const headers = record === undefined ? [] : headersOf(record)
  const isTold = headers.some(([name]) => name === header)
  holds('the header', isTold, header, headers)
  holds('the value', record?.value !== null && record?.value !== '', 'the ciphertext', record?.value)
  const shown = Buffer.from(record?.value ?? '', 'base64').includes(plain)
  holds('the value', !shown, 'no plain text', record?.value)
})

/** The records, or the name of the error. */
async function readOrError(world: ConformanceWorld): Promise<KafkaReceived[] | string> {
  return readByKafka(world).catch((error: unknown) => {
    if (error instanceof DriverError) return error.name
    throw error
  })
}

When('a Pulsar producer sends a message that is delayed by an hour', async function (this: ConformanceWorld) {
  await sendByPulsar(this, [{ ...randomMessage(this.random, this.nowMs), deliverAfterMs: 3_600_000 }])
})

Then(
  'Kafka sees delayed messages by the declared rule, in the order of their offsets',
  async function (this: ConformanceWorld) {
    const rule = this.declared('MC-17')
    if (rule !== 'visible-at-once') unknownAnswer('MC-17', rule)
    sameAsWrittenForKafka(this.written, await readByKafka(this))
  },
)

const SCHEMAS = {
  string: { type: 'string' as const },
  json: { type: 'json' as const, definition: recordSchema() },
  avro: { type: 'avro' as const, definition: recordSchema() },
}

function recordSchema(): string {
  return JSON.stringify({ type: 'record', name: 'Order', fields: [{ name: 'count', type: 'int' }] })
}

/** Encoded by hand: `{"count":21}` in Avro is the zigzag varint 42. */
const ENCODED: Readonly<Record<string, string>> = {
  string: base64('twenty-one'),
  json: base64('{"count":21}'),
  avro: Buffer.from([42]).toString('base64'),
}

When(
  'a Pulsar producer sends a message of a {word} schema',
  async function (this: ConformanceWorld, type: string) {
    const driver = await this.pulsar()
    const schema = SCHEMAS[type as keyof typeof SCHEMAS]
    const value = ENCODED[type] ?? ''
    await driver.call('produce', {
      topic: this.pulsarPartition(),
      messages: [{ key: 'k', value, properties: { p: 'q' } }],
      schema,
      producer: `schema-${type}`,
    })
    this.notes.set('encoded', value)
  },
)

Then(
  'Kafka sees its encoded bytes, and the schema by the declared rule',
  async function (this: ConformanceWorld) {
    const rule = this.declared('MC-20')
    const { header } = (rule ?? {}) as { header?: string }
    if (header === undefined && rule !== 'bytes-only') unknownAnswer('MC-20', rule)
    const seen = await readByKafka(this)
    same('the number of records', 1, seen.length)
    const [record] = seen
    same('the encoded value', this.note<string>('encoded'), record?.value)
    const headers = record === undefined ? [] : headersOf(record)
    const names = headers.map(([name]) => name)
    sameList('headers', header === undefined ? ['p'] : ['p', header].sort(), names.sort())
    const version = headers.find(([name]) => name === header)?.[1]
    if (header !== undefined) holds('the schema version', Boolean(version), 'its bytes', version)
  },
)

/* ---- Declared: literal entries -------------------------------------------------------------------------------- */

const LZ4 = '1'
const MARKER = '10'
const COMPRESSION = '8'
const MARKER_TYPE = '20'

/** @param mayRefuse a broker need not take what only brokers write */
async function append(
  world: ConformanceWorld,
  middle: { metadata: Record<string, string>; payload: string },
  mayRefuse = false,
) {
  const values = [world.random.text(8), world.random.text(8)]
  const entry = (value = '') => ({ metadata: {}, payload: base64(value) })
  const entries = [entry(values[0]), middle, entry(values[1])]
  const { results } = await (await world.raw()).call('publish', { topic: world.pulsarPartition(), entries })
  const answers = results.map(({ kind }) => kind)
  if (mayRefuse && answers[1] === 'refused') answers[1] = 'receipt'
  sameList(
    'answers to the entries',
    entries.map(() => 'receipt'),
    answers,
  )
  world.notes.set(
    'sound',
    values.map((value) => base64(value)),
  )
}

When(
  'a sound entry, one that cannot be read, and a sound one are appended to it',
  async function (this: ConformanceWorld) {
    // Said to be LZ4 of 1000 bytes, and noise: no reader can make a message of it.
    const metadata = { [COMPRESSION]: LZ4, '9': '1000' }
    await append(this, { metadata, payload: Buffer.alloc(40, 0xff).toString('base64') })
  },
)

Then(
  'Kafka is told of the unreadable entry by the declared rule, and sees the other two',
  async function (this: ConformanceWorld) {
    const rule = this.declared('MC-19')
    const { header } = (rule ?? {}) as { header?: string }
    if (header === undefined && rule !== 'error') unknownAnswer('MC-19', rule)
    const seen = await readOrError(this)
    if (rule === 'error') return same('reading it', 'an error', typeof seen === 'string' ? 'an error' : seen)
    if (typeof seen === 'string') throw new Mismatch('reading it', `a record with the header ${header}`, seen)
    same('the number of records', 3, seen.length)
    const sound = [seen[0], seen[2]].map((record) => ({ value: record?.value }))
    sameList<unknown>(
      'the sound ones',
      this.note<string[]>('sound').map((value) => ({ value })),
      sound,
    )
    const marks = seen.map((record) => headersOf(record).some(([name]) => name === header))
    sameList('which of them carry the header', [false, true, false], marks)
  },
)

/** Of Pulsar's MessageMetadata (PIP-37). */
const CHUNK = { uuid: '26', count: '27', totalBytes: '28', id: '29' }

When(
  'a sound entry, a message in {int} chunks and a sound entry are appended to it',
  async function (this: ConformanceWorld, count: number) {
    const pieces = Array.from({ length: count }, () => this.random.text(30))
    const total = pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0)
    const uuid = { text: this.random.text(8) }
    const chunks = pieces.map((piece, id) => ({
      metadata: {
        ...{ [CHUNK.uuid]: uuid, [CHUNK.count]: String(count) },
        ...{ [CHUNK.totalBytes]: String(total), [CHUNK.id]: String(id) },
      },
      payload: base64(piece),
    }))
    const sound = [this.random.text(8), this.random.text(8)].map(base64)
    const [before = '', after = ''] = sound
    const entries = [{ metadata: {}, payload: before }, ...chunks, { metadata: {}, payload: after }]
    const { results } = await (await this.raw()).call('publish', { topic: this.pulsarPartition(), entries })
    sameList(
      'answers to the entries',
      entries.map(() => 'receipt'),
      results.map(({ kind }) => kind),
    )
    this.notes.set('appended', [before, base64(pieces.join('')), after])
  },
)

Then(
  'Kafka sees the appended chunks by the declared rule, and the other two',
  async function (this: ConformanceWorld) {
    const rule = this.declared('MC-15')
    if (rule !== 'whole-at-last-chunk') unknownAnswer('MC-15', rule)
    const values = (await readByKafka(this)).map(({ value }) => value)
    sameList('values', this.note<string[]>('appended'), values)
  },
)

When('a sound entry, a marker and a sound one are appended to it', async function (this: ConformanceWorld) {
  await append(this, { metadata: { [MARKER_TYPE]: MARKER }, payload: base64('marker') }, true)
})

Then('a Kafka consumer receives exactly the two sound ones', async function (this: ConformanceWorld) {
  const values = (await readByKafka(this)).map(({ value }) => ({ value }))
  sameList<unknown>(
    'values',
    this.note<string[]>('sound').map((value) => ({ value })),
    values,
  )
})

Then('a Pulsar reader receives exactly the two sound ones', async function (this: ConformanceWorld) {
  const driver = await this.pulsar()
  const { messages } = await driver.call('read', { topic: this.pulsarPartition(), until: 'end' })
  const values = messages.map(({ value }) => ({ value }))
  sameList<unknown>(
    'values',
    this.note<string[]>('sound').map((value) => ({ value })),
    values,
  )
})

When('a client produces a control batch', async function (this: ConformanceWorld) {
  const producer = { producerId: '4711', producerEpoch: 0, baseSequence: 0 }
  // Refused or taken, it must not surface: what is fetched decides.
  await produceRaw(this, { 0: { ...randomBatch(this, 1), ...producer, control: true } })
})

Then(
  'exactly the {int} records of users are fetched',
  async function (this: ConformanceWorld, count: number) {
    const users = this.note<{ value: string }[]>('acknowledged').map(({ value }) => ({ value }))
    same('the records acknowledged', count, users.length)
    const seen = (await recordsIn(this)).map(({ value }) => ({ value }))
    sameList<unknown>('the records fetched', users, seen)
  },
)

const CONFIGURED_WITHIN_MS = 5_000

/* ---- Times ---------------------------------------------------------------------------------------------------- */

When(
  'Kafka sets {string} to {string} on it',
  async function (this: ConformanceWorld, name: string, value: string) {
    const driver = await this.kafka()
    const topic = this.topic().name
    await driver.call('alterConfigs', { topic, configs: { [name]: value } })
    // Kafka's controller answers before its brokers have it.
    await eventually(CONFIGURED_WITHIN_MS, async () => {
      const { configs } = await driver.call('describeConfigs', { topic })
      same(`the config ${name}`, value, configs[name])
    })
  },
)

Then("every record carries the broker's time", async function (this: ConformanceWorld) {
  const seen = await readByKafka(this)
  sameList(
    'values',
    this.written.map((each) => kafkaView(each).value),
    seen.map(({ value }) => value),
  )
  const now = Date.now()
  for (const { timestamp, timestampType } of seen) {
    // Clocks of one machine, or nearly: far nearer than the times that the client gave.
    const isNear = Math.abs(Number(timestamp) - now) < 600_000 && Number(timestamp) > this.nowMs - 600_000
    holds('the timestamp', isNear, `about ${now}`, timestamp)
    if (timestampType !== undefined) same('the timestamp type', 'append', timestampType)
  }
})

Then('the acknowledged append time is that of every record fetched', async function (this: ConformanceWorld) {
  const [produced] = this.note<ProducedPartition[]>('produced')
  const acknowledged = produced?.logAppendTimeMs ?? '-1'
  holds(
    'the acknowledged time',
    Math.abs(Number(acknowledged) - Date.now()) < 600_000,
    `about ${Date.now()}`,
    acknowledged,
  )
  const seen = await recordsIn(this)
  sameList(
    'timestamps',
    this.note<unknown[]>('records').map(() => acknowledged),
    seen.map(({ timestamp }) => timestamp),
  )
})

/* ---- Formats -------------------------------------------------------------------------------------------------- */

When(
  'a batch of format {int}, compressed with {word}, is produced by version {int}',
  async function (this: ConformanceWorld, magic: number, codec: string, version: number) {
    if (listedButRefused(this, 'Produce').includes(version)) {
      throw new Unsupported(`the target refuses Produce version ${version}`)
    }
    const records = Array.from({ length: 3 }, () => ({
      key: base64(this.random.text(4)),
      value: this.random.bytes(20).toString('base64'),
      timestamp: String(this.nowMs - this.random.below(100_000)),
    }))
    const options = { magic: magic as 0 | 1 | 2, codec: codec as 'none' | 'gzip' }
    await produceNoted(this, records, options, version)
    this.notes.set('magic', magic)
  },
)

Then(
  'its keys and values are fetched, with timestamps where the format has them',
  async function (this: ConformanceWorld) {
    const records = this.note<RawBatch['records']>('records')
    const hasTimestamps = this.note<number>('magic') > 0
    const view = ({ key, value, timestamp }: RawBatch['records'][number]) => ({
      key,
      value,
      ...(hasTimestamps && { timestamp }),
    })
    sameList('records fetched', records.map(view), (await recordsIn(this)).map(view))
  },
)
