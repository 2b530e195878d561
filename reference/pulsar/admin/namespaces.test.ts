import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestAdmin } from './testing.js'

let admin: TestAdmin
before(async () => {
  admin = await TestAdmin.start()
  assert.equal(await admin.status('PUT', '/admin/v2/tenants/acme', { allowedClusters: ['test'] }), 204)
})
after(() => admin.stop())

const base = '/admin/v2/namespaces/acme'
const reason = async (method: string, path: string, body?: unknown) => {
  const answer = await admin.call(method, path, body)
  return [answer.status, (answer.body as { reason?: string } | undefined)?.reason]
}

test("a tenant's administrators are told as they were set; what is no tenant is refused", async () => {
  const one = '/admin/v2/tenants/roles'
  assert.deepEqual(await reason('PUT', one), [412, 'TenantInfo is null'])
  assert.deepEqual(await reason('PUT', one, { allowedClusters: ['mars'] }), [412, 'Clusters do not exist'])
  const info = { adminRoles: ['boss'], allowedClusters: ['test'] }
  assert.equal(await admin.status('PUT', one, info), 204)
  assert.deepEqual(await admin.read(one), info)
  assert.equal(await admin.status('POST', one, { ...info, adminRoles: [] }), 204)
  assert.deepEqual(await admin.read(one), { ...info, adminRoles: [] })
  assert.deepEqual(await reason('POST', '/admin/v2/tenants/nobody', info), [404, 'Tenant nobody not found'])
})

test('policies that a namespace is made with are told one by one, and all together', async () => {
  const retention = { retentionTimeInMinutes: 5, retentionSizeInMB: -1 }
  const given = { bundles: { numBundles: 2 }, retention_policies: retention, message_ttl_in_seconds: 7 }
  assert.equal(await admin.status('PUT', `${base}/made`, given), 204)
  assert.deepEqual(await admin.read(`${base}/made/retention`), retention)
  assert.equal(await admin.read(`${base}/made/messageTTL`), 7)
  assert.deepEqual(admin.catalog.tenants.policies('acme', 'made').retention, { timeMinutes: 5, sizeMb: -1 })
  const all = (await admin.read(`${base}/made`)) as Record<string, unknown>
  assert.deepEqual(all.retention_policies, retention)
  assert.deepEqual(all.bundles, { boundaries: ['0x00000000', '0x80000000', '0xffffffff'], numBundles: 2 })
  assert.equal(await admin.status('PUT', `${base}/far`, { replication_clusters: ['mars'] }), 403)
})

test('a policy is set, told and taken away; what is none is refused and changes nothing', async () => {
  assert.equal(await admin.status('PUT', `${base}/rules`), 204)
  const path = `${base}/rules`
  assert.deepEqual(await admin.call('GET', `${path}/retention`), { status: 200, body: undefined })
  assert.equal(await admin.status('POST', `${path}/messageTTL`, 30), 204)
  assert.equal(await admin.status('POST', `${path}/messageTTL`, -1), 412)
  assert.equal(await admin.read(`${path}/messageTTL`), 30)
  assert.equal(await admin.status('DELETE', `${path}/messageTTL`), 204)
  assert.equal(await admin.read(`${path}/messageTTL`), undefined)
  const lopsided = { retentionTimeInMinutes: 0, retentionSizeInMB: 5 }
  assert.equal(await admin.status('POST', `${path}/retention`, lopsided), 400)
  assert.equal(await admin.status('POST', `${path}/maxConsumersPerTopic`, 4), 204)
  assert.equal(await admin.read(`${path}/maxConsumersPerTopic`), 4)
  for (const [name, value] of [
    ['encryptionRequired', true],
    ['deduplication', false],
    ['offloadThreshold', 0],
    ['subscriptionAuthMode', 'Prefix'],
  ])
    assert.equal(await admin.status('POST', `${path}/${name}`, value), 412, `${name}`)
  assert.deepEqual(await reason('GET', `${base}/nowhere/retention`), [404, 'Namespace does not exist'])
})

