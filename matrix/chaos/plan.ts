import { Random } from '../../steps/random.js'

/** What happens to a process of members, or to the broker. */
export type DeedName =
  /** It is killed as by `kill -9`, and comes back as a new process. */
  | 'kill'
  /** It stops without ending, as a machine that hangs, and goes on where it was. */
  | 'pause'
  /** Its members leave the group in good order, and join again. */
  | 'leave'
  /** One more process of members than usual comes, and later leaves. */
  | 'visit'
  /** The broker's process, the coordinator in it, is killed as by `kill -9`, and started again. */
  | 'kill-broker'

export interface Deed {
  readonly atMs: number
  readonly name: DeedName
  /** Which process, from 0 on; −1 for the broker. */
  readonly slot: number
  /** How long it is away, or there. */
  readonly forMs: number
}

export interface PlanOptions {
  readonly seed: number
  readonly durationMs: number
  /** Processes that are usually there. */
  readonly slots: number
  /** Numbers from `slots` on are those of visitors. */
  readonly visitors: number
  readonly sessionTimeoutMs: number
  readonly brokerKills: number
}

const FIRST_MS = 1_500
const GAP_MS_MIN = 800
const GAP_MS_MAX = 5_000
const BROKER_AWAY_MS = 500

/** The same seed and options give the same deeds again. In the order of time; most of the processes stay up all the time. */
export function chaosPlan(options: PlanOptions): Deed[] {
  const random = new Random(options.seed, 'chaos')
  const deeds = brokerDeeds(options)
  const freeFromMs = Array.from({ length: options.slots + options.visitors }, () => 0)
  for (let atMs = FIRST_MS; atMs < options.durationMs; atMs += between(random, GAP_MS_MIN, GAP_MS_MAX)) {
    const name = nameOf(random)
    const slot = freeSlot(random, name, freeFromMs, options, atMs)
    const forMs = lengthOf(random, name, options)
    if (slot === null) continue
    freeFromMs[slot] = atMs + forMs + options.sessionTimeoutMs
    deeds.push({ atMs, name, slot, forMs })
  }
  return deeds.sort((a, b) => a.atMs - b.atMs)
}

/** Evenly spread, so that each meets a group that is at work. */
function brokerDeeds({ brokerKills, durationMs }: PlanOptions): Deed[] {
  return Array.from({ length: brokerKills }, (_, index) => ({
    atMs: Math.round((durationMs * (index + 1)) / (brokerKills + 1)),
    name: 'kill-broker' as const,
    slot: -1,
    forMs: BROKER_AWAY_MS,
  }))
}

function nameOf(random: Random): DeedName {
  const names: readonly DeedName[] = ['kill', 'kill', 'kill', 'pause', 'pause', 'leave', 'leave', 'visit']
  return names[random.below(names.length)] ?? 'kill'
}

function freeSlot(
  random: Random,
  name: DeedName,
  freeFromMs: readonly number[],
  { slots, visitors }: PlanOptions,
  atMs: number,
): number | null {
  const [from, count] = name === 'visit' ? [slots, visitors] : [0, slots]
  const free = Array.from({ length: count }, (_, index) => from + index).filter(
    (slot) => (freeFromMs[slot] ?? 0) <= atMs,
  )
  const chosen = random.below(Math.max(1, free.length))
  // Half of them, or one, are left in peace: the group always has members.
  if (name !== 'visit' && free.length <= Math.floor(slots / 2)) return null
  return free[chosen] ?? null
}

/** Some pauses are shorter than a session, some longer: then the member comes back as one who is no member any more. */
function lengthOf(random: Random, name: DeedName, { sessionTimeoutMs }: PlanOptions): number {
  if (name === 'pause') return between(random, 200, 2 * sessionTimeoutMs)
  if (name === 'visit') return between(random, 2_000, 3 * sessionTimeoutMs)
  return between(random, 100, sessionTimeoutMs)
}

const between = (random: Random, from: number, to: number): number => from + random.below(to - from + 1)
