import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { effectivePolicies } from './policies.js'
import { accepted, TestTopics, topicName } from './testing.js'

let scene: TestTopics
beforeEach(() => {
  scene = new TestTopics()
})
afterEach(() => scene.remove())

test("policies, permissions and a tenant's administrators are there again after a restart", async () => {
  const { tenants } = await scene.open()
  const info = { adminRoles: ['boss'], allowedClusters: ['standalone'] }
  assert.equal(await tenants.createTenant('acme', info), true)
  assert.equal(await tenants.createNamespace('acme', 'shop', { messageTtlSeconds: 5 }), true)
  const heard: string[] = []
  tenants.onPolicies((tenant, namespace) => heard.push(`${tenant}/${namespace}`))
  const retention = { timeMinutes: 10, sizeMb: -1 }
  await tenants.updatePolicies('acme', 'shop', (before) => ({ ...before, retention }))
  await tenants.updatePolicies('acme', 'shop', (before) => before)
  assert.deepEqual(heard, ['acme/shop'])
  const { tenants: again } = await scene.open()
  assert.deepEqual(again.tenant('acme'), info)
  assert.deepEqual(again.policies('acme', 'shop'), { messageTtlSeconds: 5, retention })
  assert.equal(await again.updatePolicies('acme', 'none', (before) => before), false)
})

test('two changes at once lose nothing', async () => {
  const { tenants } = await scene.open()
  await Promise.all(
    ['a', 'b', 'c'].map((role) =>
      tenants.updatePolicies('public', 'default', (before) => ({
        ...before,
        permissions: { ...before.permissions, [role]: ['produce'] },
      })),
    ),
  )
  assert.deepEqual(Object.keys(tenants.permissions('public', 'default')), ['a', 'b', 'c'])
})

test("a partition has its topic's permissions; a topic made anew has none", async () => {
  const topics = await scene.open()
  const name = topicName('orders')
  accepted(await topics.create(name, { partitions: 2 }))
  await topics.tenants.updatePolicies('public', 'default', (before) => ({
    ...before,
    topicPermissions: { 'persistent://public/default/orders': { reader: ['consume'] } },
  }))
  assert.deepEqual(topics.tenants.topicPermissions(topicName('orders-partition-1')), { reader: ['consume'] })
  assert.deepEqual(topics.tenants.topicPermissions(topicName('others')), {})
  await topics.delete(name)
  accepted(await topics.create(name, { partitions: 2 }))
  assert.deepEqual(topics.tenants.topicPermissions(name), {})
})

test("a topic's policies go before its namespace's, each by itself", () => {
  const namespace = { retention: { timeMinutes: 1, sizeMb: 1 }, messageTtlSeconds: 9 }
  const effective = effectivePolicies(namespace, { messageTtlSeconds: 0 })
  assert.deepEqual(effective.retention, { timeMinutes: 1, sizeMb: 1 })
  assert.equal(effective.messageTtlSeconds, 0)
})
