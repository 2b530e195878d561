import type { PulsarOps } from '../driver/messages.js'
import { type Driver, pulsarDriver, rawDriver, type TypedDriver } from '../driver/process.js'
import type { RawBatch, RawOps, RawRecords } from '../driver/raw-messages.js'
import { expectError, type SmokeRun } from './smoke-run.js'

const text = (value: string) => Buffer.from(value).toString('base64')
const BYTES_MAX = 1_048_576

interface Stage {
  readonly run: SmokeRun
  readonly raw: TypedDriver<RawOps>
  readonly topic: string
}

interface Produced {
  readonly responses: readonly {
    readonly partitionResponses: readonly { readonly errorCode: number; readonly baseOffset: string }[]
  }[]
}

interface Fetched {
  readonly responses: readonly {
    readonly partitions: readonly { readonly errorCode: number; readonly records: RawRecords }[]
  }[]
}

/** Every op of the raw client, against an original whose answers are known. */
export async function smokeRaw(
  run: SmokeRun,
  driver: Driver,
  beside: Driver,
  addresses: { readonly kafka: string; readonly pulsar: string },
): Promise<void> {
  const raw = rawDriver(driver)
  const stage = { run, raw, topic: `smoke-${run.id}` }
  await run.check('configure', () => raw.call('configure', addresses))
  await lists(stage)
  await batches(stage)
  await connections(stage)
  await versions(stage)
  const pulsar = pulsarDriver(beside)
  await pulsar.call('configure', { serviceUrl: addresses.pulsar })
  await entries(stage, pulsar)
  await run.check('request after configure', async () => {
    await raw.call('configure', addresses)
    await raw.call('request', { api: 'DeleteTopics', body: { topicNames: [stage.topic], timeoutMs: 10_000 } })
  })
}

