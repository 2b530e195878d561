import type { ReadyClient } from '../clients/types.js'
import { knownFailingEntry } from '../judge/entry.js'
import { type Case, type Judgement, judge } from '../judge/judge.js'
import { isFatal, type Observation } from '../judge/verdicts.js'
import { type Cell, type CellPlan, clientsOf, countCases } from '../plan/cells.js'
import { repeatCommand } from '../plan/repeat.js'
import type { Scenario } from '../plan/scenarios.js'
import { type Shard, shardTitle } from '../plan/shards.js'
import { type NotRun, type Result, type Results, SCHEMA_VERSION } from '../report/results.js'
import { summarize } from '../report/summary.js'
import { suiteVersion } from '../root.js'
import type { Target } from '../targets/types.js'
import { type BlamedCase, caseKey, type Failure } from './blamed.js'
import type { RunInput } from './input.js'
import { planDigest } from './record.js'

export interface Gathered
  extends Pick<
    RunInput,
    | 'register'
    | 'suite'
    | 'rounds'
    | 'seed'
    | 'settings'
    | 'knownFailing'
    | 'targetChoice'
    | 'signal'
    | 'outside'
  > {
  readonly plan: CellPlan<ReadyClient>
  readonly observed: readonly Observation[]
  readonly target: Pick<Target, 'kind' | 'version' | 'profile' | 'endpoints' | 'powers'>
  readonly runId: string
  readonly started: Date
  /** Absent: now. */
  readonly ended?: Date
  readonly notRun: readonly NotRun[]
  /** The plan that `plan` is, or is a part of; absent: it has no name. */
  readonly planName?: string
  readonly planDigest?: string
  readonly shard?: Shard | null
  /** What a partial result lacks, in words. */
  readonly missing?: readonly string[]
  /** Whose each failure is, by case; absent: nobody was asked. */
  readonly blames?: ReadonlyMap<string, BlamedCase>
}

interface PlannedCase {
  readonly cell: Cell<ReadyClient>
  readonly scenario: Scenario
  readonly testCase: Case
}

/** Judges what was observed and puts everything together that reports tell. */
export function buildResults(gathered: Gathered): Results {
  const { plan, register, started, target } = gathered
  const { ended = new Date(), shard = null } = gathered
  const { cases, judgements } = judged(gathered)
  const results = cases.map((planned, index) => toResult(planned, judgements[index] as Judgement, gathered))
  return {
    schemaVersion: SCHEMA_VERSION,
    suiteVersion,
    registerDigest: register.digest,
    runId: gathered.runId,
    seed: gathered.seed,
    startedAt: started.toISOString(),
    endedAt: ended.toISOString(),
    milliseconds: ended.getTime() - started.getTime(),
    partial: gathered.signal.aborted,
    missing: [...(gathered.missing ?? [])],
    plan: {
      name: gathered.planName ?? 'named',
      digest: gathered.planDigest ?? planDigest(plan, gathered.rounds),
      shard: shard === null ? null : shardTitle(shard),
      spared: plan.sparedCases,
    },
    planned: countCases(plan.cells),
    target: {
      kind: target.kind,
      version: target.version,
      profile: target.profile,
      endpoints: target.endpoints,
      settings: { ...gathered.settings },
      powers: [...target.powers],
    },
    cells: plan.cells.map(({ id, worlds, scenarios, ...clients }) => ({
      id,
      worlds,
      kafka: nameOf(clients.kafka),
      pulsar: nameOf(clients.pulsar),
      raw: nameOf(clients.raw),
      pulsarAdmin: nameOf(clients.pulsarAdmin),
      kafkaAdmin: nameOf(clients.kafkaAdmin),
      scenarios: scenarios.length,
    })),
    results,
    notRun: [...gathered.notRun],
    leftOut: plan.leftOut.map(({ reason, scenarios }) => ({
      reason,
      scenarioIds: scenarios.map(({ id }) => id),
    })),
    requirements: register.requirements.map(
      ({ id, chapter, level, certification, statement, from, later }) => ({
        id,
        chapter,
        level,
        ...(certification !== undefined && { certification }),
        statement,
        from,
        ...(later !== undefined && { later }),
        scenarios: gathered.suite.filter(({ requirementIds }) => requirementIds.includes(id)).length,
      }),
    ),
    chapters: chaptersOf(gathered),
    summary: summarize(results, gathered.notRun),
  }
}

