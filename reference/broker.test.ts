import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, test } from 'node:test'
import { metadata } from './kafka/messages/03-metadata.js'
import { offsetCommit } from './kafka/messages/08-offset-commit.js'
import { listGroups } from './kafka/messages/16-list-groups.js'
import { BrokerProcess, type Launch, type Refused, scratchFolder } from './testing.js'

const folder = scratchFolder()
after(() => {
  BrokerProcess.killAll()
  folder.remove()
})

let directories = 0
const ownDirectory = () => ({ 'data-directory': `${folder.path}/${++directories}` })

/** Starts what must not come to serve. */
async function refusedStart(launch: Launch): Promise<Refused> {
  const started = await BrokerProcess.launch(launch)
  if (!(started instanceof BrokerProcess)) return started
  await started.stop('SIGKILL')
  return assert.fail('the broker served')
}

/** The one line that a refused start says, its log aside. */
function oneLine({ stderr }: Refused): string {
  const lines = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'))
  assert.equal(lines.length, 1, `one line is expected:\n${stderr}`)
  return lines[0] ?? ''
}

test('it serves both protocols and the web, says where in one line, and stops cleanly on SIGTERM', async () => {
  const flags = ownDirectory()
  const broker = await BrokerProcess.start({ flags })
  const { kafka, pulsar, admin, version } = broker.endpoints
  assert.match(kafka, /^127\.0\.0\.1:\d+$/)
  assert.match(pulsar, /^pulsar:\/\/127\.0\.0\.1:\d+$/)
  assert.match(admin, /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.match(version, /^\d+\.\d+\.\d+/)
  const client = await broker.kafka()
  await client.createTopic('kept')
  assert.equal((await client.produce('kept', [Buffer.from('a'), Buffer.from('b')])).errorCode, 0)
  await broker.pulsar()
  // With clients still connected: they must not hold up the end.
  assert.equal(await broker.stop('SIGTERM'), 0)
  assert.match(broker.stderr, /"msg":"stopping"/)

  const again = await BrokerProcess.start({ flags })
  const values = await (await again.kafka()).readAll('kept')
  assert.deepEqual(values.map(String), ['a', 'b'])
  assert.equal(await again.stop('SIGINT'), 0)
})

test('metadata tells the port that was bound, where any free one was asked for', async () => {
  const broker = await BrokerProcess.start({ flags: ownDirectory() })
  const { brokers } = await (await broker.kafka()).call(metadata, 9, { topics: [] })
  assert.deepEqual(
    brokers.map(({ host, port }) => `${host}:${port}`),
    [broker.endpoints.kafka],
  )
  await broker.stop()
})

test('health and metrics are served on the web port', async () => {
  const broker = await BrokerProcess.start({ flags: ownDirectory() })
  const { admin } = broker.endpoints
  assert.equal((await globalThis.fetch(`${admin}/admin/v2/brokers/health`)).status, 200)
  const client = await broker.kafka()
  await client.call(metadata, 9, { topics: [] })
  const metrics = await (await globalThis.fetch(`${admin}/metrics`)).text()
  assert.match(metrics, /^kop_connections\{protocol="kafka"\} 1$/m)
  assert.match(metrics, /^kop_request_duration_seconds_count\{protocol="kafka",request="Metadata"\} 1$/m)
  assert.match(metrics, /^process_resident_memory_bytes \d+$/m)
  await broker.stop()
})

test('a topic deleted by Pulsar’s admin takes its groups’ commits with it', async () => {
  const broker = await BrokerProcess.start({ flags: ownDirectory() })
  const client = await broker.kafka()
  await client.createTopic('gone')
  const { topics } = await client.call(offsetCommit, 2, {
    groupId: 'group',
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [
      { name: 'gone', partitions: [{ partitionIndex: 0, committedOffset: 0n, committedMetadata: null }] },
    ],
  })
  assert.equal(topics[0]?.partitions[0]?.errorCode, 0)
  const groups = async () => (await client.call(listGroups, 0, {})).groups.map(({ groupId }) => groupId)
  assert.deepEqual(await groups(), ['group'])
  const url = `${broker.endpoints.admin}/admin/v2/persistent/public/default/gone/partitions`
  assert.equal((await globalThis.fetch(url, { method: 'DELETE' })).status, 204)
  assert.deepEqual(await groups(), [])
  await broker.stop()
})

test('a wrong setting is refused by name, in one line, with exit code 2', async () => {
  const wrong: readonly [Launch, RegExp][] = [
    [{ arguments: ['--entry-format', 'avro'] }, /entryFormat=avro/],
    [{ arguments: ['--max-message-size', 'large'] }, /maxMessageSize=large/],
    [{ flags: { 'kafka-listeners': 'localhost:9092' } }, /kafkaListeners=localhost:9092.*PLAINTEXT:\/\//],
    [{ arguments: ['--no-such-setting', '1'] }, /--no-such-setting/],
    [{ arguments: ['extra'] }, /too many arguments/],
    [{ environment: { KOP_OFFSET_MAPPING: 'random' } }, /offsetMapping=random/],
    [{ arguments: ['--config', '/no/such/file'] }, /--config \/no\/such\/file.*ENOENT/],
  ]
  const outcomes = await Promise.all(
    wrong.map(([launch]) => refusedStart({ ...launch, flags: { ...ownDirectory(), ...launch.flags } })),
  )
  for (const [at, outcome] of outcomes.entries()) {
    assert.match(oneLine(outcome), wrong[at]?.[1] ?? /never/)
    assert.equal(outcome.code, 2)
  }
})

test('a port in use is told in one line that names the setting', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const settings = {
    'kafka-listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'broker-service-port': String(port),
    'web-service-port': String(port),
  }
  for (const [name, value] of Object.entries(settings)) {
    const outcome = await refusedStart({ flags: { ...ownDirectory(), [name]: value } })
    const setting = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
    assert.match(oneLine(outcome), new RegExp(`${setting}=.*${port}.*in use`))
    assert.notEqual(outcome.code, 0)
  }
  server.close()
})

test('a second broker on one directory is refused in one line; after a kill it may have it', async () => {
  const flags = ownDirectory()
  const first = await BrokerProcess.start({ flags })
  const outcome = await refusedStart({ flags })
  assert.match(oneLine(outcome), new RegExp(`${flags['data-directory']}.*process ${first.pid}`))
  assert.equal(outcome.code, 1)
  await first.stop('SIGKILL')
  const second = await BrokerProcess.start({ flags })
  assert.equal(await second.stop(), 0)
})

test('a directory that cannot be written is told in one line', async () => {
  const outcome = await refusedStart({ flags: { 'data-directory': '/dev/null/data' } })
  assert.match(oneLine(outcome), /\/dev\/null\/data/)
  assert.equal(outcome.code, 1)
})
