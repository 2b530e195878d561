import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createWriteStream, type WriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { StartedTestContainer } from 'testcontainers'
import { UsageError } from '../usage-error.js'
import { brokerVersion } from './admin.js'
import { filled, type PortName, portsOf } from './container-ports.js'
import { reachedBy } from './endpoint-access.js'
import { connectEngine, type Engine, GUARD_LABEL } from './engine.js'
import { askMetadata } from './kafka-answers.js'
import { ManagedTarget, type Running } from './managed.js'
import { dataFolder, freePorts, tailOf } from './places.js'
import { profileOf } from './profile.js'
import { type ContainerYaml, readTargetYaml, type TargetYaml } from './target-yaml.js'
import type { Power, StartOptions, Target, TargetKind } from './types.js'

const GUARD = fileURLToPath(new URL('./container-guard.js', import.meta.url))
const STOP_GRACE_MS = 20_000
const LOOK_AGAIN_MS = 100

/**
 * A server in a container, of an image that a `target.yaml` names. Its ports are free ones of 127.0.0.1, chosen before
 * it starts, so that its configuration can advertise them.
 * @throws UsageError when the file is wrong
 */
export function containerKind(file: string): TargetKind {
  const yaml = readTargetYaml(file)
  const { container } = yaml
  if (container === undefined) {
    throw new UsageError(
      `--profile ${file}: it names no image; add container: to it, or leave out --target container`,
    )
  }
  const profile = profileOf(yaml, file)
  const powers = new Set<Power>(container.keepsDataOverRestart ? ['restart', 'kill'] : [])
  const places = Object.fromEntries(Object.keys(container.ports).map((name) => [name, addressOf(name, 1)]))
  return {
    name: `container@${file}`,
    powers,
    profile,
    endpoints: reachedBy({}, file, { ...yaml, addresses: places }).endpoints,
    ...(yaml.knownFailing !== undefined && { knownFailing: yaml.knownFailing }),
    start: (options) => startContainer({ file, yaml, container, powers }, options),
  }
}

interface Asked {
  readonly file: string
  readonly yaml: TargetYaml
  readonly container: ContainerYaml
  readonly powers: ReadonlySet<Power>
}

async function startContainer(
  { file, yaml, container, powers }: Asked,
  options: StartOptions,
): Promise<Target> {
  const engine = await connectEngine()
  const dataDir = await dataFolder(options.dataDir, 'container')
  const names = Object.keys(container.ports) as PortName[]
  const outside = await freePorts(names.length)
  const ports = portsOf(container.ports, new Map(names.map((name, at) => [name, outside[at] ?? 0])))
  const addresses = Object.fromEntries(
    [...ports].map(([name, port]) => [name, addressOf(name, port.outside)]),
  )
  const reached = reachedBy({}, file, { ...yaml, addresses })
  const logFile = join(dataDir, 'container.log')
  options.onProgress?.(`starting ${container.image}`)
  const running = await RunningContainer.start(engine, filled(container, ports), ports, {
    logFile,
    dataDir,
    signal: options.signal,
  })
  const told =
    reached.endpoints.admin === undefined
      ? null
      : await brokerVersion(reached.endpoints.admin, reached.access.admin)
  const parts = {
    kind: 'container',
    name: `container@${file}`,
    version: container.version ?? told ?? container.image.split(':').at(1) ?? 'unknown',
    endpoints: reached.endpoints,
    access: reached.access,
    profile: profileOf(yaml, file),
    powers,
    dataDir,
    logFile,
    stopGraceMs: STOP_GRACE_MS,
    launch: () => running.again(),
    dispose: () => running.remove(),
  }
  return new ManagedTarget(parts, running)
}

function addressOf(name: string, port: number): string {
  const schemes: Record<string, string> = {
    pulsar: 'pulsar://',
    pulsarTls: 'pulsar+ssl://',
    admin: 'http://',
    adminTls: 'https://',
  }
  return `${schemes[name] ?? ''}127.0.0.1:${port}`
}

interface Around {
  readonly logFile: string
  readonly dataDir: string
  readonly signal: AbortSignal | undefined
}

