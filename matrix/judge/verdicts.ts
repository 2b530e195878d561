/** What a scenario's run in a cell showed, before anything that was known about it is weighed. */
export const observedVerdicts = ['passed', 'failed', 'unsupported', 'could-not-run'] as const
export type ObservedVerdict = (typeof observedVerdicts)[number]

/** Worst first: the order in which reports tell them. */
export const verdicts = [
  'failed',
  'stale-entry',
  'could-not-run',
  'flaky',
  'known-failing',
  'unsupported',
  'passed',
] as const
export type Verdict = (typeof verdicts)[number]

/** What came of one scenario in one cell. */
export interface Observation {
  readonly cellId: string
  readonly scenarioId: string
  readonly verdict: ObservedVerdict
  readonly milliseconds: number
  /** Why not passed, in a line. */
  readonly reason: string | null
  readonly expected: string | null
  readonly seen: string | null
  /** The requirement that the failing step names, when it names one. */
  readonly requirementId: string | null
  /** The failing step's own text. */
  readonly step: string | null
  readonly clientLog: string | null
  readonly targetLog: string | null
}

/**
 * Fatal verdicts fail the run, unless the scenario only shows what a target SHOULD do, or the failure is known to be a
 * client's or the suite's (`blame`; null: nobody was asked).
 */
export function isFatal(
  verdict: Verdict,
  level: 'MUST' | 'SHOULD' | 'DECLARED',
  blame: 'target' | 'client' | 'suite' | null = null,
): boolean {
  if (verdict === 'stale-entry') return true
  if (level === 'SHOULD') return false
  if (verdict === 'could-not-run') return true
  return (verdict === 'failed' || verdict === 'flaky') && (blame === null || blame === 'target')
}
