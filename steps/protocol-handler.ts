import { Then, When } from '@cucumber/cucumber'
import { DriverError, Unsupported } from '../matrix/driver/errors.js'
import type { RawBatch } from '../matrix/driver/raw-messages.js'
import { sameAsWrittenForKafka } from './consume.js'
import { groupOf } from './groups-requests.js'
import { sameOffset } from './places.js'
import {
  errorName,
  firstOffset,
  metadataRaw,
  type ProducedPartition,
  produceBody,
  produceRaw,
  randomBatch,
  recordsIn,
} from './requests.js'
import { holds, Mismatch, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

/* ---- Applications --------------------------------------------------------------------------------------------- */

Then(
  'the topic is listed, with {int} partitions',
  async function (this: ConformanceWorld, partitions: number) {
    const driver = await this.kafka()
    const { name } = this.topic()
    const { names } = await driver.call('listTopics', {})
    same('how often the topic is listed', 1, names.filter((each) => each === name).length)
    const { topics } = await driver.call('metadata', { topics: [name] })
    const indexes = topics[0]?.partitions.map(({ index }) => index).sort((a, b) => a - b)
    same(
      'its partitions',
      Array.from({ length: partitions }, (_, index) => index),
      indexes,
    )
  },
)

async function readInGroup(world: ConformanceWorld, count: number, from: number): Promise<void> {
  const driver = await world.kafka()
  const args = { group: groupOf(world), topic: world.topic().name, count }
  const { records } = await driver.call('consumeInGroup', args)
  sameAsWrittenForKafka(world.written.slice(from, from + count), records)
}

Then(
  'a consumer of a new group reads exactly the first {int} of them',
  async function (this: ConformanceWorld, count: number) {
    await readInGroup(this, count, 0)
    this.notes.set('read in group', count)
  },
)

Then(
  'another consumer of the group reads exactly the other {int}',
  async function (this: ConformanceWorld, count: number) {
    await readInGroup(this, count, this.note<number>('read in group'))
  },
)

Then('the group has committed offset {int}', async function (this: ConformanceWorld, offset: number) {
  const driver = await this.kafka()
  const committed = await driver.call('committed', {
    group: this.note<string>('group'),
    topic: this.topic().name,
  })
  await sameOffset('the committed offset', this, offset, committed.offset)
})

/* ---- Versions ------------------------------------------------------------------------------------------------- */

/** Without these no Kafka client works: that they are not listed is a failure, not a choice. */
const NEEDED = ['ApiVersions', 'Metadata', 'Produce', 'Fetch', 'ListOffsets']
/** Errors that say "not that version", where an answer in that version's form is due. */
const REFUSALS = [
  'UNSUPPORTED_VERSION',
  'INVALID_REQUEST',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'UNKNOWN_SERVER_ERROR',
]

/** Versions that the target lists for a reason of its own and refuses: `PH-3: { listedButRefused: { Produce: [0, 1, 2] } }`. */
export function listedButRefused(world: ConformanceWorld, api: string): readonly number[] {
  const fact = world.fact('PH-3') as { listedButRefused?: Record<string, number[]> } | undefined
  return fact?.listedButRefused?.[api] ?? []
}

Then(
  'every listed version of {word} is answered in its own form',
  async function (this: ConformanceWorld, api: string) {
    const { listed, versions } = await (await this.raw()).call('everyVersion', {
      api,
      topic: this.topic().name,
      fetchOffset: await firstOffset(this),
    })
    if (!listed && !NEEDED.includes(api)) throw new Unsupported(`${api} is not listed by ApiVersions`)
    holds(`versions of ${api} that are listed`, versions.length > 0, 'at least one', 'none')
    const excused = listedButRefused(this, api)
    for (const { version, problem, errors, records } of versions) {
      if (excused.includes(version)) continue
      const what = `version ${version} of ${api}`
      if (problem !== undefined) throw new Mismatch(what, 'an answer in that version’s form', problem)
      const refused = errors.filter((name) => REFUSALS.includes(name))
      sameList(`errors of ${what}`, [], refused)
      if (NEEDED.includes(api)) sameList(`errors of ${what}`, [], errors)
      if (api === 'Fetch') holds(`batches of ${what}`, (records ?? 0) > 0, 'at least one', records)
    }
  },
)

Then('ApiVersions lists all that every Kafka client needs', async function (this: ConformanceWorld) {
  const { apis } = await (await this.raw()).call('apiVersions', {})
  const listed = apis.map(({ name }) => name)
  sameList(
    'what is listed of it',
    NEEDED,
    NEEDED.filter((name) => listed.includes(name)),
  )
})

async function versionAfterLast(world: ConformanceWorld, api: string): Promise<number> {
  const { apis } = await (await world.raw()).call('apiVersions', {})
  const found = apis.find(({ name }) => name === api)
  if (found === undefined) throw new Mismatch(`${api} in ApiVersions`, 'listed', 'not listed')
  return found.maxVersion + 1
}

async function askTooNew(world: ConformanceWorld, api: string, version: number): Promise<void> {
  const answer = await (await world.raw()).call('tooNew', { connection: 'too-new', api, version })
  world.notes.set('too new', answer)
}

interface TooNew {
  readonly closed: boolean
  readonly sameId?: boolean
  readonly version0?: {
    readonly errorCode?: number
    readonly apiKeys?: { apiKey: number; maxVersion: number }[]
  }
  readonly unreadable?: string
}

When(
  'Metadata is asked in the version after the last that is listed',
  async function (this: ConformanceWorld) {
    await askTooNew(this, 'Metadata', await versionAfterLast(this, 'Metadata'))
  },
)

Then('the connection ends, or the answer names UNSUPPORTED_VERSION', function (this: ConformanceWorld) {
  const { closed, version0 } = this.note<TooNew>('too new')
  holds('an unlisted version', closed || version0?.errorCode === 35, 'refused', version0 ?? 'an answer')
})

When('ApiVersions is asked in the version after the last listed', async function (this: ConformanceWorld) {
  await askTooNew(this, 'ApiVersions', await versionAfterLast(this, 'ApiVersions'))
})

When('ApiVersions is asked in version {int}', async function (this: ConformanceWorld, version: number) {
  await askTooNew(this, 'ApiVersions', version)
})

Then('it is answered in version 0 form with UNSUPPORTED_VERSION', async function (this: ConformanceWorld) {
  const { closed, sameId, version0, unreadable } = this.note<TooNew>('too new')
  same('whether the connection was closed', false, closed)
  same('whether it is readable in version 0', undefined, unreadable)
  same('whether it answers the request', true, sameId)
  same('the error', 'UNSUPPORTED_VERSION', await errorName(this, version0?.errorCode ?? 0))
  const known = version0?.apiKeys?.find(({ apiKey }) => apiKey === 18)
  holds('what it says of ApiVersions itself', known !== undefined, 'its versions', version0?.apiKeys)
})

Then('the same connection answers Metadata', async function (this: ConformanceWorld) {
  const raw = await this.raw()
  const connection = { connection: 'too-new', existing: true }
  const answer = await raw.call('request', { ...connection, api: 'Metadata', body: { topics: [] } })
  const { brokers } = answer.body as { brokers?: unknown[] }
  holds('the brokers of the answer', (brokers?.length ?? 0) > 0, 'at least one', brokers)
})

/* ---- Order ---------------------------------------------------------------------------------------------------- */

interface Pipelined {
  readonly sent: { correlationId: number; api: string }[]
  readonly received: { correlationId: number; elapsedMs: number; body: Record<string, unknown> }[]
}

interface Acknowledged {
  readonly partitionResponses: readonly ProducedPartition[]
}

async function pipeline(world: ConformanceWorld, requests: { api: string; body: Record<string, unknown> }[]) {
  world.notes.set('pipelined', await (await world.raw()).call('pipeline', { requests }))
}

const fetchBody = (world: ConformanceWorld, maxWaitMs: number, fetchOffset: string) => {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1000 }]
  return { maxWaitMs, minBytes: 1, maxBytes: 1000, topics: [{ topic: world.topic().name, partitions }] }
}

