import type { PartReplacements } from '../broker.js'

/**
 * A broker that is wrong on purpose: one rule of the register broken, all else as it should be. The suite proves by them
 * that it sees what it says it sees (`npm run mutants`). They are no part of the shipped broker.
 */
export interface Mutant {
  readonly name: string
  /** The requirements that it breaks: a scenario of each must fail. */
  readonly breaks: readonly string[]
  /** What it does wrong, in one sentence. */
  readonly description: string
  /** Wrong parts, by the broker's own seams. */
  readonly replace?: PartReplacements
  /** For what no part stands for: changes a class before the broker starts. */
  readonly install?: () => void
}
