import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { Random } from '../../steps/random.js'
import type { ReadyClient } from '../clients/types.js'
import type { ArgsOf, KafkaOps } from '../driver/messages.js'
import { kafkaDriver, rawDriver, startDriver, type TypedDriver } from '../driver/process.js'
import type { Target } from '../targets/types.js'
import { type Fault, type Figures, Ledger } from './ledger.js'
import { sendLoad } from './load.js'
import { MemberProcess } from './members.js'
import { chaosPlan, type Deed, type DeedName } from './plan.js'
import { watchGroup } from './watch.js'

export interface ChaosOptions {
  readonly client: ReadyClient
  readonly raw: ReadyClient
  readonly target: Pick<Target, 'endpoints' | 'kill' | 'start'>
  /** Names that nobody else uses. */
  readonly topic: string
  readonly group: string
  readonly seed: number
  readonly durationMs: number
  readonly records: number
  readonly partitions: number
  /** Processes of members, and how many members each has. */
  readonly processes: number
  readonly membersEach: number
  /** How many such processes more may come for a while. */
  readonly visitors: number
  readonly assignor: NonNullable<ArgsOf<KafkaOps, 'openMember'>['assignor']>
  readonly sessionTimeoutMs: number
  readonly brokerKills: number
  readonly signal: AbortSignal
  onDeed?(deed: Deed): void
  /** Once a second. */
  onFigures?(elapsedMs: number, figures: Figures): void
}

export interface ChaosOutcome {
  /** Empty: all held. */
  readonly faults: readonly Fault[]
  readonly figures: Figures
  readonly deeds: Readonly<Partial<Record<DeedName, number>>>
}

const HEARTBEAT_MS = 300
/** All that members do to a rebalance: each that dies in it holds it up for a session. */
const REBALANCE_MS_BEYOND_SESSION = 60_000
const SETTLED_WITHIN_MS = 60_000
const LOAD_SHARE = 0.9
const READY_WITHIN_MS = 20_000

/**
 * Members of one group in several processes, some of which die, hang, leave and come while records flow; and, if asked
 * for, a broker that dies. Afterwards all come back, and what is still missing has a minute to come.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosOutcome> {
  const ledger = new Ledger(options.partitions, options.sessionTimeoutMs + REBALANCE_MS_BEYOND_SESSION)
  const done = new AbortController()
  // Every process and every wait listens to it.
  setMaxListeners(0, options.signal)
  const stop = () => done.abort()
  options.signal.addEventListener('abort', stop, { once: true })
  const trouble = new Trouble()
  const processes = memberProcesses(options, ledger, trouble)
  const { kafka, raw, close } = await observers(options)
  const watched = { group: options.group, topic: options.topic, ledger, signal: done.signal }
  const told = setInterval(() => options.onFigures?.(performance.now() - startMs, ledger.figures), 1_000)
  const startMs = performance.now()
  try {
    await makeTopic(kafka, options)
    watchGroup(raw, watched).catch(trouble.meet)
    const load = sendLoad(kafka, {
      topic: options.topic,
      partitions: options.partitions,
      records: options.records,
      durationMs: options.durationMs * LOAD_SHARE,
      random: new Random(options.seed, 'load'),
      ledger,
      signal: options.signal,
    })
    load.catch(trouble.meet)
    const deeds = await Promise.race([trouble.met, doDeeds(options, processes, trouble)])
    await Promise.race([trouble.met, load])
    await Promise.race([trouble.met, settle(ledger, options)])
    return { faults: ledger.faults, figures: ledger.figures, deeds }
  } finally {
    clearInterval(told)
    done.abort()
    options.signal.removeEventListener('abort', stop)
    await Promise.all(processes.map((each) => each.close()))
    await close()
  }
}

/** An error of what goes on beside: it ends all. */
class Trouble {
  readonly met: Promise<never>
  #reject: (error: unknown) => void = () => {}

  constructor() {
    this.met = new Promise<never>((_, reject) => {
      this.#reject = reject
    })
    this.met.catch(() => {})
  }

  readonly meet = (error: unknown): void => this.#reject(error)
}

