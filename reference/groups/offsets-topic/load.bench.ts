import { commitOf, groupOf, OffsetsScene } from './testing.js'

/**
 * How fast commits are taken, and a history of a million of them is taken up at a start:
 * `node dist/reference/groups/offsets-topic/load.bench.js [commits] [groups] [partitions] [in flight]`.
 * Nothing is compacted meanwhile, so that all of it is read. One in flight: each commit is an entry of its own.
 */
const numbers = process.argv.slice(2).map(Number)
const [commits = 1_000_000, groups = 1_000, partitions = 4, inFlight = 1_000] = numbers

const scene = new OffsetsScene()
const compaction = { recordsMin: Number.POSITIVE_INFINITY, ratioMax: 1 }
const open = () => scene.open({ topic: { partitions, compaction }, storage: { durability: 'sync' } })
const figure = (value: number) => Math.round(value).toLocaleString('en')

async function timed<T>(work: () => Promise<T>): Promise<readonly [T, number]> {
  const startMs = performance.now()
  const result = await work()
  return [result, performance.now() - startMs]
}

const [offsets, emptyMs] = await timed(open)
let next = 0
async function commitInTurn(): Promise<void> {
  while (next < commits) {
    const at = next++
    await offsets.put(groupOf(at % groups), [commitOf(at, { partition: at % 3 })])
  }
}
const [, commitMs] = await timed(() => Promise.all(Array.from({ length: inFlight }, commitInTurn)))
await scene.close()
const [loaded, loadMs] = await timed(open)
const kept = (await loaded.groupIds()).length
console.log(`an empty store opens in ${figure(emptyMs)} ms`)
console.log(
  `${figure(commits)} commits, ${inFlight} at a time: ${figure((commits / commitMs) * 1000)} a second`,
)
console.log(`the store opens and loads those of ${figure(kept)} groups in ${figure(loadMs)} ms`)
await scene.remove()
