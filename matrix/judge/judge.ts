import type { KnownFailing } from './known-failing.js'
import type { Observation, ObservedVerdict, Verdict } from './verdicts.js'

/** A case: one scenario in one cell, with all that was observed of it (one observation a round). */
export interface Case {
  readonly cellId: string
  readonly scenarioId: string
  readonly requirementIds: readonly string[]
  readonly clients: readonly { readonly name: string; readonly version: string }[]
  readonly observations: readonly Observation[]
}

export interface Judgement {
  readonly verdict: Verdict
  readonly reason: string | null
  /** The observation that the verdict rests on. */
  readonly observation: Observation
}

export interface JudgeInput {
  readonly cases: readonly Case[]
  readonly entries: readonly KnownFailing[]
  readonly target: { readonly name: string; readonly version: string }
  /** ISO date of the run. */
  readonly today: string
  /** Not all cases of the plan are here: what still fails may be elsewhere, and no entry is called stale. */
  readonly isPart?: boolean
}

/** Weighs what was observed against the known-failing lists. Pure; answers in the order of `cases`. */
export function judge(input: JudgeInput): Judgement[] {
  const stale = new Set(input.isPart ? [] : input.entries.filter((entry) => isStale(entry, input)))
  return input.cases.map((testCase) => judgeCase(testCase, input, stale))
}

function judgeCase(testCase: Case, input: JudgeInput, stale: ReadonlySet<KnownFailing>): Judgement {
  const observation = worstOf(testCase.observations)
  const verdict = combined(testCase.observations)
  const entries = input.entries.filter((entry) => applies(entry, testCase, input.target))
  if (verdict === 'failed') return judgeFailure(observation, entries, input.today)
  if (verdict === 'flaky') return judgeFlaky(testCase.observations, observation, entries, input.today)
  const staleEntry = entries.find((entry) => stale.has(entry))
  if (verdict === 'passed' && staleEntry !== undefined) {
    const reason = `${staleEntry.origin} lists it as failing, but it passes: remove the entry`
    return { verdict: 'stale-entry', reason, observation }
  }
  return { verdict, reason: observation.reason, observation }
}

/** What is known to show now and then excuses rounds that disagree, where it is all that failed in them. */
function judgeFlaky(
  observations: readonly Observation[],
  worst: Observation,
  entries: readonly KnownFailing[],
  today: string,
): Judgement {
  const sometimes = entries.filter((entry) => entry.sometimes === true)
  const failures = observations
    .filter(({ verdict }) => verdict === 'failed')
    .map((failure) => judgeFailure(failure, sometimes, today))
  const [known] = failures
  const isKnown = known !== undefined && failures.every(({ verdict }) => verdict === 'known-failing')
  return isKnown ? known : { verdict: 'flaky', reason: flakyReason(observations), observation: worst }
}

function judgeFailure(observation: Observation, entries: readonly KnownFailing[], today: string): Judgement {
  const matching = entries.filter((entry) => matchesMessage(entry, observation))
  const current = matching.find((entry) => today <= entry.until)
  if (current !== undefined) {
    const reason = `known, until ${current.until} (${current.owner}): ${current.reason}`
    return { verdict: 'known-failing', reason, observation }
  }
  const expired = matching[0]
  const note =
    expired !== undefined
      ? ` (${expired.origin} knew it until ${expired.until}; owner: ${expired.owner})`
      : entries[0] !== undefined
        ? ` (${entries[0].origin} knows another failure: ${entries[0].message})`
        : ''
  return { verdict: 'failed', reason: `${observation.reason ?? 'failed'}${note}`, observation }
}

/** An entry is stale when nothing that it covers failed any more, and something of it passed. */
function isStale(entry: KnownFailing, input: JudgeInput): boolean {
  if (entry.sometimes === true) return false
  const seen = input.cases
    .filter((testCase) => applies(entry, testCase, input.target))
    .map((testCase) => combined(testCase.observations))
  return seen.includes('passed') && !seen.includes('failed') && !seen.includes('flaky')
}

function applies(entry: KnownFailing, testCase: Case, target: JudgeInput['target']): boolean {
  const subjects = entry.subject.kind === 'target' ? [target] : testCase.clients
  const isOfSubject = subjects.some(
    ({ name, version }) =>
      name === entry.subject.name && (entry.versions === undefined || entry.versions.includes(version)),
  )
  if (!isOfSubject) return false
  const [family = ''] = target.name.split('@')
  if (entry.targets !== undefined && !entry.targets.includes(family)) return false
  if (entry.requirement !== undefined) return testCase.requirementIds.includes(entry.requirement)
  if (entry.scenario === undefined) return true
  return testCase.scenarioId === entry.scenario || testCase.scenarioId.startsWith(`${entry.scenario}#`)
}

function matchesMessage(entry: KnownFailing, observation: Observation): boolean {
  const text = [observation.reason, observation.expected, observation.seen].filter(Boolean).join('\n')
  const pattern = /^\/(.*)\/([a-z]*)$/s.exec(entry.message)
  if (pattern === null) return text.includes(entry.message)
  return new RegExp(pattern[1] ?? '', pattern[2]).test(text)
}

/**
 * Rounds that agree give their verdict. Those that passed, failed or could not be asked, and another time did not, are
 * flaky. A round that could not be run says nothing of the target: it counts where all others agree, for it is missing.
 */
function combined(observations: readonly Observation[]): ObservedVerdict | 'flaky' {
  const seen = new Set(observations.map(({ verdict }) => verdict))
  seen.delete('could-not-run')
  return seen.size > 1 ? 'flaky' : worstOf(observations).verdict
}

const badness: Record<ObservedVerdict, number> = { failed: 3, 'could-not-run': 2, unsupported: 1, passed: 0 }

function worstOf(observations: readonly Observation[]): Observation {
  const worst = observations.toSorted((a, b) => badness[b.verdict] - badness[a.verdict])[0]
  if (worst === undefined) throw new Error('a case without an observation cannot be judged')
  return worst
}

function flakyReason(observations: readonly Observation[]): string {
  const { verdict, reason } = worstOf(observations.filter((each) => each.verdict !== 'could-not-run'))
  const times = observations.filter((each) => each.verdict === verdict).length
  return `${verdict} in ${times} of ${observations.length} rounds: ${reason ?? 'no reason given'}`
}
