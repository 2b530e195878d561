import { setTimeout as delay } from 'node:timers/promises'
import type { KafkaOps, ResultOf } from '../driver/messages.js'
import { DriverError, type TypedDriver } from '../driver/process.js'
import { type MakeTopics, orPlainly, type SmokeRun, unlessUnsupported } from './smoke-run.js'

const PARTITIONS = [0, 1, 2, 3]
type Assignor = 'range' | 'roundrobin' | 'sticky' | 'cooperative-sticky'

interface Stage {
  readonly run: SmokeRun
  readonly kafka: TypedDriver<KafkaOps>
  /** Of four partitions, with records `<partition>-<n>`. */
  readonly topic: string
  /** The first that the library has. */
  readonly assignor: Assignor
}

/** Members, commits and what became of them: the ops of groups. */
export async function smokeGroups(
  run: SmokeRun,
  kafka: TypedDriver<KafkaOps>,
  makeTopics: MakeTopics,
): Promise<void> {
  const topic = `smoke-${run.id}-groups`
  const topics = [{ name: topic, partitions: PARTITIONS.length }]
  await unlessUnsupported(
    () => kafka.call('createTopics', { topics }),
    () => makeTopics(topics),
  )
  await brokersKnow(kafka, topic)
  const stage = { run, kafka, topic, assignor: await firstAssignor(kafka, topic) }
  await commits(stage)
  await membership(stage)
  await assignors(stage)
  await staticMembers(stage)
  await manyRecords(stage)
  await endings(stage)
  await unlessUnsupported(
    () => kafka.call('deleteTopics', { names: [topic] }),
    async () => {},
  )
}

/** Kafka's controller has made a topic before the brokers know it: some libraries take their answer for the last word. */
async function brokersKnow(kafka: TypedDriver<KafkaOps>, topic: string): Promise<void> {
  for (let left = 40; left > 0; left--) {
    const ends = PARTITIONS.map((partition) => kafka.call('listOffsets', { topic, partition, at: 'latest' }))
    const asked = await Promise.allSettled(ends)
    if (!asked.some((each) => each.status === 'rejected' && each.reason instanceof DriverError)) return
    await delay(50)
  }
}

async function firstAssignor(kafka: TypedDriver<KafkaOps>, topic: string): Promise<Assignor> {
  try {
    await kafka.call('openMember', { member: 'probe', group: `${topic}-probe`, topics: [topic] })
    await kafka.call('closeMember', { member: 'probe' })
    return 'range'
  } catch (error) {
    if (error instanceof Error && error.name === 'Unsupported') return 'roundrobin'
    throw error
  }
}

async function commits({ run, kafka, topic }: Stage): Promise<void> {
  const group = `${topic}-commits`
  await run.check('allCommitted: none', async () => {
    run.equal((await kafka.call('allCommitted', { group })).offsets, [])
  })
  await run.check('commit', async () => {
    await kafka.call('commit', { group, offsets: [{ topic, partition: 0, offset: '5' }] })
    run.equal((await kafka.call('committed', { group, topic, partition: 0 })).offset, '5')
  })
  let metadata: string | null = null
  await run.check('commit with metadata', async () => {
    const plain = { topic, partition: 2, offset: '7' }
    await orPlainly(
      () => kafka.call('commit', { group, offsets: [{ ...plain, metadata: 'seven' }] }),
      () => kafka.call('commit', { group, offsets: [plain] }),
    )
    metadata = 'seven'
    run.equal((await kafka.call('committed', { group, topic, partition: 2 })).offset, '7')
  })
  await run.check('allCommitted', async () => {
    const { offsets } = await kafka.call('allCommitted', { group })
    run.equal(
      offsets.map(({ topic, partition, offset }) => [topic, partition, offset]),
      [
        [topic, 0, '5'],
        [topic, 2, '7'],
      ],
    )
    run.equal([offsets[0]?.metadata || null, offsets[1]?.metadata || null], [null, metadata])
  })
}

