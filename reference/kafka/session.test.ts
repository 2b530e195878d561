import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { ManualClock } from '../base/clock.js'
import { ScramUsers } from '../security/scram-users.js'
import { TokenVerifier } from '../security/tokens.js'
import { MemoryMetadata } from './apis/fake-broker.js'
import { type SaslOptions, SaslSession } from './session.js'

const startMs = Date.UTC(2026, 0, 1)
const key = createSecretKey(Buffer.alloc(32, 7))

async function plain(role: string, livesMs?: number): Promise<Buffer> {
  const token = new SignJWT({ sub: role }).setProtectedHeader({ alg: 'HS256' })
  if (livesMs !== undefined) token.setExpirationTime((startMs + livesMs) / 1000)
  return Buffer.from(`\0acme/orders\0token:${await token.sign(key)}`)
}

function begin(options: Partial<SaslOptions> = {}) {
  const clock = new ManualClock(startMs)
  const session = new SaslSession({
    mechanisms: ['PLAIN', 'SCRAM-SHA-256'],
    sessionMsMax: 0,
    refusalDelayMs: 0,
    clock,
    users: new ScramUsers(new MemoryMetadata()),
    tokens: new TokenVerifier([{ key, algorithms: ['HS256'] }], 'sub', clock),
    namespaces: { hasNamespace: () => true },
    ...options,
  })
  return { clock, session }
}

const produceKey = 0

test('KIP-368: when the session ends, nothing but a new log-in is served', async () => {
  const { clock, session } = begin()
  session.handshake('PLAIN', 1)
  assert.equal((await session.authenticate(await plain('ann', 10_000))).lifetimeMs, 10_000)
  clock.advance(9_999)
  assert.equal(session.refusalOf(produceKey), undefined)
  clock.advance(1)
  assert.match(session.refusalOf(produceKey) ?? '', /ended/)
  assert.equal(session.handshake('PLAIN', 1), 'NONE')
  assert.equal((await session.authenticate(await plain('ann', 30_000))).lifetimeMs, 20_000)
  assert.equal(session.refusalOf(produceKey), undefined)
})

test('KIP-368: a session lasts no longer than the setting, nor than its token', async () => {
  for (const [livesMs, lifetimeMs] of [
    [undefined, 5_000],
    [60_000, 5_000],
    [2_000, 2_000],
  ] as const) {
    const { session } = begin({ sessionMsMax: 5_000 })
    session.handshake('PLAIN', 1)
    assert.equal((await session.authenticate(await plain('ann', livesMs))).lifetimeMs, lifetimeMs)
  }
})

test('a new log-in keeps role and mechanism; in its middle nothing is served', async () => {
  const { session } = begin({ sessionMsMax: 5_000 })
  session.handshake('PLAIN', 1)
  await session.authenticate(await plain('ann'))
  assert.equal(session.handshake('PLAIN', 0), 'ILLEGAL_SASL_STATE')
  assert.equal(session.handshake('PLAIN', 1), 'NONE')
  assert.match(session.refusalOf(produceKey) ?? '', /before authentication/)
  assert.equal((await session.authenticate(await plain('bob'))).error, 'SASL_AUTHENTICATION_FAILED')
  assert.match(session.failure ?? '', /same role/)
  const { session: other } = begin({ sessionMsMax: 5_000 })
  other.handshake('PLAIN', 1)
  await other.authenticate(await plain('ann'))
  assert.equal(other.handshake('SCRAM-SHA-256', 1), 'UNSUPPORTED_SASL_MECHANISM')
})

test('a session without an end takes no second log-in, and goes on', async () => {
  const { session } = begin()
  session.handshake('PLAIN', 1)
  await session.authenticate(await plain('ann'))
  assert.equal(session.handshake('PLAIN', 1), 'ILLEGAL_SASL_STATE')
  assert.equal((await session.authenticate(await plain('ann'))).error, 'ILLEGAL_SASL_STATE')
  assert.deepEqual([session.failure, session.refusalOf(produceKey)], [undefined, undefined])
})

test('a mechanism that is known but not allowed is refused', () => {
  const { session } = begin()
  assert.equal(session.handshake('OAUTHBEARER', 1), 'UNSUPPORTED_SASL_MECHANISM')
  assert.notEqual(session.failure, undefined)
})

test('KIP-306: a refusal is kept back for a while, and nothing more is taken meanwhile', async () => {
  const { clock, session } = begin({ refusalDelayMs: 100 })
  session.handshake('PLAIN', 1)
  let answered = false
  const refused = session.authenticate(Buffer.from('\0acme/orders\0token:none')).finally(() => {
    answered = true
  })
  await new Promise(setImmediate)
  assert.notEqual(session.failure, undefined)
  clock.advance(99)
  await new Promise(setImmediate)
  assert.equal(answered, false)
  clock.advance(1)
  assert.equal((await refused).error, 'SASL_AUTHENTICATION_FAILED')
})
