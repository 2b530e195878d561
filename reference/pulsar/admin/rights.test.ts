import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastify from 'fastify'
import { demandNeeds, needs } from './rights.js'

test('a route that does not say which right it needs is not taken', async () => {
  const app = fastify()
  const rule = demandNeeds(app)
  app.get('/said', needs('super'), () => 'ok')
  assert.throws(() => app.get('/unsaid', () => 'ok'), /GET \/unsaid does not say which right it needs/)
  rule.fallback = 'nothing'
  app.get('/extended', () => 'ok')
  await app.close()
})
