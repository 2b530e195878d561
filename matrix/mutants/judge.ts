import type { Observed } from './suite-run.js'
import type { Variant } from './variants.js'

/** One scenario that passes on the right broker and fails on the variant. */
export interface Catch {
  readonly requirementId: string
  readonly scenarioId: string
  readonly cellId: string
  readonly reason: string | null
}

/** What the suite says of one variant: `caught` when a scenario of every requirement that it breaks has failed. */
export interface Judged extends Variant {
  readonly verdict: 'caught' | 'survived' | 'could-not-run'
  readonly caughtBy: readonly Catch[]
  /** Requirements that it breaks without a scenario to show it. */
  readonly missed: readonly string[]
  readonly reason: string | null
  readonly milliseconds: number
}

/** Which cases the right broker passes: a case that fails there too proves nothing about a variant. */
export type Passes = ReadonlySet<string>
export const caseOf = ({ scenarioId, cellId }: Pick<Observed, 'scenarioId' | 'cellId'>): string =>
  `${scenarioId} @ ${cellId}`

/** Gathers what catches one variant while its run goes on. */
export class Evidence {
  readonly #variant: Variant
  readonly #passes: Passes
  readonly #requirementsOf: ReadonlyMap<string, readonly string[]>
  readonly #caughtBy = new Map<string, Catch>()

  /** @param requirementsOf requirement ids by scenario id. */
  constructor(variant: Variant, passes: Passes, requirementsOf: ReadonlyMap<string, readonly string[]>) {
    this.#variant = variant
    this.#passes = passes
    this.#requirementsOf = requirementsOf
  }

  /** @returns whether every requirement that the variant breaks has been seen broken. */
  add(observed: Observed): boolean {
    const { scenarioId, cellId, reason } = observed
    if (observed.verdict === 'failed' && this.#passes.has(caseOf(observed))) {
      for (const requirementId of this.#requirementsOf.get(scenarioId) ?? [])
        if (this.#variant.breaks.includes(requirementId) && !this.#caughtBy.has(requirementId))
          this.#caughtBy.set(requirementId, { requirementId, scenarioId, cellId, reason })
    }
    return this.#missed().length === 0
  }

  verdict(problem: string | null, milliseconds: number): Judged {
    const missed = this.#missed()
    const caught = missed.length === 0
    return {
      ...this.#variant,
      verdict: caught ? 'caught' : problem === null ? 'survived' : 'could-not-run',
      caughtBy: [...this.#caughtBy.values()],
      missed,
      reason: caught ? null : problem,
      milliseconds,
    }
  }

  #missed(): readonly string[] {
    return this.#variant.breaks.filter((id) => !this.#caughtBy.has(id))
  }
}
