import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { asMessageIndex } from '../../base/brand.js'
import { ManualClock } from '../../base/clock.js'
import { accepted, openPartition, sendOf, TestTopics, topicName } from '../../topics/testing.js'
import type { PartitionLog, TopicCatalog } from '../../topics/types.js'
import { serviceOf } from '../service.js'
import { testContext } from '../testing.js'
import { startAdmin } from './server.js'

const topics = new TestTopics()
const clock = new ManualClock(1_000)
let catalog: Awaited<ReturnType<TestTopics['open']>>
let context: ReturnType<typeof testContext>
let admin: Awaited<ReturnType<typeof startAdmin>>

before(async () => {
  catalog = await topics.open({ clock })
  context = testContext(catalog satisfies TopicCatalog, clock)
  admin = await startAdmin(context, { host: '127.0.0.1', port: 0 })
})
after(async () => {
  await admin.close()
  await topics.remove()
})

async function call(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`http://127.0.0.1:${admin.port}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  const text = await response.text()
  try {
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  } catch {
    return { status: response.status, body: text }
  }
}

const topicPath = (local: string) => `/admin/v2/persistent/public/default/${local}`
const status = async (method: string, path: string, body?: unknown) => (await call(method, path, body)).status
const read = async (path: string) => (await call('GET', path)).body

async function filled(local: string, count: number): Promise<PartitionLog> {
  const log = await openPartition(catalog, local)
  for (let at = 0; at < count; at++) {
    accepted(await log.appendPulsar(sendOf(`m${at}`, at)))
    clock.advance(100)
  }
  return log
}

test('tenants and namespaces are made, listed and removed; what is in use is kept', async () => {
  assert.equal(await status('PUT', '/admin/v2/tenants/acme', { allowedClusters: ['test'] }), 204)
  assert.equal(await status('PUT', '/admin/v2/tenants/acme'), 409)
  assert.equal(await status('PUT', '/admin/v2/namespaces/acme/one'), 204)
  assert.equal(await status('PUT', '/admin/v2/namespaces/nobody/one'), 404)
  assert.deepEqual(await read('/admin/v2/namespaces/acme'), ['acme/one'])
  assert.equal(await status('DELETE', '/admin/v2/tenants/acme'), 409)
  assert.equal(await status('PUT', '/admin/v2/persistent/acme/one/t'), 204)
  assert.equal(await status('DELETE', '/admin/v2/namespaces/acme/one'), 409)
  assert.equal(await status('DELETE', '/admin/v2/namespaces/acme/one?force=true'), 204)
  assert.equal(await status('DELETE', '/admin/v2/tenants/acme'), 204)
  assert.deepEqual(await call('GET', '/admin/v2/tenants/acme'), {
    status: 404,
    body: { reason: 'Tenant does not exist' },
  })
})

test('a partitioned topic is made, seen by its partitions, raised and removed', async () => {
  const path = `${topicPath('many')}/partitions`
  assert.equal(await status('PUT', path, 2), 204)
  assert.equal(await status('PUT', path, 2), 409)
  assert.equal(await status('PUT', `${topicPath('none')}/partitions`, 0), 406)
  assert.equal(catalog.find(topicName('many'))?.partitions, 2)
  const names = (await read('/admin/v2/persistent/public/default')) as string[]
  assert.ok(names.includes('persistent://public/default/many-partition-1'))
  assert.equal(await status('POST', path, 1), 422)
  assert.equal(await status('POST', path, 3), 204)
  assert.deepEqual(await read(path), { partitions: 3, deleted: false })
  assert.equal(await status('DELETE', path), 204)
  assert.equal(await status('GET', path), 404)
})

test('a subscription is made at the end, counts what follows, and is moved by id and by time', async () => {
  const log = await filled('counted', 5)
  const path = `${topicPath('counted-partition-0')}`
  const backlog = async () => {
    const stats = (await read(`${path}/stats`)) as { subscriptions: Record<string, { msgBacklog: number }> }
    return stats.subscriptions.s?.msgBacklog
  }
  assert.equal(await status('PUT', `${path}/subscription/s`), 204)
  assert.equal(await status('PUT', `${path}/subscription/s`), 409)
  assert.equal(await backlog(), 0)
  const third = (await log.ledger.read(log.ledger.start.position, { maxEntries: 3, maxBytes: 10_000 }))[2]
  assert.ok(third !== undefined)
  assert.equal(await status('POST', `${path}/subscription/s/resetcursor`, third.position), 204)
  assert.equal(await backlog(), 3)
  const excluded = { ...third.position, isExcluded: true }
  assert.equal(await status('POST', `${path}/subscription/s/resetcursor`, excluded), 204)
  assert.equal(await backlog(), 2)
  const second = third.brokerTimestampMs - 50
  assert.equal(await status('POST', `${path}/subscription/s/resetcursor/${second}`), 204)
  assert.equal(await backlog(), 3)
  assert.equal(await status('POST', `${path}/subscription/s/skip/2`), 204)
  assert.equal(await backlog(), 1)
  assert.equal(await status('POST', `${path}/subscription/s/skip_all`), 204)
  assert.equal(await backlog(), 0)
  assert.equal(await status('DELETE', `${path}/subscription/s`), 204)
  assert.deepEqual(await read(`${path}/subscriptions`), [])
  assert.equal(await status('DELETE', `${path}/subscription/s`), 404)
})

test('message ids: by index, and the last', async () => {
  const log = await filled('ids', 4)
  const entry = await log.ledger.entryOfIndex(asMessageIndex(2))
  const path = topicPath('ids-partition-0')
  const { ledgerId, entryId } = entry?.position ?? {}
  assert.deepEqual(await read(`${path}/getMessageIdByIndex?index=2`), {
    ledgerId,
    entryId,
    partitionIndex: 0,
    batchIndex: -1,
    batchSize: 0,
  })
  assert.equal(await status('GET', `${path}/getMessageIdByIndex?index=4`), 404)
  assert.equal(await status('GET', `${path}/getMessageIdByIndex`), 400)
  assert.deepEqual(await read(`${path}/lastMessageId`), {
    ...{ ledgerId, entryId: 3, partitionIndex: 0 },
    ...{ batchIndex: -1, batchSize: 0 },
  })
})

test('unloading rolls the ledger over', async () => {
  const log = await filled('rolled', 2)
  assert.equal(await status('PUT', `${topicPath('rolled')}/unload`), 204)
  accepted(await log.appendPulsar(sendOf('after', 9)))
  const stats = (await read(`${topicPath('rolled-partition-0')}/internalStats`)) as { ledgers: object[] }
  assert.equal(stats.ledgers.length, 2)
})

test('schemas are stored, versioned, and refused when of another type', async () => {
  assert.equal(await status('PUT', topicPath('typed')), 204)
  const path = '/admin/v2/schemas/public/default/typed/schema'
  assert.equal(await status('GET', path), 404)
  assert.deepEqual((await call('POST', path, { type: 'JSON', schema: '{"a":1}', properties: {} })).body, {
    version: { version: 0 },
  })
  const post = async (schema: string) => (await call('POST', path, { type: 'JSON', schema })).body
  assert.deepEqual(await post('{"a":1}'), { version: { version: 0 } })
  assert.deepEqual(await post('{"a":2}'), { version: { version: 1 } })
  assert.equal(await status('POST', path, { type: 'STRING', schema: '' }), 409)
  assert.equal(((await read(`${path}/0`)) as { data: string }).data, '{"a":1}')
  // Another registry over the same store: what a restart finds.
  const again = serviceOf({ ...context })
  const info = catalog.find(topicName('typed'))
  assert.ok(info !== undefined)
  assert.equal((await again.schemas.find(info))?.schema.schemaData.toString(), '{"a":2}')
})

test('a topic that is not there, a wrong body and an unknown path are answers with a reason', async () => {
  assert.equal(await status('GET', `${topicPath('missing')}/stats`), 404)
  assert.equal(await status('DELETE', topicPath('missing')), 404)
  assert.equal(await status('POST', `${topicPath('ids')}/partitions`, 'many'), 406)
  const unknown = await call('GET', '/admin/v2/functions')
  assert.deepEqual(unknown, { status: 404, body: { reason: 'GET /admin/v2/functions is not offered' } })
})

test('what is no id, no time, no name or no path is refused with a reason, and changes nothing', async () => {
  const path = topicPath('ids-partition-0')
  const wrong: readonly (readonly [string, string, unknown, number])[] = [
    ['PUT', `${path}/subscription/new`, { ledgerId: 'one', entryId: 0 }, 400],
    ['PUT', `${path}/subscription/new`, { ledgerId: 1.5, entryId: {} }, 400],
    ['PUT', `${path}/subscription/${'x'.repeat(700)}`, undefined, 409],
    ['GET', `${path}/messageid/yesterday`, undefined, 400],
    ['PUT', topicPath('%00'), undefined, 412],
    ['PUT', topicPath('x'.repeat(700)), undefined, 412],
    ['PUT', `/admin/v2/tenants/${'x'.repeat(300)}`, undefined, 412],
    ['GET', topicPath('%zz/stats'), undefined, 400],
    ['PUT', `/admin/v2/tenants/${'x'.repeat(1_001)}`, undefined, 414],
  ]
  for (const [method, at, body, expected] of wrong) {
    const answer = await call(method, at, body)
    assert.equal(answer.status, expected, `${method} ${at}`)
    assert.deepEqual(Object.keys(answer.body as object), ['reason'])
  }
  assert.deepEqual(await read(`${path}/subscriptions`), [])
})

test('lookup names this broker', async () => {
  const found = (await read('/lookup/v2/topic/persistent/public/default/ids')) as { httpUrl: string }
  assert.equal(found.httpUrl, `http://127.0.0.1:${admin.port}`)
})
