import type { Job } from './messages.js'

/**
 * Takes the job out of the queue that suits a worker best: that for which it has to start the least; among equals, that
 * which needs the least of what other workers have started already; then the first of the queue. Starting a client,
 * a JVM above all, costs as much as several scenarios.
 */
export function takeJob(
  queue: Job[],
  kept: ReadonlySet<string>,
  keptByOthers: readonly ReadonlySet<string>[],
): Job | undefined {
  let best = -1
  let bestCost = Number.POSITIVE_INFINITY
  for (const [index, { starts = [] }] of queue.entries()) {
    const missing = starts.filter((name) => !kept.has(name))
    const elsewhere = missing.filter((name) => keptByOthers.some((other) => other.has(name)))
    // Fewer than a hundred clients in a job: starts weigh more than what others have.
    const cost = missing.length * 100 + elsewhere.length
    if (cost < bestCost) [best, bestCost] = [index, cost]
  }
  return best < 0 ? undefined : queue.splice(best, 1)[0]
}