When(
  '{int} requests of several kinds are sent in one write',
  async function (this: ConformanceWorld, count: number) {
    const { name } = this.topic()
    const first = await firstOffset(this)
    const kinds = [
      () => ({ api: 'Metadata', body: { topics: [{ name }] } }),
      () => ({ api: 'Produce', body: produceBody(this, { 0: randomBatch(this, 1) }) }),
      () => ({ api: 'Fetch', body: fetchBody(this, 5, first) }),
      () => ({
        api: 'ListOffsets',
        body: { topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: '-1' }] }], timeoutMs: 5000 },
      }),
      () => ({ api: 'ApiVersions', body: { clientSoftwareName: 'kop', clientSoftwareVersion: '1' } }),
    ]
    await pipeline(
      this,
      Array.from({ length: count }, () => (kinds[this.random.below(kinds.length)] as (typeof kinds)[0])()),
    )
  },
)

When(
  '{int} batches of {int} records are sent in one write',
  async function (this: ConformanceWorld, count: number, records: number) {
    const batches = Array.from({ length: count }, () => randomBatch(this, records))
    this.notes.set('batches', batches)
    await pipeline(
      this,
      batches.map((batch) => ({ api: 'Produce', body: produceBody(this, { 0: batch }) })),
    )
  },
)

