import { randomBytes } from 'node:crypto'
import { isEntityName } from '../topics/names.js'
import { parseOAuthBearer } from './oauthbearer.js'
import {
  type ClientFirst,
  isPassword,
  parseClientFirst,
  type ScramCredential,
  type ScramMechanism,
  scramMechanisms,
  serverFirst,
  textOf,
  verifyClientFinal,
} from './scram.js'
import type { ScramUsers } from './scram-users.js'
import type { TokenVerifier } from './tokens.js'
import { type Authenticated, type Denied, deny, isDenied, type NamespaceName } from './types.js'

export const saslMechanisms = ['PLAIN', 'OAUTHBEARER', ...scramMechanisms] as const
export type SaslMechanism = (typeof saslMechanisms)[number]
export const isSaslMechanism = (name: string): name is SaslMechanism =>
  saslMechanisms.some((known) => known === name)

/** What log-ins stand on. */
export interface SaslParts {
  readonly tokens: TokenVerifier
  readonly users: ScramUsers
  readonly namespaces: { hasNamespace(tenant: string, namespace: string): boolean }
}

/** What the server says to a client's message. */
export type SaslStep =
  | { readonly challenge: Buffer }
  | { readonly authenticated: Authenticated; readonly message: Buffer }
  | Denied

/** One log-in. @returns what to answer to the client's next message. */
export type SaslExchange = (message: Buffer) => Promise<SaslStep>

/**
 * Starts a log-in. Roles: with a token, its subject; with a password, the user's name. A user name `tenant/namespace` chooses
 * the namespace to work in (register MT-4); with OAUTHBEARER the extensions `tenant` and `namespace` do (KIP-342), `tenant`
 * alone also in the form `tenant/namespace`. What names none works in the namespace of the configuration.
 */
export function startExchange(mechanism: SaslMechanism, parts: SaslParts): SaslExchange {
  if (mechanism === 'PLAIN') return (message) => plain(message, parts)
  if (mechanism === 'OAUTHBEARER') return oauthBearer(parts)
  return scram(mechanism, parts)
}

const wrongCredentials = deny('Authentication failed: wrong user name or password')
const notInForm = (mechanism: SaslMechanism) => deny(`The message is not of SASL mechanism ${mechanism}`)
const nothing = Buffer.alloc(0)
const tokenPrefix = 'token:'

/** RFC 4616. As in KoP the password is `token:` and a token; else it is that of a stored SCRAM user. */
async function plain(message: Buffer, parts: SaslParts): Promise<SaslStep> {
  const [authorizationId, user, password, ...rest] = textOf(message)?.split('\0') ?? []
  if (!user || !password || rest.length > 0) return notInForm('PLAIN')
  if (authorizationId !== '' && authorizationId !== user) return notOneself
  if (!password.startsWith(tokenPrefix)) return plainPassword(user, password, parts)
  const token = await parts.tokens.verify(password.slice(tokenPrefix.length))
  return isDenied(token) ? token : accept(token, user, nothing, parts)
}

const notOneself = deny('Nobody can log in for somebody else: authorization id and user name differ')
/** So that a user who is not there takes as long to be refused as one who is. */
const nobody: ScramCredential = {
  salt: Buffer.alloc(16),
  iterations: 4096,
  storedKey: Buffer.alloc(32),
  serverKey: Buffer.alloc(32),
}

async function plainPassword(user: string, password: string, parts: SaslParts): Promise<SaslStep> {
  for (const mechanism of scramMechanisms) {
    const credential = parts.users.find(mechanism, user)
    if (credential === undefined) continue
    if (!(await isPassword(mechanism, credential, password))) return wrongCredentials
    return accept(passwordUser(user), user, nothing, parts)
  }
  await isPassword('SCRAM-SHA-256', nobody, password)
  return wrongCredentials
}

const passwordUser = (role: string) => ({ role, expiresAtMs: undefined })

/** RFC 7628: a wrong token is answered with an error that the client must acknowledge, and then refused. */
function oauthBearer(parts: SaslParts): SaslExchange {
  let refused: Denied | undefined
  return async (message) => {
    if (refused !== undefined) return refused
    const client = parseOAuthBearer(message)
    if (client === null) return notInForm('OAUTHBEARER')
    const token = await parts.tokens.verify(client.token)
    if (isDenied(token)) {
      refused = token
      return { challenge: Buffer.from('{"status":"invalid_token"}') }
    }
    if (client.authorizationId !== '' && client.authorizationId !== token.role) return notOneself
    const { tenant, namespace } = client.extensions
    const chosen = tenant === undefined || namespace === undefined ? tenant : `${tenant}/${namespace}`
    const isPath = chosen?.includes('/') === true
    if (chosen !== undefined && !isPath)
      return deny('The extension "tenant" comes with "namespace", or is itself tenant/namespace')
    return accept(token, chosen ?? '', nothing, parts)
  }
}

const serverNonceBytes = 24

function scram(mechanism: ScramMechanism, parts: SaslParts): SaslExchange {
  let begun: { first: ClientFirst; credential: ScramCredential; nonce: string } | undefined
  return async (message) => {
    if (begun === undefined) {
      const first = parseClientFirst(message)
      if (first === null) return notInForm(mechanism)
      if (first.authorizationId !== '' && first.authorizationId !== first.user) return notOneself
      const credential = parts.users.find(mechanism, first.user)
      if (credential === undefined) return wrongCredentials
      const nonce = first.nonce + randomBytes(serverNonceBytes).toString('base64')
      begun = { first, credential, nonce }
      return { challenge: Buffer.from(serverFirst(nonce, credential)) }
    }
    const { first, credential, nonce } = begun
    const final = verifyClientFinal(mechanism, credential, first, nonce, message)
    if (final === null) return wrongCredentials
    return accept(passwordUser(first.user), first.user, Buffer.from(final), parts)
  }
}

/** @param user what may be `tenant/namespace`; looked at only after the credential was found right. */
function accept(
  { role, expiresAtMs }: Pick<Authenticated, 'role' | 'expiresAtMs'>,
  user: string,
  message: Buffer,
  parts: SaslParts,
): SaslStep {
  if (!user.includes('/')) return { authenticated: { role, expiresAtMs, namespace: undefined }, message }
  const namespace = namespaceOf(user)
  if (namespace === undefined || !parts.namespaces.hasNamespace(namespace.tenant, namespace.namespace))
    return deny('Authentication failed: there is no such tenant or namespace as was chosen')
  return { authenticated: { role, expiresAtMs, namespace }, message }
}

function namespaceOf(user: string): NamespaceName | undefined {
  const [tenant = '', namespace = '', ...rest] = user.split('/')
  return rest.length === 0 && isEntityName(tenant) && isEntityName(namespace)
    ? { tenant, namespace }
    : undefined
}
