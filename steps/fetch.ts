import { type DataTable, Then, When } from '@cucumber/cucumber'
import { DriverError, Unsupported } from '../matrix/driver/errors.js'
import type { RawBatch } from '../matrix/driver/raw-messages.js'
import { readByKafka } from './consume.js'
import { isConsecutive, offsetOf, sameOffset } from './places.js'
import { sendByPulsar } from './produce.js'
import { kafkaView, randomMessage } from './records.js'
import {
  errorName,
  type FetchAnswer,
  fetchRaw,
  metadataRaw,
  offsetAt,
  type ProducedPartition,
  produceBody,
  produceRaw,
  randomBatch,
  recordsIn,
} from './requests.js'
import { holds, Mismatch, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

const fetched = (world: ConformanceWorld): FetchAnswer => world.note<FetchAnswer>('fetched')
const allPartitions = (world: ConformanceWorld): number[] =>
  Array.from({ length: world.topic().partitions }, (_, index) => index)

Then(
  /^the answer is ([A-Z][A-Z_]+(?: or [A-Z_]+)*)$/,
  async function (this: ConformanceWorld, names: string) {
    const seen = await errorName(this, this.note<number>('error'))
    if (!names.split(' or ').includes(seen)) throw new Mismatch('the error of the answer', names, seen)
  },
)

interface Acknowledgement {
  readonly value: string | null | undefined
  readonly offset: string
}

/* ---- Producing ------------------------------------------------------------------------------------------------ */

When(
  /^a batch of (\d+) records? is produced(?: to partition (\d+))?$/,
  async function (this: ConformanceWorld, count: string, partition: string | null) {
    const batch = randomBatch(this, Number(count))
    const [produced] = await produceRaw(this, { [Number(partition ?? 0)]: batch })
    same('the error of a right batch', 0, produced?.errorCode)
    const before = (this.notes.get('acknowledged') as Acknowledgement[] | undefined) ?? []
    const first = BigInt(produced?.baseOffset ?? -1)
    const each = batch.records.map(({ value }, index) => ({ value, offset: String(first + BigInt(index)) }))
    this.notes.set('acknowledged', [...before, ...each])
  },
)

Then(
  'a batch of {int} records is answered with an error',
  async function (this: ConformanceWorld, count: number) {
    const [produced] = await produceRaw(this, { 0: randomBatch(this, count) })
    const seen = await errorName(this, produced?.errorCode ?? 0)
    holds(
      'the answer to an append that fails',
      seen !== 'NONE',
      'an error',
      `${seen} at ${produced?.baseOffset}`,
    )
  },
)

Then('what was acknowledged is fetched under its offsets', async function (this: ConformanceWorld) {
  const seen = new Map((await recordsIn(this)).map(({ offset, value }) => [offset, value]))
  const acknowledged = this.note<Acknowledgement[]>('acknowledged')
  sameList(
    'what was acknowledged',
    acknowledged,
    acknowledged.map(({ offset }) => ({ value: seen.get(offset), offset })),
  )
})

When(
  'a batch of {int} records with a wrong {word} is produced',
  async function (this: ConformanceWorld, count: number, part: string) {
    await produceRaw(this, { 0: { ...randomBatch(this, count), spoiled: part as 'crc' | 'count' } })
  },
)

When('a batch larger than the topic takes is produced', async function (this: ConformanceWorld) {
  const raw = await this.raw()
  const resources = [
    { resourceType: 2, resourceName: this.topic().name, configurationKeys: ['max.message.bytes'] },
  ]
  const answer = await raw.call('request', { api: 'DescribeConfigs', body: { resources } })
  const { results } = answer.body as unknown as { results: { configs: { value: string | null }[] }[] }
  const limit = Number(results[0]?.configs[0]?.value ?? 5 * 1024 * 1024)
  holds('the topic’s max.message.bytes', limit > 0 && limit < 64 * 1024 * 1024, 'a limit', limit)
  await produceRaw(this, { 0: { records: [{ value: Buffer.alloc(limit + 1, 120).toString('base64') }] } })
})

Then('the batch was stored at offset {int}', async function (this: ConformanceWorld, place: number) {
  const [produced] = this.note<ProducedPartition[]>('produced')
  await sameOffset('the base offset', this, place, produced?.baseOffset)
})

When(
  'one request carries a good batch for partition 0, a corrupt one for partition 1 and one for partition 7',
  async function (this: ConformanceWorld) {
    const corrupt: RawBatch = { ...randomBatch(this, 2), spoiled: 'crc' }
    await produceRaw(this, { 0: randomBatch(this, 2), 1: corrupt, 7: randomBatch(this, 2) })
  },
)

Then('the answer is for each partition', async function (this: ConformanceWorld, table: DataTable) {
  const produced = this.note<ProducedPartition[]>('produced')
  const seen: string[] = []
  for (const { index, errorCode } of produced) seen.push(`${index} ${await errorName(this, errorCode)}`)
  sameList(
    'error of each partition',
    table.hashes().map(({ partition, error }) => `${partition} ${error}`),
    seen,
  )
})

Then('the topic holds {int} record(s)', async function (this: ConformanceWorld, count: number) {
  same('the number of records stored', count, (await recordsIn(this)).length)
})

Then(
  'partition {int} holds {int} record(s)',
  async function (this: ConformanceWorld, partition: number, count: number) {
    same(`the number of records in partition ${partition}`, count, (await recordsIn(this, partition)).length)
  },
)

When(
  'one write carries a produce request with acks 0 and a metadata request',
  async function (this: ConformanceWorld) {
    const produce = {
      api: 'Produce',
      body: produceBody(this, { 0: randomBatch(this, 1) }, 0),
      answered: false,
    }
    const metadata = { api: 'Metadata', body: { topics: [{ name: this.topic().name }] } }
    const answers = await (await this.raw()).call('pipeline', { requests: [produce, metadata] })
    this.notes.set('pipeline', answers)
  },
)

Then('the only answer is that to the metadata request', async function (this: ConformanceWorld) {
  type Pipeline = { sent: { correlationId: number }[]; received: { correlationId: number }[] }
  const { sent, received } = this.note<Pipeline>('pipeline')
  same('the first answer', sent[1]?.correlationId, received[0]?.correlationId)
  // Had an answer to acks 0 come late, the next request would meet it.
  const { topics } = await metadataRaw(this, [this.topic().name])
  same('the next answer', this.topic().name, topics[0]?.name)
})

/* ---- Idempotent producers ------------------------------------------------------------------------------------- */

interface Idempotent {
  readonly producerId: string
  readonly producerEpoch: number
  readonly batches: RawBatch[]
  readonly offsets: string[]
}

/** The coordinator of a target that has just started may still be loading: asked again, it answers. */
const LOADING = [14, 15]

async function initProducerId(
  world: ConformanceWorld,
): Promise<{ producerId: string; producerEpoch: number }> {
  const raw = await world.raw()
  for (let attempt = 0; ; attempt++) {
    const answer = await raw.call('request', {
      api: 'InitProducerId',
      body: { transactionTimeoutMs: 60_000 },
    })
    const { errorCode, producerId, producerEpoch } = answer.body as {
      errorCode: number
      producerId: string
      producerEpoch: number
    }
    if (LOADING.includes(errorCode) && attempt < 1000) continue
    same('the error of InitProducerId', 0, errorCode)
    return { producerId, producerEpoch }
  }
}

When(
  'an idempotent producer has written {int} batches of {int} records',
  async function (this: ConformanceWorld, batches: number, records: number) {
    const { producerId, producerEpoch } = await initProducerId(this)
    const producer: Idempotent = { producerId, producerEpoch, batches: [], offsets: [] }
    for (let number = 0; number < batches; number++) {
      const baseSequence = number * records
      const batch = { ...randomBatch(this, records), producerId, producerEpoch, baseSequence }
      const [produced] = await produceRaw(this, { 0: batch })
      same(`the error of batch ${number + 1}`, 0, produced?.errorCode)
      producer.batches.push(batch)
      producer.offsets.push(produced?.baseOffset ?? '-1')
    }
    this.notes.set('idempotent', producer)
  },
)

When('batch {int} is sent again', async function (this: ConformanceWorld, number: number) {
  const { batches, offsets } = this.note<Idempotent>('idempotent')
  const batch = batches[number - 1]
  if (batch === undefined) throw new Error(`there is no batch ${number}`)
  await produceRaw(this, { 0: batch })
  this.notes.set('first offset', offsets[number - 1])
})

Then('it is acknowledged with the offset of the first time', function (this: ConformanceWorld) {
  const [produced] = this.note<ProducedPartition[]>('produced')
  const expected = { errorCode: 0, baseOffset: this.note<string>('first offset') }
  same('the acknowledgement', expected, { errorCode: produced?.errorCode, baseOffset: produced?.baseOffset })
})

When(
  'a batch of sequence number {int} is sent in place of {int}',
  async function (this: ConformanceWorld, baseSequence: number, _due: number) {
    const { producerId, producerEpoch } = this.note<Idempotent>('idempotent')
    await produceRaw(this, { 0: { ...randomBatch(this, 2), producerId, producerEpoch, baseSequence } })
  },
)

When(
  'it goes on with a newer epoch and then with the older one again',
  async function (this: ConformanceWorld) {
    const { producerId, producerEpoch } = this.note<Idempotent>('idempotent')
    const newer = { ...randomBatch(this, 2), producerId, producerEpoch: producerEpoch + 1, baseSequence: 0 }
    const [produced] = await produceRaw(this, { 0: newer })
    same('the error of the newer epoch', 0, produced?.errorCode)
    await produceRaw(this, { 0: { ...randomBatch(this, 2), producerId, producerEpoch, baseSequence: 4 } })
  },
)

/* ---- Waiting -------------------------------------------------------------------------------------------------- */

async function fetchAtEnd(world: ConformanceWorld, maxWaitMs: number, minBytes = 1): Promise<FetchAnswer> {
  const { offset } = await offsetAt(world, '-1')
  return fetchRaw(world, { offset, maxWaitMs, minBytes, connection: 'waiting' })
}

When(
  'the end of the log is fetched with a wait of {int} ms',
  async function (this: ConformanceWorld, waitMs: number) {
    await fetchAtEnd(this, waitMs)
  },
)

Then(
  'the answer is empty and comes after at least {int} ms, and within {int} s',
  function (this: ConformanceWorld, atLeastMs: number, withinS: number) {
    const { elapsedMs, partitions } = fetched(this)
    same('the records', 0, partitions[0]?.records.sizeBytes)
    // Timers of both sides are of a millisecond's grain.
    holds('the wait', elapsedMs >= atLeastMs - 20, `at least ${atLeastMs} ms`, `${elapsedMs} ms`)
    holds('the wait', elapsedMs < withinS * 1000, `less than ${withinS} s`, `${elapsedMs} ms`)
  },
)

/** By the time that another connection has its answer, the fetch before it is waiting. */
const roundTrip = (world: ConformanceWorld) => metadataRaw(world, [world.topic().name])

When(
  'the end of the log is fetched with a wait of {int} s, and a record is produced meanwhile',
  async function (this: ConformanceWorld, waitS: number) {
    const { offset } = await offsetAt(this, '-1')
    const waiting = fetchRaw(this, { offset, maxWaitMs: waitS * 1000, connection: 'waiting' })
    await roundTrip(this)
    const batch = randomBatch(this, 1)
    await produceRaw(this, { 0: batch })
    this.notes.set(
      'meanwhile',
      batch.records.map(({ value }) => value),
    )
    await waiting
  },
)

When(
  'the end of the log is fetched with a wait of {int} s, and a Pulsar producer sends a message meanwhile',
  async function (this: ConformanceWorld, waitS: number) {
    const first = randomMessage(this.random, this.nowMs)
    // Connects the producer: what is measured is the waking, not that.
    await sendByPulsar(this, [first])
    const { offset } = await offsetAt(this, '-1')
    const waiting = fetchRaw(this, { offset, maxWaitMs: waitS * 1000, connection: 'waiting' })
    await roundTrip(this)
    const message = randomMessage(this.random, this.nowMs)
    await sendByPulsar(this, [message])
    this.notes.set('meanwhile', [message.value])
    await waiting
  },
)

Then(
  'the answer holds that record and comes long before the wait is over',
  function (this: ConformanceWorld) {
    const { elapsedMs, partitions } = fetched(this)
    const values =
      partitions[0]?.records.batches.flatMap(({ records }) => records.map(({ value }) => value)) ?? []
    sameList<unknown>('values fetched', this.note<string[]>('meanwhile'), values)
    holds('the wait', elapsedMs < 8000, 'less than 8000 ms', `${elapsedMs} ms`)
  },
)

When(
  'the end of the log is fetched with a wait of {int} s for {int} bytes, and records are produced meanwhile',
  async function (this: ConformanceWorld, waitS: number, minBytes: number) {
    const { offset } = await offsetAt(this, '-1')
    const waiting = fetchRaw(this, { offset, maxWaitMs: waitS * 1000, minBytes, connection: 'waiting' })
    await roundTrip(this)
    await produceRaw(this, { 0: randomBatch(this, 1, 10) })
    await roundTrip(this)
    await produceRaw(this, { 0: randomBatch(this, 1, 2 * minBytes) })
    await waiting
  },
)

Then('the answer holds at least {int} bytes', function (this: ConformanceWorld, bytes: number) {
  const { partitions, elapsedMs } = fetched(this)
  const size = partitions[0]?.records.sizeBytes ?? 0
  holds(
    'the size of the answer',
    size >= bytes,
    `at least ${bytes} bytes`,
    `${size} bytes after ${elapsedMs} ms`,
  )
  holds('the wait', elapsedMs < 8000, 'less than 8000 ms', `${elapsedMs} ms`)
})

/* ---- Ends of the log ------------------------------------------------------------------------------------------ */

When('records before offset {int} are deleted', async function (this: ConformanceWorld, before: number) {
  const offset = await offsetOf(this, before)
  const partitions = [{ partitionIndex: 0, offset }]
  const body = { topics: [{ name: this.topic().name, partitions }], timeoutMs: 10_000 }
  const answer = await (await this.raw()).call('request', { api: 'DeleteRecords', body })
  const { topics } = answer.body as unknown as { topics: { partitions: unknown[] }[] }
  const expected = { partitionIndex: 0, lowWatermark: offset, errorCode: 0 }
  same('the answer to DeleteRecords', [expected], topics[0]?.partitions)
})

When('offset {int} is fetched', async function (this: ConformanceWorld, place: number) {
  await fetchRaw(this, { offset: await offsetOf(this, place) })
})

Then('it holds no record', function (this: ConformanceWorld) {
  same('the bytes of records', 0, fetched(this).partitions[0]?.records.sizeBytes)
})

Then(
  'a Kafka consumer that asks for offset {int} is told OFFSET_OUT_OF_RANGE',
  async function (this: ConformanceWorld, offset: number) {
    const from = { offset: await offsetOf(this, offset) }
    const seen = await readByKafka(this, { from, count: 1 }).then(
      (records) => records.map((record) => record.offset).join(' '),
      (error: unknown) => {
        if (error instanceof DriverError) return error.name
        throw error
      },
    )
    same('the error', 'OFFSET_OUT_OF_RANGE', seen)
  },
)

/* ---- Limits --------------------------------------------------------------------------------------------------- */

When(
  '{int} batches of one record of {int} bytes are produced to each partition',
  async function (this: ConformanceWorld, batches: number, bytes: number) {
    for (let number = 0; number < batches; number++) {
      const each = allPartitions(this).map((partition) => [partition, randomBatch(this, 1, bytes)] as const)
      await produceRaw(this, Object.fromEntries(each))
    }
  },
)

When(
  'each partition is fetched with at most {int} bytes a partition and {int} bytes in all',
  async function (this: ConformanceWorld, partitionMaxBytes: number, maxBytes: number) {
    await fetchRaw(this, { partitions: allPartitions(this), partitionMaxBytes, maxBytes })
  },
)

const batchCount = ({ partitions }: FetchAnswer): number =>
  partitions.reduce((sum, { records }) => sum + records.batches.length, 0)

Then(
  'the answer holds exactly the first batch of partition 0, whole',
  async function (this: ConformanceWorld) {
    const answer = fetched(this)
    same('the number of batches', 1, batchCount(answer))
    const [batch] =
      answer.partitions.find(({ partitionIndex }) => partitionIndex === 0)?.records.batches ?? []
    same('its records', 1, batch?.records.length)
    await sameOffset('its offset', this, 0, batch?.baseOffset)
  },
)

Then(
  'partition {int} of the answer holds {int} batches',
  function (this: ConformanceWorld, partition: number, count: number) {
    const found = fetched(this).partitions.find(({ partitionIndex }) => partitionIndex === partition)
    same(`the batches of partition ${partition}`, count, found?.records.batches.length)
  },
)

Then(
  'the answer holds at least {int} and at most {int} batches',
  function (this: ConformanceWorld, least: number, most: number) {
    const count = batchCount(fetched(this))
    holds('the number of batches', count >= least && count <= most, `${least} to ${most}`, count)
  },
)

/* ---- Sessions ------------------------------------------------------------------------------------------------- */

When('all partitions are fetched outside a session', async function (this: ConformanceWorld) {
  await fetchRaw(this, { partitions: allPartitions(this) })
})

Then('the answer names partitions 0, 1 and 2', function (this: ConformanceWorld) {
  const { partitions } = fetched(this)
  same(
    'the partitions of the answer',
    [0, 1, 2],
    partitions.map(({ partitionIndex }) => partitionIndex).sort(),
  )
  sameList(
    'errors',
    [0, 0, 0],
    partitions.map(({ errorCode }) => errorCode),
  )
  sameList(
    'records',
    [2, 0, 0],
    partitions.map(({ records }) => records.batches.flatMap((each) => each.records).length),
  )
})

When('a fetch session is opened over all partitions', async function (this: ConformanceWorld) {
  const { sessionId } = await fetchRaw(this, {
    partitions: allPartitions(this),
    sessionId: 0,
    sessionEpoch: 0,
  })
  if (sessionId === 0) throw new Unsupported('the target offers no fetch sessions')
  this.notes.set('session', sessionId)
})

When('the session is fetched incrementally', async function (this: ConformanceWorld) {
  await fetchRaw(this, { partitions: [], sessionId: this.note('session'), sessionEpoch: 1, maxWaitMs: 2000 })
})

Then(
  'the answer names partition {int} only, with {int} records',
  function (this: ConformanceWorld, partition: number, count: number) {
    const { partitions } = fetched(this)
    same(
      'the partitions of the answer',
      [partition],
      partitions.map(({ partitionIndex }) => partitionIndex),
    )
    same('its records', count, partitions[0]?.records.batches.flatMap(({ records }) => records).length)
  },
)

When('an unknown fetch session is used', async function (this: ConformanceWorld) {
  const sessionId = this.note<number>('session') ^ 0x2a2a2a
  await fetchRaw(this, { partitions: [], sessionId, sessionEpoch: 1 })
})

When('a wrong session epoch is used', async function (this: ConformanceWorld) {
  await fetchRaw(this, { partitions: [], sessionId: this.note('session'), sessionEpoch: 7 })
})

/* ---- Sound batches -------------------------------------------------------------------------------------------- */

When(
  'batches of {int}, {int} and {int} records compressed with {word} are produced',
  async function (this: ConformanceWorld, first: number, second: number, third: number, codec: string) {
    for (const count of [first, second, third]) {
      await produceRaw(this, { 0: { ...randomBatch(this, count), codec: codec as 'none' | 'gzip' } })
    }
  },
)

Then(
  'every batch is sound, and they cover offsets {int} to {int} without a gap',
  async function (this: ConformanceWorld, first: number, last: number) {
    const due = last - first + 1
    let { partitions } = fetched(this)
    let next = BigInt(await offsetOf(this, first))
    let came = 0
    while (came < due) {
      const batches = partitions[0]?.records.batches ?? []
      holds('batches come', batches.length > 0, `offset ${next}`, 'an empty answer')
      for (const batch of batches) {
        const { crcValid, baseOffset, lastOffsetDelta } = batch
        const offsets = batch.records.map(({ offset }) => offset)
        // Where offsets are not consecutive (ID-3) a batch begins after the one before, and tells where its last record is.
        const begins = isConsecutive(this) || BigInt(baseOffset) < next ? next : BigInt(baseOffset)
        const ends = isConsecutive(this) ? BigInt(offsets.length - 1) : BigInt(offsets.at(-1) ?? -1) - begins
        const expected = { crcValid: true, baseOffset: String(begins), lastOffsetDelta: Number(ends) }
        same('the batch', expected, { crcValid, baseOffset, lastOffsetDelta })
        sameList(
          'offsets within the batch',
          offsets.map((_, index) => String(begins + BigInt(index))),
          offsets,
        )
        const latest = batch.records.reduce(
          (max, { timestamp }) => (BigInt(timestamp) > max ? BigInt(timestamp) : max),
          -1n,
        )
        same('the batch’s max timestamp', latest.toString(), batch.maxTimestamp)
        next = BigInt(baseOffset) + BigInt(lastOffsetDelta) + 1n
        came += offsets.length
      }
      if (came < due) ({ partitions } = await fetchRaw(this, { offset: String(next) }))
    }
    same('the records that came', due, came)
    const { partitions: rest } = await fetchRaw(this, { offset: String(next) })
    same('the bytes after the last', 0, rest[0]?.records.sizeBytes)
  },
)

/* ---- After a failure ------------------------------------------------------------------------------------------ */

Then(
  'a Kafka consumer receives at least all of it, the acknowledged records first',
  async function (this: ConformanceWorld) {
    const seen = await readByKafka(this)
    const values = seen.slice(0, this.written.length).map(({ value }) => value)
    sameList(
      'values',
      this.written.map((each) => kafkaView(each).value),
      values,
    )
  },
)