Then(
  'each is acknowledged after the one before, and the records are fetched in the order of sending',
  async function (this: ConformanceWorld) {
    const { received } = this.note<Pipelined>('pipelined')
    const answers = received.map(({ body }) => body as unknown as { responses: Acknowledged[] })
    const acknowledged = answers.flatMap(({ responses }) => responses.flatMap((of) => of.partitionResponses))
    const stored = await recordsIn(this)
    const batches = this.note<RawBatch[]>('batches')
    const size = batches[0]?.records.length ?? 1
    sameList(
      'the errors and base offsets acknowledged',
      batches.map((_, index) => ({ errorCode: 0, baseOffset: stored[index * size]?.offset })),
      acknowledged.map(({ errorCode, baseOffset }) => ({ errorCode, baseOffset })),
    )
    sameList<unknown>(
      'values fetched',
      batches.flatMap((batch) => batch.records.map(({ value }) => ({ value }))),
      stored.map(({ value }) => ({ value })),
    )
  },
)

When(
  'a fetch that waits {int} ms and two requests for metadata are sent in one write',
  async function (this: ConformanceWorld, waitMs: number) {
    const metadata = { api: 'Metadata', body: { topics: [{ name: this.topic().name }] } }
    await pipeline(this, [
      { api: 'Fetch', body: fetchBody(this, waitMs, await firstOffset(this)) },
      metadata,
      metadata,
    ])
  },
)

Then('{int} answers come in the order of the requests', function (this: ConformanceWorld, count: number) {
  const { sent, received } = this.note<Pipelined>('pipelined')
  same('the number of answers', count, received.length)
  const ids = sent.map(({ correlationId }) => correlationId)
  sameList(
    'correlation ids',
    ids,
    received.map(({ correlationId }) => correlationId),
  )
})

/* ---- Bad frames ----------------------------------------------------------------------------------------------- */

async function sendBytes(world: ConformanceWorld, port: 'kafka' | 'pulsar', bytes: Buffer): Promise<void> {
  const raw = await world.raw()
  // Of another client, which is to notice nothing: open before, and asked again when the bad one has ended.
  await raw.call('request', { connection: 'other', api: 'Metadata', body: { topics: [] } })
  await raw.call('connect', { connection: 'bad', port })
  await raw.call('send', { connection: 'bad', bytes: bytes.toString('base64') })
}

const withLength = (length: number, body: Buffer): Buffer => {
  const prefix = Buffer.alloc(4)
  prefix.writeInt32BE(length)
  return Buffer.concat([prefix, body])
}

async function produceBytes(world: ConformanceWorld): Promise<Buffer> {
  const raw = await world.raw()
  const body = produceBody(world, { 0: randomBatch(world, 2) })
  // Version 8: the last before lengths became varints, so that the array's length has a place of its own.
  const { bytes } = await raw.call('encode', { api: 'Produce', version: 8, body })
  return Buffer.from(bytes, 'base64').subarray(4)
}

When('a connection sends a frame of {int} bytes', async function (this: ConformanceWorld, length: number) {
  await sendBytes(this, 'kafka', withLength(length, this.random.bytes(64)))
})