type Guard = ChildProcessByStdio<Writable, null, null>
type Ports = ReturnType<typeof portsOf>

/** One container over its life: it may be stopped, killed and started again, and keeps its ports and files. */
class RunningContainer implements Running {
  readonly #engine: Engine
  readonly #started: StartedTestContainer
  readonly #spec: ContainerYaml
  readonly #ports: Ports
  readonly #around: Around
  readonly #guard: Guard
  readonly #log: WriteStream

  private constructor(
    engine: Engine,
    started: StartedTestContainer,
    spec: ContainerYaml,
    ports: Ports,
    around: Around,
    guard: Guard,
    log: WriteStream,
  ) {
    this.#engine = engine
    this.#started = started
    this.#spec = spec
    this.#ports = ports
    this.#around = around
    this.#guard = guard
    this.#log = log
  }

  static async start(
    engine: Engine,
    spec: ContainerYaml,
    ports: Ports,
    around: Around,
  ): Promise<RunningContainer> {
    const mark = randomBytes(8).toString('hex')
    const guard = spawn(process.execPath, [GUARD, mark, around.dataDir], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    guard.stdin.on('error', () => {})
    const log = createWriteStream(around.logFile, { flags: 'a' })
    try {
      const started = await engine.start(spec, [...ports.values()], { [GUARD_LABEL]: mark })
      const running = new RunningContainer(engine, started, spec, ports, around, guard, log)
      await running.#followLog()
      await running.#untilReady()
      return running
    } catch (error) {
      await engine.removeMarked(GUARD_LABEL, mark)
      guard.stdin.end('removed\n')
      log.end()
      throw error
    }
  }

  async again(): Promise<RunningContainer> {
    await this.#engine.startAgain(this.#started.getId())
    await this.#followLog()
    await this.#untilReady()
    return this
  }

  async stop(graceMs: number): Promise<void> {
    await this.#engine.stop(this.#started.getId(), graceMs)
  }

  async kill(): Promise<void> {
    await this.#engine.kill(this.#started.getId())
  }

  async remove(): Promise<void> {
    await this.#engine.remove(this.#started.getId())
    this.#guard.stdin.end('removed\n')
    this.#log.end()
  }

  async #followLog(): Promise<void> {
    const stream: Readable = await this.#engine.follow(this.#started.getId())
    stream.pipe(this.#log, { end: false })
  }

  async #untilReady(): Promise<void> {
    const { readyWithinSeconds, image } = this.#spec
    const deadline = Date.now() + readyWithinSeconds * 1000
    const { logFile, signal } = this.#around
    const since = (await readFile(logFile, 'utf8').catch(() => '')).length
    while (!(await this.#isReady(since))) {
      signal?.throwIfAborted()
      const ended = await this.#engine.exitOf(this.#started.getId())
      const late = Date.now() > deadline
      if (ended !== null || late) {
        const last = (await tailOf(logFile)).trimEnd().split('\n').at(-1) ?? ''
        const what = ended === null ? `did not serve within ${readyWithinSeconds} s` : `ended (code ${ended})`
        throw new Error(`${image} ${what}; its last log line: ${last.slice(0, 300)}`)
      }
      await delay(LOOK_AGAIN_MS)
    }
  }

  async #isReady(since: number): Promise<boolean> {
    const { ready } = this.#spec
    if (ready.by === 'log') {
      const text = await readFile(this.#around.logFile, 'utf8').catch(() => '')
      return new RegExp(ready.line).test(text.slice(since))
    }
    if (ready.by === 'kafka') {
      const port = this.#ports.get('kafka')
      return port === undefined || ((await askMetadata(port.outside))?.brokers ?? 0) > 0
    }
    const port = this.#ports.get('admin')
    if (port === undefined) return true
    try {
      const answer = await fetch(`http://127.0.0.1:${port.outside}${ready.path}`, {
        signal: AbortSignal.timeout(2000),
      })
      return answer.ok && (await answer.text()).includes(ready.contains)
    } catch {
      return false
    }
  }
}
