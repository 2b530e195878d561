import { isFatal, type Verdict } from '../judge/verdicts.js'
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
  const causes = [...groupBy(results, (result) => sharedReason(result.reason ?? ''))]
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

function weight(group: FailureGroup): number {
  const results = group.causes.flatMap((cause) => cause.results)
  const fatal = results.filter(({ verdict, level }) => isFatal(verdict, level)).length
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
