import { setTimeout as delay } from 'node:timers/promises'
import type { ArgsOf, KafkaOps, KafkaReceived, KafkaRecord } from '../driver/messages.js'
import { type Driver, DriverError, kafkaDriver, type TypedDriver } from '../driver/process.js'
import { smokeGroups } from './smoke-groups.js'
import { type MakeTopics, orPlainly, type SmokeRun, unlessUnsupported } from './smoke-run.js'

const text = (value: string) => Buffer.from(value).toString('base64')
const valuesOf = (records: readonly KafkaReceived[]) =>
  records.map(({ value }) => value && Buffer.from(value, 'base64').toString())
const plain = (values: readonly string[]): KafkaRecord[] =>
  values.map((value) => ({ key: null, value: text(value), partition: 0 }))

/** A topic that no scenario has: the broker knows its offsets from 0. */
interface Stage {
  readonly run: SmokeRun
  readonly kafka: TypedDriver<KafkaOps>
  readonly topic: string
}

/** @see smoke */
export async function smokeKafka(
  run: SmokeRun,
  driver: Driver,
  bootstrap: string,
  makeTopics: MakeTopics,
): Promise<void> {
  const kafka = kafkaDriver(driver)
  const stage = { run, kafka, topic: `smoke-${run.id}` }
  await run.check('configure', () => kafka.call('configure', { bootstrap, clientId: 'smoke' }))
  await topics(stage, makeTopics)
  await produceAndConsume(stage)
  await recordsOfEveryKind(stage)
  await codecs(stage)
  await places(stage, makeTopics)
  await consumersThatStay(stage)
  await groups(stage)
  await configs(stage)
  const deleted = await endings(stage)
  await smokeGroups(run, kafka, makeTopics)
  await run.check('configure again', () => kafka.call('configure', { bootstrap, clientId: 'smoke-2' }))
  await run.check('works after configure', async () => {
    const { names } = await kafka.call('listTopics', {})
    run.equal(names.includes(`${stage.topic}-a`), !deleted)
  })
}

async function topics({ run, kafka, topic }: Stage, makeTopics: MakeTopics): Promise<void> {
  await run.check('createTopics', async () => {
    const wanted = ['a', 'b', 'c'].map((name) => ({
      name: `${topic}-${name}`,
      partitions: name === 'b' ? 3 : 1,
    }))
    const { topics } = await orPlainly(
      () => kafka.call('createTopics', { topics: wanted }),
      () => makeTopics(wanted),
    )
    run.equal(
      topics,
      wanted.map(({ name }) => ({ name })),
    )
  })
  await run.check('createTopics: exists', async () => {
    const { topics } = await kafka.call('createTopics', { topics: [{ name: `${topic}-a`, partitions: 1 }] })
    run.equal(topics[0]?.error, 'TOPIC_ALREADY_EXISTS')
  })
  await run.check('createTopics: forbidden name', async () => {
    const { topics } = await kafka.call('createTopics', { topics: [{ name: 'no spaces', partitions: 1 }] })
    run.equal(topics[0]?.error, 'INVALID_TOPIC_EXCEPTION')
  })
  await run.check('listTopics', async () => {
    const { names } = await kafka.call('listTopics', {})
    run.true(names.includes(`${topic}-a`), 'topic is not listed')
  })
  await run.check('metadata', async () => {
    const { brokers, topics } = await kafka.call('metadata', { topics: [`${topic}-b`] })
    run.equal(brokers.length, 1)
    run.equal(
      topics[0]?.partitions.map(({ index, leader }) => [index, leader]),
      [0, 1, 2].map((index) => [index, brokers[0]?.id]),
    )
  })
  await run.check('metadata of no topic', async () => {
    const { topics } = await kafka.call('metadata', { topics: [`${topic}-none`] })
    run.equal(topics[0]?.error, 'UNKNOWN_TOPIC_OR_PARTITION')
  })
  await run.check('metadata created nothing', async () => {
    const { names } = await kafka.call('listTopics', {})
    run.true(!names.includes(`${topic}-none`), 'metadata created a topic')
  })
  await run.check('createPartitions', async () => {
    await kafka.call('createPartitions', { topic: `${topic}-b`, count: 4 })
    await settlesAt(4, async () => {
      const { topics } = await kafka.call('metadata', { topics: [`${topic}-b`] })
      return topics[0]?.partitions.length
    })
  })
}

