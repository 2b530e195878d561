import { createHash } from 'node:crypto'
import { type IWorldOptions, setWorldConstructor, World } from '@cucumber/cucumber'
import type { ReadyClient } from '../matrix/clients/types.js'
import type { KafkaAdminOps, PulsarAdminOps } from '../matrix/driver/admin-messages.js'
import { Unsupported } from '../matrix/driver/errors.js'
import type { KafkaOps, KafkaReceived, PulsarOps, PulsarReceived } from '../matrix/driver/messages.js'
import {
  type Driver,
  kafkaAdminDriver,
  kafkaDriver,
  pulsarAdminDriver,
  pulsarDriver,
  rawDriver,
  type TypedDriver,
  wrapperDriver,
} from '../matrix/driver/process.js'
import type { RawOps } from '../matrix/driver/raw-messages.js'
import type { WrapperOps } from '../matrix/driver/wrapper-messages.js'
import type { Access, Endpoints, Profile, Target, TargetSettings } from '../matrix/targets/types.js'
import { isOther } from '../matrix/targets/vocabulary.js'
import {
  adminAddress,
  type KafkaSecurity,
  kafkaAddress,
  type PulsarSecurity,
  pulsarAddress,
} from './addresses.js'
import { PulsarAdmin } from './admin.js'
import type { WorldParameters } from './parameters.js'
import { Processes } from './processes.js'
import { Random } from './random.js'
import type { Written } from './records.js'

/** A topic of the scenario, by Kafka's short name. `partitions` 0: a Pulsar topic without partitions. */
export interface ScenarioTopic {
  readonly name: string
  readonly partitions: number
}

/** What a scenario knows: its cell's clients, its target, its topics, what it wrote and what it saw. */
export class ConformanceWorld extends World<WorldParameters> {
  readonly nowMs = Date.now()
  /** What was written, in the order of writing. */
  readonly written: Written[] = []
  readonly topics: ScenarioTopic[] = []
  /** Of the last reading. */
  kafkaSeen: KafkaReceived[] = []
  pulsarSeen: PulsarReceived[] = []
  /** What single steps leave for the next: answers, offsets, errors. */
  readonly notes = new Map<string, unknown>()
  #random: Random | undefined
  #scenario = ''
  #instance: { target: Target; settings: TargetSettings } | undefined
  #processes = new Processes()

  constructor(options: IWorldOptions<WorldParameters>) {
    super(options)
  }

  begin(scenario: string): void {
    this.#scenario = scenario
  }

  /** Driver processes that the scenario has used. */
  get drivers(): ReadonlySet<Driver> {
    return this.#processes.used
  }

  get random(): Random {
    this.#random ??= new Random(this.parameters.seed, this.#scenario)
    return this.#random
  }

  /* ---- The target ------------------------------------------------------------------------------------------- */

  /** From here on the scenario talks to this instance; drivers are pointed at it when next used. */
  useInstance(target: Target, settings: TargetSettings): void {
    this.#instance = { target, settings }
    this.#processes.forgetConfigured()
  }

  /** Drivers drop their handles: the instance was started again. */
  reconnect(): void {
    this.#processes.forgetConfigured()
  }

