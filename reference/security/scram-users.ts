import type { MetadataStore } from '../storage/types.js'
import { type ScramCredential, type ScramMechanism, scramMechanisms } from './scram.js'

const prefix = 'security/scram/'
/** User names hold slashes, so the mechanism, which does not, comes first. */
const keyOf = (mechanism: ScramMechanism, user: string) => `${prefix}${mechanism}/${user}`

export interface UserMechanism {
  readonly mechanism: ScramMechanism
  readonly iterations: number
}

export interface ScramChange {
  readonly user: string
  readonly mechanism: ScramMechanism
  /** undefined: deleted. */
  readonly credential: ScramCredential | undefined
}

/** Users with passwords (KIP-554): salted and hashed, in the metadata store, and in memory for log-ins. */
export class ScramUsers {
  readonly #metadata: MetadataStore
  readonly #users = new Map<string, Map<ScramMechanism, ScramCredential>>()

  /** Without those that are stored: `open` loads them. */
  constructor(metadata: MetadataStore) {
    this.#metadata = metadata
  }

  static async open(metadata: MetadataStore): Promise<ScramUsers> {
    const users = new ScramUsers(metadata)
    for (const mechanism of scramMechanisms)
      for (const [key, value] of await metadata.list(keyOf(mechanism, '')))
        users.#apply({
          user: key.slice(keyOf(mechanism, '').length),
          mechanism,
          credential: parseCredential(value),
        })
    return users
  }

  find(mechanism: ScramMechanism, user: string): ScramCredential | undefined {
    return this.#users.get(user)?.get(mechanism)
  }

  /** In name order. */
  names(): readonly string[] {
    return [...this.#users.keys()].sort()
  }

  /** Empty for a user that is not there. */
  mechanismsOf(user: string): readonly UserMechanism[] {
    return [...(this.#users.get(user) ?? [])].map(([mechanism, { iterations }]) => ({
      mechanism,
      iterations,
    }))
  }

  /** All changes, or none; durable when it resolves. */
  async change(changes: readonly ScramChange[]): Promise<void> {
    await this.#metadata.putAll(
      changes.map(({ user, mechanism, credential }) => [
        keyOf(mechanism, user),
        credential === undefined ? undefined : formatCredential(credential),
      ]),
    )
    for (const change of changes) this.#apply(change)
  }

  #apply({ user, mechanism, credential }: ScramChange): void {
    const known = this.#users.get(user) ?? new Map<ScramMechanism, ScramCredential>()
    if (credential === undefined) known.delete(mechanism)
    else known.set(mechanism, credential)
    if (known.size === 0) this.#users.delete(user)
    else this.#users.set(user, known)
  }
}

function formatCredential({ salt, iterations, storedKey, serverKey }: ScramCredential): Buffer {
  const text = (bytes: Buffer) => bytes.toString('base64')
  return Buffer.from(
    JSON.stringify({ salt: text(salt), iterations, storedKey: text(storedKey), serverKey: text(serverKey) }),
  )
}

function parseCredential(value: Buffer): ScramCredential {
  const stored = JSON.parse(value.toString())
  const bytes = (text: unknown) => Buffer.from(String(text), 'base64')
  return {
    salt: bytes(stored.salt),
    iterations: Number(stored.iterations),
    storedKey: bytes(stored.storedKey),
    serverKey: bytes(stored.serverKey),
  }
}
