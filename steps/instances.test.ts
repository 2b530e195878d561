import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import type { Target } from '../matrix/targets/types.js'
import { giveBack, lendInstance, sharedInstance, startInstance, stopInstances } from './instances.js'

after(stopInstances)

function serves({ endpoints }: Target): Promise<boolean> {
  const [host = '', port] = (endpoints.kafka ?? '').split(':')
  return new Promise((resolve) => {
    const socket = connect(Number(port), host)
    socket.on('error', () => resolve(false))
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

test('a lent target goes to one scenario at a time, and on to the next only from one that passed', async () => {
  const [first, second] = await Promise.all([lendInstance('reference'), lendInstance('reference')])
  assert.notEqual(first, second)
  await giveBack(first, true)
  assert.equal(await lendInstance('reference'), first)
  await giveBack(first, false)
  assert.equal(await serves(first), false)
  await giveBack(second, true)
  assert.equal(await lendInstance('reference'), second)
  assert.equal(await serves(second), true)
})

test('a shared target outlives the scenario that asked for it first, failed or not; one started for a scenario does not', async () => {
  const settings = { allowAutoTopicCreation: 'false' }
  const shared = await sharedInstance('reference', settings)
  await giveBack(shared, false)
  assert.equal(await sharedInstance('reference', settings), shared)
  assert.equal(await serves(shared), true)
  const own = await startInstance('reference', settings)
  await giveBack(own, true)
  assert.equal(await serves(own), false)
  await stopInstances()
  assert.equal(await serves(shared), false)
})
