import assert from 'node:assert/strict'
import { createHmac, createSecretKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { SignJWT } from 'jose'
import { ManualClock } from '../base/clock.js'
import { publicTokenKey, secretTokenKey, TokenVerifier } from './tokens.js'
import { isDenied } from './types.js'

const nowMs = Date.UTC(2026, 0, 1)
const secret = Buffer.alloc(32, 7)
const dataUrl = (bytes: Buffer) => `data:;base64,${bytes.toString('base64')}`

const tokenBy = (key: Parameters<SignJWT['sign']>[0], alg: string, claims: object) =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg }).sign(key)

const verifier = (settings: readonly string[], claim = 'sub') =>
  new TokenVerifier(settings.map(secretTokenKey), claim, new ManualClock(nowMs))

test('a token of the broker’s key gives its role and its end', async () => {
  const token = await tokenBy(createSecretKey(secret), 'HS256', { sub: 'ann', exp: nowMs / 1000 + 60 })
  assert.deepEqual(await verifier([dataUrl(secret)]).verify(token), {
    role: 'ann',
    expiresAtMs: nowMs + 60_000,
  })
})

test('the role may be another claim, or the first of several', async () => {
  const token = await tokenBy(createSecretKey(secret), 'HS512', { sub: 'ann', roles: ['bob', 'eve'] })
  const verified = await verifier([dataUrl(secret)], 'roles').verify(token)
  assert.deepEqual(verified, { role: 'bob', expiresAtMs: undefined })
})

test('a wrong token is refused, in words that hold nothing of it', async () => {
  const mine = createSecretKey(secret)
  const others = createSecretKey(Buffer.alloc(32, 8))
  const good = await tokenBy(mine, 'HS256', { sub: 'ann' })
  const [header = '', payload = '', signature = ''] = good.split('.')
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  const wrong = {
    expired: await tokenBy(mine, 'HS256', { sub: 'ann', exp: nowMs / 1000 - 1 }),
    early: await tokenBy(mine, 'HS256', { sub: 'ann', nbf: nowMs / 1000 + 60 }),
    ofAnotherKey: await tokenBy(others, 'HS256', { sub: 'ann' }),
    withoutRole: await tokenBy(mine, 'HS256', {}),
    emptyRole: await tokenBy(mine, 'HS256', { sub: '' }),
    roleOfNumbers: await tokenBy(mine, 'HS256', { sub: 7 as unknown as string }),
    unsigned: `${none}.${payload}.`,
    cutShort: good.slice(0, -1),
    signatureByPrefix: `${header}.${payload}.${signature.slice(0, 8)}`,
    withMore: `${good}AA`,
    empty: '',
    notBase64: '!.!.!',
    huge: 'a'.repeat(100_000),
  }
  for (const [name, token] of Object.entries(wrong)) {
    const verified = await verifier([dataUrl(secret)]).verify(token)
    assert.ok(isDenied(verified), name)
    if (token.length > 10) assert.ok(!verified.denied.includes(token.slice(0, 10)), name)
    assert.ok(!verified.denied.includes('ann'), name)
  }
})

test('a public key verifies by its own algorithms only: its bytes are no secret to sign with', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const der = publicKey.export({ type: 'spki', format: 'der' })
  const tokens = new TokenVerifier([publicTokenKey(dataUrl(der))], 'sub', new ManualClock(nowMs))
  const good = await tokenBy(privateKey, 'RS256', { sub: 'ann' })
  assert.deepEqual(await tokens.verify(good), { role: 'ann', expiresAtMs: undefined })
  const head = [{ alg: 'HS256' }, { sub: 'ann' }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const forged = `${head}.${createHmac('sha256', der).update(head).digest('base64url')}`
  assert.ok(isDenied(await tokens.verify(forged)))
})

test('without a key no token is right', async () => {
  const token = await tokenBy(createSecretKey(secret), 'HS256', { sub: 'ann' })
  assert.ok(isDenied(await verifier([]).verify(token)))
})

test('keys are data URLs, file URLs, paths or base64, as in Pulsar', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'kop-key-')), 'secret.key')
  writeFileSync(path, secret)
  const token = await tokenBy(createSecretKey(secret), 'HS256', { sub: 'ann' })
  for (const setting of [dataUrl(secret), pathToFileURL(path).href, path, secret.toString('base64')])
    assert.ok(!isDenied(await verifier([setting]).verify(token)), setting)
})

test('a key that is none is refused without telling it', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }))
  assert.deepEqual(publicTokenKey(dataUrl(pem)).algorithms, ['ES256', 'ES384', 'ES512'])
  const wrong = [
    'data:,hunter2',
    'hunter2 and more',
    'file:///nowhere/key',
    'file://host/key',
    dataUrl(Buffer.from('hunter2')),
  ]
  for (const setting of wrong) {
    for (const read of [secretTokenKey, publicTokenKey])
      assert.throws(
        () => read(setting),
        (error: Error) => !error.message.includes('hunter2') && !error.message.includes('\n'),
        setting,
      )
  }
})
