import { basename, dirname, relative, sep } from 'node:path'
import { Writable } from 'node:stream'
import { loadSources, type runCucumber as RunCucumber, runCucumber } from '@cucumber/cucumber/api'
import { packageRoot } from '../root.js'
import type { Power } from '../targets/types.js'
import { UsageError } from '../usage-error.js'
import { type Envelope, type GherkinDocument, type Pickle, placesOf, slug } from './gherkin.js'
import { type Level, type Register, strongestLevel } from './register.js'

/**
 * `wrapper`: a Kafka client, and the Pulsar–Kafka wrapper in the place of the Pulsar client; `tools`: managed by tools, with no client
 * beside them.
 */
export type Worlds = 'kafka' | 'pulsar' | 'both' | 'wrapper' | 'raw' | 'tools'
/** Kinds of administration tools. */
export type ToolKind = 'pulsar-admin' | 'kafka-admin'

/** One scenario, or one example of an outline: the unit that is planned, run and judged. */
export interface Scenario {
  /** `<folder>/<feature>/<scenario>[#example]`: stable as long as the names are. */
  readonly id: string
  readonly name: string
  readonly featureName: string
  readonly rule: string | null
  /** Relative to the package: `features/conversion/headers.feature`. */
  readonly feature: string
  readonly line: number
  readonly firstLine: number
  readonly lastLine: number
  /** The folder under features/. */
  readonly folder: string
  /** The register's code of the chapter that it belongs to, by its first requirement: MC. */
  readonly chapter: string
  readonly requirementIds: readonly string[]
  readonly level: Level
  readonly worlds: Worlds
  /** Needs the raw client too. */
  readonly raw: boolean
  /** Managed by tools of these kinds: it runs with each of them. */
  readonly tools: readonly ToolKind[]
  readonly powers: readonly Power[]
  /** It takes seconds, or several processes of a client, to show what is the target's: the quick plan runs it once. */
  readonly slow: boolean
}

const powers: readonly Power[] = ['restart', 'kill', 'configure', 'fail-store', 'roll-over']
const toolKinds: readonly ToolKind[] = ['pulsar-admin', 'kafka-admin']
const SLOW_TAG = '@slow'
const WRAPPER_TAG = '@pulsar-kafka-wrapper'
const worldTags = ['@kafka', '@pulsar', '@raw', WRAPPER_TAG, ...toolKinds.map((kind) => `@${kind}`)]

/**
 * Reads all feature files.
 * @throws UsageError naming each feature that does not parse and each tag that means nothing.
 */
export async function loadScenarios(
  register: Register,
  paths: readonly string[] = ['features/**/*.feature'],
  root = packageRoot,
): Promise<Scenario[]> {
  const { documents, pickles } = await parseFeatures(paths, root)
  const mistakes: string[] = []
  const scenarios = pickles.map((pickle) => {
    const document = documents.get(pickle.uri)
    if (document === undefined) throw new Error(`no document of ${pickle.uri}`)
    return toScenario(pickle, document, register, mistakes)
  })
  mistakes.push(...sameIds(scenarios))
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'))
  return scenarios
}

/** The tag's meaning for a scenario. Anything else is a mistake: a mistyped tag must not silently drop a check. */
function toScenario(
  pickle: Pickle,
  document: GherkinDocument,
  register: Register,
  mistakes: string[],
): Scenario {
  const place = placesOf(document)(pickle)
  const feature = pickle.uri.split(sep).join('/')
  const tags = [...new Set(pickle.tags.map((tag) => tag.name))]
  const where = `${feature}:${place.line}`
  const unknown = tags.filter((tag) => !isKnownTag(tag, register))
  mistakes.push(...unknown.map((tag) => `${where}: unknown tag ${tag}`))
  const requirementIds = tags.map((tag) => tag.slice(1)).filter((id) => register.byId.has(id))
  if (requirementIds.length === 0) mistakes.push(`${where}: no requirement tag such as @MC-3`)
  const worlds = worldsOf(tags)
  if (worlds === null) mistakes.push(`${where}: none of the tags ${worldTags.join(', ')}`)
  const folder = basename(dirname(feature))
  const example = place.example === null ? '' : `#${place.example}`
  return {
    id: `${folder}/${slug(basename(feature, '.feature'))}/${slug(place.scenarioName)}${example}`,
    name: pickle.name,
    featureName: place.featureName,
    rule: place.rule,
    feature,
    line: place.line,
    firstLine: place.firstLine,
    lastLine: place.lastLine,
    folder,
    chapter: register.byId.get(requirementIds[0] ?? '')?.chapter ?? '',
    requirementIds,
    level: strongestLevel(requirementIds.map((id) => register.byId.get(id)?.level ?? 'MUST')),
    worlds: worlds ?? 'raw',
    raw: tags.includes('@raw'),
    tools: toolKinds.filter((kind) => tags.includes(`@${kind}`)),
    powers: powers.filter((power) => tags.includes(`@power-${power}`)),
    slow: tags.includes(SLOW_TAG),
  }
}

