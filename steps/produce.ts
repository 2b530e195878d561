import { type DataTable, Then, When } from '@cucumber/cucumber'
import { DriverError, Unsupported } from '../matrix/driver/errors.js'
import type { KafkaRecord, PulsarMessage } from '../matrix/driver/messages.js'
import {
  cellBytes,
  cellHeaders,
  compressible,
  kafkaView,
  randomMessage,
  randomRecord,
  seenPulsar,
} from './records.js'
import { holds, Mismatch, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
type PulsarCodec = 'none' | 'lz4' | 'zlib' | 'zstd' | 'snappy'

export interface KafkaSending {
  readonly partition?: number
  readonly oneBatch?: boolean
  readonly compression?: Codec
  readonly acks?: '0' | '1' | 'all'
  readonly idempotent?: boolean
  /** Times prove nothing here: a library that gives its records none leaves them out, and is not compared by them. */
  readonly anyTimes?: boolean
}

export async function sendByKafka(
  world: ConformanceWorld,
  records: readonly KafkaRecord[],
  {
    partition = 0,
    oneBatch = true,
    compression = 'none',
    acks = 'all',
    idempotent = false,
    anyTimes = false,
  }: KafkaSending = {},
  topic = world.topic(),
): Promise<void> {
  const driver = await world.kafka()
  const asked = records.map((record) => ({ ...record, partition: record.partition ?? partition }))
  // Settings of a kept producer are those of its first call.
  const producer = `${compression}-${acks}-${idempotent}-${oneBatch}`
  const args = { topic: topic.name, oneBatch, compression, acks, idempotent, producer }
  const produce = async (placed: readonly (KafkaRecord & { partition: number })[]) => {
    const answer = await driver.call('produce', { ...args, records: [...placed] })
    return { placed, answer }
  }
  const { placed, answer } = await produce(asked).catch((error: unknown) => {
    if (!anyTimes || !(error instanceof Unsupported)) throw error
    return produce(asked.map(({ timestamp: _, ...record }) => record))
  })
  same('acknowledgements', records.length, answer.records.length)
  if (topic !== world.topic()) return
  for (const [index, record] of placed.entries()) {
    const { offset, partition: told } = answer.records[index] ?? {}
    if (told !== undefined) same('the partition told in the acknowledgement', record.partition, told)
    world.written.push({
      by: 'kafka',
      partition: record.partition,
      record,
      ...(offset !== undefined && { offset }),
    })
  }
}

export interface PulsarSending {
  readonly partition?: number
  readonly oneBatch?: boolean
  readonly compression?: PulsarCodec
}

export async function sendByPulsar(
  world: ConformanceWorld,
  messages: readonly PulsarMessage[],
  { partition = 0, oneBatch = false, compression = 'none' }: PulsarSending = {},
): Promise<void> {
  if (oneBatch && messages.length > 1 && world.fact('ID-3') === 'wrapper') {
    throw new Unsupported(
      'the mapping wrapper has no offsets for the messages of a Pulsar batch: it is refused (ID-11)',
    )
  }
  const driver = await world.pulsar()
  const topic = world.pulsarPartition(partition)
  const producer = `${topic}-${oneBatch}-${compression}`
  const args = { topic, messages: [...messages], oneBatch, compression, producer }
  const { ids } = await driver.call('produce', args)
  same('acknowledgements', messages.length, ids.length)
  for (const [index, message] of messages.entries()) {
    const id = ids[index]
    if (id !== undefined) world.written.push({ by: 'pulsar', partition, message, id })
  }
}

const many = <Item>(count: number, make: () => Item): Item[] => Array.from({ length: count }, make)

When(
  /^a Kafka producer sends (\d+) random (timed )?records?(?: to partition (\d+))?(?: (in one batch|one by one))?(?: compressed with (\w+))?$/,
  async function (
    this: ConformanceWorld,
    count: string,
    timed: string | null,
    partition: string | null,
    how: string | null,
    codec: string | null,
  ) {
    const to = Number(partition ?? 0)
    const compression = (codec ?? 'none') as Codec
    const records = many(Number(count), () => {
      const record = randomRecord(this.random, this.nowMs, to)
      return compression === 'none' ? record : compressible(record)
    })
    await sendByKafka(this, records, {
      partition: to,
      oneBatch: how !== 'one by one',
      compression,
      anyTimes: timed === null,
    })
  },
)

When(
  /^a Pulsar producer sends (\d+) random messages?(?: to partition (\d+))?(?: (in one batch|one by one))?(?: compressed with (\w+))?$/,
  async function (
    this: ConformanceWorld,
    count: string,
    partition: string | null,
    how: string | null,
    codec: string | null,
  ) {
    const messages = many(Number(count), () => randomMessage(this.random, this.nowMs))
    const compression = (codec ?? 'none') as PulsarCodec
    await sendByPulsar(this, messages, {
      partition: Number(partition ?? 0),
      oneBatch: how === 'in one batch',
      compression,
    })
  },
)

/** Columns: key, value, headers, timestamp. A column that is left out: null, a text of its own, none, the client's. */
export function recordsOf(world: ConformanceWorld, table: DataTable): KafkaRecord[] {
  return table.hashes().map(({ key = 'null', value, headers = 'none', timestamp }) => ({
    key: cellBytes(key),
    value: value === undefined ? cellBytes(world.random.text(8)) : cellBytes(value),
    headers: cellHeaders(headers),
    ...(timestamp !== undefined && { timestamp: timeOf(world, timestamp) }),
  }))
}

/** `90 s ago`, or milliseconds of the epoch. */
export function timeOf(world: ConformanceWorld, cell: string): string {
  const ago = /^(\d+) s ago$/.exec(cell)?.[1]
  return ago === undefined ? cell : String(world.nowMs - Number(ago) * 1000)
}

/** Columns: key, key bytes, ordering key, value, properties, event time. */
export function messagesOf(world: ConformanceWorld, table: DataTable): PulsarMessage[] {
  return table.hashes().map((row) => {
    const { key, value, properties = 'none' } = row
    const time = row['event time']
    const keyBytes = row['key bytes']
    const orderingKey = row['ordering key']
    return {
      value: value === undefined ? cellBytes(world.random.text(8)) : cellBytes(value),
      properties: Object.fromEntries(cellHeaders(properties).map(([name, text]) => [name, textCell(text)])),
      ...(key !== undefined && key !== 'none' && { key }),
      ...(keyBytes !== undefined && { keyBytes: cellBytes(keyBytes) ?? '' }),
      ...(orderingKey !== undefined &&
        orderingKey !== 'none' && { orderingKey: cellBytes(orderingKey) ?? '' }),
      ...(time !== undefined && time !== 'none' && { eventTime: timeOf(world, time) }),
    }
  })
}

const textCell = (base64: string | null): string => Buffer.from(base64 ?? '', 'base64').toString('utf8')

When(
  /^a Kafka producer sends these records (in one batch|one by one)(?: compressed with (\w+))?:$/,
  async function (this: ConformanceWorld, how: string, codec: string | null, table: DataTable) {
    const sending = { oneBatch: how === 'in one batch', compression: (codec ?? 'none') as Codec }
    await sendByKafka(this, recordsOf(this, table), sending)
  },
)

When(
  /^a Pulsar producer sends these messages (in one batch|one by one):$/,
  async function (this: ConformanceWorld, how: string, table: DataTable) {
    await sendByPulsar(this, messagesOf(this, table), { oneBatch: how === 'in one batch' })
  },
)

When(
  'a Kafka producer sends {int} random records with acks {word}',
  async function (this: ConformanceWorld, count: number, acks: '0' | '1' | 'all') {
    await sendByKafka(
      this,
      many(count, () => randomRecord(this.random, this.nowMs, 0)),
      { acks, anyTimes: true },
    )
  },
)

When(
  'an idempotent Kafka producer sends {int} random records one by one',
  async function (this: ConformanceWorld, count: number) {
    const records = many(count, () => randomRecord(this.random, this.nowMs, 0))
    await sendByKafka(this, records, { idempotent: true, oneBatch: false, anyTimes: true })
  },
)

When(
  'a Kafka producer sends {int} records of {int} bytes one by one',
  async function (this: ConformanceWorld, count: number, size: number) {
    const records = many(count, () => ({
      key: null,
      value: this.random.bytes(size).toString('base64'),
    }))
    await sendByKafka(this, records, { oneBatch: false })
  },
)

/* ---- Both worlds at once -------------------------------------------------------------------------------------- */

When(
  'a Kafka and a Pulsar producer write {int} records each to it at the same time',
  async function (this: ConformanceWorld, count: number) {
    const records = many(count, () => randomRecord(this.random, this.nowMs, 0))
    const messages = many(count, () => randomMessage(this.random, this.nowMs))
    await Promise.all([
      sendByKafka(this, records, { oneBatch: false, anyTimes: true }),
      sendByPulsar(this, messages, { oneBatch: false }),
    ])
  },
)

Then(
  'a Kafka consumer and a Pulsar consumer receive all of it, in the same order',
  async function (this: ConformanceWorld) {
    const kafka = await this.kafka()
    const pulsar = await this.pulsar()
    const { records } = await kafka.call('consume', { topic: this.topic().name, until: 'end' })
    const { messages } = await pulsar.call('read', { topic: this.pulsarPartition(), until: 'end' })
    const byKafka = records.map(({ value }) => value)
    const byPulsar = messages.map((message) => seenPulsar(message).value)
    sameList('order as Kafka and as Pulsar see it', byKafka, byPulsar)
    const written = this.written.map((each) => kafkaView(each).value)
    sameList('all that was written, sorted', [...written].sort(), [...byKafka].sort())
    for (const by of ['kafka', 'pulsar'] as const) {
      const own = this.written.filter((each) => each.by === by).map((each) => kafkaView(each).value)
      const seen = byKafka.filter((value) => own.includes(value))
      sameList(`the ${by} producer's own order`, own, seen)
    }
  },
)

/* ---- Partitioning --------------------------------------------------------------------------------------------- */

When(
  'a Kafka producer sends {int} records with random keys, leaving the partition to the client',
  async function (this: ConformanceWorld, count: number) {
    const driver = await this.kafka()
    const records = many(count, () => {
      const { partition: _, timestamp: __, ...record } = randomRecord(this.random, this.nowMs, 0)
      return { ...record, value: this.random.bytes(12).toString('base64') }
    })
    const answer = await driver.call('produce', { topic: this.topic().name, records })
    same('acknowledgements', count, answer.records.length)
    this.notes.set(
      'placed',
      records.map((record, index) => ({ value: record.value, partition: answer.records[index]?.partition })),
    )
  },
)

Then(
  'each Pulsar partition holds exactly the records that were placed in it',
  async function (this: ConformanceWorld) {
    const placed = this.note<{ value: string; partition: number | undefined }[]>('placed')
    const kafka = await this.kafka()
    const pulsar = await this.pulsar()
    const all: unknown[] = []
    let used = 0
    for (let partition = 0; partition < this.topic().partitions; partition++) {
      const { records } = await kafka.call('consume', { topic: this.topic().name, partition, until: 'end' })
      const topic = this.pulsarPartition(partition)
      const { messages } = await pulsar.call('read', { topic, until: 'end' })
      const values = messages.map(({ value }) => value)
      sameList<unknown>(
        `partition ${partition} in Kafka and in Pulsar`,
        records.map(({ value }) => value),
        values,
      )
      // A library that does not tell the partition has shown it by where Kafka reads the record.
      const told = placed.filter((each) => each.partition === partition).map(({ value }) => value)
      if (placed.every((each) => each.partition !== undefined)) {
        sameList<unknown>(`records placed in partition ${partition}`, [...told].sort(), [...values].sort())
      }
      used += values.length > 0 ? 1 : 0
      all.push(...values)
    }
    sameList<unknown>('all records', placed.map(({ value }) => value).sort(), all.sort())
    holds('the partitions used', used > 1, 'several', used)
  },
)

/* ---- Failures ------------------------------------------------------------------------------------------------- */

When('the target’s store begins to fail', async function (this: ConformanceWorld) {
  await this.instance.failStore(true)
})

When('the target’s store is mended', async function (this: ConformanceWorld) {
  await this.instance.failStore(false)
})

Then(
  'a Kafka producer that sends {int} more is told of an error',
  async function (this: ConformanceWorld, count: number) {
    const driver = await this.kafka()
    const records = many(count, () => randomRecord(this.random, this.nowMs, 0))
    const sent = driver.call('produce', {
      topic: this.topic().name,
      records,
      producer: 'failing',
      timeoutMs: 3000,
    })
    const outcome = await sent.then(
      () => 'acknowledged',
      (error: unknown) => {
        if (error instanceof DriverError) return 'refused'
        throw error
      },
    )
    if (outcome !== 'refused') throw new Mismatch('an append that fails', 'an error', outcome)
  },
)
