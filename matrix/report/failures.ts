import type { Blame } from '../judge/blame.js'
import type { Verdict } from '../judge/verdicts.js'
import type { Result, Results } from './results.js'

/** Failures of one requirement, and in them those of one reason: one cause is read once, not once a cell. */
export interface FailureGroup {
  readonly requirementId: string
  readonly statement: string
  readonly level: string
  readonly from: string
  readonly causes: readonly { readonly reason: string; readonly results: readonly Result[] }[]
}

const wantsAttention: readonly Verdict[] = ['failed', 'stale-entry', 'flaky', 'could-not-run']

/** What somebody must look at, grouped; the requirements that are broken most come first. */
export function failureGroups(report: Results): FailureGroup[] {
  const failures = report.results.filter(({ verdict }) => wantsAttention.includes(verdict))
  const byRequirement = groupBy(failures, (result) => result.requirementId ?? result.requirementIds[0] ?? '—')
  return [...byRequirement]
    .map(([requirementId, results]) => toGroup(requirementId, results, report))
    .sort((a, b) => weight(b) - weight(a))
}

function toGroup(requirementId: string, results: readonly Result[], report: Results): FailureGroup {
  const requirement = report.requirements.find(({ id }) => id === requirementId)
  const causes = [...groupBy(results, causeKey)]
    .map(([, alike]) => ({ reason: alike[0]?.reason ?? 'no reason given', results: alike }))
    .sort((a, b) => b.results.length - a.results.length)
  return {
    requirementId,
    statement: requirement?.statement ?? '',
    level: requirement?.level ?? 'MUST',
    from: requirement?.from ?? '',
    causes,
  }
}

/** Reasons that differ in numbers, names of topics or addresses only are one cause. */
export function sharedReason(reason: string): string {
  return reason
    .replace(/\b[\w.-]+:\d{2,5}\b/g, 'ADDRESS')
    .replace(/\b(kct|kop)-[\w-]+/g, 'NAME')
    .replace(/\d+/g, 'N')
    .trim()
}

/** Reasons and blames of a cause: cases of one reason are told apart by whose they are. */
const causeKey = ({ reason, blame }: Result): string => `${blame} ${sharedReason(reason ?? '')}`

/** What a failure that is not the target's asks of the reader. */
export const blameAdvice: Readonly<Record<Blame, string>> = {
  target: '',
  client:
    'Does not count against the target. Once it is reported to the client, list it in its known-failing.yaml:',
  suite:
    'Does not count against the target. Please report it: the suite asks for what no client gets from the original.',
}

/** `2 failures are a client's, 1 is the suite's`; empty when all are the target's. */
export function blamesLine({ summary }: Results): string {
  const { client, suite } = summary.blames
  const told = [
    ...(client > 0 ? [`${client} ${client === 1 ? 'is' : 'are'} a client’s`] : []),
    ...(suite > 0 ? [`${suite} ${suite === 1 ? 'is' : 'are'} the suite’s`] : []),
  ]
  return told.length === 0
    ? ''
    : `of the failures, ${told.join(' and ')}: these do not count against the target`
}

function weight(group: FailureGroup): number {
  const results = group.causes.flatMap((cause) => cause.results)
  const fatal = results.filter(({ fatal }) => fatal).length
  return fatal * 10_000 + results.length
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
