import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { loadClients, provisionClient } from '../clients/index.js'
import type { ReadyClient } from '../clients/types.js'
import { rawDriver, startDriver, type TypedDriver } from '../driver/process.js'
import type { RawOps } from '../driver/raw-messages.js'
import { targetKind } from '../targets/index.js'
import type { Target } from '../targets/types.js'
import { sweep } from './sweep.js'

let target: Target
let client: ReadyClient
let raw: TypedDriver<RawOps>

before(async () => {
  target = await targetKind('reference').start({})
  const spec = loadClients().find(({ kind }) => kind === 'raw')
  assert.ok(spec)
  const ready = await provisionClient(spec, spec.versions[0] ?? '', {})
  assert.ok('command' in ready)
  client = ready
  raw = rawDriver(await startDriver(client))
  await raw.call('configure', { kafka: target.endpoints.kafka })
})
after(async () => {
  await raw.driver.close()
  await target.stop()
})

async function put(path: string, body: unknown): Promise<void> {
  const answer = await fetch(`${target.endpoints.admin}/admin/v2${path}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.text()}`)
}

async function list(path: string): Promise<string[]> {
  return (await (await fetch(`${target.endpoints.admin}/admin/v2${path}`)).json()) as string[]
}

/** The group's only member, which stays in it. */
async function joins(groupId: string): Promise<void> {
  const body = {
    groupId,
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 30_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: '' }],
  }
  const answer = await raw.call('request', { api: 'JoinGroup', version: 3, body })
  assert.equal(answer.body.errorCode, 0)
}

async function groups(): Promise<string[]> {
  const body = { statesFilter: [], typesFilter: [] }
  const answer = await raw.call('request', { api: 'ListGroups', body })
  return (answer.body.groups as { groupId: string }[]).map(({ groupId }) => groupId).sort()
}

test('what the run has made is deleted, with its members and cursors; what others have made stays', async () => {
  const tenant = { adminRoles: [], allowedClusters: ['standalone'] }
  for (const name of ['kct-1', 'mine']) {
    await put(`/persistent/public/default/${name}-0-topic/partitions`, 2)
    await put(`/persistent/public/default/${name}-0-plain`, {})
    await put(`/namespaces/public/${name}-0-kept`, {})
    await put(`/tenants/${name}-0-tenant`, tenant)
    await put(`/namespaces/${name}-0-tenant/made`, {})
    await put(`/persistent/${name}-0-tenant/made/anything`, {})
    await joins(`${name}-0-group`)
  }
  const left = await sweep({ target, runId: 'kct-1', raw: client, timeoutMs: 30_000 })
  assert.deepEqual(left, [])
  assert.deepEqual(await groups(), ['mine-0-group'])
  const topics = [
    ...(await list('/persistent/public/default/partitioned')),
    ...(await list('/persistent/public/default')),
  ]
  assert.deepEqual(
    topics.filter((name) => name.includes('/kct-')),
    [],
  )
  assert.ok(topics.some((name) => name.endsWith('/mine-0-topic')))
  assert.ok(topics.some((name) => name.endsWith('/mine-0-plain')))
  const namespaces = await list('/namespaces/public')
  assert.ok(namespaces.includes('public/mine-0-kept') && !namespaces.includes('public/kct-1-0-kept'))
  const tenants = await list('/tenants')
  assert.ok(tenants.includes('mine-0-tenant') && !tenants.includes('kct-1-0-tenant'))
  assert.deepEqual(await list('/persistent/mine-0-tenant/made'), ['persistent://mine-0-tenant/made/anything'])
})

test('what cannot be deleted is told', async () => {
  const gone = { profile: target.profile, endpoints: { kafka: '127.0.0.1:1' } }
  const [line = ''] = await sweep({ target: gone, runId: 'kct-2', raw: client, timeoutMs: 30_000 })
  assert.match(line, /^what begins with kct-2: .*ECONNREFUSED/)
  const [unready = ''] = await sweep({ target: gone, runId: 'kct-2', raw: null, timeoutMs: 30_000 })
  assert.match(unready, /^groups that begin with kct-2: the raw client is not ready/)
})
