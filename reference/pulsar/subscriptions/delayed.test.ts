import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clock, ManualClock } from '../../base/clock.js'
import { DelayQueue } from './delayed.js'

/** Counts the timers that run. */
function countedTimers(clock: Clock) {
  const running = new Set<symbol>()
  const counted: Clock = {
    nowMs: () => clock.nowMs(),
    after(delayMs, task) {
      const timer = Symbol()
      running.add(timer)
      const stop = clock.after(delayMs, () => {
        running.delete(timer)
        task()
      })
      return () => {
        running.delete(timer)
        stop()
      }
    },
  }
  return { counted, running }
}

test('what is delayed comes in the order of its times, and all of it has one timer', () => {
  const clock = new ManualClock(1_000)
  const { counted, running } = countedTimers(clock)
  const came: number[] = []
  const queue = new DelayQueue<number>(counted, (items) => came.push(...items))
  const times = Array.from({ length: 500 }, (_, at) => 1_001 + ((at * 7919) % 500))
  for (const untilMs of times) {
    queue.add(untilMs, untilMs)
    assert.equal(running.size, 1)
  }
  clock.advance(250)
  assert.deepEqual(came, [...times].sort((a, b) => a - b).slice(0, 250))
  clock.advance(250)
  assert.deepEqual(
    came,
    [...times].sort((a, b) => a - b),
  )
  assert.deepEqual([queue.size, running.size], [0, 0])
})

test('a time beyond the longest timer is waited for, and clearing stops the timer', () => {
  const clock = new ManualClock(0)
  const { counted, running } = countedTimers(clock)
  const came: string[] = []
  const queue = new DelayQueue<string>(counted, (items) => came.push(...items))
  queue.add('far', 2 ** 32)
  clock.advance(2 ** 31)
  assert.deepEqual([came, running.size], [[], 1])
  queue.add('cleared', 2 ** 33)
  clock.advance(2 ** 31)
  assert.deepEqual(came, ['far'])
  queue.clear()
  assert.deepEqual([queue.size, running.size], [0, 0])
})
