import type { Partition } from '../../steps/groups-protocol.js'

/** A member as the coordinator describes it. */
export interface DescribedMember {
  readonly memberId: string
  readonly partitions: readonly Partition[]
}

export interface Fault {
  readonly about: 'records' | 'offsets' | 'rebalances' | 'owners' | 'end'
  readonly what: string
}

export interface Figures {
  readonly acknowledged: number
  /** Different records that members were given. */
  readonly processed: number
  /** How often a record came once more. */
  readonly again: number
  readonly commits: number
  readonly refusedCommits: Readonly<Record<string, number>>
  /** The highest that a member told; 0 where its library tells none. */
  readonly generation: number
  /** How often the group came to be stable with other members or another sharing. */
  readonly rebalances: number
  readonly longestRebalanceMs: number
  readonly state: string
  readonly members: number
}

interface Acknowledged {
  readonly offset: bigint
  readonly id: number
}

const FAULTS_MAX = 50

/**
 * What was sent, processed, committed and owned, and what of it must not be. Nothing here waits or asks: those who do
 * tell it what they saw. Offsets are compared, never counted: a target's need not be without gaps.
 */
export class Ledger {
  readonly faults: Fault[] = []
  readonly #partitions: number
  readonly #rebalanceMsMax: number
  readonly #acknowledged: Acknowledged[][]
  /** By partition: so many of the acknowledged are known to have been processed before they were committed. */
  readonly #covered: number[]
  readonly #processed = new Set<number>()
  readonly #seenCommitted = new Map<number, bigint>()
  readonly #confirmed = new Map<number, bigint>()
  /** `generation partition` → member. */
  readonly #owners = new Map<string, string>()
  readonly #refusedCommits: Record<string, number> = {}
  #acknowledgedCount = 0
  #again = 0
  #commits = 0
  #generation = 0
  #rebalances = 0
  #longestRebalanceMs = 0
  #state = 'unknown'
  #stable: readonly DescribedMember[] = []
  #lastSharing = ''
  #unstableSinceMs: number | null = null
  #unknownSinceMs: number | null = null
  #isTold = false

  /** @param rebalanceMsMax a group that is not stable for longer is at fault */
  constructor(partitions: number, rebalanceMsMax: number) {
    this.#partitions = partitions
    this.#rebalanceMsMax = rebalanceMsMax
    this.#acknowledged = Array.from({ length: partitions }, () => [])
    this.#covered = Array.from({ length: partitions }, () => 0)
  }

  /* ---- Records ------------------------------------------------------------------------------------------------ */

  /** In the order of a partition's offsets. */
  acknowledged(partition: number, offset: bigint, id: number): void {
    this.#acknowledged[partition]?.push({ offset, id })
    this.#acknowledgedCount++
  }

  processed(id: number): void {
    if (this.#processed.has(id)) this.#again++
    this.#processed.add(id)
  }

  /* ---- Offsets ------------------------------------------------------------------------------------------------ */

  /** A member was told that its commit is done. @param places what it holds, as far as that is certain */
  confirmed(places: ReadonlyMap<number, bigint>): void {
    this.#commits++
    for (const [partition, offset] of places) {
      if (offset > (this.#confirmed.get(partition) ?? -1n)) this.#confirmed.set(partition, offset)
    }
  }

  refusedCommit(error: string): void {
    this.#refusedCommits[error] = (this.#refusedCommits[error] ?? 0) + 1
  }

  /** To be asked for before the group's offsets are, and given with them. */
  get floor(): ReadonlyMap<number, bigint> {
    return new Map(this.#confirmed)
  }

  /** All that the group has committed, as it was read after `floor` held. */
  committed(offsets: ReadonlyMap<number, bigint>, floor: ReadonlyMap<number, bigint>): void {
    for (let partition = 0; partition < this.#partitions; partition++) {
      const now = offsets.get(partition) ?? -1n
      const before = this.#seenCommitted.get(partition) ?? -1n
      const least = floor.get(partition) ?? -1n
      if (now < before)
        this.#fault(
          'offsets',
          `partition ${partition}: the committed offset went back from ${before} to ${now}`,
        )
      else if (now < least)
        this.#fault(
          'offsets',
          `partition ${partition}: ${least} was committed, but ${now} is what the group has`,
        )
      this.#seenCommitted.set(partition, now)
      this.#cover(partition, now)
    }
  }

  /** What is committed was processed. */
  #cover(partition: number, committed: bigint): void {
    const records = this.#acknowledged[partition] ?? []
    let at = this.#covered[partition] ?? 0
    for (
      let record = records[at];
      record !== undefined && record.offset < committed;
      record = records[++at]
    ) {
      if (!this.#processed.has(record.id))
        this.#fault(
          'records',
          `partition ${partition}: ${committed} is committed, but nobody was given ${record.offset}`,
        )
    }
    this.#covered[partition] = at
  }

  /* ---- Owners ------------------------------------------------------------------------------------------------- */

  /** What a member says that it has. */
  owns(generation: number, memberId: string, partitions: readonly Partition[]): void {
    this.#generation = Math.max(this.#generation, generation)
    for (const { partition } of partitions) {
      const key = `${generation} ${partition}`
      const owner = this.#owners.get(key) ?? memberId
      this.#owners.set(key, owner)
      if (owner !== memberId)
        this.#fault(
          'owners',
          `partition ${partition} is both ${owner}'s and ${memberId}'s in generation ${generation}`,
        )
    }
  }

