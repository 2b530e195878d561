import type { TopicName } from '../topics/types.js'

/** Pulsar's name for who a client is: the subject of its token, or the name of a stored user. */
export type Role = string

/** What Pulsar permits on a namespace or a topic (register MT-5). */
export type Right = 'produce' | 'consume' | 'functions'

export interface NamespaceName {
  readonly tenant: string
  readonly namespace: string
}

/** A credential that was found right. */
export interface Authenticated {
  readonly role: Role
  /** What the client chose to work in; undefined: the namespace of the configuration. */
  readonly namespace: NamespaceName | undefined
  /** When the credential ends, milliseconds since the epoch; undefined: never. */
  readonly expiresAtMs: number | undefined
}

/** A credential that was not. The message is for the client: it never holds any part of what the client sent as a secret. */
export interface Denied {
  readonly denied: string
}
export const deny = (denied: string): Denied => ({ denied })
export const isDenied = (value: object): value is Denied => 'denied' in value

/**
 * Who may do what, by Pulsar's rules: a super user everything; a tenant's admin everything in its tenant; others what they
 * were granted for a namespace, or for a topic of it.
 */
export interface Authorizer {
  /** Changes whenever an answer may: what was remembered under another number is asked anew. */
  readonly version: number
  isSuperUser(role: Role): boolean
  /** Also true of super users. */
  isTenantAdmin(role: Role, tenant: string): boolean
  mayInNamespace(role: Role, namespace: NamespaceName, right: Right): boolean
  mayOnTopic(role: Role, topic: TopicName, right: Right): boolean
  /** In the namespace, or on any one topic of it. */
  maySomewhere(role: Role, namespace: NamespaceName, right: Right): boolean
}
