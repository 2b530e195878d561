import { kafkaNames } from '../../topics/names.js'
import type { Principal } from '../session.js'
import { Access } from './access.js'
import type { KafkaContext } from './context.js'
import type { Call } from './handler.js'

/** The part of a call that follows from who asks. */
type Scope = Pick<Call, 'broker' | 'namespace' | 'owner' | 'access'>

/** What the broker is to each client: its namespace's names, and its rights. */
export class Scopes {
  readonly #broker: KafkaContext
  readonly #anonymous: Scope
  readonly #known = new WeakMap<Principal, Scope>()

  constructor(broker: KafkaContext) {
    this.#broker = broker
    const namespace = { tenant: broker.kafkaTenant, namespace: broker.kafkaNamespace }
    this.#anonymous = {
      broker,
      namespace,
      owner: '',
      access: new Access(broker.authorizer ?? null, null, namespace),
    }
  }

  /** @param principal undefined: a client that did not have to log in. */
  of(principal: Principal | undefined): Scope {
    if (principal === undefined) return this.#anonymous
    const known = this.#known.get(principal)
    if (known !== undefined) return known
    const scope = this.#scopeOf(principal)
    this.#known.set(principal, scope)
    return scope
  }

  #scopeOf({ role, namespace: chosen }: Principal): Scope {
    const namespace = chosen ?? this.#anonymous.namespace
    const { tenant: kafkaTenant, namespace: kafkaNamespace } = namespace
    const isOwn = chosen !== undefined
    const broker: KafkaContext = isOwn
      ? { ...this.#broker, kafkaTenant, kafkaNamespace, names: kafkaNames({ kafkaTenant, kafkaNamespace }) }
      : this.#broker
    return {
      broker,
      namespace,
      owner: `${kafkaTenant}/${kafkaNamespace}/${role}`,
      access: new Access(this.#broker.authorizer ?? null, role, namespace),
    }
  }
}