test('a backlog quota is set by kind, below what retention keeps', async () => {
  const path = `${base}/quotas`
  assert.equal(await admin.status('PUT', path), 204)
  const quota = { limitSize: 1_000, limitTime: -1, policy: 'producer_exception' }
  const set = `${path}/backlogQuota?backlogQuotaType=destination_storage`
  assert.equal(await admin.status('POST', set, quota), 204)
  assert.deepEqual(await admin.read(`${path}/backlogQuotaMap`), {
    destination_storage: { limit: 1_000, ...quota },
  })
  await admin.status('POST', `${path}/retention`, { retentionTimeInMinutes: -1, retentionSizeInMB: 1 })
  assert.equal(await admin.status('POST', set, { ...quota, limitSize: 2 ** 20 }), 412)
  assert.equal(await admin.status('POST', set, { ...quota, policy: 'shrug' }), 400)
  assert.equal(await admin.status('DELETE', set), 204)
  assert.deepEqual(await admin.read(`${path}/backlogQuotaMap`), {})
})

test('permissions are granted and revoked, on a namespace and on one topic', async () => {
  const path = `${base}/rights`
  assert.equal(await admin.status('PUT', path), 204)
  assert.equal(await admin.status('POST', `${path}/permissions/ann`, ['consume', 'produce']), 204)
  assert.equal(await admin.status('POST', `${path}/permissions/ann`, ['destroy']), 400)
  assert.deepEqual(await admin.read(`${path}/permissions`), { ann: ['produce', 'consume'] })
  const topic = '/admin/v2/persistent/acme/rights/t'
  assert.equal(await admin.status('PUT', topic), 204)
  assert.equal(await admin.status('POST', `${topic}/permissions/bob`, ['consume']), 204)
  assert.deepEqual(await admin.read(`${topic}/permissions`), {
    ann: ['produce', 'consume'],
    bob: ['consume'],
  })
  const name = { tenant: 'acme', namespace: 'rights', local: 't' }
  assert.deepEqual(admin.catalog.tenants.topicPermissions(name), { bob: ['consume'] })
  assert.equal(await admin.status('DELETE', `${topic}/permissions/bob`), 204)
  assert.equal(await admin.status('DELETE', `${path}/permissions/ann`), 204)
  assert.deepEqual(await admin.read(`${topic}/permissions`), {})
})

test("what is done to a bundle is done to its topics, and not to others'", async () => {
  const path = `${base}/parts`
  assert.equal(await admin.status('PUT', path, { bundles: { numBundles: 2 } }), 204)
  const backlog: Record<string, () => Promise<number>> = {}
  const bundles: Record<string, string> = {}
  for (const local of ['a', 'b', 'c', 'd', 'e', 'f']) {
    const topic = `/admin/v2/persistent/acme/parts/${local}`
    assert.equal(await admin.status('PUT', topic), 204)
    bundles[local] = String(await admin.read(`/lookup/v2/topic/persistent/acme/parts/${local}/bundle`))
    assert.equal(await admin.status('PUT', `${topic}/subscription/s`, { ledgerId: -1, entryId: -1 }), 204)
    backlog[local] = async () => Object.keys((await admin.read(`${topic}/subscriptions`)) as object).length
  }
  assert.deepEqual([...new Set(Object.values(bundles))].sort(), [
    '0x00000000_0x80000000',
    '0x80000000_0xffffffff',
  ])
  assert.equal(await admin.status('POST', `${path}/0x00000000_0x80000000/unsubscribe/s`), 204)
  for (const [local, count] of Object.entries(backlog))
    assert.equal(await count(), bundles[local] === '0x00000000_0x80000000' ? 0 : 1, local)
  assert.equal(await admin.status('POST', `${path}/0x00000000_0x40000000/unsubscribe/s`), 412)
})