/** Kafka's controller answers a change before the brokers tell of it. */
async function settlesAt<T>(expected: T, read: () => Promise<T>): Promise<void> {
  let seen = await read()
  for (let left = 20; seen !== expected && left > 0; left--) {
    await delay(50)
    seen = await read()
  }
  if (seen !== expected) throw new Error(`expected ${expected}, seen ${seen}`)
}

async function produceAndConsume({ run, kafka, topic }: Stage): Promise<void> {
  const a = `${topic}-a`
  await run.check('produce, one batch', async () => {
    const { records } = await kafka.call('produce', { topic: a, records: plain(['0', '1', '2']) })
    run.equal(
      records,
      ['0', '1', '2'].map((offset) => ({ partition: 0, offset })),
    )
  })
  /** Its offsets; the records are there in any case. */
  const produce = async (values: readonly string[], more: Partial<ArgsOf<KafkaOps, 'produce'>>) => {
    const records = plain(values)
    const { records: placed } = await orPlainly(
      () => kafka.call('produce', { topic: a, records, ...more }),
      () => kafka.call('produce', { topic: a, records }),
    )
    return placed.map(({ offset }) => offset)
  }
  await run.check('produce, record by record', async () => {
    run.equal(await produce(['3', '4'], { oneBatch: false, producer: 'single' }), ['3', '4'])
  })
  await run.check('produce, idempotent', async () => {
    run.equal(await produce(['5'], { idempotent: true, producer: 'idempotent' }), ['5'])
  })
  await run.check('produce, acks 1', async () => {
    run.equal(await produce(['6'], { acks: '1', producer: 'acks-1' }), ['6'])
  })
  await run.check('produce, acks 0', async () => {
    run.equal(await produce(['7'], { acks: '0', producer: 'acks-0' }), [undefined])
    await kafka.call('consume', { topic: a, from: { offset: '7' }, count: 1 })
  })
  await run.check('produce, own partitioner', async () => {
    const records = [1, 2, 3, 4].map((n) => ({ key: text(`key-${n}`), value: text('v') }))
    const answer = await kafka.call('produce', { topic: `${topic}-b`, records })
    run.equal(answer.records.length, 4)
  })
  await run.check('produce, to a given partition', async () => {
    const records = [{ key: null, value: text('third'), partition: 2 }]
    run.equal(
      (await kafka.call('produce', { topic: `${topic}-c`, records: plain(['x']) })).records[0]?.offset,
      '0',
    )
    const { records: placed } = await kafka.call('produce', { topic: `${topic}-b`, records })
    run.equal(placed[0]?.partition, 2)
    const read = await kafka.call('consume', { topic: `${topic}-b`, partition: 2, until: 'end' })
    run.true(valuesOf(read.records).includes('third'), 'not in the partition')
  })
  await run.check('consume until the end', async () => {
    const { records } = await kafka.call('consume', { topic: a, until: 'end' })
    run.equal(valuesOf(records), ['0', '1', '2', '3', '4', '5', '6', '7'])
    run.equal(
      records.map(({ offset }) => offset),
      ['0', '1', '2', '3', '4', '5', '6', '7'],
    )
  })
  await run.check('consume from an offset, in a batch', async () => {
    const { records } = await kafka.call('consume', { topic: a, from: { offset: '1' }, count: 2 })
    run.equal(valuesOf(records), ['1', '2'])
  })
  await run.check('consume of an empty range', async () => {
    run.equal((await kafka.call('consume', { topic: a, from: 'latest', until: 'end' })).records, [])
  })
  await run.check('consume until the time-out', async () => {
    const { records } = await kafka.call('consume', {
      topic: a,
      from: { offset: '6' },
      count: 9,
      timeoutMs: 700,
    })
    run.equal(valuesOf(records), ['6', '7'])
  })
  await run.check('consume beyond the end', () =>
    expectError(run, 'OFFSET_OUT_OF_RANGE', () =>
      kafka.call('consume', { topic: a, from: { offset: '1000' }, count: 1, timeoutMs: 5000 }),
    ),
  )
  await run.check('consume with reset', async () => {
    const args = { topic: a, from: { offset: '1000' }, count: 1, reset: 'earliest' } as const
    run.equal(valuesOf((await kafka.call('consume', args)).records), ['0'])
  })
  await run.check('consume with partition bytes', async () => {
    const { records } = await kafka.call('consume', { topic: a, maxPartitionBytes: 1, until: 'end' })
    run.equal(records.length, 8)
  })
  await run.check('consume, read committed', async () => {
    run.equal((await kafka.call('consume', { topic: a, readCommitted: true, count: 8 })).records.length, 8)
  })
  await run.check('produce too large', () =>
    expectError(run, 'MESSAGE_TOO_LARGE', () =>
      kafka.call('produce', {
        topic: a,
        records: [{ key: null, value: Buffer.alloc(3_000_000, 'x').toString('base64'), partition: 0 }],
        producer: 'large',
      }),
    ),
  )
}

