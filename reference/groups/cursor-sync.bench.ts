import { offsetCommit } from '../kafka/messages/08-offset-commit.js'
import { BrokerProcess, type KafkaClient, scratchFolder } from '../testing.js'

/**
 * How far cursors lag behind commits that come steadily, and what the sync costs these:
 * `node dist/reference/groups/cursor-sync.bench.js [commits a second] [groups] [partitions] [seconds] [period in ms]`.
 * Single commits of one partition, each of another group, over four connections; all to the shipped broker, which syncs its
 * journal. The lag is what the broker's metrics tell; it must stay below the period.
 */
const numbers = process.argv.slice(2).map(Number)
const [perSecond = 1_000, groups = 100, partitions = 10, seconds = 10, periodMs = 1_000] = numbers
const connections = 4
const topic = 'committed'
const folder = scratchFolder()

async function commit(client: KafkaClient, group: string, partitionIndex: number, at: number): Promise<void> {
  const committedOffset = BigInt(at)
  const { topics } = await client.call(offsetCommit, 2, {
    groupId: group,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [{ name: topic, partitions: [{ partitionIndex, committedOffset, committedMetadata: null }] }],
  })
  const code = topics[0]?.partitions[0]?.errorCode
  if (code !== 0) throw new Error(`a commit was refused with ${code}`)
}

/** One connection's share, each commit at its time, or at once where the broker is late. @returns ms that each took. */
async function commitSteadily(client: KafkaClient, share: number, messages: number): Promise<number[]> {
  const tookMs: number[] = []
  const startMs = performance.now()
  for (let at = share; at < perSecond * seconds; at += connections) {
    const dueMs = startMs + (at * 1000) / perSecond
    const waitMs = dueMs - performance.now()
    if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs))
    const sentMs = performance.now()
    await commit(client, `group-${at % groups}`, Math.floor(at / groups) % partitions, at % messages)
    tookMs.push(performance.now() - sentMs)
  }
  return tookMs
}

async function gauge(admin: string, name: string): Promise<number> {
  const text = await (await globalThis.fetch(`${admin}/metrics`)).text()
  return Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1])
}

/** The largest lag seen while it is looked at every 50 ms. */
async function watchLag(admin: string, signal: AbortSignal): Promise<number> {
  let largest = 0
  while (!signal.aborted) {
    largest = Math.max(largest, await gauge(admin, 'kop_cursor_sync_lag_seconds'))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return largest
}

const broker = await BrokerProcess.start({
  flags: {
    'data-directory': folder.path,
    'kafka-offsets-sync-period-ms': String(periodMs),
    'log-level': 'warn',
  },
})
const { admin } = broker.endpoints
const clients = await Promise.all(Array.from({ length: connections }, () => broker.kafka()))
const [first] = clients
if (first === undefined) throw new Error('no connection')
await first.createTopic(topic, partitions)
const messages = 1_000
await first.produce(
  topic,
  Array.from({ length: messages }, (_, at) => Buffer.from(`message ${at}`)),
)

const done = new AbortController()
const watching = watchLag(admin, done.signal)
const startMs = performance.now()
const took = (await Promise.all(clients.map((client, share) => commitSteadily(client, share, messages))))
  .flat()
  .sort((a, b) => a - b)
const spentSeconds = (performance.now() - startMs) / 1000
done.abort()
const lagMs = (await watching) * 1000
const quantile = (part: number) => (took[Math.floor(took.length * part)] ?? Number.NaN).toFixed(1)
console.log(
  `${Math.round(took.length / spentSeconds).toLocaleString('en')} commits a second, ${groups} groups`,
)
console.log(`largest lag of the cursors: ${Math.round(lagMs)} ms, of a period of ${periodMs} ms`)
console.log(`a commit takes ${quantile(0.5)} ms (p50), ${quantile(0.99)} ms (p99)`)
await broker.stop()
folder.remove()
if (lagMs >= periodMs) process.exitCode = 1
