import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { packageRoot } from '../root.js'
import type { Judged } from './judge.js'

/*
 * What caught each variant last time: a committed file, so that a run begins with the scenario that will most likely do.
 * It says nothing of verdicts: a variant whose scenario is named wrongly, or not at all, only takes longer.
 */

const known = z.record(z.string(), z.record(z.string(), z.string()))
/** Scenario id by variant and requirement. */
export type CaughtBy = z.output<typeof known>

const caughtByFile = join(packageRoot, 'matrix', 'mutants', 'caught-by.json')

export function loadCaughtBy(file = caughtByFile): CaughtBy {
  return existsSync(file) ? known.parse(JSON.parse(readFileSync(file, 'utf8'))) : {}
}

export function saveCaughtBy(caughtBy: CaughtBy, file = caughtByFile): void {
  writeFileSync(file, `${JSON.stringify(caughtBy, null, 2)}\n`)
}

/** What is known after a run: of variants that were not judged, what was known before. @param names all variants there are */
export function afterRun(before: CaughtBy, judged: readonly Judged[], names: readonly string[]): CaughtBy {
  const seen = new Map(
    judged.map(({ name, caughtBy }) => [
      name,
      Object.fromEntries(caughtBy.map(({ requirementId, scenarioId }) => [requirementId, scenarioId])),
    ]),
  )
  return Object.fromEntries(
    names.toSorted().flatMap((name) => {
      const caught = { ...before[name], ...seen.get(name) }
      return Object.keys(caught).length === 0 ? [] : [[name, caught]]
    }),
  )
}