When('a connection sends a frame of a negative length', async function (this: ConformanceWorld) {
  await sendBytes(this, 'kafka', withLength(-7, this.random.bytes(64)))
})

When('a connection sends a request of an API that does not exist', async function (this: ConformanceWorld) {
  const body = Buffer.alloc(14)
  body.writeInt16BE(9999, 0)
  await sendBytes(this, 'kafka', withLength(body.length, body))
})

When('a connection sends a request that is cut off in the middle', async function (this: ConformanceWorld) {
  const whole = await produceBytes(this)
  const half = whole.subarray(0, Math.floor(whole.length / 2))
  await sendBytes(this, 'kafka', withLength(half.length, half))
})

When('a connection sends a request whose array has too many items', async function (this: ConformanceWorld) {
  const bytes = Buffer.from(await produceBytes(this))
  const topicAt = bytes.indexOf(this.topic().name)
  bytes.writeInt32BE(0x7fffffff, topicAt - 6)
  await sendBytes(this, 'kafka', withLength(bytes.length, bytes))
})

When(
  'a connection to the Pulsar port sends a frame of {int} bytes',
  async function (this: ConformanceWorld, length: number) {
    await sendBytes(this, 'pulsar', withLength(length, this.random.bytes(64)))
  },
)

When(
  'a connection to the Pulsar port sends a command that is noise',
  async function (this: ConformanceWorld) {
    const noise = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.alloc(24, 0xff)])
    await sendBytes(this, 'pulsar', withLength(noise.length, noise))
  },
)

Then('that connection is closed by the other side', async function (this: ConformanceWorld) {
  const { closed } = await (await this.raw()).call('expectClose', { connection: 'bad', timeoutMs: 10_000 })
  same('whether the connection was closed', true, closed)
})

Then('the connection of another client is open and answered', async function (this: ConformanceWorld) {
  const other = { connection: 'other', existing: true }
  const answered = await (await this.raw())
    .call('request', { ...other, api: 'Metadata', body: { topics: [] } })
    .then(
      () => 'an answer',
      (error: unknown) => {
        if (error instanceof DriverError) return error.message
        throw error
      },
    )
  same('what another client, connected all the time, is given', 'an answer', answered)
})

When('a connection is opened and says nothing', async function (this: ConformanceWorld) {
  await (await this.raw()).call('connect', { connection: 'bad', port: 'kafka' })
})

/* ---- Back-pressure -------------------------------------------------------------------------------------------- */

const FLOOD_BYTES_MAX = 64 * 1024 * 1024

When(
  'a batch of one record of {int} bytes is produced',
  async function (this: ConformanceWorld, bytes: number) {
    const [produced] = await produceRaw(this, { 0: randomBatch(this, 1, bytes) })
    same('the error of the batch', 0, produced?.errorCode)
  },
)

When('a connection asks for it again and again and reads nothing', async function (this: ConformanceWorld) {
  const fetchOffset = await firstOffset(this)
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1_000_000 }]
  const topics = [{ topic: this.topic().name, partitions }]
  const body = { maxWaitMs: 0, minBytes: 0, maxBytes: 1_000_000, topics }
  const flood = {
    connection: 'bad',
    api: 'Fetch',
    body,
    padBytes: 30_000,
    bytesMax: FLOOD_BYTES_MAX,
    stallMs: 400,
  }
  this.notes.set('flood', await (await this.raw()).call('flood', flood))
})

Then(
  'the broker stops taking its requests long before 64 MB of them',
  async function (this: ConformanceWorld) {
    const { acceptedBytes, stalled, closed } = this.note<{
      acceptedBytes: number
      stalled: boolean
      closed: boolean
    }>('flood')
    // What the two kernels hold for a connection may be megabytes; the broker's share must not add up.
    holds('the requests taken', stalled || closed, 'no more than the buffers hold', `${acceptedBytes} bytes`)
    holds(
      'the requests taken',
      acceptedBytes < FLOOD_BYTES_MAX / 2,
      'less than 32 MB',
      `${acceptedBytes} bytes`,
    )
    const { topics } = await metadataRaw(this, [this.topic().name])
    same('what others see meanwhile', 0, topics[0]?.errorCode)
  },
)
