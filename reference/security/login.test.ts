import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { metadata } from '../kafka/messages/03-metadata.js'
import { listGroups } from '../kafka/messages/16-list-groups.js'
import { saslHandshake } from '../kafka/messages/17-sasl-handshake.js'
import { apiVersions } from '../kafka/messages/18-api-versions.js'
import { saslAuthenticate } from '../kafka/messages/36-sasl-authenticate.js'
import { describeClientQuotas } from '../kafka/messages/48-describe-client-quotas.js'
import { describeUserScramCredentials } from '../kafka/messages/50-describe-user-scram-credentials.js'
import { alterUserScramCredentials } from '../kafka/messages/51-alter-user-scram-credentials.js'
import { errorName } from '../kafka/wire/errors.js'
import { BrokerProcess, type KafkaClient } from '../testing.js'
import { saltedPasswordOf } from './scram.js'
import {
  authenticate,
  ended,
  loginPlain,
  loginScram,
  plainMessage,
  type Secured,
  startSecured,
  superRole,
  tokenFor,
} from './testing.js'

const password = 'correct horse battery staple'
let secured: Secured
let superToken: string

before(async () => {
  secured = await startSecured()
  superToken = await tokenFor(superRole)
  await secured.admin('PUT', '/admin/v2/tenants/acme', superToken, { allowedClusters: ['standalone'] })
  await secured.admin('PUT', '/admin/v2/namespaces/acme/orders', superToken, {})
  await secured.admin('POST', '/admin/v2/namespaces/acme/orders/permissions/acme%2Forders', superToken, [
    'produce',
    'consume',
  ])
})
after(async () => {
  await secured.stop()
  BrokerProcess.killAll()
})

const asSuper = async () => loginPlain(await secured.kafka(), 'root', `token:${superToken}`)

async function setPassword(user: string, mechanism: 1 | 2, text: string, iterations = 4096) {
  const salt = Buffer.from(`salt of ${user}`)
  const name = mechanism === 1 ? 'SCRAM-SHA-256' : 'SCRAM-SHA-512'
  const saltedPassword = await saltedPasswordOf(name, text, salt, iterations)
  const upsertions = [{ name: user, mechanism, iterations, salt, saltedPassword }]
  const root = await asSuper()
  const { results } = await root.call(alterUserScramCredentials, 0, { deletions: [], upsertions })
  root.socket.destroy()
  return results.map(({ errorCode }) => errorName(errorCode))
}

const canList = async (client: KafkaClient) => {
  const { errorCode } = await client.call(listGroups, 0, {})
  assert.equal(errorCode, 0)
  client.socket.destroy()
}

test('PLAIN with a token, OAUTHBEARER, and each over TLS, let in', async () => {
  for (const listener of ['SASL_PLAINTEXT', 'SASL_SSL'] as const) {
    await canList(await loginPlain(await secured.kafka(listener), 'acme/orders', `token:${superToken}`))
    const bearer = await secured.kafka(listener)
    const message = `n,,\x01auth=Bearer ${superToken}\x01tenant=acme/orders\x01\x01`
    assert.equal((await authenticate(bearer, 'OAUTHBEARER', message)).error, 'NONE')
    await canList(bearer)
  }
})

test('SCRAM users log in by both mechanisms and by PLAIN, and not by a part of their password', async () => {
  assert.deepEqual(await setPassword('acme/orders', 1, password), ['NONE'])
  assert.deepEqual(await setPassword('acme/orders', 2, password, 8192), ['NONE'])
  for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
    const client = await secured.kafka()
    assert.equal((await loginScram(client, mechanism, 'acme/orders', password)).error, 'NONE')
    await canList(client)
    for (const wrong of [password.slice(0, -1), `${password}r`, 'x']) {
      const refused = await secured.kafka()
      const closed = ended(refused)
      const answer = await loginScram(refused, mechanism, 'acme/orders', wrong)
      assert.equal(answer.error, 'SASL_AUTHENTICATION_FAILED')
      assert.match(answer.message ?? '', /wrong user name or password/)
      await closed
    }
  }
  await canList(await loginPlain(await secured.kafka(), 'acme/orders', password))
  const cut = await authenticate(
    await secured.kafka(),
    'PLAIN',
    plainMessage('acme/orders', password.slice(0, 5)),
  )
  assert.equal(cut.error, 'SASL_AUTHENTICATION_FAILED')
})

