import type { Observation } from '../judge/verdicts.js'
import type { Scenario } from '../plan/scenarios.js'
import type { Variant } from './variants.js'

/** One scenario that passes on the right broker and fails on the variant. */
export interface Catch {
  readonly requirementId: string
  readonly scenarioId: string
  readonly cellId: string
  readonly reason: string | null
}

/** A scenario that was run against the variant, and what came of it there. */
export type Tried = Pick<Observation, 'scenarioId' | 'cellId' | 'verdict' | 'reason' | 'milliseconds'> & {
  /** It failed, and fails on the right broker too: that proves nothing. */
  readonly failsOnRight: boolean
}

/** What the suite says of one variant: `caught` when a scenario of every requirement that it breaks has failed. */
export interface Judged extends Variant {
  readonly verdict: 'caught' | 'survived' | 'could-not-run'
  readonly caughtBy: readonly Catch[]
  /** Requirements that it breaks without a scenario to show it. */
  readonly missed: readonly string[]
  readonly tried: readonly Tried[]
  readonly reason: string | null
  readonly milliseconds: number
}

/** Gathers what catches one variant while its scenarios run. */
export class Evidence {
  readonly #variant: Variant
  readonly #caughtBy = new Map<string, Catch>()
  readonly #tried: Tried[] = []

  constructor(variant: Variant) {
    this.#variant = variant
  }

  /** Whether this scenario can still show something. */
  lacks({ requirementIds }: Pick<Scenario, 'requirementIds'>): boolean {
    return this.#missed().some((id) => requirementIds.includes(id))
  }

  /** @param passesOnRight of a scenario that failed: whether the right broker passes it */
  add(scenario: Pick<Scenario, 'requirementIds'>, observed: Observation, passesOnRight: boolean): void {
    const { scenarioId, cellId, verdict, reason, milliseconds } = observed
    const isFailed = verdict === 'failed'
    const failsOnRight = isFailed && !passesOnRight
    this.#tried.push({ scenarioId, cellId, verdict, reason, milliseconds, failsOnRight })
    if (!isFailed || failsOnRight) return
    for (const requirementId of this.#missed())
      if (scenario.requirementIds.includes(requirementId))
        this.#caughtBy.set(requirementId, { requirementId, scenarioId, cellId, reason })
  }

  /** @param problem why it could not be run as it should; null when it could */
  verdict(problem: string | null, milliseconds: number): Judged {
    const missed = this.#missed()
    const caught = missed.length === 0
    const reason = caught ? null : (problem ?? this.#problemOf(missed))
    return {
      ...this.#variant,
      verdict: caught ? 'caught' : reason === null ? 'survived' : 'could-not-run',
      caughtBy: [...this.#caughtBy.values()],
      missed,
      tried: this.#tried,
      reason,
      milliseconds,
    }
  }

  /** A variant that nothing was run against has not survived. */
  #problemOf(missed: readonly string[]): string | null {
    const verdicts = new Set(this.#tried.map(({ verdict }) => verdict))
    if (verdicts.has('passed') || verdicts.has('failed')) return null
    return this.#tried[0]?.reason ?? `these clients run no scenario of ${missed.join(', ')}`
  }

  #missed(): readonly string[] {
    return this.#variant.breaks.filter((id) => !this.#caughtBy.has(id))
  }
}
