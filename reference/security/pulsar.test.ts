import assert from 'node:assert/strict'
import { request as httpsRequest } from 'node:https'
import { after, before, test } from 'node:test'
import {
  type CommandBody,
  LookupResult,
  PartitionMetadataResult,
  ServerError,
} from '../pulsar/wire/commands.js'
import { BrokerProcess, PulsarClient } from '../testing.js'
import { ended, type Secured, startSecured, superRole, tokenFor } from './testing.js'

const topic = 'persistent://acme/orders/bills'
const someone = 'a-role-of-nothing'
let secured: Secured
let superToken: string

before(async () => {
  secured = await startSecured()
  superToken = await tokenFor(superRole)
  const info = { adminRoles: ['acme-admin'], allowedClusters: ['standalone'] }
  await secured.admin('PUT', '/admin/v2/tenants/acme', superToken, info)
  await secured.admin('PUT', '/admin/v2/namespaces/acme/orders', superToken, {})
  await secured.admin('PUT', '/admin/v2/persistent/acme/orders/bills', superToken)
  for (const [role, actions] of [
    ['writer', ['produce']],
    ['reader', ['consume']],
  ] as const)
    await secured.admin('POST', `/admin/v2/namespaces/acme/orders/permissions/${role}`, superToken, actions)
})
after(async () => {
  await secured.stop()
  BrokerProcess.killAll()
})

type Connect = Partial<CommandBody<'CONNECT'>>

async function connect(fields: Connect, client?: PulsarClient): Promise<PulsarClient> {
  const connected = client ?? (await secured.pulsar())
  connected.send('CONNECT', { clientVersion: 'test', protocolVersion: 21, ...fields })
  return connected
}

async function login(role: string): Promise<PulsarClient> {
  const client = await connect({ authMethodName: 'token', authData: Buffer.from(await tokenFor(role)) })
  await client.expect('CONNECTED')
  return client
}

test('whoever shows no token that is right is refused at CONNECT, with a reason, and the connection ends', async () => {
  const right = Buffer.from(superToken)
  const wrong: Readonly<Record<string, Connect>> = {
    nothing: {},
    anotherMethod: { authMethodName: 'basic', authData: Buffer.from('root:root') },
    noToken: { authMethodName: 'token' },
    cutShort: { authMethodName: 'token', authData: right.subarray(0, -2) },
    expired: { authMethodName: 'token', authData: Buffer.from(await tokenFor(superRole, -5)) },
    proxied: { authMethodName: 'token', authData: right, originalPrincipal: 'acme-admin' },
  }
  for (const [name, fields] of Object.entries(wrong)) {
    const client = await connect(fields)
    const closed = ended(client)
    const { error, message } = await client.expect('ERROR')
    assert.equal(error, ServerError.AuthenticationError, name)
    assert.ok(message.length > 0)
    await closed
  }
})

test('nobody becomes somebody else by a second CONNECT', async () => {
  const client = await login('reader')
  const closed = ended(client)
  await connect({ authMethodName: 'token', authData: Buffer.from(superToken) }, client)
  await closed
})

test('MT-5: a role without rights is refused whatever it asks of a topic or namespace', async () => {
  const client = await login(someone)
  client.send('LOOKUP', { topic, requestId: 1n })
  const lookup = await client.expect('LOOKUP_RESPONSE')
  assert.deepEqual([lookup.response, lookup.error], [LookupResult.Failed, ServerError.AuthorizationError])
  client.send('PARTITIONED_METADATA', { topic, requestId: 2n })
  const partitions = await client.expect('PARTITIONED_METADATA_RESPONSE')
  assert.deepEqual(
    [partitions.response, partitions.error],
    [PartitionMetadataResult.Failed, ServerError.AuthorizationError],
  )
  const partition = `${topic}-partition-0`
  for (const name of [
    topic,
    partition,
    'persistent://acme/orders/not-there',
    'persistent://acme/nowhere/x',
  ]) {
    client.send('PRODUCER', { topic: name, producerId: 1, requestId: 3n })
    assert.equal((await client.expect('ERROR')).error, ServerError.AuthorizationError)
    client.send('SUBSCRIBE', { topic: name, subscription: 's', subType: 0, consumerId: 1, requestId: 4n })
    assert.equal((await client.expect('ERROR')).error, ServerError.AuthorizationError)
  }
  client.send('GET_TOPICS_OF_NAMESPACE', { namespace: 'acme/orders', requestId: 5n })
  assert.equal((await client.expect('ERROR')).error, ServerError.AuthorizationError)
  client.send('GET_SCHEMA', { topic, requestId: 6n })
  assert.equal((await client.expect('GET_SCHEMA_RESPONSE')).errorCode, ServerError.AuthorizationError)
  const schema = { name: '', schemaData: Buffer.alloc(0), type: 1, properties: [] }
  client.send('GET_OR_CREATE_SCHEMA', { topic, requestId: 7n, schema })
  const created = await client.expect('GET_OR_CREATE_SCHEMA_RESPONSE')
  assert.equal(created.errorCode, ServerError.AuthorizationError)
  client.socket.destroy()
})

