import type { SaslSession } from '../session.js'
import type { Api, RequestOf, ResponseOf } from '../wire/schema.js'
import type { Access, TopicNeed } from './access.js'
import type { KafkaContext } from './context.js'

/** The connection that a request came by, as far as a handler may know it. */
export interface KafkaConnection {
  /** The name of the listener that accepted it, which decides the addresses that it is told (register TL-6). */
  readonly listener: string
  /** The client's address, as groups show it: `/127.0.0.1`. */
  readonly clientHost: string
  /** Aborted when the connection ends: what waits for it, waits no longer. */
  readonly closed: AbortSignal
  /** The client's log-in; undefined on a listener that asks for none. */
  readonly session?: SaslSession | undefined
  /** Ends the connection, logging why. */
  close(reason: string): void
}

/** What a request comes with, beside its own fields. */
export interface Call {
  /** As this client sees it: `names` are those of its namespace. */
  readonly broker: KafkaContext
  readonly connection: KafkaConnection
  readonly apiVersion: number
  readonly clientId: string | null
  /** The namespace that the client works in: where its short topic names and its groups live (register MT-1, MT-4). */
  readonly namespace: { readonly tenant: string; readonly namespace: string }
  /** Who asks, in words that no other client of another role or namespace has: what is kept for it is kept under this. */
  readonly owner: string
  /** What the client may do. */
  readonly access: Access
  /** The right that this API needs of each topic that it names: `findTopic` checks it. */
  readonly topicNeed: TopicNeed
}

/** A message's table with the code that answers it. */
export interface Handler<A extends Api = Api> {
  readonly api: A
  /** First and last version that works: what ApiVersions lists (register PH-3). */
  readonly versions: readonly [number, number]
  /** @returns null for no response at all (Produce with acks=0). */
  handle(request: RequestOf<A>, call: Call): Promise<ResponseOf<A> | null>
}

/** A handler for all versions that its table describes. */
export function handler<A extends Api>(
  api: A,
  handle: (request: RequestOf<A>, call: Call) => Promise<ResponseOf<A> | null>,
): Handler<A> {
  return { api, versions: api.versions, handle }
}
