import { z } from 'zod'
import { blames } from '../judge/blame.js'
import { observedVerdicts, verdicts } from '../judge/verdicts.js'
import { levels } from '../plan/register.js'

/**
 * The shape of `results.json`. `results.schema.json` beside this file is generated from it (a test holds them equal);
 * whoever changes the meaning of a field raises SCHEMA_VERSION.
 */
export const SCHEMA_VERSION = 2

const text = z.string()
const verdict = z.enum(verdicts)
const level = z.enum(levels)
const client = z.object({ name: text, version: text })
const counts = z
  .object(Object.fromEntries(verdicts.map((name) => [name, z.number().int().nonnegative()])) as CountShape)
  .describe('Results by verdict.')
type BlameShape = Record<(typeof blames)[number], z.ZodNumber>
type CountShape = Record<(typeof verdicts)[number], z.ZodNumber>

const target = z.object({
  kind: text,
  version: text.describe('As the target tells it.'),
  profile: z.object({
    name: text,
    description: text,
    answers: z.record(text, z.unknown()).describe('Answers to the DECLARED requirements, by requirement id.'),
    declines: z.record(text, text).describe('Requirements that the target declines, with its reason.'),
  }),
  endpoints: z.object({ kafka: text.optional(), pulsar: text.optional(), admin: text.optional() }),
  settings: z.record(text, text),
  powers: z
    .array(text)
    .describe('What scenarios may do to it: restart, kill, configure, fail-store, roll-over.'),
})

const cell = z.object({
  id: text.describe(
    '`kafkajs@2.2.4`, `kafkajs@2.2.4 × pulsar-client@1.18.0`, or `raw`; with the tools that manage its scenarios.',
  ),
  worlds: z
    .enum(['kafka', 'pulsar', 'both', 'wrapper', 'raw', 'tools'])
    .describe('`tools`: tools only; `wrapper`: Kafka, and the Pulsar–Kafka wrapper as the Pulsar client.'),
  kafka: client.nullable(),
  pulsar: client.nullable(),
  raw: client.nullable(),
  pulsarAdmin: client.nullable().describe("A tool of Pulsar's administration."),
  kafkaAdmin: client.nullable().describe("A tool of Kafka's administration."),
  scenarios: z.number().int().describe('How many the plan has for this cell.'),
})

const control = z.object({
  kind: text,
  version: text,
  tries: z.array(
    z.object({
      cellId: text.describe('The clients that it was run with.'),
      verdict: z.enum(observedVerdicts),
      reason: text.nullable(),
      replaced: text
        .nullable()
        .describe('The failed cell’s client that another stood for; null: the same clients.'),
    }),
  ),
})

const result = z.object({
  scenarioId: text,
  name: text,
  featureName: text,
  rule: text.nullable(),
  feature: text.describe('The feature file, relative to the package.'),
  line: z.number().int(),
  chapter: text.describe("The register's code of the chapter."),
  requirementIds: z.array(text),
  level,
  cellId: text,
  verdict,
  fatal: z.boolean().describe('Fails the run.'),
  milliseconds: z.number().int().nonnegative(),
  reason: text.nullable(),
  expected: text.nullable(),
  seen: text.nullable(),
  requirementId: text.nullable().describe('The requirement that the failing check names.'),
  step: text.nullable().describe('The step that did not pass.'),
  repeat: text.describe('The command that runs just this case again.'),
  clientLog: text.nullable(),
  targetLog: text.nullable(),
  blame: z
    .enum(blames)
    .nullable()
    .describe(
      'Whose a failure is: `target` when the original passes with the same clients, or none could judge; `client` when the original fails with this client too; `suite` when it fails with all that were tried. null: no failure.',
    ),
  blameReason: text.nullable().describe('What the controls showed, or why none could judge.'),
  control: control.nullable().describe('The original that was asked; null: none was.'),
  knownFailingEntry: text
    .nullable()
    .describe('For a failure that is a client’s: an entry for its known-failing.yaml, to be completed.'),
})

const notRun = z.object({
  name: text,
  version: text,
  kind: z.enum(['kafka', 'pulsar', 'raw', 'pulsar-admin', 'kafka-admin', 'pulsar-kafka-wrapper']),
  reason: text,
  remedy: text,
  required: z.boolean().describe('The plan required it: the run fails.'),
})

export const results = z.object({
  schemaVersion: z.literal(SCHEMA_VERSION),
  suiteVersion: text,
  registerDigest: text.describe('sha256 of features/requirements.yaml.'),
  runId: text.describe('All names that the run created on the target begin with it.'),
  seed: z.number().int(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  milliseconds: z.number().int().nonnegative(),
  partial: z.boolean().describe('The run was interrupted: results are missing.'),
  missing: z.array(text).describe('What a partial result of several shards lacks.'),
  plan: z.object({
    name: text.describe('quick, rest, standard, full; or named, after `--clients`.'),
    digest: text.describe('sha256 of the cases of the whole plan: shards of one plan share it.'),
    shard: text.nullable().describe('`2/4`; null: the whole plan.'),
    spared: z.number().int().describe('Cases that the plan spares: their scenarios run with other clients.'),
  }),
  planned: z.number().int().describe('Cases that the plan, or this shard of it, has.'),
  target,
  cells: z.array(cell),
  results: z.array(result),
  notRun: z.array(notRun).describe('Clients that could not be had.'),
  leftOut: z
    .array(z.object({ reason: text, scenarioIds: z.array(text) }))
    .describe('Scenarios that no cell of the plan could run.'),
  requirements: z.array(
    z.object({
      id: text,
      chapter: text,
      level,
      certification: text.optional(),
      statement: text,
      from: text,
      later: text.optional().describe('Why no scenario shows it yet.'),
      scenarios: z.number().int().describe('Scenarios of the suite that show it, planned or not.'),
    }),
  ),
  chapters: z.array(z.object({ id: text, title: text })),
  summary: z.object({
    verdicts: counts,
    fatal: z.number().int().describe('Results, and clients not run, that fail the run.'),
    blames: z
      .object(Object.fromEntries(blames.map((name) => [name, z.number().int().nonnegative()])) as BlameShape)
      .describe('Failures by blame; known ones do not count.'),
    byLevel: z.array(z.object({ level, verdicts: counts })),
    byChapter: z.array(z.object({ chapter: text, verdicts: counts })),
  }),
})

export type Results = z.output<typeof results>
export type Result = Results['results'][number]
export type NotRun = Results['notRun'][number]
export type ResultCell = Results['cells'][number]
export type ResultControl = z.output<typeof control>
export type Counts = Results['summary']['verdicts']

/** JSON Schema, draft 2020-12. */
export function resultsSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(results, { target: 'draft-2020-12', io: 'input' })
  return {
    $id: `kop-conformance/results-${SCHEMA_VERSION}`,
    title: 'Results of a kop-conformance run',
    ...schema,
  }
}
