import type { Job, Start } from './messages.js'

/** What costs less than this part of the dearest job left can wait: a dear one taken last leaves the other workers idle. */
const DEAR_PART = 1 / 4

/**
 * Takes the job out of the queue that suits a worker best, of the dear ones. What the worker has started already speaks for
 * a job; what another worker has started speaks against it, for it would be started twice; what nobody has yet must be
 * started by someone. Among equals the first of the queue. Starting a client, a JVM above all, costs as much as several
 * scenarios.
 */
export function takeJob(
  queue: Job[],
  kept: ReadonlySet<string>,
  keptByOthers: readonly ReadonlySet<string>[],
): Job | undefined {
  const priceOf = ({ name, cost }: Start) => {
    if (kept.has(name)) return -cost
    return keptByOthers.some((other) => other.has(name)) ? cost : 0
  }
  const dear = DEAR_PART * queue.reduce((most, { cost = 0 }) => Math.max(most, cost), 0)
  let best = -1
  let bestPrice = Number.POSITIVE_INFINITY
  for (const [index, { starts = [], cost = 0 }] of queue.entries()) {
    if (cost < dear) continue
    const price = starts.reduce((sum, start) => sum + priceOf(start), 0)
    if (price < bestPrice) [best, bestPrice] = [index, price]
  }
  return best < 0 ? undefined : queue.splice(best, 1)[0]
}