/** Two members share, commit, and one leaves: the other goes on where the commits are. */
async function membership(stage: Stage): Promise<void> {
  const { run, kafka, topic, assignor } = stage
  const group = `${topic}-members`
  const open = (member: string) => kafka.call('openMember', { member, group, topics: [topic], assignor })
  await run.check('openMember, assignment of all', async () => {
    await open('one')
    const seen = await kafka.call('assignment', { member: 'one', count: 4 })
    run.equal(
      seen.partitions,
      PARTITIONS.map((partition) => ({ topic, partition })),
    )
    run.equal(
      seen.history.map(({ event, partitions }) => [event, partitions.length]),
      [['assigned', 4]],
    )
  })
  await run.check('assignment of two', async () => {
    await open('two')
    await kafka.call('assignment', { member: 'two', count: 2 })
    const { history, generation } = await kafka.call('assignment', { member: 'one', count: 2 })
    run.equal(
      history.map(({ event, partitions }) => [event, partitions.length]),
      [
        ['assigned', 4],
        ['revoked', 4],
        ['assigned', 2],
      ],
    )
    run.true(generation === undefined || generation > 1, `generation ${generation}`)
  })
  await run.check('assignment until the time-out', async () => {
    const { partitions } = await kafka.call('assignment', { member: 'one', count: 3, timeoutMs: 300 })
    run.equal(partitions.length, 2)
  })
  let first: ResultOf<KafkaOps, 'memberPoll'>['records'] = []
  await run.check('memberPoll', async () => {
    const records = PARTITIONS.map((partition) => ({ partition, key: null, value: textOf(`${partition}-0`) }))
    await kafka.call('produce', { topic, records, producer: 'groups' })
    first = (await kafka.call('memberPoll', { member: 'one', count: 2 })).records
    const second = (await kafka.call('memberPoll', { member: 'two', count: 2 })).records
    run.equal(valuesOf([...first, ...second]).sort(), ['0-0', '1-0', '2-0', '3-0'])
    run.equal(first[0]?.topic, topic)
  })
  await run.check('memberPoll until the time-out', async () => {
    run.equal((await kafka.call('memberPoll', { member: 'one', count: 1, timeoutMs: 300 })).records, [])
  })
  let isCommitted = false
  await run.check('memberCommit of what was polled', async () => {
    await kafka.call('memberCommit', { member: 'one' })
    isCommitted = true
    for (const partition of PARTITIONS) {
      const { offset } = await kafka.call('committed', { group, topic, partition })
      run.equal(offset, first.some((record) => record.partition === partition) ? '1' : '-1')
    }
  })
  await run.check('commit into a group with members', async () => {
    const offsets = [{ topic, partition: 0, offset: '1' }]
    run.equal(await errorOf(kafka.call('commit', { group, offsets })), 'UNKNOWN_MEMBER_ID')
  })
  await run.check('closeMember: the other goes on from the commits', async () => {
    const started = performance.now()
    await kafka.call('closeMember', { member: 'two' })
    run.true(performance.now() - started < 5000, 'closeMember took too long')
    await kafka.call('assignment', { member: 'one', count: 4 })
    const uncommitted = PARTITIONS.filter(
      (partition) => !isCommitted || !first.some((record) => record.partition === partition),
    )
    const count = uncommitted.length + 1
    const { records } = await kafka.call('memberPoll', { member: 'one', count, timeoutMs: 2000 })
    run.equal(
      valuesOf(records).sort(),
      uncommitted.map((partition) => `${partition}-0`),
    )
  })
  await run.check('memberCommit of given offsets', async () => {
    const offsets = [{ topic, partition: 3, offset: '9' }]
    await kafka.call('memberCommit', { member: 'one', offsets })
    run.equal((await kafka.call('committed', { group, topic, partition: 3 })).offset, '9')
  })
  await run.check('closeMember of none', () =>
    expectError(run, 'NoSuchMember', () => kafka.call('closeMember', { member: 'nobody' })),
  )
  await run.check('closeMember', () => kafka.call('closeMember', { member: 'one' }))
}

