import { fail } from '../failure.js'
import type { Handler } from '../session.js'
import { takeToken } from './connect.js'

/** AUTH_RESPONSE: the new token that the broker asked for with AUTH_CHALLENGE. One that is not right ends the connection. */
export const authResponse: Handler<'AUTH_RESPONSE'> = async (session, { response }) => {
  if (!session.credential.isAsked) return session.end('AUTH_RESPONSE that was not asked for')
  const flags = { featureFlags: { supportsAuthRefresh: true } }
  const refusal = await takeToken(session, response?.authMethodName, response?.authData, flags)
  if (refusal !== undefined) session.refuse(fail('AuthenticationError', refusal))
}
