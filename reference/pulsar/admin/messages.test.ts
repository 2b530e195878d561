import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { testBatch } from '../../entry-format/test-kit.js'
import { accepted, openPartition, sendOf, TestTopics } from '../../topics/testing.js'
import { testContext } from '../testing.js'
import { SingleMessageCursor } from '../wire/single-message.js'
import { startAdmin } from './server.js'
import { TestAdmin, topicPath } from './testing.js'

let admin: TestAdmin
before(async () => {
  admin = await TestAdmin.start()
})
after(() => admin.stop())

test('peek tells the next entries of a subscription, with their metadata, and leaves it where it is', async () => {
  const log = await openPartition(admin.catalog, 'peeked')
  const fields = { partitionKey: 'k', eventTime: 5_000, properties: [{ key: 'Color', value: 'r\u00f6t' }] }
  accepted(await log.appendPulsar(sendOf('m0', 0)))
  accepted(await log.appendPulsar(sendOf('m1', 1, fields)))
  const path = topicPath('peeked-partition-0')
  await admin.status('PUT', `${path}/subscription/s`, { ledgerId: -1, entryId: -1 })
  await admin.status('POST', `${path}/subscription/s/skip/1`)
  for (let again = 0; again < 2; again++) {
    const answer = await admin.fetch('GET', `${path}/subscription/s/position/1`)
    assert.equal(await answer.text(), 'm1')
    const header = (name: string) => answer.headers.get(`x-pulsar-${name}`)
    assert.match(header('message-id') ?? '', /^\d+:1$/)
    assert.equal(header('partition-key'), 'k')
    assert.equal(header('partition-key-b64-encoded'), 'false')
    assert.equal(header('event-time'), '1970-01-01T00:00:05.000Z')
    assert.equal(header('producer-name'), 'pulsar-producer')
    assert.equal(header('sequence-id'), '1')
    assert.deepEqual(JSON.parse(header('property') ?? ''), { Color: 'r\u00f6t' })
    assert.equal(header('num-batch-message'), null)
  }
  assert.equal(await admin.status('GET', `${path}/subscription/s/position/2`), 404)
  assert.equal(await admin.status('GET', `${path}/subscription/none/position/1`), 404)
  assert.equal(await admin.status('GET', `${path}/subscription/s/position/0`), 400)
})

test('examine counts from either end; by id is exact; beyond there is nothing', async () => {
  const log = await admin.filled('examined', 3)
  await log.ledger.rollOver()
  accepted(await log.appendPulsar(sendOf('m3', 3)))
  const path = topicPath('examined-partition-0')
  const examine = async (from: string, place: number) =>
    (
      await admin.fetch('GET', `${path}/examinemessage?initialPosition=${from}&messagePosition=${place}`)
    ).text()
  assert.equal(await examine('earliest', 1), 'm0')
  assert.equal(await examine('earliest', 4), 'm3')
  assert.equal(await examine('latest', 1), 'm3')
  assert.equal(await examine('latest', 2), 'm2')
  assert.equal(await examine('latest', 4), 'm0')
  assert.match(await examine('latest', 5), /Message not found/)
  const { ledgerId } = log.ledger.start.position
  assert.equal(await (await admin.fetch('GET', `${path}/ledger/${ledgerId}/entry/2`)).text(), 'm2')
  assert.equal(await admin.status('GET', `${path}/ledger/${ledgerId}/entry/3`), 404)
  await openPartition(admin.catalog, 'empty')
  assert.equal(await admin.status('GET', `${topicPath('empty-partition-0')}/examinemessage`), 412)
})

for (const entryFormat of ['pulsar', 'kafka'] as const)
  test(`what Kafka wrote is told as single messages of a batch (entryFormat=${entryFormat})`, async () => {
    const topics = new TestTopics()
    const catalog = await topics.open({ entryFormat })
    const other = await startAdmin(testContext(catalog, admin.clock), { host: '127.0.0.1', port: 0 })
    const log = await openPartition(catalog, 'kafka')
    const record = (text: string, at: number) => ({
      timestampMs: 1_000 + at,
      key: Buffer.from(`k${at}`),
      value: Buffer.from(text),
      headers: [],
    })
    accepted(await log.appendKafka(await testBatch(['a', 'bb', 'ccc'].map(record))))
    const url = `http://127.0.0.1:${other.port}${topicPath('kafka-partition-0')}/examinemessage`
    const answer = await fetch(url)
    const payload = Buffer.from(await answer.arrayBuffer())
    assert.equal(answer.headers.get('x-pulsar-num-batch-message'), '3')
    assert.equal(answer.headers.get('x-pulsar-batch-size'), String(payload.length))
    const values: string[] = []
    const cursor = new SingleMessageCursor(payload)
    while (!cursor.atEnd) {
      cursor.next()
      values.push(payload.toString('utf8', cursor.payloadStart, cursor.position))
    }
    assert.deepEqual(values, ['a', 'bb', 'ccc'])
    await other.close()
    await topics.remove()
  })
