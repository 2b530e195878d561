import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageRoot } from '../root.js'
import { unloadTopic } from './admin.js'
import { propertiesOf } from './java-server.js'
import { ManagedTarget, type Running } from './managed.js'
import { dataFolder, tailOf } from './places.js'
import { shippedProfile } from './profile.js'
import { endpointsOf, type Served, withPorts } from './reference-addresses.js'
import type { Power, Profile, StartOptions, Target, TargetKind, TargetSettings } from './types.js'

const READY_TIMEOUT_MS = 20_000
/** Old commits are looked for so often that scenarios can wait for it. */
const RETENTION_CHECK_MS = 200
/** So are topics that are to be compacted. */
const COMPACTION_CHECK_MS = 200
/** So are subscriptions, and what retention drops. */
const SYNC_PERIOD_MS = 200
const TRIM_CHECK_S = 1
/** Of members whose broker decides on both: as the target of Apache Kafka has them. */
const HEARTBEAT_MS = 200
/** Refused log-ins are many here. */
const REFUSAL_DELAY_MS = 10
const SESSION_MS = 2_500
const STOP_GRACE_MS = 5_000
const CONTROL_TIMEOUT_MS = 5_000
const POWERS: ReadonlySet<Power> = new Set<Power>(['restart', 'kill', 'configure', 'fail-store', 'roll-over'])

/** The reference broker of this package, in a process of its own. It ends when the run does: its input closes then. */
export function referenceKind(): TargetKind {
  return { name: 'reference', powers: POWERS, profile: shippedProfile('reference'), start: startReference }
}

async function startReference(options: StartOptions): Promise<Target> {
  const dataDir = await dataFolder(options.dataDir, 'reference')
  const logFile = join(dataDir, 'reference.log')
  const configFile = join(dataDir, 'reference.properties')
  const settings = {
    dataDirectory: join(dataDir, 'data'),
    offsetsRetentionCheckIntervalMs: String(RETENTION_CHECK_MS),
    kafkaOffsetsSyncPeriodMs: String(SYNC_PERIOD_MS),
    logCleanerBackoffMs: String(COMPACTION_CHECK_MS),
    retentionCheckIntervalInSeconds: String(TRIM_CHECK_S),
    consumerGroupHeartbeatIntervalMs: String(HEARTBEAT_MS),
    consumerGroupSessionTimeoutMs: String(SESSION_MS),
    connectionFailedAuthenticationDelayMs: String(REFUSAL_DELAY_MS),
    ...(await withPorts(options.settings ?? {})),
  }
  await writeFile(configFile, propertiesOf(settings))
  const launch = () => ReferenceProcess.start(configFile, logFile, options)
  const process = await launch()
  const { version, admin } = process.served
  const parts = {
    kind: 'reference',
    version,
    endpoints: endpointsOf(process.served, settings),
    profile: profileOf(options.settings ?? {}),
    powers: POWERS,
    dataDir,
    logFile,
    stopGraceMs: STOP_GRACE_MS,
    launch,
    rollOver: (topic: string) => unloadTopic(admin, topic),
    failStore: (running: ReferenceProcess, failing: boolean) => running.control({ failStore: failing }),
  }
  return new ManagedTarget(parts, process)
}

/** The shipped profile describes the default settings; what a setting changes, it changes here. */
function profileOf(settings: TargetSettings): Profile {
  const profile = shippedProfile('reference')
  const {
    offsetMapping,
    offsetsRetentionCheckIntervalMs = RETENTION_CHECK_MS,
    kafkaOffsetsSyncPeriodMs = SYNC_PERIOD_MS,
    retentionCheckIntervalInSeconds = TRIM_CHECK_S,
  } = settings
  const answers = {
    ...profile.answers,
    'GC-10': { checkIntervalMs: Number(offsetsRetentionCheckIntervalMs) },
    'PT-1': { syncPeriodMs: Number(kafkaOffsetsSyncPeriodMs) },
    'PT-5': { checkIntervalMs: Number(retentionCheckIntervalInSeconds) * 1000 },
    ...(offsetMapping === undefined ? {} : { 'ID-3': offsetMapping }),
    'GC-13': offsetsTopicOf(settings, profile.answers['GC-13']),
  }
  return { ...profile, answers }
}

