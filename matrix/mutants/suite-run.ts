import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { z } from 'zod'
import { packageRoot } from '../root.js'
import { followLines } from './follow.js'
import { variantProgram } from './variants.js'

/** The line that a run writes for each case as it comes. */
const observation = z.object({
  type: z.literal('observed'),
  cellId: z.string(),
  scenarioId: z.string(),
  verdict: z.string(),
  reason: z.string().nullable(),
})
export type Observed = z.output<typeof observation>

export interface SuiteRun {
  /** The variant that runs; null for the right broker, started in the same way. */
  readonly variant: string | null
  readonly requirementIds: readonly string[]
  readonly clients: string
  readonly seed: number
  readonly jobs: number
  readonly out: string
  readonly signal: AbortSignal
  /** @returns true when enough is known: the run is then ended. */
  onObserved(observed: Observed): boolean
}

/** A variant may make every scenario wait: none may wait for long. */
const scenarioTimeoutSeconds = 30

const cli = join(packageRoot, 'dist', 'matrix', 'cli.js')

/**
 * Runs the suite against one variant, in a process of its own, for the scenarios of some requirements.
 * @returns what went wrong with the run itself, or null.
 */
export async function runSuite(run: SuiteRun): Promise<string | null> {
  mkdirSync(run.out, { recursive: true })
  const env = {
    KOP_CONFORMANCE_REFERENCE_MAIN: variantProgram,
    KOP_CONFORMANCE_MUTANT: run.variant ?? '',
    CI: '1',
  }
  const child = execa(process.execPath, argumentsOf(run), {
    env,
    cancelSignal: run.signal,
    gracefulCancel: false,
    reject: false,
    stdout: 'ignore',
    stderr: 'pipe',
    stdin: 'ignore',
    forceKillAfterDelay: 10_000,
  })
  const tail = followLines(join(run.out, 'results.ndjson'), (line) => {
    const observed = observation.safeParse(JSON.parse(line))
    if (observed.success && run.onObserved(observed.data)) child.kill('SIGINT')
  })
  const { exitCode, stderr } = await child
  await tail.end()
  const couldRun = exitCode === 0 || exitCode === 1 || exitCode === 130
  return couldRun ? null : (stderr.trim().split('\n').at(-1) ?? `exit code ${exitCode}`)
}

function argumentsOf({ requirementIds, clients, seed, jobs, out }: SuiteRun): readonly string[] {
  return [
    ...[cli, 'run', '--target', 'reference', '--clients', clients, '--only', requirementIds.join(',')],
    ...[
      '--seed',
      String(seed),
      '--jobs',
      String(jobs),
      '--timeout',
      String(scenarioTimeoutSeconds),
      '--out',
      out,
    ],
  ]
}
