import type { ClientSpec } from '../clients/types.js'
import type { Scenario } from '../plan/scenarios.js'
import type { ObservedVerdict } from './verdicts.js'

/**
 * Whose a failure is. `target`: the original passes with the same clients, or none could judge. `client`: the original
 * fails with this client too, and passes with another. `suite`: the original fails with all clients that were tried.
 */
export const blames = ['target', 'client', 'suite'] as const
export type Blame = (typeof blames)[number]

/** The failed scenario's run against the original, with some clients. */
export interface ControlTry {
  /** The clients: the failed cell's id, or that of the same cell with another client in it. */
  readonly cellId: string
  readonly verdict: ObservedVerdict
  readonly reason: string | null
  /** The client of the failed cell that another one replaced; null: the same clients as those that failed. */
  readonly replaced: string | null
}

export interface Blamed {
  readonly blame: Blame
  /** A sentence: what the controls showed, or why none could judge. */
  readonly reason: string
  /** `name@version` of the client that is to blame; null: none is, or it cannot be told which of several. */
  readonly client: string | null
}

/** The originals that controls are made of. */
export type Original = 'kafka' | 'pulsar'

/** Which original a scenario may be held against; a text: why none. */
export function originalOf(
  scenario: Pick<Scenario, 'worlds' | 'tools'>,
): Original | { readonly none: string } {
  const { worlds, tools } = scenario
  const kafka = worlds === 'kafka' || worlds === 'both' || worlds === 'raw' || tools.includes('kafka-admin')
  const pulsar = worlds === 'pulsar' || worlds === 'both' || tools.includes('pulsar-admin')
  if (worlds === 'wrapper') return { none: 'no original has offsets of both Kafka and the wrapper' }
  if (kafka && pulsar) return { none: 'no original speaks both protocols' }
  return kafka ? 'kafka' : 'pulsar'
}

/** The original's version that still serves a client; null: the newest does. */
export function controlVersion(spec: Pick<ClientSpec, 'controls'>, version: string): string | null {
  return spec.controls?.[version] ?? spec.controls?.['*'] ?? null
}

/** The steps themselves are wrong: nothing has to be run to know that. */
export function isSuiteError(reason: string | null): boolean {
  return reason?.startsWith('suite error:') ?? false
}

export interface BlameEvidence {
  /** `Apache Kafka 4.1.0` */
  readonly control: string
  /** In the order in which they were made: those with the same clients first. */
  readonly tries: readonly ControlTry[]
  /** The target is an original itself: `tries` then hold other clients only, and the failure is one of the same clients. */
  readonly targetIsControl: boolean
  /** Only the suite's own raw client is in the cell. */
  readonly isOwn: boolean
}

/** Weighs what the controls showed. */
export function blameOf(evidence: BlameEvidence): Blamed {
  const same = evidence.tries.filter(({ replaced }) => replaced === null)
  if (evidence.targetIsControl) return clientOrSuite(evidence, '')
  const passed = same.find(({ verdict }) => verdict === 'passed')
  const failed = same.find(({ verdict }) => verdict === 'failed')
  if (passed !== undefined) {
    const once = failed === undefined ? '' : `, though once it failed there: ${lineOf(failed.reason)}`
    return targets(`${evidence.control} passes with the same client${once}`)
  }
  if (failed !== undefined) return clientOrSuite(evidence, lineOf(failed.reason))
  const [first] = same
  if (first === undefined) return targets(`${evidence.control} was not asked`)
  return targets(
    `no control could judge: on ${evidence.control} it is ${first.verdict}: ${lineOf(first.reason)}`,
  )
}

/** Counted as the target's until it is known better. */
export function targets(reason: string): Blamed {
  return { blame: 'target', reason, client: null }
}

function clientOrSuite({ control, tries, isOwn }: BlameEvidence, seen: string): Blamed {
  const others = tries.filter(({ replaced }) => replaced !== null)
  const better = others.find(({ verdict }) => verdict === 'passed')
  const fails = seen === '' ? `${control} fails` : `${control} fails with it too (${seen})`
  if (better !== undefined) {
    return { blame: 'client', reason: `${fails}, and passes with ${better.cellId}`, client: better.replaced }
  }
  const alike = new Set(others.filter(({ verdict }) => verdict === 'failed').map(({ cellId }) => cellId))
  if (alike.size > 0) {
    return { blame: 'suite', reason: `${fails}, and with ${[...alike].join(' and ')}`, client: null }
  }
  if (isOwn) return { blame: 'suite', reason: `${fails}, and the client is the suite's own`, client: null }
  const why = others.map(({ cellId, verdict }) => `${cellId}: ${verdict}`).join(', ') || 'none was ready'
  const reason = `${fails}; no other client could be compared (${why}), so that it may be the suite's`
  return { blame: 'client', reason, client: null }
}

function lineOf(reason: string | null): string {
  const line = reason?.split('\n')[0] ?? 'no reason given'
  return line.length > 200 ? `${line.slice(0, 200)}…` : line
}
