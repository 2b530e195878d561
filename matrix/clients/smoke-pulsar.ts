import { generateKeyPairSync } from 'node:crypto'
import type { MessageId, PulsarMessage, PulsarOps, PulsarReceived } from '../driver/messages.js'
import { type Driver, DriverError, pulsarDriver, type TypedDriver, Unsupported } from '../driver/process.js'
import { expectError, type SmokeRun } from './smoke-run.js'

const text = (value: string) => Buffer.from(value).toString('base64')
const valuesOf = (messages: readonly PulsarReceived[]) =>
  messages.map(({ value }) => value && Buffer.from(value, 'base64').toString())
const plain = (values: readonly string[]): PulsarMessage[] => values.map((value) => ({ value: text(value) }))

interface Stage {
  readonly run: SmokeRun
  readonly pulsar: TypedDriver<PulsarOps>
  /** The beginning of every topic's name. */
  readonly topic: string
}

/** @see smoke */
export async function smokePulsar(run: SmokeRun, driver: Driver, serviceUrl: string): Promise<void> {
  const pulsar = pulsarDriver(driver)
  const stage = { run, pulsar, topic: `persistent://public/default/smoke-${run.id}` }
  await run.check('configure', () => pulsar.call('configure', { serviceUrl }))
  await produceAndRead(stage)
  await messagesOfEveryKind(stage)
  await codecs(stage)
  await chunksAndSecrets(stage)
  await schemas(stage)
  await subscriptions(stage)
  await places(stage)
  await readersThatStay(stage)
  await run.check('configure again', () => pulsar.call('configure', { serviceUrl }))
  await run.check('works after configure', () =>
    pulsar.call('produce', { topic: `${stage.topic}-a`, messages: plain(['x']) }),
  )
}

async function produceAndRead({ run, pulsar, topic }: Stage): Promise<void> {
  const a = `${topic}-a`
  const ids: MessageId[] = []
  await run.check('produce, one by one', async () => {
    ids.push(...(await pulsar.call('produce', { topic: a, messages: plain(['0', '1']) })).ids)
    run.equal(
      ids.map(({ batchIndex }) => batchIndex),
      [-1, -1],
    )
    run.true(Number(ids[1]?.entryId) === Number(ids[0]?.entryId) + 1, 'entries are not one after another')
  })
  await run.check('produce, one batch', async () => {
    const answer = await pulsar.call('produce', {
      topic: a,
      messages: plain(['2', '3', '4']),
      oneBatch: true,
      producer: 'batch',
    })
    ids.push(...answer.ids)
    run.equal(
      answer.ids.map(({ batchIndex }) => batchIndex),
      [0, 1, 2],
    )
    run.equal(new Set(answer.ids.map(({ entryId }) => entryId)).size, 1)
  })
  await run.check('read until the end', async () => {
    const { messages } = await pulsar.call('read', { topic: a, until: 'end' })
    run.equal(valuesOf(messages), ['0', '1', '2', '3', '4'])
    run.equal(
      messages.map(({ id }) => [id.ledgerId, id.entryId, id.batchIndex]),
      ids.map((id) => [id.ledgerId, id.entryId, id.batchIndex]),
    )
    run.true(Math.abs(Date.now() - Number(messages[0]?.publishTime)) < 60_000, 'publish time')
    run.equal(messages[0]?.eventTime, '0')
  })
  await run.check('read of nothing', async () => {
    run.equal((await pulsar.call('read', { topic: a, from: 'latest', until: 'end' })).messages, [])
  })
  for (const [index, expected] of [
    [1, ['1', '2']],
    [3, ['3', '4']],
  ] as const) {
    const id = () => ids[index] ?? { ledgerId: '-1', entryId: '-1', partition: -1, batchIndex: -1 }
    await run.check(`read from message ${index}, inclusive`, async () => {
      const { messages } = await pulsar.call('read', {
        topic: a,
        from: { id: id(), inclusive: true },
        count: 2,
      })
      run.equal(valuesOf(messages), expected)
    })
    await run.check(`read from message ${index}, exclusive`, async () => {
      const { messages } = await pulsar.call('read', {
        topic: a,
        from: { id: id(), inclusive: false },
        count: 1,
      })
      run.equal(valuesOf(messages), expected.slice(1))
    })
  }
  await run.check('read until the time-out', async () => {
    run.equal((await pulsar.call('read', { topic: a, count: 9, timeoutMs: 500 })).messages.length, 5)
  })
  await run.check('lastMessageId', async () => {
    const { id } = await pulsar.call('lastMessageId', { topic: a })
    run.equal([id?.ledgerId, id?.entryId, id?.batchIndex], [ids[4]?.ledgerId, ids[4]?.entryId, 2])
  })
  await run.check('lastMessageId of an empty topic', async () => {
    run.equal((await pulsar.call('lastMessageId', { topic: `${topic}-empty` })).id, null)
  })
  await run.check('partitions of a topic without', async () => {
    run.equal((await pulsar.call('partitions', { topic: a })).names, [a])
  })
  await run.check('closeProducer, produce again', async () => {
    await pulsar.call('closeProducer', { producer: 'batch' })
    await pulsar.call('produce', {
      topic: `${topic}-b`,
      messages: plain(['x']),
      producer: 'batch',
      producerName: `p-${run.id}`,
    })
    const { messages } = await pulsar.call('read', { topic: `${topic}-b`, until: 'end' })
    run.equal(messages[0]?.producerName ?? `p-${run.id}`, `p-${run.id}`)
  })
}

