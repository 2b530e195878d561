import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ReadyClient } from '../clients/types.js'
import type { KnownFailing } from '../judge/known-failing.js'
import type { Observation } from '../judge/verdicts.js'
import type { Cell, CellPlan } from '../plan/cells.js'
import type { Register } from '../plan/register.js'
import type { OutsideClient, TargetChoice } from '../plan/repeat.js'
import type { Scenario, Worlds } from '../plan/scenarios.js'
import type { Shard } from '../plan/shards.js'
import type { NotRun } from '../report/results.js'
import { packageRoot, suiteVersion } from '../root.js'
import type { Power, Profile, Target, TargetSettings } from '../targets/types.js'
import { UsageError } from '../usage-error.js'
import type { BlamedCase } from './blamed.js'

/*
 * results.ndjson, the record of a run: a line when it is planned, one for each observation as it comes, and one at its end.
 * It is enough to go on after an interrupt, and to judge the shards of a plan together as if they were one run.
 */

export const RECORD_FILE = 'results.ndjson'
const FORMAT = 1

/** The first line: all that a run was, but for what was observed. */
export interface Planned {
  readonly type: 'planned'
  readonly format: number
  readonly suite: SuiteMark
  readonly plan: { readonly name: string; readonly digest: string; readonly sparedCases: number }
  readonly shard: Shard | null
  readonly seed: number
  readonly rounds: number
  readonly runId: string
  readonly startedAt: string
  readonly target: Omit<RecordedTarget, 'powers'> & { readonly powers: readonly Power[] }
  readonly targetChoice: TargetChoice
  readonly settings: TargetSettings
  readonly outside: readonly OutsideClient[]
  readonly knownFailing: readonly KnownFailing[]
  readonly notRun: readonly NotRun[]
  /** Those of the whole plan, also in a shard's record. */
  readonly cells: readonly RecordedCell[]
  readonly leftOut: readonly { readonly reason: string; readonly scenarioIds: readonly string[] }[]
  /** What the command line said, for `--resume`. */
  readonly options: Readonly<Record<string, unknown>>
}

/** Whatever is the same in two suites gives the same verdicts. */
export interface SuiteMark {
  readonly version: string
  /** sha256 of the register. */
  readonly register: string
  /** sha256 of all feature files. */
  readonly features: string
}

export type RecordedTarget = Pick<Target, 'kind' | 'version' | 'endpoints' | 'powers'> & {
  readonly profile: Profile
}
type RecordedClient = Pick<ReadyClient, 'name' | 'version' | 'kind'>

interface RecordedCell {
  readonly id: string
  readonly worlds: Worlds
  readonly kafka: RecordedClient | null
  readonly pulsar: RecordedClient | null
  readonly raw: RecordedClient | null
  readonly pulsarAdmin: RecordedClient | null
  readonly kafkaAdmin: RecordedClient | null
  readonly scenarioIds: readonly string[]
}

export type RecordLine =
  | Planned
  | ({ readonly type: 'observed' } & Observation)
  | { readonly type: 'blamed'; readonly blames: readonly (readonly [string, BlamedCase])[] }
  | { readonly type: 'ended'; readonly endedAt: string; readonly partial: boolean }

/** A record as it was found. */
export interface ReadRecord {
  readonly folder: string
  readonly planned: Planned
  readonly observed: readonly Observation[]
  readonly blames: ReadonlyMap<string, BlamedCase>
  /** null: the run was ended by force. */
  readonly ended: { readonly endedAt: string; readonly partial: boolean } | null
}

/** @throws UsageError when the folder holds no record, or one of another suite's format */
export function readRecord(folder: string, option: string): ReadRecord {
  const file = join(folder, RECORD_FILE)
  if (!existsSync(file)) throw new UsageError(`${option} ${folder}: there is no ${RECORD_FILE} of a run`)
  const lines = readFileSync(file, 'utf8').split('\n').flatMap(lineOf)
  const planned = lines.find((line) => line.type === 'planned')
  if (planned?.format !== FORMAT) {
    throw new UsageError(`${option} ${folder}: its run never got to a plan, or is of another version`)
  }
  const blamed = lines.findLast((line) => line.type === 'blamed')
  const ended = lines.findLast((line) => line.type === 'ended') ?? null
  return {
    folder,
    planned,
    observed: lines.flatMap((line) => (line.type === 'observed' ? [line] : [])),
    blames: new Map(blamed?.blames ?? []),
    ended,
  }
}

/** What a run that was killed left half written is no line. */
function lineOf(text: string): RecordLine[] {
  try {
    return [JSON.parse(text) as RecordLine]
  } catch {
    return []
  }
}

type Known = Omit<Planned, 'type' | 'format' | 'plan' | 'target' | 'cells' | 'leftOut' | 'startedAt'>