async function lists({ run, raw, topic }: Stage): Promise<void> {
  await run.check('apiVersions', async () => {
    const { apis } = await raw.call('apiVersions', {})
    const produce = apis.find(({ name }) => name === 'Produce')
    run.equal(produce?.key, 0)
    run.true((produce?.maxVersion ?? 0) >= 9, 'Produce is not listed as it is')
  })
  await run.check('errorName', async () => {
    run.equal(await raw.call('errorName', { code: 1 }), { name: 'OFFSET_OUT_OF_RANGE' })
    run.equal(await raw.call('errorName', { code: 0 }), { name: 'NONE' })
  })
  await run.check('request CreateTopics', async () => {
    const topics = [{ name: topic, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    const { body } = await raw.call('request', { api: 'CreateTopics', body: { topics, timeoutMs: 10_000 } })
    run.equal((body.topics as { errorCode: number }[])[0]?.errorCode, 0)
  })
  await run.check('request of a version', async () => {
    const { version } = await raw.call('request', {
      api: 'Metadata',
      version: 5,
      body: { topics: [{ name: topic }] },
    })
    run.equal(version, 5)
  })
}

const produceBody = (topic: string, records: RawBatch, acks = -1) => ({
  acks,
  timeoutMs: 10_000,
  topicData: [{ name: topic, partitionData: [{ index: 0, records }] }],
})

const fetchBody = (topic: string) => ({
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: BYTES_MAX,
  topics: [{ topic, partitions: [{ partition: 0, fetchOffset: '0', partitionMaxBytes: BYTES_MAX }] }],
})

async function batches({ run, raw, topic }: Stage): Promise<void> {
  const first = {
    key: text('k'),
    value: text('v'),
    headers: [
      ['h', text('1')],
      ['h', null],
    ] as [string, string | null][],
    timestamp: '1600000000123',
  }
  const second = { key: null, value: null, timestamp: '1600000000125' }
  const produce = async (records: RawBatch) => {
    const { body } = await raw.call('request', { api: 'Produce', body: produceBody(topic, records) })
    return (body as unknown as Produced).responses[0]?.partitionResponses[0]
  }
  await run.check('produce a batch', async () => {
    const answer = await produce({ codec: 'gzip', records: [first, second] })
    run.equal([answer?.errorCode, answer?.baseOffset], [0, '0'])
  })
  await run.check('produce a spoiled batch', async () => {
    const answer = await produce({ spoiled: 'crc', records: [first] })
    run.equal(await raw.call('errorName', { code: answer?.errorCode ?? 0 }), { name: 'CORRUPT_MESSAGE' })
  })
  await run.check('fetch it', async () => {
    const { body } = await raw.call('request', { api: 'Fetch', body: fetchBody(topic) })
    const { batches } = (body as unknown as Fetched).responses[0]?.partitions[0]?.records ?? { batches: [] }
    const [batch] = batches
    run.equal(batches.length, 1)
    run.equal([batch?.magic, batch?.crcValid, batch?.baseOffset, batch?.codec], [2, true, '0', 1])
    run.equal(batch?.lastOffsetDelta, 1)
    const seen = batch?.records.map(({ key, value, headers, timestamp }) => ({
      key,
      value,
      headers,
      timestamp,
    }))
    run.equal(seen, [first, { ...second, headers: [] }])
  })
  await run.check('pipeline', async () => {
    const metadata = { api: 'Metadata', body: { topics: [{ name: topic }] } }
    const silent = { api: 'Produce', body: produceBody(topic, { records: [first] }, 0), answered: false }
    const { sent, received, closed } = await raw.call('pipeline', { requests: [silent, metadata, metadata] })
    run.equal(
      received.map(({ correlationId }) => correlationId),
      sent.slice(1).map(({ correlationId }) => correlationId),
    )
    run.equal([sent.length, closed], [3, false])
  })
}

async function connections({ run, raw, topic }: Stage): Promise<void> {
  await run.check('encode, connect, send, receive', async () => {
    const { bytes } = await raw.call('encode', {
      api: 'Metadata',
      version: 1,
      body: { topics: [{ name: topic }] },
    })
    const frame = Buffer.from(bytes, 'base64')
    run.equal(frame.readInt32BE(0), frame.length - 4)
    await raw.call('connect', { connection: 'literal', port: 'kafka' })
    await raw.call('send', { connection: 'literal', bytes })
    const { frame: answer } = await raw.call('receive', { connection: 'literal' })
    const seen = Buffer.from(answer ?? '', 'base64')
    run.equal(seen.readInt32BE(0), frame.readInt32BE(8))
    run.true(seen.includes(topic), 'the answer does not name the topic')
  })
  await run.check('expectClose: stays open', async () => {
    const { closed } = await raw.call('expectClose', { connection: 'literal', timeoutMs: 200 })
    run.equal(closed, false)
  })
  await run.check('expectClose after a frame that cannot be', async () => {
    await raw.call('send', { connection: 'literal', bytes: Buffer.from([0xff, 0, 0, 0]).toString('base64') })
    run.equal((await raw.call('expectClose', { connection: 'literal' })).closed, true)
  })
  await run.check('request on a connection that is closed', () =>
    expectError(run, /CLOSED/, () =>
      raw.call('request', {
        connection: 'literal',
        existing: true,
        api: 'Metadata',
        body: { topics: [] },
      }),
    ),
  )
  await run.check('flood', async () => {
    await raw.call('connect', { connection: 'flood', port: 'kafka' })
    const { acceptedBytes } = await raw.call('flood', {
      connection: 'flood',
      api: 'Metadata',
      body: { topics: [] },
      padBytes: 1000,
      bytesMax: 200_000,
      stallMs: 500,
    })
    run.true(acceptedBytes > 0, 'nothing was taken')
  })
}

async function versions({ run, raw, topic }: Stage): Promise<void> {
  await run.check('everyVersion', async () => {
    const { listed, versions: all } = await raw.call('everyVersion', { api: 'Fetch', topic })
    run.equal(listed, true)
    run.true(all.length > 1, 'one version only')
    run.equal(
      all.filter(({ problem, records }) => problem !== undefined || (records ?? 0) < 1),
      [],
    )
  })
  await run.check('tooNew', async () => {
    const answer = await raw.call('tooNew', { connection: 'new', api: 'ApiVersions', version: 99 })
    run.equal([answer.closed, answer.sameId, answer.version0?.errorCode], [false, true, 35])
  })
  await run.check('a version that is not listed', async () => {
    try {
      await raw.call('request', { api: 'Metadata', version: 999, body: { topics: [] } })
    } catch (error) {
      return run.equal(error instanceof Error && error.name, 'Unsupported')
    }
    throw new Error('it was sent')
  })
}

/** The client beside it makes the topic, and reads what was appended. */
async function entries({ run, raw, topic }: Stage, pulsar: TypedDriver<PulsarOps>): Promise<void> {
  const name = `persistent://public/default/${topic}`
  await pulsar.call('produce', { topic: name, messages: [{ value: text('0') }] })
  await run.check('publish entries to Pulsar', async () => {
    const batch = [{ key: 'a', value: text('1') }, { value: text('2') }]
    const { results } = await raw.call('publish', {
      topic: name,
      entries: [{ payload: text('single') }, { metadata: { '11': '2' }, batch, messages: 2 }],
    })
    run.equal(
      results.map(({ kind }) => kind),
      ['receipt', 'receipt'],
    )
    run.equal(Number(results[1]?.entryId), Number(results[0]?.entryId) + 1)
    const { messages } = await pulsar.call('read', { topic: name, count: 4 })
    run.equal(
      messages.map(({ key, value }) => [key, value]),
      [
        [null, text('0')],
        [null, text('single')],
        ['a', text('1')],
        [null, text('2')],
      ],
    )
  })
}