async function messagesOfEveryKind({ run, pulsar, topic }: Stage): Promise<void> {
  const given: Record<string, PulsarMessage> = {
    'key and properties': { key: 'k', value: text('v'), properties: { b: '2', a: '1' } },
    'key of bytes': { keyBytes: Buffer.from([0, 255]).toString('base64'), value: text('v') },
    'empty key': { key: '', value: text('v') },
    'ordering key': { orderingKey: text('o'), value: text('v') },
    'ordering key of bytes': { orderingKey: Buffer.from([255]).toString('base64'), value: text('v') },
    'event time': { value: text('v'), eventTime: '1600000000123' },
    'sequence id': { value: text('v'), sequenceId: '1000' },
    bytes: { value: Buffer.from([0, 255, 128]).toString('base64') },
    'empty value': { value: '' },
    tombstone: { key: 'k', value: null },
  }
  for (const oneBatch of [false, true]) {
    for (const [what, message] of Object.entries(given)) {
      await run.check(`message${oneBatch ? ' in a batch' : ''}: ${what}`, async () => {
        const name = `${topic}-kinds-${oneBatch}-${what.replaceAll(' ', '-')}`
        // A broker that drops repeated sequence ids must see two.
        const next = message.sequenceId
          ? { ...message, sequenceId: String(Number(message.sequenceId) + 1) }
          : message
        await pulsar.call('produce', {
          topic: name,
          messages: oneBatch ? [message, next] : [message],
          oneBatch,
        })
        const { messages } = await pulsar.call('read', { topic: name, until: 'end' })
        run.equal(messages.length, oneBatch ? 2 : 1)
        for (const [index, seen] of messages.entries()) expectSame(run, seen, index === 0 ? message : next)
      })
    }
  }
}

function expectSame(run: SmokeRun, seen: PulsarReceived, given: PulsarMessage): void {
  run.equal(seen.value, given.value === null && !seen.knowsNull ? '' : given.value)
  run.equal(seen.properties, given.properties ?? {})
  run.equal(seen.eventTime, given.eventTime ?? '0')
  if (given.keyBytes !== undefined) run.equal(seen.keyBytes, given.keyBytes)
  else run.equal(seen.key, given.key ?? null)
  if (seen.orderingKey !== undefined) run.equal(seen.orderingKey, given.orderingKey ?? null)
  if (given.sequenceId !== undefined && seen.sequenceId !== undefined)
    run.equal(seen.sequenceId, given.sequenceId)
}

async function codecs({ run, pulsar, topic }: Stage): Promise<void> {
  for (const compression of ['lz4', 'zlib', 'zstd', 'snappy'] as const) {
    await run.check(`codec ${compression}`, async () => {
      const value = 'compressible '.repeat(200)
      const args = { topic: `${topic}-${compression}`, messages: plain([value, value]), compression }
      await pulsar.call('produce', { ...args, oneBatch: true, producer: 'batch-codec' })
      await pulsar.call('produce', { ...args, producer: 'single-codec' })
      const { messages } = await pulsar.call('read', { topic: args.topic, until: 'end' })
      run.equal(valuesOf(messages), [value, value, value, value])
    })
  }
}