function offsetsTopicOf(settings: TargetSettings, answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('topic' in answer)) return answer
  const [tenant, namespace, name] = String(answer.topic).split('/')
  const {
    kafkaMetadataTenant = tenant,
    kafkaMetadataNamespace = namespace,
    offsetsTopicName = name,
  } = settings
  return { ...answer, topic: `${kafkaMetadataTenant}/${kafkaMetadataNamespace}/${offsetsTopicName}` }
}

/** Its program; a test of the suite itself may put another, wrong on purpose, in its place. */
function program(): string {
  return process.env.KOP_CONFORMANCE_REFERENCE_MAIN ?? join(packageRoot, 'dist', 'reference', 'main.js')
}

class ReferenceProcess implements Running {
  readonly served: Served
  #child: ChildProcess
  #answers: (() => void)[]
  #ended: Promise<void>

  private constructor(child: ChildProcess, served: Served, answers: (() => void)[], ended: Promise<void>) {
    this.#child = child
    this.served = served
    this.#answers = answers
    this.#ended = ended
  }

  static async start(
    configFile: string,
    logFile: string,
    { signal, environment }: Pick<StartOptions, 'signal' | 'environment'>,
  ): Promise<ReferenceProcess> {
    signal?.throwIfAborted()
    const env = { ...process.env, ...environment }
    const args = [program(), '--config', configFile, '--test-control']
    const log = openSync(logFile, 'a')
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', log], detached: true, env })
    closeSync(log)
    child.stdin?.on('error', () => {})
    const answers: (() => void)[] = []
    const ended = new Promise<void>((resolve) => {
      child.on('exit', () => resolve())
      child.on('error', () => resolve())
    })
    const served = await readyLine(child, answers, ended, logFile, signal)
    return new ReferenceProcess(child, served, answers, ended)
  }

  async stop(graceMs: number): Promise<void> {
    this.#child.kill('SIGTERM')
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), graceMs)
    await this.#ended
    clearTimeout(patience)
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  /** Sends a line of `--test-control` and waits for its answer. */
  control(command: object): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error('the reference did not answer its control')),
        CONTROL_TIMEOUT_MS,
      )
      const done = () => {
        clearTimeout(late)
        resolve()
      }
      this.#answers.push(done)
      void this.#ended.then(() => {
        clearTimeout(late)
        reject(new Error('the reference has ended'))
      })
      this.#child.stdin?.write(`${JSON.stringify(command)}\n`)
    })
  }
}

/** Waits for `{"ready":{…}}`; every later line answers the oldest control command. */
async function readyLine(
  child: ChildProcess,
  answers: (() => void)[],
  ended: Promise<void>,
  logFile: string,
  signal?: AbortSignal,
): Promise<Served> {
  const failure = async (what: string) => {
    child.kill('SIGKILL')
    const last = (await tailOf(logFile)).trimEnd().split('\n').at(-1) ?? ''
    return new Error(`the reference ${what}; its last log line: ${last.slice(0, 300)}`)
  }
  return new Promise((resolve, reject) => {
    const settle = (run: () => void) => {
      clearTimeout(late)
      signal?.removeEventListener('abort', abort)
      run()
    }
    const fail = (what: string) => void failure(what).then((error) => settle(() => reject(error)))
    const late = setTimeout(() => fail(`did not serve within ${READY_TIMEOUT_MS} ms`), READY_TIMEOUT_MS)
    const abort = () => fail('was not wanted any more')
    signal?.addEventListener('abort', abort, { once: true })
    void ended.then(() => fail('ended before it served'))
    if (child.stdout === null) return
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = parseLine(line)
      if (said?.ready) settle(() => resolve(said.ready as Served))
      else if (said?.ok !== undefined) answers.shift()?.()
    })
  })
}

function parseLine(line: string): { ready?: unknown; ok?: unknown } | null {
  try {
    return JSON.parse(line) as { ready?: unknown; ok?: unknown }
  } catch {
    return null
  }
}