function memberProcesses(options: ChaosOptions, ledger: Ledger, trouble: Trouble): MemberProcess[] {
  const { client, group, topic, assignor, sessionTimeoutMs, signal, membersEach } = options
  const membership = {
    ...{ group, topics: [topic], assignor, sessionTimeoutMs, heartbeatIntervalMs: HEARTBEAT_MS },
    from: 'earliest' as const,
  }
  return Array.from(
    { length: options.processes + options.visitors },
    (_, index) =>
      new MemberProcess(`${group}-${index + 1}`, {
        client,
        bootstrap: addressOf(options),
        membership,
        members: membersEach,
        ledger,
        signal,
        onFailure: trouble.meet,
      }),
  )
}

function addressOf({ target }: ChaosOptions): string {
  const { kafka } = target.endpoints
  if (kafka === undefined) throw new Error('the target has no Kafka address')
  return kafka
}

/** They send and watch, and nothing happens to them. */
async function observers(options: ChaosOptions) {
  const { signal } = options
  const started = await Promise.all([
    startDriver(options.client, { signal }),
    startDriver(options.raw, { signal }),
  ])
  const [client, single] = started
  const kafka = kafkaDriver(client)
  const raw = rawDriver(single)
  await kafka.call('configure', { bootstrap: addressOf(options), clientId: `${options.group}-observer` })
  await raw.call('configure', { kafka: addressOf(options) })
  return { kafka, raw, close: () => Promise.all(started.map((driver) => driver.close())) }
}

/** Members subscribe when every partition has a leader. */
async function makeTopic(kafka: TypedDriver<KafkaOps>, { topic, partitions }: ChaosOptions): Promise<void> {
  const { topics } = await kafka.call('createTopics', { topics: [{ name: topic, partitions }] })
  if (topics[0]?.error !== undefined) throw new Error(`topic ${topic}: ${topics[0].error}`)
  const deadline = performance.now() + READY_WITHIN_MS
  for (let partition = 0; partition < partitions; ) {
    try {
      await kafka.call('listOffsets', { topic, partition, at: 'latest' })
      partition++
    } catch (error) {
      if (performance.now() > deadline) throw error
      await delay(100)
    }
  }
}

/** Does what the plan has, each deed in its time, and brings all back. */
async function doDeeds(
  options: ChaosOptions,
  processes: readonly MemberProcess[],
  trouble: Trouble,
): Promise<Partial<Record<DeedName, number>>> {
  const plan = chaosPlan({ ...options, slots: options.processes })
  await Promise.all(processes.slice(0, options.processes).map((each) => each.come()))
  const startMs = performance.now()
  const counts: Partial<Record<DeedName, number>> = {}
  const underWay: Promise<void>[] = []
  let broker = Promise.resolve()
  for (const deed of plan) {
    await delay(Math.max(0, startMs + deed.atMs - performance.now()), undefined, { signal: options.signal })
    options.onDeed?.(deed)
    counts[deed.name] = (counts[deed.name] ?? 0) + 1
    // One that takes long to start is killed next when it serves.
    const doing =
      deed.name === 'kill-broker'
        ? broker.then(() => killBroker(deed, options))
        : doDeed(deed, processes[deed.slot], options)
    if (deed.name === 'kill-broker') broker = doing
    doing.catch(trouble.meet)
    underWay.push(doing)
  }
  await delay(Math.max(0, startMs + options.durationMs - performance.now()), undefined, {
    signal: options.signal,
  })
  await Promise.all(underWay)
  return counts
}

async function killBroker({ forMs }: Deed, { target, signal }: ChaosOptions): Promise<void> {
  await target.kill()
  await delay(forMs, undefined, { signal })
  await target.start()
}

async function doDeed(
  deed: Deed,
  subject: MemberProcess | undefined,
  { signal }: ChaosOptions,
): Promise<void> {
  const wait = () => delay(deed.forMs, undefined, { signal })
  if (subject === undefined) return
  if (deed.name === 'pause') {
    subject.pause()
    await wait()
    return subject.resume()
  }
  if (deed.name === 'visit') {
    await subject.come()
    await wait()
    return subject.leave()
  }
  await (deed.name === 'kill' ? subject.kill() : subject.leave())
  await wait()
  return subject.come()
}

async function settle(ledger: Ledger, { processes, membersEach, signal }: ChaosOptions): Promise<void> {
  const deadline = performance.now() + SETTLED_WITHIN_MS
  for (;;) {
    const missing = ledger.missing(processes * membersEach)
    if (missing === null || signal.aborted) return
    if (performance.now() > deadline) return ledger.endedWithout(missing)
    await delay(200)
  }
}