  get instance(): Target {
    if (this.#instance === undefined) throw new Error('the scenario has no target of its own')
    return this.#instance.target
  }

  get hasInstance(): boolean {
    return this.#instance !== undefined
  }

  get endpoints(): Endpoints {
    return this.#instance?.target.endpoints ?? this.parameters.target.endpoints
  }

  /** What clients without credentials of their own show at the target's first addresses. */
  get access(): Access {
    const access = this.#instance === undefined ? this.parameters.target.access : this.#instance.target.access
    return access ?? {}
  }

  get profile(): Profile {
    return this.#instance?.target.profile ?? this.parameters.target.profile
  }

  /** The target's own answer to a DECLARED requirement. */
  declared(requirement: string): unknown {
    const { answers, name } = this.profile
    const answer = answers[requirement]
    if (answer === undefined) {
      throw new Unsupported(`the profile ${name} does not say how the target answers ${requirement}`)
    }
    if (isOther(answer)) throw new Unsupported(`the suite cannot check this answer yet: ${answer.other}`)
    return answer
  }

  /** What the profile says where it need say nothing; see profiles/README.md. */
  fact(requirement: string): unknown {
    const answer = this.profile.answers[requirement]
    return isOther(answer) ? undefined : answer
  }

  /** Tenant and namespace in which short Kafka names land. */
  get namespace(): string {
    const settings = { ...this.parameters.target.settings, ...this.#instance?.settings }
    const declared = this.fact('MT-1')
    const fallback = typeof declared === 'string' ? declared : 'public/default'
    const [tenant, name] = fallback.split('/')
    const chosen = settings.kafkaNamespace ?? name
    return chosen?.includes('/') ? chosen : `${settings.kafkaTenant ?? tenant}/${chosen}`
  }

  /* ---- Clients ---------------------------------------------------------------------------------------------- */

  kafka(): Promise<TypedDriver<KafkaOps>> {
    return this.#kafkaIn(null, {})
  }

  pulsar(): Promise<TypedDriver<PulsarOps>> {
    return this.#pulsarIn(null, {})
  }

  async raw(): Promise<TypedDriver<RawOps>> {
    const { kafka, pulsar } = this.endpoints
    const { kafka: ofKafka = {}, pulsar: ofPulsar = {} } = this.access
    const security = { kafka: ofKafka, pulsar: ofPulsar }
    return rawDriver(await this.#driver('raw', null, { kafka, pulsar, security }))
  }

  /** The Pulsar–Kafka wrapper, which has the place of the cell's Pulsar client. */
  async wrapper(): Promise<TypedDriver<WrapperOps>> {
    return wrapperDriver(await this.#driver('pulsar', null, this.#pulsarPlace({})))
  }

  /** The tool of Pulsar's administration that the scenario runs with. */
  pulsarAdmin(): Promise<TypedDriver<PulsarAdminOps>> {
    return this.#pulsarAdminIn(null, {})
  }

  /** The tool of Kafka's administration that the scenario runs with. */
  kafkaAdmin(): Promise<TypedDriver<KafkaAdminOps>> {
    return this.#kafkaAdminIn(null, {})
  }

  /** One more process of the cell's Kafka client, the scenario's own by this name: see `killDriver`. */
  extraKafka(name: string, security: KafkaSecurity = {}): Promise<TypedDriver<KafkaOps>> {
    return this.#kafkaIn(name, security)
  }

  extraPulsar(name: string, security: PulsarSecurity = {}): Promise<TypedDriver<PulsarOps>> {
    return this.#pulsarIn(name, security)
  }

  /** The cell's Kafka client with other credentials, in a process of its own: those of one scenario do not mix. */
  kafkaAs(security: KafkaSecurity): Promise<TypedDriver<KafkaOps>> {
    return this.#kafkaIn(nameOf(security), security)
  }

  pulsarAs(security: PulsarSecurity): Promise<TypedDriver<PulsarOps>> {
    return this.#pulsarIn(nameOf(security), security)
  }

  pulsarAdminAs(security: PulsarSecurity): Promise<TypedDriver<PulsarAdminOps>> {
    return this.#pulsarAdminIn(nameOf(security), security)
  }

  kafkaAdminAs(security: KafkaSecurity): Promise<TypedDriver<KafkaAdminOps>> {
    return this.#kafkaAdminIn(nameOf(security), security)
  }

  /** Ends a process of `extraKafka` or `extraPulsar` as `kill -9` does. The name then stands for a new process. */
  killDriver(name: string): Promise<void> {
    return this.#processes.kill(name)
  }

  /** Lets a process hang, as a long pause of a garbage collector does, until `resumeDriver`. */
  pauseDriver(name: string): Promise<void> {
    return this.#processes.pause(name)
  }

  resumeDriver(name: string): Promise<void> {
    return this.#processes.resume(name)
  }

  /** At the scenario's end: processes that it left whole serve others. */
  giveBackDrivers(passed: boolean): Promise<void> {
    return this.#processes.giveBack(passed)
  }

  get admin(): PulsarAdmin {
    return new PulsarAdmin(this.endpoints.admin, this.access.admin)
  }

  async #kafkaIn(name: string | null, security: KafkaSecurity): Promise<TypedDriver<KafkaOps>> {
    const { runId } = this.parameters
    const clientId = name === null ? runId : `${runId}-${name}`
    return kafkaDriver(await this.#driver('kafka', name, { ...this.#kafkaPlace(security), clientId }))
  }

  async #pulsarIn(name: string | null, security: PulsarSecurity): Promise<TypedDriver<PulsarOps>> {
    return pulsarDriver(await this.#driver('pulsar', name, this.#pulsarPlace(security)))
  }

  async #pulsarAdminIn(name: string | null, security: PulsarSecurity): Promise<TypedDriver<PulsarAdminOps>> {
    const { admin } = this.endpoints
    const isOwn = !isNobody(security)
    const adminUrl = isOwn || admin === undefined ? adminAddress(this.endpoints, security) : admin
    const place = { ...this.#pulsarPlace(security), ...(!isOwn && { security: this.access.admin ?? {} }) }
    return pulsarAdminDriver(await this.#driver('pulsarAdmin', name, { adminUrl, ...place }))
  }

  async #kafkaAdminIn(name: string | null, security: KafkaSecurity): Promise<TypedDriver<KafkaAdminOps>> {
    return kafkaAdminDriver(await this.#driver('kafkaAdmin', name, this.#kafkaPlace(security)))
  }

  /** Without credentials of its own a client shows the target's, at its first address. */
  #kafkaPlace(security: KafkaSecurity): { bootstrap: string; security: KafkaSecurity } {
    const { kafka } = this.endpoints
    if (isNobody(security) && kafka !== undefined) {
      return { bootstrap: kafka, security: this.access.kafka ?? {} }
    }
    return { bootstrap: kafkaAddress(this.endpoints, security), security }
  }

  #pulsarPlace(security: PulsarSecurity): { serviceUrl: string; security: PulsarSecurity } {
    const { pulsar } = this.endpoints
    if (isNobody(security) && pulsar !== undefined) {
      return { serviceUrl: pulsar, security: this.access.pulsar ?? {} }
    }
    return { serviceUrl: pulsarAddress(this.endpoints, security), security }
  }

  async #driver(kind: ClientKind, name: string | null, args: Record<string, unknown>): Promise<Driver> {
    const client: ReadyClient | undefined = this.parameters[kind]
    if (client === undefined) throw new Unsupported(`the cell has no ${kind} client`)
    return this.#processes.get(client, name, args)
  }

  /* ---- Topics ----------------------------------------------------------------------------------------------- */

  /** A name that nobody else in the run has. */
  newName(suffix = ''): string {
    return `${this.parameters.runId}-${this.random.text(8)}${this.topics.length}${suffix}`
  }

  /** The scenario's topic, or its second. */
  topic(number = 1): ScenarioTopic {
    const topic = this.topics[number - 1]
    if (topic === undefined) throw new Error(`the scenario has no topic ${number}`)
    return topic
  }

  /** Pulsar's full name of a topic. */
  pulsarTopic(topic: ScenarioTopic = this.topic()): string {
    const { name } = topic
    if (name.startsWith('persistent://')) return name
    return `persistent://${name.includes('/') ? name : `${this.namespace}/${name}`}`
  }

  /** Pulsar's full name of a partition. */
  pulsarPartition(partition = 0, topic: ScenarioTopic = this.topic()): string {
    return topic.partitions === 0
      ? this.pulsarTopic(topic)
      : `${this.pulsarTopic(topic)}-partition-${partition}`
  }

  writtenTo(partition: number): Written[] {
    return this.written.filter((each) => each.partition === partition)
  }

  note<Value>(name: string): Value {
    if (!this.notes.has(name)) throw new Error(`no step before has noted ${name}`)
    return this.notes.get(name) as Value
  }

  /** The same, of what the first to ask notes. */
  noted<Value>(name: string, initial: () => Value): Value {
    if (!this.notes.has(name)) this.notes.set(name, initial())
    return this.note<Value>(name)
  }
}

const isNobody = (security: KafkaSecurity | PulsarSecurity): boolean => Object.keys(security).length === 0

type ClientKind = 'kafka' | 'pulsar' | 'raw' | 'pulsarAdmin' | 'kafkaAdmin'

/** Processes of the same credentials are one. Its digest, as names go into client ids. */
function nameOf(security: KafkaSecurity | PulsarSecurity): string {
  return `as-${createHash('sha256').update(JSON.stringify(security)).digest('hex').slice(0, 8)}`
}

setWorldConstructor(ConformanceWorld)