test('what is stored of users is told to super users, and of passwords nothing', async () => {
  await setPassword('ann', 2, password)
  const root = await asSuper()
  const all = await root.call(describeUserScramCredentials, 0, { users: null })
  const ann = all.results.find(({ user }) => user === 'ann')
  assert.deepEqual(ann?.credentialInfos, [{ mechanism: 2, iterations: 4096 }])
  const none = await root.call(describeUserScramCredentials, 0, { users: [{ name: 'nobody' }] })
  assert.equal(errorName(none.results[0]?.errorCode ?? 0), 'RESOURCE_NOT_FOUND')
  const removed = await root.call(alterUserScramCredentials, 0, {
    deletions: [
      { name: 'ann', mechanism: 2 },
      { name: 'nobody', mechanism: 1 },
    ],
    upsertions: [],
  })
  assert.deepEqual(
    removed.results.map(({ errorCode }) => errorName(errorCode)),
    ['NONE', 'RESOURCE_NOT_FOUND'],
  )
  root.socket.destroy()
  assert.equal(
    (await loginScram(await secured.kafka(), 'SCRAM-SHA-512', 'ann', password)).error,
    'SASL_AUTHENTICATION_FAILED',
  )
  assert.deepEqual(await setPassword('ann', 1, password, 4095), ['UNACCEPTABLE_CREDENTIAL'])
})

test('only super users manage passwords', async () => {
  const client = await loginPlain(
    await secured.kafka(),
    'acme/orders',
    `token:${await tokenFor('acme/orders')}`,
  )
  const seen = await client.call(describeUserScramCredentials, 0, { users: null })
  assert.deepEqual([errorName(seen.errorCode), seen.results], ['CLUSTER_AUTHORIZATION_FAILED', []])
  const quotas = await client.call(describeClientQuotas, 1, { components: [], strict: false })
  assert.deepEqual([errorName(quotas.errorCode), quotas.entries], ['CLUSTER_AUTHORIZATION_FAILED', null])
  const { results } = await client.call(alterUserScramCredentials, 0, {
    deletions: [{ name: 'acme/orders', mechanism: 1 }],
    upsertions: [],
  })
  assert.equal(errorName(results[0]?.errorCode ?? 0), 'CLUSTER_AUTHORIZATION_FAILED')
  client.socket.destroy()
})

test('MT-6: wrong credentials, and namespaces that are not there, are refused with a message, and the connection ends', async () => {
  const expired = await tokenFor('ann', -10)
  const wrong: readonly (readonly [mechanism: string, message: string | Buffer])[] = [
    ['PLAIN', plainMessage('acme/orders', 'token:no-token-at-all')],
    ['PLAIN', plainMessage('acme/orders', `token:${superToken.slice(0, -3)}`)],
    ['PLAIN', plainMessage('acme/orders', `token:${expired}`)],
    ['PLAIN', plainMessage('acme/nowhere', `token:${superToken}`)],
    ['PLAIN', plainMessage('nobody/orders', `token:${superToken}`)],
    ['PLAIN', plainMessage('ann', 'wrong')],
    ['PLAIN', Buffer.from([0xff, 0, 0xff, 0])],
    ['PLAIN', ''],
    ['SCRAM-SHA-256', 'n,,n=nobody,r=abc'],
    ['SCRAM-SHA-256', 'p=tls-unique,,n=acme/orders,r=abc'],
    ['OAUTHBEARER', 'n,,'],
  ]
  for (const [mechanism, message] of wrong) {
    const client = await secured.kafka()
    const closed = ended(client)
    const answer = await authenticate(client, mechanism, message)
    assert.equal(answer.error, 'SASL_AUTHENTICATION_FAILED', `${mechanism} ${message}`)
    assert.ok((answer.message ?? '').length > 0)
    await closed
  }
})

test('MT-6: a wrong bearer token is answered by an error, and refused when that is acknowledged', async () => {
  const client = await secured.kafka()
  const closed = ended(client)
  const first = await authenticate(client, 'OAUTHBEARER', 'n,,\x01auth=Bearer abc.def.ghi\x01\x01')
  assert.deepEqual([first.error, first.bytes.toString()], ['NONE', '{"status":"invalid_token"}'])
  assert.equal((await authenticate(client, null, '\x01')).error, 'SASL_AUTHENTICATION_FAILED')
  await closed
})

test('a mechanism that is not offered is refused with those that are', async () => {
  const client = await secured.kafka()
  const closed = ended(client)
  const { errorCode, mechanisms } = await client.call(saslHandshake, 1, { mechanism: 'GSSAPI' })
  assert.equal(errorName(errorCode), 'UNSUPPORTED_SASL_MECHANISM')
  assert.deepEqual(mechanisms, ['PLAIN', 'OAUTHBEARER', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])
  await closed
})

