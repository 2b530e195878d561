import { isRefusal, type PartitionLog } from '../../topics/types.js'
import { listOffsets as table } from '../messages/02-list-offsets.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import type { RequestOf } from '../wire/schema.js'
import { storageFault } from './faults.js'
import { type Call, handler } from './handler.js'
import { epochFault, findPartition } from './topics.js'

type Asked = RequestOf<typeof table>['topics'][number]['partitions'][number]

const latest = -1n
const earliest = -2n
const maxTimestamp = -3n
const earliestLocal = -4n
const latestTiered = -5n
/** The first version that knows each special time; all others know only −1 and −2. */
const sinceVersion = new Map([
  [maxTimestamp, 7],
  [earliestLocal, 8],
  [latestTiered, 9],
])

interface Found {
  readonly offset: bigint
  readonly timestamp: bigint
}
const nothing: Found = { offset: -1n, timestamp: -1n }

/**
 * ListOffsets v0 to v10 (register ID-8): the first offset at or after a time with that record's own timestamp, or −1 and
 * −1 if there is none. Without transactions the last stable offset is the end, so isolation levels do not differ. Without
 * tiered storage (later work) the earliest local offset is the earliest, and the latest tiered one is none.
 */
export const listOffsets = handler(table, async (request, call) => ({
  topics: await Promise.all(
    request.topics.map(async ({ name, partitions }) => ({
      name,
      partitions: await Promise.all(partitions.map((asked) => answer(name, asked, call))),
    })),
  ),
}))

async function answer(name: string, asked: Asked, call: Call) {
  const log = await findPartition(call, name, asked.partitionIndex)
  if (isRefusal(log)) return refused(asked, log.refused)
  const fault = epochFault(log, asked.currentLeaderEpoch) ?? versionFault(asked.timestamp, call.apiVersion)
  if (fault !== null) return refused(asked, fault)
  try {
    const { partitionIndex } = asked
    if (call.apiVersion === 0)
      return { partitionIndex, errorCode: 0, oldStyleOffsets: await oldStyle(log, asked) }
    const found = await find(log, asked.timestamp)
    const leaderEpoch = found.offset === -1n ? -1 : log.leaderEpoch
    return { partitionIndex, errorCode: 0, ...found, leaderEpoch }
  } catch (error) {
    return refused(asked, storageFault(error, call, 'offsets could not be looked up'))
  }
}

function versionFault(timestamp: bigint, apiVersion: number): ErrorName | null {
  if (timestamp >= earliest) return null
  const since = sinceVersion.get(timestamp)
  return since === undefined || apiVersion < since ? 'UNSUPPORTED_VERSION' : null
}

async function find(log: PartitionLog, timestamp: bigint): Promise<Found> {
  if (timestamp === latest) return { offset: log.endOffset(), timestamp: -1n }
  if (timestamp === earliest || timestamp === earliestLocal)
    return { offset: log.startOffset(), timestamp: -1n }
  if (timestamp === latestTiered) return nothing
  const found =
    timestamp === maxTimestamp ? await log.offsetOfMaxTimestamp() : await log.offsetOfTimestamp(timestamp)
  return found === undefined ? nothing : { offset: found.offset, timestamp: found.timestampMs }
}

/** v0 answers places where reading can begin, latest first, at most so many: of ours, the end and the start. */
async function oldStyle(log: PartitionLog, asked: Asked): Promise<readonly bigint[]> {
  const start = log.startOffset()
  if (asked.timestamp === earliest) return [start].slice(0, asked.maxNumOffsets)
  const end = log.endOffset()
  const first =
    asked.timestamp === latest ? end : ((await log.offsetOfTimestamp(asked.timestamp))?.offset ?? end)
  return [...new Set<bigint>([first, start])].slice(0, Math.max(0, asked.maxNumOffsets))
}

const refused = (asked: Asked, error: ErrorName) => ({
  partitionIndex: asked.partitionIndex,
  errorCode: errorCode(error),
})
