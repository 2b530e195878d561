import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../usage-error.js'
import { containerEngine } from './container-engine.js'

test('an engine is told with its version', async () => {
  const told = await containerEngine(async () => ({
    version: async () => 'Docker Engine - Community 27.1.1',
  }))
  const ready = {
    name: 'container engine',
    ready: true,
    told: 'Docker Engine - Community 27.1.1',
    remedy: '',
  }
  assert.deepEqual(told, ready)
})

test('without an engine the remedy is a line of its own', async () => {
  const told = await containerEngine(async () => {
    throw new UsageError('no container engine answers at DOCKER_HOST=tcp://nowhere; start Docker')
  })
  assert.deepEqual(told, {
    name: 'container engine',
    ready: false,
    told: 'no container engine answers at DOCKER_HOST=tcp://nowhere',
    remedy: 'start Docker (only --target container needs it)',
  })
})

test('an engine that fails when it is asked is not ready, and there is something to do', async () => {
  const told = await containerEngine(async () => ({
    version: async () => {
      throw new Error('permission denied')
    },
  }))
  assert.equal(told.ready, false)
  assert.equal(told.told, 'permission denied')
  assert.match(told.remedy, /docker version/)
})

test('an engine that says nothing is not waited for', async () => {
  const told = await containerEngine(() => new Promise(() => {}), 1)
  assert.equal(told.ready, false)
  assert.match(told.told, /does not answer/)
  assert.match(told.remedy, /restart it/)
})