test('the right to produce is none to consume, nor the other way', async () => {
  const writer = await login('writer')
  writer.send('PRODUCER', { topic, producerId: 1, requestId: 1n })
  await writer.expect('PRODUCER_SUCCESS')
  writer.send('SUBSCRIBE', { topic, subscription: 's', subType: 0, consumerId: 1, requestId: 2n })
  assert.equal((await writer.expect('ERROR')).error, ServerError.AuthorizationError)
  writer.send('PRODUCER', { topic, producerId: 2, requestId: 3n, initialSubscriptionName: 's' })
  assert.equal((await writer.expect('ERROR')).error, ServerError.AuthorizationError)
  const reader = await login('reader')
  reader.send('SUBSCRIBE', { topic, subscription: 's', subType: 0, consumerId: 1, requestId: 1n })
  await reader.expect('SUCCESS')
  reader.send('PRODUCER', { topic, producerId: 1, requestId: 2n })
  assert.equal((await reader.expect('ERROR')).error, ServerError.AuthorizationError)
  reader.send('GET_TOPICS_OF_NAMESPACE', { namespace: 'acme/orders', requestId: 3n })
  assert.deepEqual((await reader.expect('GET_TOPICS_OF_NAMESPACE_RESPONSE')).topics, [topic])
  for (const client of [writer, reader]) client.socket.destroy()
})

test('what a role may no longer have open is closed', async () => {
  const path = '/admin/v2/namespaces/acme/orders/permissions/guest'
  await secured.admin('POST', path, superToken, ['produce', 'consume'])
  const guest = await login('guest')
  guest.send('PRODUCER', { topic, producerId: 7, requestId: 1n })
  await guest.expect('PRODUCER_SUCCESS')
  guest.send('SUBSCRIBE', { topic, subscription: 'guests', subType: 0, consumerId: 8, requestId: 2n })
  await guest.expect('SUCCESS')
  await secured.admin('POST', path, superToken, ['consume'])
  assert.equal((await guest.expect('CLOSE_PRODUCER')).producerId, 7)
  await secured.admin('DELETE', path, superToken)
  assert.equal((await guest.expect('CLOSE_CONSUMER')).consumerId, 8)
  guest.socket.destroy()
})

test('over TLS clients are told of both addresses, and the same of who they are', async () => {
  const { endpoints } = secured.broker
  const { hostname, port } = new URL(endpoints.pulsarTls ?? '')
  const client = await PulsarClient.connect(hostname, Number(port), secured.ca)
  await connect({ authMethodName: 'token', authData: Buffer.from(superToken) }, client)
  await client.expect('CONNECTED')
  client.send('LOOKUP', { topic, requestId: 1n })
  const answer = await client.expect('LOOKUP_RESPONSE')
  assert.deepEqual(
    [answer.brokerServiceUrl, answer.brokerServiceUrlTls],
    [endpoints.pulsar, endpoints.pulsarTls],
  )
  client.socket.destroy()
})

test('HTTPS serves the same as HTTP', async () => {
  const { adminTls } = secured.broker.endpoints
  const statusWith = (token: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const url = `${adminTls}/admin/v2/tenants`
      const headers = { authorization: `Bearer ${token}` }
      httpsRequest(url, { ca: secured.ca, servername: 'localhost', headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
        .on('error', reject)
        .end()
    })
  assert.equal(await statusWith(superToken), 200)
  assert.equal(await statusWith('x'), 401)
})

test('admin REST asks for a token, and for the right of each route', async () => {
  const admin = await tokenFor('acme-admin')
  const reader = await tokenFor('reader')
  const status = async (...request: Parameters<Secured['admin']>) => (await secured.admin(...request))[0]
  assert.equal(await status('GET', '/admin/v2/tenants'), 401)
  assert.equal(await status('GET', '/admin/v2/tenants', `${superToken}x`), 401)
  assert.equal(await status('GET', '/admin/v2/tenants', await tokenFor(superRole, -5)), 401)
  const [forbidden, text] = await secured.admin('GET', '/admin/v2/tenants', admin)
  assert.equal(forbidden, 403)
  assert.equal(typeof JSON.parse(text).reason, 'string')
  assert.equal(await status('GET', '/admin/v2/tenants', superToken), 200)
  assert.equal(await status('PUT', '/admin/v2/tenants/evil', admin, { allowedClusters: ['standalone'] }), 403)
  assert.equal(await status('PUT', '/admin/v2/namespaces/acme/more', admin, {}), 204)
  assert.equal(await status('PUT', '/admin/v2/namespaces/public/more', admin, {}), 403)
  assert.equal(
    await status('POST', '/admin/v2/namespaces/acme/orders/permissions/reader', reader, ['produce']),
    403,
  )
  assert.equal(await status('DELETE', '/admin/v2/persistent/acme/orders/bills', reader), 403)
  assert.equal(await status('GET', '/lookup/v2/topic/persistent/acme/orders/bills', reader), 200)
  assert.equal(
    await status('GET', '/lookup/v2/topic/persistent/acme/orders/bills', await tokenFor(someone)),
    403,
  )
  assert.equal(await status('GET', '/metrics'), 200)
  assert.equal(await status('GET', '/admin/v2/brokers/health'), 200)
})

test('no token is in a log, whoever shows it', () => {
  const told = secured.broker.stderr
  assert.match(told, /a Pulsar client was refused/)
  for (const secret of [
    ...secured.secrets,
    superToken.split('.')[2] ?? '',
    superToken.slice(0, 30),
    'root:root',
  ])
    assert.ok(!told.includes(secret))
})
