import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type ISupportCodeLibrary, loadSupport, runCucumber } from '@cucumber/cucumber/api'
import type { Pickle } from '../plan/gherkin.js'
import { quiet } from '../plan/scenarios.js'
import { packageRoot } from '../root.js'
import type { FromWorker, Job, PlacedScenario, ToWorker } from './messages.js'
import { observer } from './observe.js'

/*
 * A worker process: loads the step definitions once, then runs the jobs that the run sends, one after another. It ends
 * with its parent: when the channel closes there is nobody left to tell.
 */

const root = process.env.KOP_CONFORMANCE_ROOT ?? packageRoot

/** Ctrl-C reaches the whole foreground group; the run decides what becomes of its workers. */
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit(0))

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message)
}

/** The compiled step definitions; test files lie beside them. */
function stepFiles(): string[] {
  const folder = join(root, 'dist', 'steps')
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js') && !name.endsWith('.test.js'))
    .map((name) => join(folder, name))
}

function sources(paths: readonly string[]) {
  return {
    defaultDialect: 'en',
    paths: [...paths],
    names: [],
    tagExpression: '',
    order: 'defined' as const,
  }
}

async function loadSteps(): Promise<ISupportCodeLibrary> {
  const support = { requireModules: [], requirePaths: [], importPaths: stepFiles(), loaders: [] }
  return loadSupport({ sources: sources([]), support }, quiet(root))
}

/** What the steps keep from job to job, if they say so: it is closed at the worker's end. */
interface Lifetime {
  keepForNextJob(): void
  closeTargets(): Promise<void>
  closeAll(): Promise<void>
}

async function lifetimeOfSteps(): Promise<Lifetime | null> {
  const file = join(root, 'dist', 'steps', 'lifetime.js')
  return existsSync(file) ? ((await import(pathToFileURL(file).href)) as Lifetime) : null
}

let environment = '{}'

/** Targets inherit the worker's variables when they start. */
async function adoptEnvironment(job: Job, lifetime: Lifetime | null): Promise<void> {
  const wanted = JSON.stringify(job.environment ?? {})
  if (wanted === environment) return
  for (const name of Object.keys(JSON.parse(environment))) delete process.env[name]
  Object.assign(process.env, job.environment)
  environment = wanted
  await lifetime?.closeTargets()
}

async function runJob(job: Job, support: ISupportCodeLibrary): Promise<void> {
  const byPlace = new Map(job.scenarios.map((scenario) => [`${scenario.feature}:${scenario.line}`, scenario]))
  const find = (pickle: Pickle) => byPlace.get(`${pickle.uri}:${pickle.location?.line}`)
  const onMessage = observer({
    onStarted(pickle) {
      const scenario = find(pickle)
      if (scenario !== undefined) tell({ type: 'started', scenarioId: scenario.id })
    },
    onObserved(pickle, seen) {
      const scenario = find(pickle)
      if (scenario === undefined) return
      tell({ type: 'observed', observation: { cellId: job.cellId, scenarioId: scenario.id, ...seen } })
    },
  })
  const options = {
    sources: sources(pathsOf(job.scenarios)),
    support,
    runtime: {
      dryRun: false,
      failFast: false,
      filterStacktraces: true,
      parallel: 0,
      retry: 0,
      retryTagFilter: '',
      strict: true,
      worldParameters: JSON.parse(JSON.stringify(job.parameters)),
    },
    formats: { stdout: 'message', files: {}, publish: false as const, options: {} },
  }
  await runCucumber(options, quiet(root), onMessage)
}

/** `features/a.feature:3:9`: Cucumber's own way to name scenarios. */
function pathsOf(scenarios: readonly PlacedScenario[]): string[] {
  const lines = new Map<string, number[]>()
  for (const { feature, line } of scenarios) lines.set(feature, [...(lines.get(feature) ?? []), line])
  return [...lines].map(([feature, numbers]) => `${feature}:${numbers.join(':')}`)
}

async function main(): Promise<void> {
  let support: ISupportCodeLibrary
  let lifetime: Lifetime | null
  try {
    support = await loadSteps()
    lifetime = await lifetimeOfSteps()
    lifetime?.keepForNextJob()
  } catch (error) {
    tell({ type: 'unusable', reason: error instanceof Error ? error.message : String(error) })
    return
  }
  process.on('message', (message: ToWorker) => {
    if (message.type === 'end') {
      const exit = () => process.exit(0)
      void (lifetime?.closeAll() ?? Promise.resolve()).then(exit, exit)
      return
    }
    const { job } = message
    const done = adoptEnvironment(job, lifetime).then(() => runJob(job, support))
    void done.then(
      () => tell({ type: 'done' }),
      // Cucumber's own failure, or that of a hook around the run: the parent counts what is missing.
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  })
  tell({ type: 'ready' })
}

await main()
