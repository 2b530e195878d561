import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WorldParameters } from '../../steps/parameters.js'
import { takeJob } from './affinity.js'
import type { Job } from './messages.js'

const costs: Record<string, number> = { java: 3, python: 1, node: 1 }
const job = (...names: string[]): Job => ({
  cellId: names.join(' × '),
  parameters: {} as WorldParameters,
  scenarios: [],
  starts: names.map((name) => ({ name, cost: costs[name] ?? 1 })),
})
const taken = (queue: Job[], kept: string[], ...others: string[][]) =>
  takeJob(
    queue,
    new Set(kept),
    others.map((names) => new Set(names)),
  )?.cellId

test('a worker goes on with what it has started, the dearest first', () => {
  const queue = [job('node'), job('python'), job('node', 'java'), job('java')]
  const kept = ['java', 'node']
  assert.deepEqual(
    [taken(queue, kept), taken(queue, kept), taken(queue, kept), taken(queue, kept), taken(queue, kept)],
    ['node × java', 'java', 'node', 'python', undefined],
  )
})

test('what another worker has started is left to it while there is other work', () => {
  const queue = [job('java'), job('node'), job('python')]
  const others = ['java', 'node']
  assert.deepEqual(
    [taken(queue, [], others), taken(queue, ['python'], others), taken(queue, ['python', 'node'], others)],
    ['python', 'node', 'java'],
  )
})

test('what is dear is not left for the end, whoever has started what', () => {
  const queue = [
    { ...job('java'), cost: 900 },
    { ...job('python'), cost: 300 },
    { ...job('node'), cost: 100 },
  ]
  assert.deepEqual(
    [taken(queue, ['node', 'python']), taken(queue, ['node', 'python']), taken(queue, ['node', 'python'])],
    ['python', 'java', 'node'],
  )
})

test('before anything is started, and where jobs say nothing, the first of the queue is taken', () => {
  const { starts: _, ...plain } = job('plain')
  const queue: Job[] = [job('python', 'java'), job('node'), plain]
  assert.equal(taken(queue, []), 'python × java')
  assert.equal(taken(queue, [], ['node']), 'plain')
})
