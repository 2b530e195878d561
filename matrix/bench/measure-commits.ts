import { setTimeout as delay } from 'node:timers/promises'
import type { BenchBroker } from './broker.js'
import { CommitConnection } from './commit-client.js'
import type { Sample } from './figures.js'
import { PRODUCER_SETTINGS } from './measure.js'
import type { PerfTools } from './perf-tools.js'
import { quantile } from './statistics.js'
import { createTopic } from './topics.js'

/** The load of commits in one round. */
export interface CommitLoad {
  readonly commits: number
  readonly groups: number
  /** At 1,000 a second, of a tenth of the groups. */
  readonly steadySeconds: number
}

const TOPIC = 'bench-commits'
const PARTITIONS = 10
const MESSAGES = 1_000
const CONNECTIONS = 64
const STEADY_PER_SECOND = 1_000
const LAG_LOOK_MS = 50
const RETRY_MS = 5
const READY_TIMEOUT_MS = 120_000
/** The coordinator is not there yet, loads, or is another. */
const NOT_YET = [14, 15, 16]

const groupName = (index: number): string => `bench-group-${index}`

/** Commits as fast as they go, then steadily; then the broker starts again, and has them all to load. */
export async function measureCommits(
  broker: BenchBroker,
  tools: PerfTools,
  load: CommitLoad,
): Promise<Sample> {
  await createTopic(broker.address, TOPIC, PARTITIONS)
  const settings = PRODUCER_SETTINGS
  await tools.produce(broker.address, {
    ...{
      topic: TOPIC,
      records: MESSAGES * PARTITIONS,
      recordBytes: 100,
      recordsPerSecondMax: null,
      settings,
    },
  })
  const connections = await openAll(broker.port)
  try {
    await coordinatorReady(connections, load.groups)
    const commitsPerSecond = await commitFast(connections, load)
    const lag = watchLag(broker)
    const tookMs = await commitSteadily(connections, load)
    const syncLagMs = await lag.largest()
    const commits = {
      commitsPerSecond,
      commitP50Ms: quantile(tookMs, 0.5),
      commitP99Ms: quantile(tookMs, 0.99),
    }
    const loaded = { commitLoadMs: await loadAgain(broker, load) }
    return { ...commits, ...loaded, ...(syncLagMs !== null && { syncLagMs }) }
  } finally {
    for (const connection of connections) connection.close()
  }
}

const openAll = (port: number): Promise<CommitConnection[]> =>
  Promise.all(Array.from({ length: CONNECTIONS }, () => CommitConnection.open(port)))

/** Asks again while the answer is "not yet". @throws Error for any other code, or when it takes too long */
async function untilDone(ask: () => Promise<number>): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS
  for (let code = await ask(); code !== 0; code = await ask()) {
    if (!NOT_YET.includes(code) || performance.now() > deadline)
      throw new Error(`the coordinator answered with error ${code}`)
    await delay(RETRY_MS)
  }
}

async function coordinatorReady(connections: readonly CommitConnection[], groups: number): Promise<void> {
  const [first] = connections
  if (first === undefined) return
  await untilDone(() => first.findCoordinator(groupName(0)))
  await eachGroup(connections, groups, (connection, group) => connection.commit(group, TOPIC, 0, 0))
}

/** Every group once, its question again until it is answered. */
async function eachGroup(
  connections: readonly CommitConnection[],
  groups: number,
  ask: (connection: CommitConnection, group: string) => Promise<number>,
): Promise<void> {
  let next = 0
  const work = async (connection: CommitConnection) => {
    while (next < groups) {
      const group = groupName(next++)
      await untilDone(() => ask(connection, group))
    }
  }
  await Promise.all(connections.map(work))
}

async function commitNumber(connection: CommitConnection, at: number, groups: number): Promise<void> {
  const partition = Math.floor(at / groups) % PARTITIONS
  const code = await connection.commit(groupName(at % groups), TOPIC, partition, at % MESSAGES)
  if (code !== 0) throw new Error(`a commit was refused with error ${code}`)
}

async function commitFast(
  connections: readonly CommitConnection[],
  { commits, groups }: CommitLoad,
): Promise<number> {
  const startMs = performance.now()
  let next = 0
  const work = async (connection: CommitConnection) => {
    while (next < commits) await commitNumber(connection, next++, groups)
  }
  await Promise.all(connections.map(work))
  return (commits * 1000) / (performance.now() - startMs)
}

/** Each commit at its time, or at once where the broker is late. @returns how long each took, from when it was due */
async function commitSteadily(
  connections: readonly CommitConnection[],
  { groups, steadySeconds }: CommitLoad,
): Promise<number[]> {
  const tookMs: number[] = []
  const count = STEADY_PER_SECOND * steadySeconds
  const startMs = performance.now()
  let next = 0
  const work = async (connection: CommitConnection) => {
    while (next < count) {
      const at = next++
      const dueMs = startMs + (at * 1000) / STEADY_PER_SECOND
      const waitMs = dueMs - performance.now()
      if (waitMs > 0) await delay(waitMs)
      const sentMs = performance.now()
      await commitNumber(connection, at, Math.max(1, Math.floor(groups / 10)))
      tookMs.push(performance.now() - sentMs)
    }
  }
  await Promise.all(connections.map(work))
  return tookMs
}

/** The largest lag of the cursors behind the commits, as the reference's own metrics tell it; null: it has none. */
function watchLag({ metricsUrl }: BenchBroker): { largest(): Promise<number | null> } {
  if (metricsUrl === null) return { largest: async () => null }
  const done = new AbortController()
  const watching = (async () => {
    let largestMs = 0
    while (!done.signal.aborted) {
      largestMs = Math.max(largestMs, 1000 * lagIn(await (await fetch(metricsUrl)).text()))
      await delay(LAG_LOOK_MS)
    }
    return largestMs
  })()
  return {
    largest() {
      done.abort()
      return watching
    },
  }
}

/** In seconds. @throws Error when the metrics do not tell it */
export function lagIn(metrics: string): number {
  const [, value] = /^kop_cursor_sync_lag_seconds (\S+)$/m.exec(metrics) ?? []
  if (value === undefined) throw new Error('the metrics tell no lag of the cursors')
  return Number(value)
}

/** From when the broker answers again until it has the offsets of every group. */
async function loadAgain(broker: BenchBroker, { groups }: CommitLoad): Promise<number> {
  await broker.restart()
  const startMs = performance.now()
  const connections = await openAll(broker.port)
  await eachGroup(connections, groups, (connection, group) => connection.fetch(group, TOPIC, 0))
  for (const connection of connections) connection.close()
  return performance.now() - startMs
}
