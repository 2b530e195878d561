/** Several measurements of one thing: the machine is shared, so the median speaks, and the extremes say how surely. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly samples: readonly number[]
}

/** Of at least one sample; null of none. */
export function spreadOf(samples: readonly number[]): Spread | null {
  const sorted = [...samples].sort((a, b) => a - b)
  const min = sorted[0]
  const max = sorted.at(-1)
  if (min === undefined || max === undefined) return null
  return { median: medianOf(sorted), min, max, samples: [...samples] }
}

function medianOf(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** @param part 0.5 for the median; NaN of no samples */
export function quantile(samples: readonly number[], part: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

export type Better = 'higher' | 'lower'
export type Standing = 'ahead' | 'even' | 'behind'

export interface Comparison {
  /** Reference ÷ Kafka, of the medians; null where Kafka's is 0. */
  readonly ratio: number | null
  /** The same turned so that above 1 is always the reference's advantage; null where either is 0. */
  readonly advantage: number | null
  readonly standing: Standing
}

/** Closer than this is a draw. */
const EVEN_WITHIN = 0.02

/** How the reference stands against Kafka. Both are medians, in the same unit. */
export function compare(kafka: number, reference: number, better: Better): Comparison {
  const ratio = kafka === 0 ? null : reference / kafka
  if (kafka === 0 || reference === 0) {
    return { ratio, advantage: null, standing: standingOf(kafka, reference, better) }
  }
  const advantage = better === 'higher' ? reference / kafka : kafka / reference
  const isEven = Math.abs(advantage - 1) <= EVEN_WITHIN
  return { ratio, advantage, standing: isEven ? 'even' : standingOf(kafka, reference, better) }
}

function standingOf(kafka: number, reference: number, better: Better): Standing {
  if (kafka === reference) return 'even'
  return reference > kafka === (better === 'higher') ? 'ahead' : 'behind'
}