async function recordsOfEveryKind({ run, kafka, topic }: Stage): Promise<void> {
  const given: Record<string, Omit<KafkaRecord, 'partition'>> = {
    'bytes in key, value, header': {
      key: Buffer.from([0, 255, 128]).toString('base64'),
      value: Buffer.from([255, 0]).toString('base64'),
      headers: [['h', Buffer.from([254, 0]).toString('base64')]],
    },
    'empty key and value': { key: '', value: '' },
    'null value': { key: text('k'), value: null },
    'null key': { key: null, value: text('v') },
    'repeated headers': {
      key: null,
      value: text('v'),
      headers: [
        ['a', text('1')],
        ['a', text('2')],
        ['b', ''],
      ],
    },
    'headers in order': {
      key: null,
      value: text('v'),
      headers: [
        ['z', text('1')],
        ['a', text('2')],
      ],
    },
    'interleaved headers': {
      key: null,
      value: text('v'),
      headers: [
        ['a', text('1')],
        ['b', text('2')],
        ['a', text('3')],
      ],
    },
    'null header': { key: null, value: text('v'), headers: [['a', null]] },
    'timestamp 0': { key: null, value: text('v'), timestamp: '0' },
    'timestamp -1': { key: null, value: text('v'), timestamp: '-1' },
    'a timestamp': { key: null, value: text('v'), timestamp: '1600000000123' },
  }
  for (const [what, record] of Object.entries(given)) {
    await run.check(`record: ${what}`, async () => {
      const placed = await kafka.call('produce', {
        topic: `${topic}-c`,
        records: [{ ...record, partition: 0 }],
      })
      const from = { offset: placed.records[0]?.offset ?? '0' }
      const { records } = await kafka.call('consume', { topic: `${topic}-c`, from, count: 1 })
      const { key, value, headers, timestamp } = records[0] ?? {}
      run.equal([key, value, headers ?? []], [record.key, record.value, record.headers ?? []])
      if (record.timestamp) run.equal(timestamp, record.timestamp)
      else run.true(Math.abs(Date.now() - Number(timestamp)) < 60_000, `timestamp ${timestamp}`)
    })
  }
}

async function codecs({ run, kafka, topic }: Stage): Promise<void> {
  for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    await run.check(`codec ${compression}`, async () => {
      const value = 'compressible '.repeat(200)
      const placed = await kafka.call('produce', {
        topic: `${topic}-c`,
        records: plain([value, value]),
        compression,
        producer: compression,
      })
      const from = { offset: placed.records[0]?.offset ?? '0' }
      const { records } = await kafka.call('consume', { topic: `${topic}-c`, from, until: 'end' })
      run.equal(valuesOf(records), [value, value])
    })
  }
}

async function places({ run, kafka, topic }: Stage, makeTopics: MakeTopics): Promise<void> {
  const name = `${topic}-times`
  const at = async (value: 'earliest' | 'latest' | { timestamp: string }) =>
    (await kafka.call('listOffsets', { topic: name, partition: 0, at: value })).offset
  const produce = (hasTimes: boolean) =>
    kafka.call('produce', {
      topic: name,
      records: ['1000', '2000', '3000'].map((after) => ({
        key: null,
        value: text(after),
        partition: 0,
        ...(hasTimes && { timestamp: String(Number(after) + 1_700_000_000_000) }),
      })),
    })
  let hasTimes = false
  await run.check('listOffsets', async () => {
    const topics = [{ name, partitions: 1 }]
    await unlessUnsupported(
      () => kafka.call('createTopics', { topics }),
      () => makeTopics(topics),
    )
    run.equal([await at('earliest'), await at('latest')], ['0', '0'])
    hasTimes = await unlessUnsupported(
      () => produce(true),
      () => produce(false),
    )
    run.equal([await at('earliest'), await at('latest')], ['0', '3'])
  })
  await run.check('listOffsets by time', async () => {
    const second = hasTimes ? '1' : '0'
    run.equal(await at({ timestamp: '1700000001500' }), second)
    run.equal(await at({ timestamp: '1700000002000' }), second)
    run.equal(await at({ timestamp: String(Date.now() + 3_600_000) }), '-1')
  })
  await run.check('deleteRecords', async () => {
    await kafka.call('deleteRecords', { topic: name, partition: 0, before: '2' })
    run.equal([await at('earliest'), await at('latest')], ['2', '3'])
    run.equal(valuesOf((await kafka.call('consume', { topic: name, until: 'end' })).records), ['3000'])
  })
}

