import { controlVersion, type Original } from '../judge/blame.js'
import { titleOf } from '../plan/cells.js'
import type { Endpoints, Target, TargetKind } from '../targets/types.js'
import { driverDigest } from './digest.js'
import { keepOwnProof, type Proof } from './proof.js'
import { smoke } from './smoke.js'
import type { SmokeCheck } from './smoke-run.js'
import type { ClientSpec, ReadyClient } from './types.js'

export interface ProverOptions {
  readonly kindOf: (original: Original, version: string | null) => TargetKind
  readonly onLine: (line: string) => void
  readonly signal: AbortSignal
}

/** What came of a driver's smoke. */
export interface Tested {
  readonly proof: Proof | null
  readonly checks: readonly SmokeCheck[]
  readonly milliseconds: number
}

/** Originals that a smoke of each kind needs. */
const NEEDED: Record<ClientSpec['kind'], readonly Original[]> = {
  kafka: ['kafka'],
  'kafka-admin': ['kafka'],
  pulsar: ['pulsar'],
  'pulsar-admin': ['pulsar'],
  'pulsar-kafka-wrapper': ['pulsar'],
  raw: ['kafka', 'pulsar'],
}

const NAMES: Record<Original, string> = { kafka: 'Apache Kafka', pulsar: 'Apache Pulsar' }

/** Runs the smokes of drivers against originals, one after another; each original is started once. */
export class Prover {
  readonly #options: ProverOptions
  readonly #controls = new Map<string, Promise<Target>>()
  #queue: Promise<unknown> = Promise.resolve()

  constructor(options: ProverOptions) {
    this.#options = options
  }

  /** Proves a driver, and keeps the proof in the cache. @throws Error when an original cannot be started, or on an abort */
  test(spec: ClientSpec, client: ReadyClient): Promise<Tested> {
    const tested = this.#queue.then(() => this.#test(spec, client))
    this.#queue = tested.catch(() => {})
    return tested
  }

  /** Stops the originals. */
  async close(): Promise<void> {
    const controls = [...this.#controls.values()]
    this.#controls.clear()
    await Promise.all(controls.map((starting) => starting.then((target) => target.stop()).catch(() => {})))
  }

  async #test(spec: ClientSpec, client: ReadyClient): Promise<Tested> {
    const { signal } = this.#options
    const digest = driverDigest(spec, client.version)
    const controls = await this.#controlsFor(spec, client.version)
    const started = performance.now()
    const endpoints: Endpoints = Object.assign({}, ...controls.map((target) => target.endpoints))
    const checks = await smoke(client, endpoints, { signal }).catch((error: unknown) => [failedStart(error)])
    signal.throwIfAborted()
    const milliseconds = Math.round(performance.now() - started)
    const of = (outcome: SmokeCheck['outcome']) => checks.filter((check) => check.outcome === outcome).length
    if (of('failed') > 0 || of('passed') < 2) return { proof: null, checks, milliseconds }
    const control = controls.map(({ kind, version }) => titleOfControl(kind, version)).join(', ')
    const date = new Date().toISOString().slice(0, 10)
    const proof = { digest, control, date, passed: of('passed'), unsupported: of('unsupported') }
    keepOwnProof(titleOf(client), proof)
    return { proof, checks, milliseconds }
  }

  #controlsFor(spec: ClientSpec, clientVersion: string): Promise<Target[]> {
    const version = controlVersion(spec, clientVersion)
    return Promise.all(NEEDED[spec.kind].map((original) => this.#control(original, version)))
  }

  #control(original: Original, version: string | null): Promise<Target> {
    const key = `${original}@${version}`
    const running = this.#controls.get(key)
    if (running !== undefined) return running
    const { kindOf, onLine, signal } = this.#options
    const starting = kindOf(original, version).start({ signal, onProgress: onLine })
    this.#controls.set(key, starting)
    return starting
  }
}

function titleOfControl(kind: string, version: string): string {
  const [original = ''] = kind.split('@')
  return `${NAMES[original as Original] ?? kind} ${version}`
}

function failedStart(error: unknown): SmokeCheck {
  const detail = error instanceof Error ? error.message : String(error)
  return { what: 'the smoke', outcome: 'failed', detail, milliseconds: 0 }
}

/** The first check that failed, in a line; or that there was nothing to prove. */
export function whyUnproven({ checks }: Tested): string {
  const failed = checks.find(({ outcome }) => outcome === 'failed')
  if (failed === undefined) return 'none of its checks could be made: the driver calls everything unsupported'
  const more = checks.filter(({ outcome }) => outcome === 'failed').length - 1
  const line = `${failed.what}: ${failed.detail}`.split('\n')[0] ?? ''
  return `${line.slice(0, 300)}${more > 0 ? ` (and ${more} more)` : ''}`
}
