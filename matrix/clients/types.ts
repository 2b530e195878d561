/** One client library, from `matrix/clients/<name>/client.yaml`. */
export interface ClientSpec {
  readonly name: string
  readonly kind: 'kafka' | 'pulsar' | 'raw' | 'pulsar-admin' | 'kafka-admin' | 'pulsar-kafka-wrapper'
  /** `program`: one of the operating system, driven from Node. */
  readonly language: 'node' | 'python' | 'java' | 'go' | 'rust' | 'program' | 'other'
  /** Package name in its language's registry; for Java `group:artifact`, for Go a module, for Rust a crate. */
  readonly package: string
  /** Oldest first, but for the last: it is the one that plans choose (`default`, if client.yaml names one). */
  readonly versions: readonly string[]
  /** In the quick plan: provisions in seconds where its toolchain is present. */
  readonly quick: boolean
  /**
   * Version of the client (or `*`) to the version of Apache Kafka or Pulsar that still serves it; one not named is
   * served by the newest.
   */
  readonly controls?: Readonly<Record<string, string>>
  /** The folder that holds client.yaml and the driver. */
  readonly folder: string
}

/** A client that can be started. Plain data: it crosses to the workers. */
export interface ReadyClient {
  readonly name: string
  readonly version: string
  readonly kind: ClientSpec['kind']
  /** Program and arguments of the driver process. */
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** Why a client cannot be had here, and what to do about it. */
export interface CouldNotRun {
  readonly name: string
  readonly version: string
  readonly kind: ClientSpec['kind']
  readonly reason: string
  readonly remedy: string
  /** The target does not serve a client so old: unless it was asked for by name, the run is whole without it. */
  readonly isTooOld?: boolean
}

/**
 * Makes a client ready in the cache (`$KOP_CONFORMANCE_CACHE`, else the user's cache folder), by its language's own
 * tool. Never uses this repository's node_modules. A second call finds it in the cache and takes milliseconds; two
 * processes at once do not harm each other.
 */
export type Provision = (
  spec: ClientSpec,
  version: string,
  options: { readonly onProgress?: (line: string) => void; readonly signal?: AbortSignal },
) => Promise<ReadyClient | CouldNotRun>
