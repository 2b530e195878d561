import type { KafkaSecurity, PulsarSecurity } from '../driver/messages.js'

/** What a scenario may do to a target beyond using it. A scenario says by a tag `@power-restart` what it needs. */
export type Power =
  /** Stop it in an orderly way and start it again over the same data. */
  | 'restart'
  /** End its process at once, as `kill -9` does, and start it again over the same data. */
  | 'kill'
  /** Start one more instance of it with settings of the scenario's choice, over new or the same data. */
  | 'configure'
  /** Make its store fail on writes, and mend it. */
  | 'fail-store'
  /** Close the current ledger so that the next append opens a new one. */
  | 'roll-over'

/** Settings of an instance, by the names of its configuration file: `entryFormat`, `offsetMapping`, `kafkaNamespace`. */
export type TargetSettings = Readonly<Record<string, string>>

export interface Endpoints {
  /** `host:port`; absent: the target does not speak Kafka. */
  readonly kafka?: string
  /** `pulsar://host:port`; absent: the target does not speak Pulsar. */
  readonly pulsar?: string
  /** `http://host:port`, Pulsar's admin REST. */
  readonly admin?: string
  /** `host:port` of Kafka listeners beside the first: SASL in the clear, TLS, and SASL over TLS. */
  readonly kafkaSasl?: string
  readonly kafkaTls?: string
  readonly kafkaSaslTls?: string
  /** `pulsar+ssl://host:port` */
  readonly pulsarTls?: string
  /** `https://host:port` */
  readonly adminTls?: string
}

/** What clients show a system that asks who they are, beside its first addresses. Never part of a report. */
export interface Access {
  readonly kafka?: KafkaSecurity
  readonly pulsar?: PulsarSecurity
  readonly admin?: PulsarSecurity
}

/**
 * The target's answers to the DECLARED requirements, by requirement id, and what else a verifier must know of it.
 * Read from a YAML file; the vocabulary of each answer is documented in `matrix/targets/profiles/README.md`.
 */
export interface Profile {
  readonly name: string
  readonly description: string
  /** e.g. `ID-3: index`. A requirement without an answer makes its scenarios `unsupported`, with that reason. */
  readonly answers: Readonly<Record<string, unknown>>
  /** Requirements that the target declines, with its reason: `unsupported`, never `failed`. */
  readonly declines: Readonly<Record<string, string>>
}

/** A kind of target that a run can start, or reach. Plain data crosses to the workers: name and options. */
export interface TargetKind {
  /** `kafka`, or with a version `kafka@3.9.1`: `targetKind(name)` answers it again. */
  readonly name: string
  readonly powers: ReadonlySet<Power>
  readonly profile: Profile
  /** It was there before the run, and is there after it: what the run makes on it is deleted at the end. */
  readonly outlivesRun?: boolean
  /** Where it is, when that is known before the start. */
  readonly endpoints?: Endpoints
  /** A list of known failures that comes with its profile. */
  readonly knownFailing?: string
  /** Starts an instance, on free ports of 127.0.0.1, and resolves when it serves. `dataDir` absent: new data. */
  start(options: StartOptions): Promise<Target>
}

export interface StartOptions {
  readonly settings?: TargetSettings
  readonly dataDir?: string
  /** Variables of its process beside this one's, for a server that is a program of this package. */
  readonly environment?: Readonly<Record<string, string>>
  /** One line of progress, such as "downloading Apache Pulsar 4.2.4". */
  readonly onProgress?: (line: string) => void
  readonly signal?: AbortSignal
}

/** A running instance. */
export interface Target {
  readonly kind: string
  /** Of the kind that started it, where that says more: `kafka@3.9.1`. */
  readonly name?: string
  /** The version it tells of itself, for the report. */
  readonly version: string
  readonly endpoints: Endpoints
  /** Absent: its first addresses ask nobody for anything. */
  readonly access?: Access
  readonly profile: Profile
  readonly powers: ReadonlySet<Power>
  readonly dataDir: string
  /** Orderly; deletes its data unless `keepData`. Safe to call twice. */
  stop(options?: { keepData?: boolean }): Promise<void>
  /** Same data, same ports. Throws where the power is missing. */
  restart(): Promise<void>
  kill(): Promise<void>
  /** After `kill`: same data, same ports. */
  start(): Promise<void>
  rollOver(pulsarTopicPartition: string): Promise<void>
  failStore(failing: boolean): Promise<void>
  /** The last lines of its log, for the report of a failure. */
  logTail(): Promise<string>
  /** All of its log; absent where the run does not have it. */
  log?(): Promise<string>
}
