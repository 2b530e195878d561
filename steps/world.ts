import { type IWorldOptions, setWorldConstructor, World } from '@cucumber/cucumber'
import type { ReadyClient } from '../matrix/clients/types.js'
import { Unsupported } from '../matrix/driver/errors.js'
import type { KafkaOps, KafkaReceived, PulsarOps, PulsarReceived } from '../matrix/driver/messages.js'
import { type Driver, kafkaDriver, pulsarDriver, type TypedDriver } from '../matrix/driver/process.js'
import type { RawOps } from '../matrix/driver/raw-messages.js'
import type { Endpoints, Profile, Target, TargetSettings } from '../matrix/targets/types.js'
import { PulsarAdmin } from './admin.js'
import { driverOf, rawDriver } from './drivers.js'
import type { WorldParameters } from './parameters.js'
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
  readonly drivers = new Set<Driver>()
  /** Of the last reading. */
  kafkaSeen: KafkaReceived[] = []
  pulsarSeen: PulsarReceived[] = []
  /** What single steps leave for the next: answers, offsets, errors. */
  readonly notes = new Map<string, unknown>()
  #random: Random | undefined
  #scenario = ''
  #instance: { target: Target; settings: TargetSettings } | undefined
  #configured = new Map<string, Promise<Driver>>()

  constructor(options: IWorldOptions<WorldParameters>) {
    super(options)
  }

  begin(scenario: string): void {
    this.#scenario = scenario
  }

  get random(): Random {
    this.#random ??= new Random(this.parameters.seed, this.#scenario)
    return this.#random
  }

  /* ---- The target ------------------------------------------------------------------------------------------- */

  /** From here on the scenario talks to this instance; drivers are pointed at it when next used. */
  useInstance(target: Target, settings: TargetSettings): void {
    this.#instance = { target, settings }
    this.#configured.clear()
  }

  /** Drivers drop their handles: the instance was started again. */
  reconnect(): void {
    this.#configured.clear()
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
    return answer
  }

  /** What the profile says where it need say nothing; see profiles/README.md. */
  fact(requirement: string): unknown {
    return this.profile.answers[requirement]
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

  async kafka(): Promise<TypedDriver<KafkaOps>> {
    const { kafka } = this.endpoints
    if (kafka === undefined) throw new Unsupported('the target has no Kafka address')
    return kafkaDriver(await this.#driver('kafka', { bootstrap: kafka, clientId: this.parameters.runId }))
  }

  async pulsar(): Promise<TypedDriver<PulsarOps>> {
    const { pulsar } = this.endpoints
    if (pulsar === undefined) throw new Unsupported('the target has no Pulsar address')
    return pulsarDriver(await this.#driver('pulsar', { serviceUrl: pulsar }))
  }

  async raw(): Promise<TypedDriver<RawOps>> {
    const { kafka, pulsar } = this.endpoints
    return rawDriver(await this.#driver('raw', { kafka, pulsar }))
  }

  get admin(): PulsarAdmin {
    return new PulsarAdmin(this.endpoints.admin)
  }

  #driver(kind: 'kafka' | 'pulsar' | 'raw', args: Record<string, unknown>): Promise<Driver> {
    const client: ReadyClient | undefined = this.parameters[kind]
    if (client === undefined) throw new Unsupported(`the cell has no ${kind} client`)
    const known = this.#configured.get(kind)
    if (known !== undefined) return known
    const configured = configure(client, args)
    this.#configured.set(kind, configured)
    void configured.then(
      (driver) => this.drivers.add(driver),
      () => {},
    )
    return configured
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
}

async function configure(client: ReadyClient, args: Record<string, unknown>): Promise<Driver> {
  const driver = await driverOf(client)
  await driver.call('configure', args)
  return driver
}

setWorldConstructor(ConformanceWorld)