async function chunksAndSecrets({ run, pulsar, topic }: Stage): Promise<void> {
  await run.check('chunked message', async () => {
    const value = Buffer.alloc(6_000_000, 'c').toString('base64')
    const args = { topic: `${topic}-chunks`, messages: [{ value }], chunking: true, producer: 'chunks' }
    await pulsar.call('produce', { ...args, chunkBytesMax: 1_000_000 })
    const { messages } = await pulsar.call('read', { topic: args.topic, count: 1 })
    run.true(messages[0]?.value === value, 'the value is not what was sent')
  })
  await run.check('too large a message', async () => {
    const value = Buffer.alloc(6_000_000, 'c').toString('base64')
    await expectError(run, /MessageTooBig|InvalidMessage/, () =>
      pulsar.call('produce', { topic: `${topic}-large`, messages: [{ value }], producer: 'large' }),
    )
  })
  await run.check('encrypted message', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const encryptionPublicKey = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const args = {
      topic: `${topic}-secret`,
      messages: plain(['secret']),
      encryptionPublicKey,
      producer: 'secret',
    }
    run.equal((await pulsar.call('produce', args)).ids.length, 1)
  })
}

async function schemas({ run, pulsar, topic }: Stage): Promise<void> {
  const definition = JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] })
  const given = {
    string: { schema: { type: 'string' as const }, value: text('text') },
    json: { schema: { type: 'json' as const, definition }, value: text('{"a":1}') },
    avro: { schema: { type: 'avro' as const, definition }, value: Buffer.from([2]).toString('base64') },
  }
  for (const [name, { schema, value }] of Object.entries(given)) {
    await run.check(`schema ${name}`, async () => {
      const args = {
        topic: `${topic}-schema-${name}`,
        messages: [{ value }],
        schema,
        producer: `schema-${name}`,
      }
      await pulsar.call('produce', args)
      run.equal((await pulsar.call('read', { topic: args.topic, until: 'end' })).messages[0]?.value, value)
    })
  }
}