async function assignors({ run, kafka, topic }: Stage): Promise<void> {
  const share = async (group: string, more: { assignor?: Assignor; protocol?: 'classic' | 'consumer' }) => {
    const open = (member: string) => kafka.call('openMember', { member, group, topics: [topic], ...more })
    await open('first')
    await kafka.call('assignment', { member: 'first', count: 4 })
    await open('second')
    await kafka.call('assignment', { member: 'second', count: 2 })
    const { history, partitions } = await kafka.call('assignment', { member: 'first', count: 2 })
    run.equal(partitions.length, 2)
    await kafka.call('closeMember', { member: 'first' })
    await kafka.call('assignment', { member: 'second', count: 4 })
    await kafka.call('closeMember', { member: 'second' })
    return history.filter(({ event }) => event === 'revoked').map(({ partitions }) => partitions.length)
  }
  for (const assignor of ['range', 'roundrobin', 'sticky'] as const) {
    await run.check(`assignor ${assignor}`, async () => {
      run.equal(await share(`${topic}-${assignor}`, { assignor }), [4])
    })
  }
  await run.check('assignor cooperative-sticky takes only what moves', async () => {
    run.equal(await share(`${topic}-cooperative`, { assignor: 'cooperative-sticky' }), [2])
  })
  await run.check('protocol consumer', async () => {
    run.equal(await share(`${topic}-consumer`, { protocol: 'consumer' }), [2])
  })
}

/** The name of the driver's error; `nothing` when there is none. @throws what is no error of the driver */
function errorOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'nothing',
    (error: unknown) => (error instanceof DriverError ? error.name : Promise.reject(error)),
  )
}

async function staticMembers({ run, kafka, topic, assignor }: Stage): Promise<void> {
  const args = { group: `${topic}-static`, topics: [topic], assignor, instanceId: 'same' }
  await run.check('a static member is fenced by another of its id', async () => {
    await kafka.call('openMember', { member: 'early', ...args })
    await kafka.call('assignment', { member: 'early', count: 4 })
    await kafka.call('openMember', { member: 'late', ...args })
    await kafka.call('assignment', { member: 'late', count: 4 })
    const member = 'early'
    try {
      const told = await errorOf(kafka.call('memberPoll', { member, count: 1000, timeoutMs: 8000 }))
      if (told !== 'nothing') return run.equal(told, 'FENCED_INSTANCE_ID')
      // Some libraries tell one that commits.
      const offsets = [{ topic, partition: 0, offset: '1' }]
      run.equal(await errorOf(kafka.call('memberCommit', { member, offsets })), 'FENCED_INSTANCE_ID')
    } finally {
      await kafka.call('closeMember', { member })
      await kafka.call('closeMember', { member: 'late' })
    }
  })
}

/** More than a member keeps before it pauses. */
async function manyRecords({ run, kafka, topic, assignor }: Stage): Promise<void> {
  await run.check('memberPoll of more than a member keeps', async () => {
    const records = Array.from({ length: 7000 }, (_, index) => ({
      partition: index % 4,
      key: null,
      value: textOf(`many-${index}`),
    }))
    await kafka.call('produce', { topic, records, producer: 'many' })
    const args = { group: `${topic}-many`, topics: [topic], assignor }
    await kafka.call('openMember', { member: 'many', ...args })
    const few = await kafka.call('memberPoll', { member: 'many', count: 500 })
    const rest = await kafka.call('memberPoll', { member: 'many', count: 6504 })
    const values = valuesOf([...few.records, ...rest.records])
    run.equal(new Set(values.filter((value) => value.startsWith('many-'))).size, 7000)
    await kafka.call('closeMember', { member: 'many' })
  })
}

async function endings({ run, kafka, topic, assignor }: Stage): Promise<void> {
  await run.check('closeMember while it joins', async () => {
    const started = performance.now()
    await kafka.call('openMember', { member: 'brief', group: `${topic}-brief`, topics: [topic], assignor })
    await kafka.call('closeMember', { member: 'brief' })
    run.true(performance.now() - started < 6000, 'it took too long')
  })
}

const textOf = (value: string) => Buffer.from(value).toString('base64')

function valuesOf(records: ResultOf<KafkaOps, 'memberPoll'>['records']): string[] {
  return records.map(({ value }) => Buffer.from(value ?? '', 'base64').toString())
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
