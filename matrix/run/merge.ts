import type { Observation } from '../judge/verdicts.js'
import { type CellPlan, countCases } from '../plan/cells.js'
import type { Register } from '../plan/register.js'
import type { Scenario } from '../plan/scenarios.js'
import { shardTitle } from '../plan/shards.js'
import type { NotRun, Results } from '../report/results.js'
import { UsageError } from '../usage-error.js'
import { caseKey } from './blamed.js'
import { buildResults } from './build-results.js'
import { differenceOf, type Planned, planOf, type ReadRecord, suiteMark } from './record.js'

/**
 * The results of one run, of the records of all its shards: judged anew over everything that was observed. Partial, with
 * what is missing, when a shard is not there or did not get to its end.
 * @throws UsageError when they are not shards of one run, or of another suite than this one
 */
export function mergeRecords(
  records: readonly ReadRecord[],
  register: Register,
  suite: readonly Scenario[],
): Results {
  const [first] = records
  if (first === undefined) throw new UsageError('report --merge: name the folders of the shards')
  checkTogether(first, records, { ...first.planned, suite: suiteMark(register, suite) })
  const { planned } = first
  const plan = planOf(planned, suite)
  const observed = records.flatMap((record) => record.observed)
  const missing = missingOf(records, plan, observed)
  const times = records.map((record) => Date.parse(record.planned.startedAt))
  const ends = records.flatMap(({ ended }) => (ended === null ? [] : [Date.parse(ended.endedAt)]))
  const started = Math.min(...times)
  return buildResults({
    register,
    suite,
    rounds: planned.rounds,
    seed: planned.seed,
    settings: planned.settings,
    knownFailing: planned.knownFailing,
    targetChoice: planned.targetChoice,
    outside: planned.outside,
    plan,
    planName: planned.plan.name,
    planDigest: planned.plan.digest,
    shard: null,
    observed,
    blames: new Map(records.flatMap(({ blames }) => [...blames])),
    target: { ...planned.target, powers: new Set(planned.target.powers) },
    runId: records.map((record) => record.planned.runId).join(' '),
    started: new Date(started),
    ended: new Date(Math.max(started, ...ends)),
    notRun: unique(records.flatMap((record) => record.planned.notRun)),
    signal: missing.length > 0 ? AbortSignal.abort() : new AbortController().signal,
    missing,
  })
}

function checkTogether(first: ReadRecord, records: readonly ReadRecord[], here: Planned): void {
  const other = differenceOf(here, first.planned)
  if (other !== null) throw new UsageError(`report --merge ${first.folder}: is of ${other} than this one`)
  const seen = new Map<string, string>()
  for (const { folder, planned } of records) {
    const different = differenceOf(first.planned, planned)
    if (different !== null) {
      throw new UsageError(`report --merge ${folder}: is of ${different} than ${first.folder}`)
    }
    const { shard } = planned
    if (shard?.count !== first.planned.shard?.count) {
      throw new UsageError(
        `report --merge ${folder}: is one of another number of shards than ${first.folder}`,
      )
    }
    const title = shard === null ? 'the whole plan' : `shard ${shardTitle(shard)}`
    const same = seen.get(title)
    if (same !== undefined) throw new UsageError(`report --merge ${folder}: is ${title}, as ${same} is`)
    seen.set(title, folder)
  }
}

/** Shards that are not there, and those of whose cases some were not observed. */
function missingOf(
  records: readonly ReadRecord[],
  plan: CellPlan,
  observed: readonly Observation[],
): string[] {
  const count = records[0]?.planned.shard?.count ?? 1
  const there = new Set(records.map(({ planned }) => planned.shard?.index ?? 1))
  const absent = Array.from({ length: count }, (_, index) => index + 1).filter((index) => !there.has(index))
  const broken = records.filter(({ ended }) => ended === null || ended.partial)
  const missing = [
    ...absent.map((index) => `shard ${shardTitle({ index, count })} is not there`),
    ...broken.map(({ folder, planned: { shard } }) => {
      return `${shard === null ? 'the run' : `shard ${shardTitle(shard)}`} was interrupted (${folder})`
    }),
  ]
  const seen = new Set(observed.map(({ cellId, scenarioId }) => caseKey(cellId, scenarioId)))
  const left = countCases(plan.cells) - seen.size
  if (missing.length === 0 && left > 0) missing.push(`${left} cases were not observed`)
  return missing
}

function unique(notRun: readonly NotRun[]): NotRun[] {
  return [...new Map(notRun.map((each) => [`${each.name}@${each.version}`, each])).values()]
}
