import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { jwtVerify } from 'jose'
import { byTopicIds, onCluster, onGroups, onNothing, onTopics } from './tenants-attempts.js'
import { saltedPassword } from './tenants-login.js'
import { signToken, wrongTokens } from './tenants-secured.js'

const root = join(fileURLToPath(new URL('.', import.meta.url)), '..', '..')
const feature = readFileSync(join(root, 'features/namespaces/isolation.feature'), 'utf8')

/** The first column of the examples of the outline that begins so. */
function examplesOf(outline: string): string[] {
  const text = feature.split('Scenario Outline: ').find((part) => part.startsWith(outline)) ?? ''
  const rows = text.split('\n').filter((line) => line.trim().startsWith('|'))
  return rows.slice(1).map((row) => row.split('|')[1]?.trim() ?? '')
}

test('each attempt on another tenant is an example, and each example an attempt', () => {
  const outlines = {
    "<api> on another tenant's topic": onTopics,
    "<api> by the id of another tenant's topic": byTopicIds,
    "<api> on another tenant's group": onGroups,
    '<api> on a group': onGroups,
    '<api> is for super users': onCluster,
    '<api> tells nothing': onNothing,
  }
  for (const [outline, attempts] of Object.entries(outlines))
    assert.deepEqual(examplesOf(outline).sort(), Object.keys(attempts).sort(), outline)
})

test('no token that is wrong is taken by a right verifier, and the right one is', async () => {
  const key = Buffer.alloc(32, 7)
  const verify = (token: string) => jwtVerify(token, key, { algorithms: ['HS256'] })
  assert.equal((await verify(await signToken('acme/orders', key))).payload.sub, 'acme/orders')
  for (const [how, make] of Object.entries(wrongTokens))
    await assert.rejects(verify(await make('acme/orders', key)), /./, how)
})

test('a password is salted as RFC 7677 shows by its example', () => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
  const salted = saltedPassword('SCRAM-SHA-256', 'pencil', salt, 4096)
  assert.equal(salted.toString('hex'), 'c4a49510323ab4f952cac1fa99441939e78ea74d6be81ddf7096e87513dc615d')
})
