import { systemClock } from '../../base/clock.js'
import { offsetMapping } from '../../offsets/index.js'
import { rememberingLog, scratchStore } from '../../storage/embedded/testing.js'
import { createTopics } from '../../topics/index.js'
import { OffsetsTopic } from './index.js'
import { commitOf, offsetsTopicName } from './testing.js'

/**
 * How fast commits are taken, and a history of a million of them is taken up at a start:
 * `node dist/reference/groups/offsets-topic/load.bench.js [commits] [groups] [partitions] [in flight]`.
 * Nothing is compacted meanwhile, so that all of it is read. One in flight: each commit is an entry of its own.
 */
const numbers = process.argv.slice(2).map(Number)
const [commits = 1_000_000, groups = 1_000, partitions = 8, inFlight = 1_000] = numbers

const store = scratchStore()
const options = { clock: systemClock, log: rememberingLog(), mapping: offsetMapping('index') }

async function open() {
  const startMs = performance.now()
  const storage = await store.open({ durability: 'sync' })
  const topics = await createTopics({ ...options, storage, entryFormat: 'pulsar' })
  const openedMs = performance.now()
  const offsets = await OffsetsTopic.open({
    ...options,
    catalog: topics,
    metadata: storage.metadata,
    name: offsetsTopicName,
    partitions,
    batchBytesMax: 1 << 20,
    compaction: { recordsMin: Number.POSITIVE_INFINITY, ratioMax: 1 },
    legacyNamespace: { tenant: 'public', namespace: 'default' },
  })
  await offsets.load()
  const loadedMs = performance.now()
  const close = async () => {
    await offsets.close()
    await topics.close()
    await storage.close()
  }
  return { offsets, close, storeMs: openedMs - startMs, loadMs: loadedMs - openedMs }
}

const figure = (value: number) => Math.round(value).toLocaleString('en')

const first = await open()
console.log(`store ${figure(first.storeMs)} ms, a new offsets topic ${figure(first.loadMs)} ms`)
let next = 0
const startMs = performance.now()
async function commitInTurn(): Promise<void> {
  while (next < commits) {
    const at = next++
    await first.offsets.put(`public/default/group-${at % groups}`, [commitOf(at, { partition: at % 3 })])
  }
}
await Promise.all(Array.from({ length: inFlight }, commitInTurn))
const seconds = (performance.now() - startMs) / 1000
console.log(`${figure(commits)} commits in ${seconds.toFixed(1)} s: ${figure(commits / seconds)} a second`)
await first.close()
const second = await open()
const ids = (await second.offsets.groupIds()).length
console.log(
  `store ${figure(second.storeMs)} ms, ${figure(commits)} commits of ${figure(ids)} groups ${figure(second.loadMs)} ms`,
)
await second.close()
store.remove()
