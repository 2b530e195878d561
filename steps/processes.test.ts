import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { ReadyClient } from '../matrix/clients/types.js'
import { closeDrivers } from './drivers.js'
import { Processes } from './processes.js'

/** A driver that answers every op with how it was configured, and how often. */
const PROGRAM = `
  let times = 0, last = null
  console.log(JSON.stringify({ ready: { client: 'fake', version: '1', kind: 'kafka' } }))
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, op, args } = JSON.parse(line)
    if (op === 'configure') { times += 1; last = args }
    console.log(JSON.stringify({ id, result: { times, last } }))
  })
`
const client: ReadyClient = {
  name: 'fake',
  version: '1',
  kind: 'kafka',
  command: [process.execPath, '-e', PROGRAM],
  env: {},
}
after(closeDrivers)

test('a name is one process, configured once for the same arguments and again for others', async () => {
  const processes = new Processes()
  const first = await processes.get(client, null, { a: 1 })
  const own = await processes.get(client, 'one', { a: 1 })
  assert.notEqual(own.pid, first.pid)
  assert.equal((await processes.get(client, 'one', { a: 1 })).pid, own.pid)
  assert.deepEqual(await own.call('ask', {}), { times: 1, last: { a: 1 } })
  assert.equal((await processes.get(client, 'one', { a: 2 })).pid, own.pid)
  processes.forgetConfigured()
  await processes.get(client, 'one', { a: 2 })
  assert.deepEqual(await own.call('ask', {}), { times: 3, last: { a: 2 } })
  assert.deepEqual([...processes.used].map(({ pid }) => pid).sort(), [first.pid, own.pid].sort())
  await processes.giveBack(false)
})

test('a killed process ends, its name stands for a new one, and one left whole serves the next scenario', async () => {
  const processes = new Processes()
  const own = await processes.get(client, 'one', {})
  await processes.kill('one')
  assert.equal(own.alive, false)
  await assert.rejects(own.call('ask', {}), /was killed by the scenario/)
  const again = await processes.get(client, 'one', { b: 1 })
  assert.notEqual(again.pid, own.pid)
  await processes.giveBack(true)
  const next = new Processes()
  const reused = await next.get(client, 'other', { c: 1 })
  assert.equal(reused.pid, again.pid)
  assert.deepEqual(await reused.call('ask', {}), { times: 3, last: { c: 1 } })
  await next.giveBack(false)
  assert.equal(reused.alive, false)
  await assert.rejects(next.kill('other'), /no process named other/)
})

test('a paused process answers when it is resumed, and is not given to others while it is paused', async () => {
  const processes = new Processes()
  const own = await processes.get(client, 'one', {})
  await processes.pause('one')
  const asked = own.call('ask', {})
  await processes.resume('one')
  assert.deepEqual(await asked, { times: 1, last: {} })
  await processes.pause('one')
  await processes.giveBack(true)
  assert.equal(own.alive, false)
})
