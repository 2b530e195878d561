import {
  asEntryId,
  asMessageIndex,
  comparePositions,
  type MessageIndex,
  type Position,
} from '../base/brand.js'
import type { ManagedLedger } from '../storage/types.js'
import type { StoragePolicies } from './policies.js'
import { firstUnconsumed, startBySize } from './retention.js'
import type { PartitionLog } from './types.js'

/** Acknowledges, for one subscription, all before `to`. */
export type ExpireBacklog = (partition: PartitionLog, subscription: string, to: Position) => Promise<void>

/** The cursor alone: whoever uses it, or is told by it, has to be told by others. */
export const moveCursor: ExpireBacklog = async ({ ledger }, subscription, to) => {
  const cursor = await ledger.openCursor(subscription, to)
  await cursor.acknowledgeUpTo({ ledgerId: to.ledgerId, entryId: asEntryId(to.entryId - 1) })
}

/** Whether a policy bounds what is kept for subscriptions that do not consume it. */
export const boundsBacklog = ({ messageTtlSeconds = 0, backlogQuotas = {} }: StoragePolicies): boolean =>
  messageTtlSeconds > 0 ||
  Object.values(backlogQuotas).some((quota) => quota?.policy === 'consumer_backlog_eviction')

/** Moves each durable subscription over what it has no time or room for any more (register PT-5, as in Pulsar). */
export async function expireBacklog(
  partition: PartitionLog,
  policies: StoragePolicies,
  nowMs: number,
  expire: ExpireBacklog,
): Promise<void> {
  const { ledger } = partition
  if (!boundsBacklog(policies) || ledger.cursorNames().length === 0) return
  const index = await expiredBefore(ledger, policies, nowMs)
  if (index <= ledger.start.index) return
  const to = (await ledger.entryOfIndex(index))?.position ?? ledger.end.position
  for (const name of ledger.cursorNames()) {
    // Opening one that was deleted meanwhile would make it anew.
    if (!ledger.cursorNames().includes(name)) continue
    const { position } = await ledger.openCursor(name, to)
    if (comparePositions(position, to) < 0) await expire(partition, name, to)
  }
}

/** A backlog over its quota is cut to this part of it, as Pulsar does, so that it is not cut again at once. */
const quotaTarget = 0.9

/**
 * Before which message subscriptions have had their time: what a namespace's time to live no longer waits for, and what a
 * backlog quota with `consumer_backlog_eviction` has no room for. The log's start when nothing is to be given up. Ages
 * count from when the broker stored a message, as in Pulsar. Left out: quotas that hold up or refuse producers.
 */
async function expiredBefore(
  ledger: ManagedLedger,
  { messageTtlSeconds = 0, backlogQuotas }: StoragePolicies,
  nowMs: number,
): Promise<MessageIndex> {
  const { destination_storage: bySize, message_age: byAge } = backlogQuotas ?? {}
  const evictsBySize = bySize?.policy === 'consumer_backlog_eviction' && bySize.limitBytes >= 0
  const evictsByAge = byAge?.policy === 'consumer_backlog_eviction' && byAge.limitSeconds >= 0
  const limitsSeconds = [
    ...(messageTtlSeconds > 0 ? [messageTtlSeconds] : []),
    ...(evictsByAge ? [byAge.limitSeconds] : []),
  ]
  const oldestMs = nowMs - Math.min(...limitsSeconds) * 1000
  const inTime = limitsSeconds.length > 0 ? firstStoredSince(ledger, oldestMs) : ledger.start.index
  const inQuota = evictsBySize ? startWithinQuota(ledger, bySize.limitBytes) : ledger.start.index
  return asMessageIndex(Math.max(await inTime, await inQuota))
}

async function startWithinQuota(ledger: ManagedLedger, limitBytes: number): Promise<MessageIndex> {
  const isOver = (await startBySize(ledger, limitBytes)) > (await firstUnconsumed(ledger))
  return isOver ? startBySize(ledger, Math.floor(limitBytes * quotaTarget)) : ledger.start.index
}

/** Storing times rise with the index: a search by halves. */
async function firstStoredSince(ledger: ManagedLedger, oldestMs: number): Promise<MessageIndex> {
  let low: number = ledger.start.index
  let high: number = ledger.end.index
  while (low < high) {
    const entry = await ledger.entryOfIndex(asMessageIndex(Math.floor((low + high) / 2)))
    if (entry === undefined) break
    if (entry.brokerTimestampMs >= oldestMs) high = entry.firstIndex
    else low = entry.firstIndex + entry.messageCount
  }
  return asMessageIndex(low)
}