test('before a log-in only versions may be asked for', async () => {
  const open = await secured.kafka()
  assert.equal((await open.call(apiVersions, 2, {})).errorCode, 0)
  await assert.rejects(open.call(metadata, 1, { topics: null }), /closed/)
  const half = await secured.kafka()
  await half.call(saslHandshake, 1, { mechanism: 'SCRAM-SHA-256' })
  await assert.rejects(half.call(listGroups, 0, {}), /closed/)
  const early = await secured.kafka()
  const closed = ended(early)
  const { errorCode } = await early.call(saslAuthenticate, 0, {
    authBytes: Buffer.from(plainMessage('a', 'b')),
  })
  assert.equal(errorName(errorCode), 'ILLEGAL_SASL_STATE')
  await closed
})

test('a stranger cannot make the broker keep a large request', async () => {
  const client = await secured.kafka()
  await client.call(saslHandshake, 1, { mechanism: 'PLAIN' })
  const large = client.call(saslAuthenticate, 1, { authBytes: Buffer.alloc(600_000, 'a') })
  await assert.rejects(large, /closed/)
})

test('after handshake v0 the messages are bare frames, as clients of old send them', async () => {
  const client = await secured.kafka()
  assert.equal((await client.call(saslHandshake, 0, { mechanism: 'PLAIN' })).errorCode, 0)
  const answer = await client.raw(Buffer.from(plainMessage('acme/orders', `token:${superToken}`)))
  assert.equal(answer.length, 0)
  await canList(client)
  const wrong = await secured.kafka()
  await wrong.call(saslHandshake, 0, { mechanism: 'PLAIN' })
  await assert.rejects(wrong.raw(Buffer.from(plainMessage('acme/orders', 'wrong'))), /closed/)
})

test('a session lasts as long as its token, can be renewed by the same role, and by no other', async () => {
  const client = await secured.kafka()
  const first = await authenticate(
    client,
    'PLAIN',
    plainMessage('acme/orders', `token:${await tokenFor('acme/orders', 60)}`),
  )
  assert.ok(first.lifetimeMs > 50_000 && first.lifetimeMs <= 60_000)
  const again = await authenticate(
    client,
    'PLAIN',
    plainMessage('acme/orders', `token:${await tokenFor('acme/orders', 600)}`),
  )
  assert.deepEqual([again.error, again.lifetimeMs > 500_000], ['NONE', true])
  const closed = ended(client)
  const other = await authenticate(client, 'PLAIN', plainMessage('acme/orders', `token:${superToken}`))
  assert.equal(other.error, 'SASL_AUTHENTICATION_FAILED')
  await closed
})

test('no password, token or key is in a log, an answer or a metric, whoever logs in or fails to', async () => {
  const [, metrics] = await secured.admin('GET', '/metrics')
  const told = secured.broker.stderr + metrics
  assert.match(told, /a client was not authenticated/)
  const signature = superToken.split('.')[2] ?? ''
  for (const secret of [
    ...secured.secrets,
    password,
    'correct horse',
    signature,
    'no-token-at-all',
    superToken.slice(0, 30),
  ])
    assert.ok(!told.includes(secret), secret.slice(0, 4))
})

test('without authentication a plain listener serves whoever comes, and a SASL one beside it still asks', async (context) => {
  const listeners = 'PLAINTEXT://127.0.0.1:0,SASL_PLAINTEXT://127.0.0.1:0'
  const open = await startSecured({
    'authentication-enabled': 'false',
    'authorization-enabled': 'false',
    'kafka-listeners': listeners,
  })
  context.after(() => open.stop())
  const plain = await open.broker.kafka()
  const { errorCode } = await plain.call(saslHandshake, 1, { mechanism: 'PLAIN' })
  assert.equal(errorName(errorCode), 'ILLEGAL_SASL_STATE')
  const { errorCode: refused } = await plain.call(saslAuthenticate, 1, { authBytes: Buffer.alloc(0) })
  assert.equal(errorName(refused), 'ILLEGAL_SASL_STATE')
  await plain.createTopic('everybodys')
  await canList(plain)
  const asked = await open.kafka()
  await assert.rejects(asked.call(metadata, 1, { topics: null }), /closed/)
  const known = await loginPlain(await open.kafka(), 'public/default', `token:${superToken}`)
  const { topics } = await known.call(metadata, 1, { topics: null })
  assert.deepEqual(
    topics.map(({ name }) => name),
    ['everybodys'],
  )
  known.socket.destroy()
})
