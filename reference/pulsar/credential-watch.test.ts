import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { SignJWT } from 'jose'
import { ManualClock } from '../base/clock.js'
import { TokenVerifier } from '../security/tokens.js'
import { PulsarClient } from '../testing.js'
import { TestTopics } from '../topics/testing.js'
import { type RunningListener, startPulsarListener } from './listener.js'
import { testContext } from './testing.js'
import { ServerError } from './wire/commands.js'

const key = createSecretKey(Buffer.alloc(32, 7))
const topics = new TestTopics()
const clock = new ManualClock(Date.UTC(2026, 0, 1))
let listener: RunningListener

before(async () => {
  const context = testContext(await topics.open({ clock }), clock)
  const tokens = new TokenVerifier([{ key, algorithms: ['HS256'] }], 'sub', clock)
  const security = { isAuthenticated: true, authorizer: null, tokens, tls: undefined }
  const config = {
    ...context.config,
    keepAliveIntervalSeconds: 100_000,
    authenticationRefreshCheckSeconds: 60,
  }
  listener = await startPulsarListener({ ...context, config, security }, { host: '127.0.0.1', port: 0 })
})
after(async () => {
  await listener.close()
  await topics.remove()
})

let client: PulsarClient
let closed: Promise<unknown>
beforeEach(async () => {
  client = await PulsarClient.connect('127.0.0.1', listener.port)
  closed = new Promise((resolve) => client.socket.once('close', resolve))
})

async function tokenFor(role: string, livesMs: number): Promise<Buffer> {
  const token = new SignJWT({ sub: role }).setProtectedHeader({ alg: 'HS256' })
  return Buffer.from(await token.setExpirationTime((clock.nowMs() + livesMs) / 1000).sign(key))
}

async function connect(livesMs: number, supportsAuthRefresh = true): Promise<void> {
  const authData = await tokenFor('ann', livesMs)
  const featureFlags = { supportsAuthRefresh }
  client.send('CONNECT', { clientVersion: 'test', authMethodName: 'token', authData, featureFlags })
  await client.expect('CONNECTED')
}

async function answer(role: string, livesMs: number): Promise<void> {
  const response = { authMethodName: 'token', authData: await tokenFor(role, livesMs) }
  client.send('AUTH_RESPONSE', { clientVersion: 'test', response })
}

/** Whether the connection still answers. */
async function isServed(): Promise<boolean> {
  client.send('LOOKUP', { topic: 'any', requestId: 1n })
  return (await client.expect('LOOKUP_RESPONSE')).requestId === 1n
}

test('when its token expires a client is asked for a new one, and goes on with it', async () => {
  await connect(10_000)
  clock.advance(10_000)
  const { challenge } = await client.expect('AUTH_CHALLENGE')
  assert.equal(challenge?.authMethodName, 'token')
  await answer('ann', 20_000)
  assert.ok(await isServed())
  clock.advance(20_000)
  await client.expect('AUTH_CHALLENGE')
  client.socket.destroy()
})

test('a client that brings no new token in time is closed', async () => {
  await connect(10_000)
  clock.advance(10_000)
  await client.expect('AUTH_CHALLENGE')
  clock.advance(59_999)
  assert.ok(await isServed())
  clock.advance(1)
  await closed
})

test('the new token is of the same role, and itself right', async () => {
  await connect(10_000)
  clock.advance(10_000)
  await client.expect('AUTH_CHALLENGE')
  await answer('bob', 20_000)
  assert.equal((await client.expect('ERROR')).error, ServerError.AuthenticationError)
  await closed
})

test('a client that cannot be asked is closed when its token expires', async () => {
  await connect(10_000, false)
  clock.advance(10_000)
  await closed
})

test('a token that was not asked for ends the connection', async () => {
  await connect(10_000)
  await answer('ann', 20_000)
  await closed
})
