import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryMetadata } from '../pulsar/testing.js'
import { StoredNamespaces } from '../topics/namespaces.js'
import type { Permissions } from '../topics/policies.js'
import { PermissionAuthorizer } from './authorizer.js'

const orders = { tenant: 'acme', namespace: 'orders' }
const bills = { ...orders, local: 'bills' }

async function open(permissions: Permissions = {}, ofBills: Permissions = {}) {
  const namespaces = new StoredNamespaces(memoryMetadata(), () => false)
  await namespaces.createTenant('acme', { adminRoles: ['boss'], allowedClusters: [] })
  const topicPermissions = { 'persistent://acme/orders/bills': ofBills }
  await namespaces.createNamespace('acme', 'orders', { permissions, topicPermissions })
  return { namespaces, authorizer: new PermissionAuthorizer(['root'], namespaces) }
}

test('super users may everything, admins everything of their tenant', async () => {
  const { authorizer } = await open()
  for (const role of ['root', 'boss']) {
    assert.ok(authorizer.isTenantAdmin(role, 'acme'))
    assert.ok(authorizer.mayInNamespace(role, orders, 'functions'))
    assert.ok(authorizer.mayOnTopic(role, bills, 'produce'))
  }
  assert.deepEqual([authorizer.isSuperUser('root'), authorizer.isSuperUser('boss')], [true, false])
  assert.ok(!authorizer.isTenantAdmin('boss', 'globex'))
  assert.ok(!authorizer.mayOnTopic('boss', { ...bills, tenant: 'globex' }, 'produce'))
})

test('a role has what it was granted, of the namespace or the topic, and no more', async () => {
  const { authorizer } = await open({ app: ['consume'] }, { guest: ['produce'] })
  assert.ok(authorizer.mayOnTopic('app', bills, 'consume'))
  assert.ok(!authorizer.mayOnTopic('app', bills, 'produce'))
  assert.ok(authorizer.mayOnTopic('guest', bills, 'produce'))
  assert.ok(authorizer.mayOnTopic('guest', { ...bills, local: 'bills-partition-3' }, 'produce'))
  assert.ok(!authorizer.mayOnTopic('guest', { ...bills, local: 'bill' }, 'produce'))
  assert.ok(!authorizer.mayInNamespace('guest', orders, 'produce'))
  assert.deepEqual(
    [
      authorizer.maySomewhere('guest', orders, 'produce'),
      authorizer.maySomewhere('guest', orders, 'consume'),
    ],
    [true, false],
  )
})

test('roles called as parts of objects are nobody', async () => {
  const { authorizer } = await open()
  for (const role of ['constructor', '__proto__', 'toString', 'hasOwnProperty', ''])
    assert.ok(
      !authorizer.mayOnTopic(role, bills, 'consume') && !authorizer.maySomewhere(role, orders, 'consume'),
    )
})

test('every change of rights is told by another version', async () => {
  const { authorizer, namespaces } = await open()
  const versions = [authorizer.version]
  await namespaces.updatePolicies('acme', 'orders', () => ({ permissions: { app: ['consume'] } }))
  versions.push(authorizer.version)
  await namespaces.updateTenant('acme', { adminRoles: [], allowedClusters: [] })
  versions.push(authorizer.version)
  await namespaces.createTenant('globex', { adminRoles: ['other'], allowedClusters: [] })
  await namespaces.createNamespace('globex', 'orders')
  versions.push(authorizer.version)
  await namespaces.deleteNamespace('globex', 'orders')
  versions.push(authorizer.version)
  assert.equal(new Set(versions).size, versions.length)
})