async function consumersThatStay({ run, kafka, topic }: Stage): Promise<void> {
  const name = `${topic}-c`
  await run.check('openConsumer at the end, poll', async () => {
    await kafka.call('openConsumer', { consumer: 'stay', topic: name })
    const polled = kafka.call('poll', { consumer: 'stay', count: 2, timeoutMs: 8000 })
    await kafka.call('produce', { topic: name, records: plain(['late-1', 'late-2']) })
    run.equal(valuesOf((await polled).records), ['late-1', 'late-2'])
  })
  await run.check('poll until the time-out', async () => {
    run.equal((await kafka.call('poll', { consumer: 'stay', count: 1, timeoutMs: 300 })).records, [])
  })
  await run.check('seek', async () => {
    await kafka.call('seek', { consumer: 'stay', offset: '0' })
    const { records } = await kafka.call('poll', { consumer: 'stay', count: 1 })
    run.equal(records[0]?.offset, '0')
    const next = await kafka.call('poll', { consumer: 'stay', count: 2 })
    run.equal(
      next.records.map(({ offset }) => offset),
      ['1', '2'],
    )
  })
  await run.check('closeConsumer', () => kafka.call('closeConsumer', { consumer: 'stay' }))
}

async function groups({ run, kafka, topic }: Stage): Promise<void> {
  const group = `group-${run.id}`
  const name = `${topic}-a`
  await run.check('committed: none', async () => {
    run.equal((await kafka.call('committed', { group, topic: name })).offset, '-1')
  })
  await run.check('consumeInGroup', async () => {
    const { records } = await kafka.call('consumeInGroup', { group, topic: name, count: 3 })
    run.equal(valuesOf(records), ['0', '1', '2'])
  })
  await run.check('committed', async () => {
    run.equal((await kafka.call('committed', { group, topic: name })).offset, '3')
  })
  await run.check('consumeInGroup goes on', async () => {
    const { records } = await kafka.call('consumeInGroup', { group, topic: name, count: 2 })
    run.equal(valuesOf(records), ['3', '4'])
  })
}

async function configs({ run, kafka, topic }: Stage): Promise<void> {
  const name = `${topic}-a`
  await run.check('describeConfigs', async () => {
    const { configs } = await kafka.call('describeConfigs', { topic: name })
    run.true(/^-?\d+$/.test(configs['retention.ms'] ?? ''), `retention.ms ${configs['retention.ms']}`)
  })
  await run.check('createTopics with configs', async () => {
    const configured = { name: `${topic}-configured`, partitions: 1, configs: { 'retention.ms': '7200000' } }
    run.equal(await kafka.call('createTopics', { topics: [configured] }), {
      topics: [{ name: configured.name }],
    })
    const { configs } = await kafka.call('describeConfigs', { topic: configured.name })
    run.equal(configs['retention.ms'], '7200000')
    await kafka.call('deleteTopics', { names: [configured.name] })
  })
  await run.check('alterConfigs', async () => {
    await kafka.call('alterConfigs', { topic: name, configs: { 'retention.ms': '3600000' } })
    await settlesAt('3600000', async () => {
      const { configs } = await kafka.call('describeConfigs', { topic: name })
      return configs['retention.ms']
    })
  })
}

/** Answers whether the topics are deleted: not every library can. */
async function endings({ run, kafka, topic }: Stage): Promise<boolean> {
  let deleted = false
  await run.check('deleteTopics', async () => {
    const names = [`${topic}-a`, `${topic}-b`, `${topic}-c`]
    const { topics } = await kafka.call('deleteTopics', { names })
    deleted = true
    run.equal(
      topics,
      names.map((name) => ({ name })),
    )
  })
  await run.check('deleteTopics: none', async () => {
    const { topics } = await kafka.call('deleteTopics', { names: [`${topic}-none`] })
    run.equal(topics[0]?.error, 'UNKNOWN_TOPIC_OR_PARTITION')
  })
  return deleted
}

async function expectError(run: SmokeRun, name: string, call: () => Promise<unknown>): Promise<void> {
  try {
    await call()
  } catch (error) {
    if (error instanceof DriverError) return run.equal(error.name, name)
    throw error
  }
  throw new Error(`no error, expected ${name}`)
}
