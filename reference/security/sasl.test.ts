import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { ManualClock } from '../base/clock.js'
import { memoryMetadata } from '../pulsar/testing.js'
import { parseOAuthBearer } from './oauthbearer.js'
import { type SaslMechanism, startExchange } from './sasl.js'
import { credentialOf, saltedPasswordOf } from './scram.js'
import { ScramUsers } from './scram-users.js'
import { TokenVerifier } from './tokens.js'

const key = createSecretKey(Buffer.alloc(32, 7))
const token = (sub: string) => new SignJWT({ sub }).setProtectedHeader({ alg: 'HS256' }).sign(key)

async function parts() {
  const users = await ScramUsers.open(memoryMetadata())
  const salt = Buffer.from('salt')
  const salted = await saltedPasswordOf('SCRAM-SHA-512', 'hunter2', salt, 4096)
  const credential = credentialOf('SCRAM-SHA-512', salt, 4096, salted)
  for (const user of ['ann', 'acme/orders', 'acme/nowhere'])
    await users.change([{ user, mechanism: 'SCRAM-SHA-512', credential }])
  const tokens = new TokenVerifier([{ key, algorithms: ['HS256'] }], 'sub', new ManualClock())
  const namespaces = { hasNamespace: (tenant: string, name: string) => `${tenant}/${name}` === 'acme/orders' }
  return { users, tokens, namespaces }
}

async function say(mechanism: SaslMechanism, message: string) {
  return startExchange(mechanism, await parts())(Buffer.from(message))
}

const isIn = (step: Awaited<ReturnType<typeof say>>) => {
  assert.ok('authenticated' in step, JSON.stringify(step))
  return step.authenticated
}

test('PLAIN: a token’s role is its subject, and the user name chooses the namespace', async () => {
  const orders = { tenant: 'acme', namespace: 'orders' }
  const chosen = isIn(await say('PLAIN', `\0acme/orders\0token:${await token('ann')}`))
  assert.deepEqual(chosen, { role: 'ann', expiresAtMs: undefined, namespace: orders })
  const plain = isIn(await say('PLAIN', `\0ann\0token:${await token('ann')}`))
  assert.equal(plain.namespace, undefined)
  const byPassword = isIn(await say('PLAIN', 'acme/orders\0acme/orders\0hunter2'))
  assert.deepEqual(byPassword, { role: 'acme/orders', expiresAtMs: undefined, namespace: orders })
})

test('PLAIN: what is wrong is refused', async () => {
  const good = await token('ann')
  const wrong = [
    '\0ann\0hunter',
    '\0ann\0hunter22',
    '\0ann\0',
    '\0\0hunter2',
    '\0nobody\0hunter2',
    'ann\0hunter2',
    '\0ann\0hunter2\0',
    '\0ann\0hunter2\0more',
    'bob\0ann\0hunter2',
    '',
    '\0ann\0token:',
    `\0ann\0token:${good.slice(0, -2)}`,
    `\0ann\0${good}`,
    `\0acme/nowhere\0token:${good}`,
    `\0acme/\0token:${good}`,
    `\0acme/orders/x\0token:${good}`,
    '\0acme/nowhere\0hunter2',
  ]
  for (const message of wrong) assert.ok('denied' in (await say('PLAIN', message)), message)
})

test('OAUTHBEARER: the extensions tenant and namespace choose', async () => {
  const bearer = `auth=Bearer ${await token('ann')}`
  const orders = { tenant: 'acme', namespace: 'orders' }
  for (const extensions of ['\x01tenant=acme/orders', '\x01tenant=acme\x01namespace=orders']) {
    const step = isIn(await say('OAUTHBEARER', `n,,\x01${bearer}${extensions}\x01\x01`))
    assert.deepEqual([step.role, step.namespace], ['ann', orders])
  }
  assert.equal(isIn(await say('OAUTHBEARER', `n,a=ann,\x01${bearer}\x01\x01`)).namespace, undefined)
  for (const wrong of ['\x01tenant=acme', '\x01tenant=acme/none', '\x01tenant=a\x01namespace=b'])
    assert.ok('denied' in (await say('OAUTHBEARER', `n,,\x01${bearer}${wrong}\x01\x01`)), wrong)
  assert.ok('denied' in (await say('OAUTHBEARER', `n,a=bob,\x01${bearer}\x01\x01`)))
})

test('OAUTHBEARER: a wrong token is answered by an error first, and refused whatever follows', async () => {
  const exchange = startExchange('OAUTHBEARER', await parts())
  const step = await exchange(Buffer.from('n,,\x01auth=Bearer abc.def.ghi\x01\x01'))
  assert.ok('challenge' in step)
  assert.deepEqual(JSON.parse(step.challenge.toString()), { status: 'invalid_token' })
  assert.ok('denied' in (await exchange(Buffer.from(`n,,\x01auth=Bearer ${await token('ann')}\x01\x01`))))
})

test('OAUTHBEARER: messages of another form are none', () => {
  const wrong = [
    '',
    'n,,',
    'n,,\x01\x01',
    'n,,\x01auth=Bearer t\x01',
    'n,,\x01auth=Basic t\x01\x01',
    'n,,\x01auth=Bearer \x01\x01',
    'n,,\x01auth=Bearer t\x01auth=Bearer u\x01\x01',
    'n,,\x01auth=Bearer t\x01k\x01\x01',
    'n,,\x01auth=Bearer t\x011=v\x01\x01',
    'n,,\x01auth=Bearer t\x01\x01more',
    'p=x,,\x01auth=Bearer t\x01\x01',
    'auth=Bearer t\x01\x01',
  ]
  for (const message of wrong)
    assert.equal(parseOAuthBearer(Buffer.from(message)), null, JSON.stringify(message))
})

test('SCRAM: a user who is not there, or a message out of turn, is refused at once', async () => {
  assert.ok('denied' in (await say('SCRAM-SHA-512', 'n,,n=nobody,r=abc')))
  assert.ok('denied' in (await say('SCRAM-SHA-256', 'n,,n=ann,r=abc')), 'has a password of another mechanism')
  assert.ok('denied' in (await say('SCRAM-SHA-512', 'c=biws,r=abc,p=AAAA')))
})

test('users and their passwords outlive the broker', async () => {
  const metadata = memoryMetadata()
  const before = await ScramUsers.open(metadata)
  const credential = credentialOf('SCRAM-SHA-256', Buffer.from('salt'), 8192, Buffer.alloc(32, 1))
  await before.change([{ user: 'acme/orders', mechanism: 'SCRAM-SHA-256', credential }])
  const after = await ScramUsers.open(metadata)
  assert.deepEqual(after.find('SCRAM-SHA-256', 'acme/orders'), credential)
  assert.deepEqual(after.mechanismsOf('acme/orders'), [{ mechanism: 'SCRAM-SHA-256', iterations: 8192 }])
  await after.change([{ user: 'acme/orders', mechanism: 'SCRAM-SHA-256', credential: undefined }])
  assert.deepEqual((await ScramUsers.open(metadata)).names(), [])
})