  /** What the coordinator says of the group. */
  described(state: string, members: readonly DescribedMember[], nowMs: number): void {
    this.#state = state
    this.#unknownSinceMs = null
    this.#followRebalance(state === 'Stable', nowMs)
    if (state !== 'Stable') return
    this.#stable = members
    const owners = new Map<number, string>()
    for (const { memberId, partitions } of members) {
      for (const { partition } of partitions) {
        const owner = owners.get(partition)
        if (owner !== undefined)
          this.#fault('owners', `partition ${partition} is described as ${owner}'s and ${memberId}'s`)
        owners.set(partition, memberId)
      }
    }
    const sharing = JSON.stringify([...owners].sort(([a], [b]) => a - b))
    if (sharing !== this.#lastSharing) this.#rebalances++
    this.#lastSharing = sharing
  }

  /** The coordinator could not be asked, as when it was taken away: no rebalance is held against it, but its absence is. */
  interrupted(nowMs: number): void {
    this.#state = 'unknown'
    this.#unstableSinceMs = null
    this.#unknownSinceMs ??= nowMs
    const unknownMs = nowMs - this.#unknownSinceMs
    if (unknownMs <= this.#rebalanceMsMax || this.#isTold) return
    this.#isTold = true
    this.#fault('rebalances', `the coordinator has told nothing of the group for ${Math.round(unknownMs)} ms`)
  }

  #followRebalance(isStable: boolean, nowMs: number): void {
    const sinceMs = this.#unstableSinceMs
    if (sinceMs !== null) this.#longestRebalanceMs = Math.max(this.#longestRebalanceMs, nowMs - sinceMs)
    if (isStable) {
      this.#unstableSinceMs = null
      this.#isTold = false
    } else if (sinceMs === null) {
      this.#unstableSinceMs = nowMs
    } else if (nowMs - sinceMs > this.#rebalanceMsMax && !this.#isTold) {
      this.#isTold = true
      this.#fault('rebalances', `a rebalance has not ended after ${Math.round(nowMs - sinceMs)} ms`)
    }
  }

  /* ---- The end ------------------------------------------------------------------------------------------------ */

  /** What is still to come, in a line; null: all that was sent is processed and committed, and all members share it. */
  missing(membersExpected: number): string | null {
    const unprocessed = this.#acknowledged.flat().filter(({ id }) => !this.#processed.has(id)).length
    if (unprocessed > 0) return `${unprocessed} acknowledged records were never processed`
    const behind = this.#acknowledged.flatMap((records, partition) => {
      const last = records.at(-1)
      return last !== undefined && (this.#seenCommitted.get(partition) ?? -1n) <= last.offset
        ? [partition]
        : []
    })
    if (behind.length > 0) return `the end of partitions ${behind.join(', ')} is not committed`
    if (this.#state !== 'Stable') return `the group is not stable, but ${this.#state}`
    if (this.#stable.length !== membersExpected) {
      const ids = this.#stable.map(({ memberId }) => memberId).sort()
      return `the group has ${ids.length} members in place of ${membersExpected}: ${ids.join(', ')}`
    }
    const owned = new Set(
      this.#stable.flatMap(({ partitions }) => partitions.map(({ partition }) => partition)),
    )
    return owned.size === this.#partitions
      ? null
      : `only ${owned.size} of ${this.#partitions} partitions have an owner`
  }

  /** That something is still missing when everything had its time. */
  endedWithout(missing: string): void {
    this.#fault('end', missing)
  }

  get figures(): Figures {
    return {
      acknowledged: this.#acknowledgedCount,
      processed: this.#processed.size,
      again: this.#again,
      commits: this.#commits,
      refusedCommits: { ...this.#refusedCommits },
      generation: this.#generation,
      rebalances: this.#rebalances,
      longestRebalanceMs: this.#longestRebalanceMs,
      state: this.#state,
      members: this.#stable.length,
    }
  }

  #fault(about: Fault['about'], what: string): void {
    if (this.faults.length < FAULTS_MAX) this.faults.push({ about, what })
  }
}