function isKnownTag(tag: string, register: Register): boolean {
  const name = tag.slice(1)
  return (
    tag === SLOW_TAG ||
    worldTags.includes(tag) ||
    register.byId.has(name) ||
    powers.some((power) => name === `power-${power}`)
  )
}

function worldsOf(tags: readonly string[]): Worlds | null {
  if (tags.includes(WRAPPER_TAG)) return 'wrapper'
  const kafka = tags.includes('@kafka')
  const pulsar = tags.includes('@pulsar')
  if (kafka && pulsar) return 'both'
  if (kafka) return 'kafka'
  if (pulsar) return 'pulsar'
  if (tags.includes('@raw')) return 'raw'
  return toolKinds.some((kind) => tags.includes(`@${kind}`)) ? 'tools' : null
}

/**
 * The scenarios that a tag expression selects, such as `not @slow and (@MC-3 or @MC-4)`, as Cucumber understands it.
 * @throws UsageError when it is none
 */
export async function withTags(
  scenarios: readonly Scenario[],
  expression: string,
  root = packageRoot,
): Promise<readonly Scenario[]> {
  const paths = [...new Set(scenarios.map(({ feature }) => feature))]
  const source = {
    defaultDialect: 'en',
    paths,
    names: [],
    tagExpression: expression,
    order: 'defined' as const,
  }
  const found = await loadSources(source, quiet(root)).catch(() => {
    throw new UsageError(
      `--tag '${expression}': not a tag expression; give such as @MC-3, 'not @slow' or '@kafka and not @pulsar'`,
    )
  })
  const places = new Set(
    found.plan.map(({ uri, location }) => `${uri.split(sep).join('/')}:${location.line}`),
  )
  return scenarios.filter(({ feature, line }) => places.has(`${feature}:${line}`))
}

function sameIds(scenarios: readonly Scenario[]): string[] {
  const seen = new Map<string, Scenario>()
  return scenarios.flatMap((scenario) => {
    const other = seen.get(scenario.id)
    seen.set(scenario.id, scenario)
    if (other === undefined) return []
    const places = `${other.feature}:${other.line} and ${scenario.feature}:${scenario.line}`
    return [`${places}: two scenarios of one name (${scenario.id}); give one another name`]
  })
}

interface Parsed {
  readonly documents: Map<string, GherkinDocument>
  readonly pickles: Pickle[]
}

async function parseFeatures(paths: readonly string[], root: string): Promise<Parsed> {
  const parsed: Parsed = { documents: new Map(), pickles: [] }
  const mistakes: string[] = []
  await runCucumber(dryRun(paths), quiet(root), (envelope: Envelope) => {
    if (envelope.gherkinDocument?.uri !== undefined) {
      parsed.documents.set(envelope.gherkinDocument.uri, envelope.gherkinDocument)
    }
    if (envelope.pickle !== undefined) parsed.pickles.push(envelope.pickle)
    if (envelope.parseError !== undefined) {
      const { source, message } = envelope.parseError
      mistakes.push(`${relative(root, source.uri ?? '') || source.uri}: ${message}`)
    }
  })
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'))
  return parsed
}

type RunOptions = Parameters<typeof RunCucumber>[0]

function dryRun(paths: readonly string[]): RunOptions {
  return {
    sources: { defaultDialect: 'en', paths: [...paths], names: [], tagExpression: '', order: 'defined' },
    support: { requireModules: [], requirePaths: [], importPaths: [], loaders: [] },
    runtime: {
      dryRun: true,
      failFast: false,
      filterStacktraces: true,
      parallel: 0,
      retry: 0,
      retryTagFilter: '',
      strict: false,
      worldParameters: {},
    },
    formats: { stdout: 'message', files: {}, publish: false, options: {} },
  }
}

/** Cucumber writes nothing: what it has to say comes by its messages. */
export function quiet(cwd: string): NonNullable<Parameters<typeof RunCucumber>[1]> {
  const sink = new Writable({ write: (_chunk, _encoding, done) => done() })
  return { cwd, stdout: sink, stderr: sink, env: process.env }
}
