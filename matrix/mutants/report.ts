import Table from 'cli-table3'
import type { Judged } from './judge.js'

/** One line a variant and requirement: which scenario caught it, or that none did. */
export function mutantTable(judged: readonly Judged[]): string {
  const table = new Table({
    head: ['variant', 'breaks', 'caught by'],
    style: { head: [], border: [], compact: true },
  })
  for (const each of judged.toSorted(
    (a, b) => Number(a.verdict === 'caught') - Number(b.verdict === 'caught'),
  ))
    for (const requirementId of each.breaks)
      table.push([each.name, requirementId, catchOf(each, requirementId)])
  return table.toString()
}

function catchOf({ caughtBy, verdict, reason }: Judged, requirementId: string): string {
  const found = caughtBy.find((each) => each.requirementId === requirementId)
  if (found !== undefined) return `${found.scenarioId} [${found.cellId}]`
  return verdict === 'could-not-run' ? `could not run: ${reason ?? ''}` : 'SURVIVED'
}
