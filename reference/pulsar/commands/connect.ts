import { isDenied } from '../../security/types.js'
import { fail } from '../failure.js'
import type { Handler, Session } from '../session.js'
import { type CommandBody, PROTOCOL_VERSION } from '../wire/commands.js'

/** The client of 2.8.0, in the Pulsar–Kafka wrapper of that release too, says that it reads broker entry metadata, and does not. */
const cannotReadIt = /^(Pulsar-Java-v)?2\.8\.0$/

/**
 * CONNECT: the hand-shake. Where authentication is asked for, with a token (`auth_method_name` is `token`); whoever has none
 * that is right is refused with AuthenticationError. Clients of a proxy, as somebody else than the proxy, are refused.
 */
export const connect: Handler<'CONNECT'> = (session, body) => {
  const { security } = session.service.context
  if (session.client !== undefined) return session.end('a second CONNECT')
  if (body.originalPrincipal || body.originalAuthData)
    return session.refuse(fail('AuthenticationError', 'Original principals of proxies are not accepted'))
  return security?.isAuthenticated === true ? authenticate(session, body) : welcome(session, body)
}

async function authenticate(session: Session, body: CommandBody<'CONNECT'>): Promise<void> {
  const refusal = await takeToken(session, body.authMethodName, body.authData, body)
  if (refusal === undefined) welcome(session, body)
  else session.refuse(fail('AuthenticationError', refusal))
}

/**
 * Makes the token's role the session's.
 * @returns why it is refused; nothing of what the client sent is in it.
 */
export async function takeToken(
  session: Session,
  method: string | undefined,
  data: Buffer | undefined,
  { featureFlags }: Pick<CommandBody<'CONNECT'>, 'featureFlags'>,
): Promise<string | undefined> {
  const { security } = session.service.context
  if (security === undefined || method !== 'token' || data === undefined)
    return 'Authentication required: this broker takes tokens (auth method "token")'
  const token = await security.tokens.verify(data.toString())
  if (isDenied(token)) return token.denied
  if (session.role !== null && session.role !== token.role)
    return 'A new token must be of the same role as the one before'
  session.role = token.role
  session.credential.start(token.expiresAtMs, featureFlags?.supportsAuthRefresh === true)
  return undefined
}

function welcome(session: Session, body: CommandBody<'CONNECT'>): void {
  const protocolVersion = Math.min(body.protocolVersion ?? 0, PROTOCOL_VERSION)
  session.client = { version: body.clientVersion, protocolVersion }
  session.readsBrokerEntryMetadata =
    body.featureFlags?.supportsBrokerEntryMetadata === true && !cannotReadIt.test(body.clientVersion)
  session.send('CONNECTED', {
    serverVersion: 'kop-conformance-reference',
    protocolVersion,
    maxMessageSize: session.service.context.config.maxMessageSize,
    featureFlags: {
      supportsAuthRefresh: true,
      supportsGetPartitionedMetadataWithoutAutoCreation: true,
    },
  })
}