export function plannedLine(
  known: Known & { readonly planName: string; readonly target: RecordedTarget; readonly started: Date },
  whole: CellPlan<ReadyClient>,
): Planned {
  const { planName, target, started, ...same } = known
  const { kind, version, profile, endpoints, powers } = target
  return {
    type: 'planned',
    format: FORMAT,
    ...same,
    startedAt: started.toISOString(),
    plan: { name: planName, digest: planDigest(whole, known.rounds), sparedCases: whole.sparedCases },
    target: { kind, version, profile, endpoints, powers: [...powers] },
    cells: whole.cells.map(({ scenarios, ...cell }) => ({
      id: cell.id,
      worlds: cell.worlds,
      kafka: titleOnly(cell.kafka),
      pulsar: titleOnly(cell.pulsar),
      raw: titleOnly(cell.raw),
      pulsarAdmin: titleOnly(cell.pulsarAdmin),
      kafkaAdmin: titleOnly(cell.kafkaAdmin),
      scenarioIds: scenarios.map(({ id }) => id),
    })),
    leftOut: whole.leftOut.map(({ reason, scenarios }) => ({
      reason,
      scenarioIds: scenarios.map(({ id }) => id),
    })),
  }
}

function titleOnly(client: ReadyClient | null): RecordedClient | null {
  return client === null ? null : { name: client.name, version: client.version, kind: client.kind }
}

/** The recorded plan with the suite's scenarios; its clients cannot be started. */
export function planOf({ cells, leftOut, plan }: Planned, suite: readonly Scenario[]): CellPlan<ReadyClient> {
  const byId = new Map(suite.map((scenario) => [scenario.id, scenario]))
  const scenariosOf = (ids: readonly string[]) => ids.flatMap((id) => byId.get(id) ?? [])
  const client = (title: RecordedClient | null) => title && { ...title, command: [], env: {} }
  return {
    sparedCases: plan.sparedCases,
    cells: cells.map(
      ({ id, worlds, scenarioIds, ...clients }): Cell<ReadyClient> => ({
        id,
        worlds,
        kafka: client(clients.kafka),
        pulsar: client(clients.pulsar),
        raw: client(clients.raw),
        pulsarAdmin: client(clients.pulsarAdmin),
        kafkaAdmin: client(clients.kafkaAdmin),
        scenarios: scenariosOf(scenarioIds),
      }),
    ),
    leftOut: leftOut.map(({ reason, scenarioIds }) => ({ reason, scenarios: scenariosOf(scenarioIds) })),
  }
}

/** Two plans of one digest have the same cases, as often. */
export function planDigest(plan: CellPlan, rounds: number): string {
  const cells = plan.cells.map(({ id, scenarios }) => [id, ...scenarios.map((scenario) => scenario.id)])
  return sha256(JSON.stringify([rounds, cells]))
}

export function suiteMark(
  register: Register,
  suite: readonly Scenario[],
  root = process.env.KOP_CONFORMANCE_ROOT ?? packageRoot,
): SuiteMark {
  const files = [...new Set(suite.map(({ feature }) => feature))].sort()
  const features = sha256(
    files.map((file) => `${file}\n${readFileSync(join(root, file), 'utf8')}`).join('\n'),
  )
  return { version: suiteVersion, register: register.digest, features }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/**
 * In what two runs differ so that they cannot be one, in a few words; null: in nothing.
 */
export function differenceOf(a: Planned, b: Planned): string | null {
  const same: readonly (readonly [string, unknown, unknown])[] = [
    ['suite', [a.suite.version], [b.suite.version]],
    ['register of requirements', a.suite.register, b.suite.register],
    ['state of the features', a.suite.features, b.suite.features],
    ['plan', a.plan.digest, b.plan.digest],
    ['seed', a.seed, b.seed],
    ['--repeat', a.rounds, b.rounds],
    ['target', [a.target.kind, a.target.version], [b.target.kind, b.target.version]],
    ['settings of the target', a.settings, b.settings],
    ['known failures', a.knownFailing, b.knownFailing],
  ]
  const found = same.find(([, left, right]) => JSON.stringify(left) !== JSON.stringify(right))
  if (found === undefined) return null
  const [what, left, right] = found
  if (what === 'plan') return `another plan (${planDifference(a, b)})`
  const isShort = typeof left === 'number' || Array.isArray(left)
  const values = isShort ? ` (${wordsOf(right)}, not ${wordsOf(left)})` : ''
  return `another ${what}${values}`
}

const wordsOf = (value: unknown): string => (Array.isArray(value) ? value.join(' ') : String(value))

function planDifference(a: Planned, b: Planned): string {
  const titles = ({ cells }: Planned) => new Set(cells.map(({ id }) => id))
  const [left, right] = [titles(a), titles(b)]
  const lacks = [...left].filter((id) => !right.has(id))
  const more = [...right].filter((id) => !left.has(id))
  if (lacks.length > 0) return `without ${lacks[0]}${lacks.length > 1 ? ` and ${lacks.length - 1} more` : ''}`
  if (more.length > 0) return `with ${more[0]}${more.length > 1 ? ` and ${more.length - 1} more` : ''}`
  return 'other scenarios'
}