async function subscriptions({ run, pulsar, topic }: Stage): Promise<void> {
  const name = `${topic}-subscribed`
  const open = (consumer: string, more = {}) =>
    pulsar.call('subscribe', { consumer, topic: name, subscription: 's', ...more })
  const receive = async (consumer: string, count: number, timeoutMs = 8000) =>
    (await pulsar.call('receive', { consumer, count, timeoutMs })).messages
  await run.check('subscribe, receive, acknowledge', async () => {
    await open('one')
    await pulsar.call('produce', {
      topic: name,
      messages: plain(['0', '1', '2']),
      oneBatch: true,
      producer: 'sub',
    })
    const messages = await receive('one', 3)
    run.equal(valuesOf(messages), ['0', '1', '2'])
    await pulsar.call('acknowledge', { consumer: 'one', ids: messages.map(({ id }) => id) })
    await pulsar.call('closeConsumer', { consumer: 'one' })
  })
  await run.check('a second exclusive consumer is refused', async () => {
    await open('first')
    await expectError(run, /ConsumerBusy/, () => open('second'))
    run.equal((await receive('first', 1, 300)).length, 0)
  })
  await run.check('negativeAcknowledge', async () => {
    await pulsar.call('closeConsumer', { consumer: 'first' })
    await open('nack', { type: 'shared', negativeAckDelayMs: 100 })
    await pulsar.call('produce', { topic: name, messages: plain(['3']), producer: 'single' })
    const [message] = await receive('nack', 1)
    if (!message) throw new Error('nothing received')
    await pulsar.call('negativeAcknowledge', { consumer: 'nack', ids: [message.id] })
    run.equal(valuesOf(await receive('nack', 1)), ['3'])
  })
  await run.check('redeliverUnacknowledged', async () => {
    try {
      await pulsar.call('redeliverUnacknowledged', { consumer: 'nack' })
      const [message] = await receive('nack', 1)
      run.equal(message && valuesOf([message]), ['3'])
      await pulsar.call('acknowledge', { consumer: 'nack', ids: message ? [message.id] : [] })
    } finally {
      await pulsar.call('closeConsumer', { consumer: 'nack' })
    }
  })
  await run.check('cumulative acknowledgement, seek by time', async () => {
    await open('cumulative', { receiverQueueSize: 10 })
    try {
      await pulsar.call('produce', { topic: name, messages: plain(['4', '5']), producer: 'single' })
      const last = (await receive('cumulative', 2)).at(-1)
      await pulsar.call('acknowledge', {
        consumer: 'cumulative',
        ids: last ? [last.id] : [],
        cumulative: true,
      })
      await pulsar.call('seek', { consumer: 'cumulative', to: { timestamp: '1' } })
      run.equal(valuesOf(await receive('cumulative', 1)), ['0'])
    } finally {
      await pulsar.call('unsubscribe', { consumer: 'cumulative' })
    }
  })
  // Of another consumer: one of Go's client (since 0.15) that sought a message leaves out all before it, whatever it seeks next.
  await run.check('seek by id', async () => {
    const { ids } = await pulsar.call('produce', {
      topic: name,
      messages: plain(['6', '7']),
      producer: 'single',
    })
    await open('sought', { receiverQueueSize: 10 })
    try {
      await receive('sought', 1)
      const id = ids[0]
      if (!id) throw new Error('no id')
      await pulsar.call('seek', { consumer: 'sought', to: { id } })
      run.true(['6', '7'].includes(valuesOf(await receive('sought', 1))[0] ?? ''), 'what was sought')
    } finally {
      await pulsar.call('unsubscribe', { consumer: 'sought' })
    }
  })
  await run.check('acknowledgement inside a batch', async () => {
    await open('inside', { batchIndexAck: true, type: 'shared', from: 'latest' })
    await pulsar.call('produce', {
      topic: name,
      messages: plain(['a', 'b', 'c']),
      oneBatch: true,
      producer: 'sub',
    })
    const messages = await receive('inside', 3)
    await pulsar.call('acknowledge', { consumer: 'inside', ids: messages.slice(1, 2).map(({ id }) => id) })
    await pulsar.call('closeConsumer', { consumer: 'inside' })
    await open('inside', { batchIndexAck: true, type: 'shared' })
    run.equal(valuesOf(await receive('inside', 2)), ['a', 'c'])
    await pulsar.call('unsubscribe', { consumer: 'inside' })
  })
  for (const type of ['failover', 'key_shared'] as const) {
    await run.check(`subscription type ${type}`, async () => {
      await open(type, { type, from: 'latest', subscription: type })
      await pulsar.call('produce', {
        topic: name,
        messages: [{ key: 'k', value: text(type) }],
        producer: 'single',
      })
      run.equal(valuesOf(await receive(type, 1)), [type])
      await pulsar.call('unsubscribe', { consumer: type })
    })
  }
}

async function places({ run, pulsar, topic }: Stage): Promise<void> {
  await run.check('delayed message', async () => {
    const name = `${topic}-delayed`
    await pulsar.call('subscribe', { consumer: 'delayed', topic: name, subscription: 'd', type: 'shared' })
    const sent = Date.now()
    await pulsar.call('produce', { topic: name, messages: [{ value: text('late'), deliverAfterMs: 1500 }] })
    const { messages } = await pulsar.call('receive', { consumer: 'delayed', count: 1, timeoutMs: 8000 })
    run.equal(valuesOf(messages), ['late'])
    run.true(Date.now() - sent >= 1000, 'it was delivered at once')
  })
  await run.check('delivery times out', async () => {
    const { messages } = await unlessNothingIsOpen(() =>
      pulsar.call('receive', { consumer: 'delayed', count: 1, timeoutMs: 200 }),
    )
    run.equal(messages, [])
    await pulsar.call('closeConsumer', { consumer: 'delayed' })
  })
}

/** Of a library that could not do what was to be received from. */
async function unlessNothingIsOpen<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof DriverError && error.name === 'NoSuchHandle') throw new Unsupported(error.message)
    throw error
  }
}

async function readersThatStay({ run, pulsar, topic }: Stage): Promise<void> {
  await run.check('openReader at the end, readNext', async () => {
    const name = `${topic}-a`
    await pulsar.call('openReader', { reader: 'stay', topic: name })
    const read = pulsar.call('readNext', { reader: 'stay', count: 2, timeoutMs: 8000 })
    await pulsar.call('produce', { topic: name, messages: plain(['late-1', 'late-2']) })
    run.equal(valuesOf((await read).messages), ['late-1', 'late-2'])
  })
}
