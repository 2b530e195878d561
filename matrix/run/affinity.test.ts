import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WorldParameters } from '../../steps/parameters.js'
import { takeJob } from './affinity.js'
import type { Job } from './messages.js'

const job = (cellId: string, ...starts: string[]): Job => ({
  cellId,
  parameters: {} as WorldParameters,
  scenarios: [],
  starts,
})
const none = new Set<string>()

test('a worker takes the job that starts the least, then what others have not started, then the first', () => {
  const queue = [job('both', 'java', 'python'), job('a', 'java'), job('b', 'node'), job('c', 'node')]
  const take = (kept: string[], others: string[]) => takeJob(queue, new Set(kept), [new Set(others)])?.cellId
  assert.equal(take(['java', 'python'], []), 'both')
  assert.equal(take([], ['java']), 'b')
  assert.equal(take(['node'], ['java']), 'c')
  assert.equal(take(['node'], ['java']), 'a')
  assert.equal(take(['node'], ['java']), undefined)
})

test('jobs that say nothing of what they start go in their order', () => {
  const { starts: _, ...plain } = job('first')
  const queue: Job[] = [plain, job('second')]
  assert.equal(takeJob(queue, none, [])?.cellId, 'first')
  assert.equal(takeJob(queue, none, [])?.cellId, 'second')
})
