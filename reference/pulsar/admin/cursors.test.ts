import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestAdmin, topicPath } from './testing.js'

let admin: TestAdmin
before(async () => {
  admin = await TestAdmin.start()
})
after(() => admin.stop())

const earliest = { ledgerId: -1, entryId: -1 }

async function scene(local: string, count: number) {
  const log = await admin.filled(local, count)
  const path = topicPath(`${local}-partition-0`)
  assert.equal(await admin.status('PUT', `${path}/subscription/s`, earliest), 204)
  const backlog = async () =>
    ((await admin.call('POST', `${path}/subscription/s/analyzeBacklog`)).body as { entries: number }).entries
  return { log, path, backlog, ledgerId: log.ledger.start.position.ledgerId }
}

test('expiring by age takes what is older; with nothing left it is a conflict', async () => {
  const { path, backlog } = await scene('aged', 20)
  assert.equal(await backlog(), 20)
  // The last was stored 100 ms ago, the first 2,000 ms.
  assert.equal(await admin.status('POST', `${path}/subscription/s/expireMessages/1`), 204)
  assert.equal(await backlog(), 10)
  assert.equal(await admin.status('POST', `${path}/all_subscription/expireMessages/0`), 204)
  assert.equal(await backlog(), 0)
  assert.equal(await admin.status('POST', `${path}/subscription/s/expireMessages/1`), 409)
})

test('expiring by id takes the message named with it, and never goes back', async () => {
  const { path, backlog, ledgerId } = await scene('by-id', 5)
  const expire = (entryId: number, isExcluded = false) =>
    admin.status('POST', `${path}/subscription/s/expireMessages`, { ledgerId, entryId, isExcluded })
  assert.equal(await expire(1), 204)
  assert.equal(await backlog(), 3)
  assert.equal(await expire(3, true), 204)
  assert.equal(await backlog(), 2)
  assert.equal(await expire(0), 204)
  assert.equal(await backlog(), 2)
})

test('what was acknowledged beyond it stays so when messages before are skipped', async () => {
  const { log, path, backlog, ledgerId } = await scene('holes', 5)
  const cursor = await log.ledger.openCursor('s', log.ledger.start.position)
  const third = (await log.ledger.read(log.ledger.start.position, { maxEntries: 9, maxBytes: 9_999 }))[2]
  assert.ok(third !== undefined && third.position.ledgerId === ledgerId)
  await cursor.acknowledge([{ position: third.position }])
  assert.equal(await backlog(), 4)
  assert.equal(await admin.status('POST', `${path}/subscription/s/skip/2`), 204)
  assert.equal(await backlog(), 2)
})

test('properties of a subscription are kept, replaced, and go with it', async () => {
  const { path } = await scene('noted', 1)
  const one = `${path}/subscription/noted`
  assert.equal(await admin.status('PUT', one, { ...earliest, properties: { a: '1' } }), 204)
  assert.deepEqual(await admin.read(`${one}/properties`), { a: '1' })
  assert.equal(await admin.status('PUT', `${one}/properties`, { b: '2' }), 204)
  assert.deepEqual(await admin.read(`${one}/properties`), { b: '2' })
  assert.equal(await admin.status('DELETE', one), 204)
  assert.equal(await admin.status('PUT', one), 204)
  assert.deepEqual(await admin.read(`${one}/properties`), {})
})

test('by id only one partition can be named; by time all of them', async () => {
  await admin.status('PUT', `${topicPath('parted')}/partitions`, 2)
  const one = `${topicPath('parted')}/subscription/s`
  assert.equal(await admin.status('PUT', one), 204)
  assert.equal(await admin.status('POST', `${one}/resetcursor`, { ledgerId: 1, entryId: 0 }), 405)
  assert.equal(await admin.status('POST', `${one}/resetcursor`, earliest), 204)
  assert.equal(await admin.status('POST', `${one}/skip/1`), 405)
  assert.equal(await admin.status('POST', `${one}/resetcursor/0`), 204)
  assert.equal(await admin.status('POST', `${one}/skip_all`), 204)
})

test('the size of a backlog is of what follows the message', async () => {
  const { log, path, ledgerId } = await scene('sized', 4)
  const all = log.ledger.ledgers().reduce((sum, { bytes }) => sum + bytes, 0)
  const size = async (id: object) => (await admin.call('PUT', `${path}/backlogSize`, id)).body
  assert.equal(await size(earliest), all)
  assert.equal(await size({ ledgerId, entryId: 1 }), Math.ceil(all / 2))
  assert.equal(await size({ ledgerId, entryId: 3 }), 0)
})