/** What is to be blamed on somebody: failures that no list knows. */
export function failuresOf(gathered: Gathered): Failure[] {
  const { cases, judgements } = judged(gathered)
  return cases.flatMap(({ cell, scenario }, index) => {
    const { verdict, observation } = judgements[index] as Judgement
    const { reason } = observation
    return verdict === 'failed' || verdict === 'flaky' ? [{ cell, scenario, reason }] : []
  })
}

function judged(gathered: Gathered) {
  const cases = casesOf(gathered)
  const judgements = judge({
    cases: cases.map(({ testCase }) => testCase),
    entries: gathered.knownFailing,
    target: { name: gathered.target.kind, version: gathered.target.version },
    today: dateOf(gathered.started),
    isPart: gathered.signal.aborted || (gathered.shard ?? null) !== null,
  })
  return { cases, judgements }
}

const dateOf = (time: Date): string => time.toISOString().slice(0, 10)

/** In the order of the plan, those only that were observed in every round, or at all when the run was interrupted. */
function casesOf({ plan, observed }: Gathered): PlannedCase[] {
  const byCase = new Map<string, Observation[]>()
  for (const observation of observed) {
    const key = caseKey(observation.cellId, observation.scenarioId)
    byCase.set(key, [...(byCase.get(key) ?? []), observation])
  }
  return plan.cells.flatMap((cell) =>
    cell.scenarios.flatMap((scenario) => {
      const observations = byCase.get(caseKey(cell.id, scenario.id))
      if (observations === undefined) return []
      return [{ cell, scenario, testCase: toCase(cell, scenario, observations) }]
    }),
  )
}

function toCase(cell: Cell<ReadyClient>, scenario: Scenario, observations: readonly Observation[]): Case {
  return {
    cellId: cell.id,
    scenarioId: scenario.id,
    requirementIds: scenario.requirementIds,
    clients: [...clientsOf(cell), ...(scenario.raw && cell.raw !== null ? [cell.raw] : [])],
    observations,
  }
}

function toResult(planned: PlannedCase, judgement: Judgement, gathered: Gathered): Result {
  const { scenario, cell } = planned
  const { verdict, reason, observation } = judgement
  const { expected, seen, requirementId, step, clientLog, targetLog, milliseconds } = observation
  const isFailure = verdict === 'failed' || verdict === 'flaky'
  const blamed = isFailure ? (gathered.blames?.get(caseKey(cell.id, scenario.id)) ?? NOBODY_ASKED) : null
  return {
    scenarioId: scenario.id,
    name: scenario.name,
    featureName: scenario.featureName,
    rule: scenario.rule,
    feature: scenario.feature,
    line: scenario.line,
    chapter: scenario.chapter,
    requirementIds: [...scenario.requirementIds],
    level: scenario.level,
    cellId: cell.id,
    verdict,
    fatal: isFatal(verdict, scenario.level, blamed?.blame),
    milliseconds,
    reason,
    expected,
    seen,
    requirementId,
    step,
    repeat: repeatCommand(scenario.id, cell, gathered.seed, gathered.targetChoice, gathered.outside),
    clientLog,
    targetLog,
    blame: blamed?.blame ?? null,
    blameReason: blamed?.reason ?? null,
    control: controlOf(blamed),
    knownFailingEntry: entryFor(planned, observation, blamed, gathered),
  }
}

const NOBODY_ASKED: BlamedCase = {
  blame: 'target',
  reason: 'not decided: no original was asked',
  client: null,
  control: null,
}

function controlOf(blamed: BlamedCase | null): Result['control'] {
  if (blamed?.control == null) return null
  const { kind, version, tries } = blamed.control
  return { kind, version, tries: tries.map((each) => ({ ...each })) }
}

function entryFor(
  { scenario }: PlannedCase,
  { reason }: Observation,
  blamed: BlamedCase | null,
  { started, outside }: Gathered,
): string | null {
  if (blamed?.blame !== 'client' || blamed.client === null) return null
  const { client } = blamed
  const folder = outside?.find(({ name }) => client.startsWith(`${name}@`))?.folder
  return knownFailingEntry({ scenarioId: scenario.id, client, folder, reason, today: dateOf(started) })
}

function chaptersOf({ register }: Gathered): Results['chapters'] {
  const ids = [...new Set(register.requirements.map(({ chapter }) => chapter))]
  return ids.map((id) => ({ id, title: register.chapterTitles.get(id) ?? id }))
}

function nameOf(client: ReadyClient | null): { name: string; version: string } | null {
  return client === null ? null : { name: client.name, version: client.version }
}
